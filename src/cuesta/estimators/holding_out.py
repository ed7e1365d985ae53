"""Which rows early stopping holds out of training: drawn, by a splitter, or named by the user."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from cuesta._util.checks import check_range
from cuesta.data.folds import Fold, hold_out
from cuesta.errors import SpecError


def is_splitter(share: Any) -> bool:
    """Whether this is one of scikit-learn's splitters, not a number."""
    return hasattr(share, "split")


def held_out_rows(
    y: np.ndarray, share: Any, seed: int, x: np.ndarray | None = None
) -> tuple[int, ...]:
    """The places of rows that validate, drawn at random. Raises SpecError for an unusable share.

    `y` (rows,) of class numbers is stratified as far as it can be, and each class trains. Copies of
    a row `x` are on one side, as where rows are drawn with repetition (bagging).
    """
    check_range("validation_fraction", share, 0, 1, open_low=True)
    fold = _stratified(y, share, seed) if y.ndim == 1 else hold_out(y, share, seed)
    return tuple((fold if x is None else _copies_together(fold, x, y)).validation.tolist())


def split_rows(splitter: Any, x: Any, y: np.ndarray) -> np.ndarray:
    """Whether each row validates (rows,), by the last split of a splitter.

    The last, so that folds in order validate on the last rows. Raises SpecError unless each row
    is on one side of it.
    """
    places = np.zeros(len(y), np.int64)
    try:
        *_, (train, validation) = splitter.split(x, y)
        np.add.at(places, train, 1)
        np.add.at(places, validation, 1)
    except (ValueError, IndexError) as error:
        raise SpecError(
            f"validation_fraction={splitter!r} cannot split {len(y):,} rows: {error}."
        ) from error
    if (places != 1).any() or not len(train) or not len(validation):
        raise SpecError(
            f"validation_fraction={splitter!r} must put each row on one side of its last split: "
            f"it trains on {len(train):,} of {len(y):,} rows and validates on {len(validation):,}."
        )
    held = np.zeros(len(y), bool)
    held[validation] = True
    return held


def _stratified(y: np.ndarray, share: float, seed: int) -> Fold:
    """A fold in which each class trains: one of a single row does not validate."""
    _, inverse, counts = np.unique(y, return_inverse=True, return_counts=True)
    paired = np.flatnonzero(counts[inverse] > 1)
    held = max(1, round(share * len(y)))
    if len(paired) == len(y) or len(paired) <= held:
        return _each_class_trained(hold_out(y, share, seed), inverse)
    fold = hold_out(y[paired], held / len(paired), seed)
    out = paired[fold.validation]
    return _each_class_trained(Fold(np.delete(np.arange(len(y)), out), out), inverse)


def _each_class_trained(fold: Fold, classes: np.ndarray) -> Fold:
    """The fold, but for the first row of each class that would validate alone."""
    only = np.setdiff1d(classes[fold.validation], classes[fold.train])
    if not len(only):
        return fold
    taken = [fold.validation[(classes[fold.validation] == one).argmax()] for one in only]
    left = np.setdiff1d(fold.validation, taken)
    return Fold(np.union1d(fold.train, taken), left) if len(left) else fold


def _copies_together(fold: Fold, x: np.ndarray, y: np.ndarray) -> Fold:
    """The fold with all copies of a row on the side of the first.

    Where most rows are copies, they are so by nature (columns of few values), and stay apart.
    """
    rows = pl.from_numpy(np.column_stack([x, y])).hash_rows().to_numpy()
    _, first, place = np.unique(rows, return_index=True, return_inverse=True)
    if len(first) == len(rows) or len(first) <= len(rows) / 2:
        return fold
    held = np.zeros(len(rows), bool)
    held[fold.validation] = True
    held = held[first[place]]
    if held.all() or not held.any():
        return fold
    return Fold(np.flatnonzero(~held), np.flatnonzero(held))
