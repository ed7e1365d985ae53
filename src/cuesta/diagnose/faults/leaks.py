"""An input that alone gives the target away: a copy of it, or nearly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from cuesta._text import listed
from cuesta.data.encode import Encoder, Feature
from cuesta.data.folds import Fold
from cuesta.diagnose.findings import SEVERE, Finding

MOST_ROWS = 20_000  # of a fold, on either side; more tell no more
NEARLY_ALL = 0.98  # of the target; the carats of diamonds tell 0.94 of their prices' ranks
FEWEST = 30  # rows that the commonest class tells wrong: of fewer, chance may tell all


def single_input_tells(
    encoder: Encoder, x: np.ndarray, y: np.ndarray, folds: Sequence[Fold]
) -> Finding | None:
    """One column of the table alone tells the target of rows that it did not see.

    By `told_by_each`: at least 98 % of what there is to tell. `x` (rows, columns) are encoded rows,
    `y` class numbers (rows,) or values (rows, targets). None where so few rows are not of the
    commonest class that chance may do it.
    """
    if len(y) - (np.bincount(y).max() if y.ndim == 1 else 0) < FEWEST:
        return None
    told = told_by_each(encoder, x, y, folds)
    name = max(told, key=lambda each: told[each])
    if told[name] < NEARLY_ALL:
        return None
    also = [f"{each!r}" for each in told if each != name and told[each] >= NEARLY_ALL]
    return Finding(
        "target given away",
        SEVERE,
        f"the column {name!r} alone tells {told[name]:.4g} of the target, where 1 is all of it, on "
        "rows of the folds that it did not see, as a copy of the target does, or what is made from "
        f"it{'; so does ' + listed(also, 3) if also else ''}",
        f"leave {name!r} out, unless it is known before the target is",
        "drop" if "," in name else f"drop={name}",  # a list of parameters has commas between
        97,
    )


def told_by_each(
    encoder: Encoder, x: np.ndarray, y: np.ndarray, folds: Sequence[Fold]
) -> dict[str, float]:
    """Column of the table → the share of the target that it tells alone, on validation rows.

    Of a row is predicted the mean target of the training rows of its value, between two values on
    the line between their means. For classes the share is 1 − wrong/wrong of the commonest class;
    for values 1 − Σ(r̂ − r)²/Σ(r̄ − r)² of their ranks r, whatever their unit, and the best of the
    targets.
    """
    targets = _shares(y) if y.ndim == 1 else _ranks(y)
    parts = [(_thinned(fold.train), _thinned(fold.validation)) for fold in folds]
    told: dict[str, float] = {}
    for feature, values, ordered in _columns(encoder, x):
        missed = np.zeros(targets.shape[1] if y.ndim == 2 else 1)
        base = missed.copy()
        for train, held in parts:
            predicted = _predicted(values[train], targets[train], values[held], ordered=ordered)
            missed += _missed(predicted, targets[held], y.ndim)
            plain = np.tile(targets[train].mean(axis=0), (len(held), 1))
            base += _missed(plain, targets[held], y.ndim)
        share = np.max(1 - missed / np.where(base > 0, base, np.inf), where=base > 0, initial=0.0)
        told[feature.name] = max(told.get(feature.name, 0.0), float(share))
    return told


def _thinned(rows: np.ndarray) -> np.ndarray:
    return rows[:: -(-len(rows) // MOST_ROWS) or 1]


def _columns(encoder: Encoder, x: np.ndarray) -> Iterator[tuple[Feature, np.ndarray, bool]]:
    """Each feature's numbers, or the places of its categories, and whether their order counts."""
    begin = 0
    for feature in encoder.features:
        own = x[:, begin : begin + feature.width]
        begin += feature.width
        if feature.kind == "category":
            yield feature, np.where(own.any(axis=1), own.argmax(axis=1), np.nan), False
        else:
            for place in range(feature.width - feature.missing):
                yield feature, own[:, place], True


def _shares(y: np.ndarray) -> np.ndarray:
    return np.eye(int(y.max()) + 1)[y]


def _ranks(y: np.ndarray) -> np.ndarray:
    """(rows, targets) the middle rank of each value among its target's, as a share of the rows."""
    ranks = np.empty_like(y, dtype=np.float64)
    for place, column in enumerate(y.T):
        _, of, counts = np.unique(column, return_inverse=True, return_counts=True)
        ranks[:, place] = ((np.cumsum(counts) - counts / 2) / len(y))[of]
    return ranks


def _predicted(
    values: np.ndarray, targets: np.ndarray, new: np.ndarray, *, ordered: bool
) -> np.ndarray:
    """(new rows, targets) by the mean targets of each value; a gap is a value of its own."""
    overall = targets.mean(axis=0)
    present, there = ~np.isnan(values), ~np.isnan(new)
    predicted = np.tile(overall if present.all() else targets[~present].mean(axis=0), (len(new), 1))
    if not present.any():
        return predicted
    distinct, of, counts = np.unique(values[present], return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(of, column) for column in targets[present].T], axis=1)
    means = sums / counts[:, None]
    after = np.clip(np.searchsorted(distinct, new[there]), 0, len(distinct) - 1)
    before = np.maximum(after - 1, 0)
    known = distinct[after] == new[there]
    if ordered:
        gap = distinct[after] / 2 - distinct[before] / 2
        way = (new[there] / 2 - distinct[before] / 2) / np.where(gap > 0, gap, 1.0)
        way = np.where(known, 1.0, np.clip(way, 0.0, 1.0))[:, None]
        found = means[before] * (1 - way) + means[after] * way
    else:
        found = np.where(known[:, None], means[after], overall)
    predicted[there] = found
    return predicted


def _missed(predicted: np.ndarray, targets: np.ndarray, dimensions: int) -> np.ndarray:
    """Rows told wrong, (1,); or the squared errors of each target."""
    if dimensions == 1:
        return np.array([(predicted.argmax(axis=1) != targets.argmax(axis=1)).sum()], np.float64)
    return ((predicted - targets) ** 2).sum(axis=0)
