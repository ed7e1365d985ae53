"""What the doctor looks at: a recording, the curves, and what is plain to see in the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cuesta.data.scale import fit_scaling
from cuesta.diagnose.record import Recording
from cuesta.spec import Candidate, Shape, is_classes

NEARLY = 1e-9  # of a column's spread: what two columns may differ by and be the same


@dataclass(frozen=True)
class Inputs:
    """The rows as the network gets them: how far its columns are from 0, and which repeat.

    `center` the largest |mean| of a column, `spread` the largest standard deviation, and the
    columns (by number) that have them; `twins` the largest set of columns that are one column, by
    a factor and a shift; `constant` columns far from 0.
    """

    center: float
    spread: float
    widest: int
    twins: tuple[int, ...]
    constant: tuple[int, ...]
    width: int


@dataclass(frozen=True)
class Evidence:
    """All that a diagnosis rests on.

    `trivial` is the loss of one who says the classes' shares, or the mean, of the training rows;
    `train` (epochs,) the mean training loss; `validation` (epochs,) the same loss on rows that did
    not train, or None; `inputs` and `target_spread` what the network is given.
    """

    candidate: Candidate
    shape: Shape
    recording: Recording
    trivial: float
    train: np.ndarray
    validation: np.ndarray | None
    inputs: Inputs
    target_spread: float
    names: tuple[str, ...] = ()


def look_at_inputs(x: np.ndarray, normalize: str) -> Inputs:
    """What the normalized rows (rows, columns) are like."""
    z = fit_scaling(x, normalize).apply(x)
    means, spreads = z.mean(axis=0), z.std(axis=0)
    widest = int(np.argmax(np.maximum(np.abs(means), spreads))) if z.shape[1] else 0
    flat = tuple(np.flatnonzero((spreads < NEARLY) & (np.abs(means) > 10)).tolist())
    return Inputs(
        float(np.abs(means).max(initial=0.0)),
        float(spreads.max(initial=0.0)),
        widest,
        _twins(z),
        flat,
        z.shape[1],
    )


def _twins(z: np.ndarray) -> tuple[int, ...]:
    """The largest set of columns that are the same up to shift, factor and sign."""
    spreads = z.std(axis=0)
    moving = np.flatnonzero(spreads > 0)
    if len(moving) < 2:
        return ()
    unit = (z[:, moving] - z[:, moving].mean(axis=0)) / spreads[moving]
    first = np.abs(unit).argmax(axis=0)
    unit *= np.sign(unit[first, np.arange(len(moving))])
    groups: dict[bytes, list[int]] = {}
    for place, column in zip(moving, unit.T, strict=True):
        groups.setdefault(np.round(column, 6).tobytes(), []).append(int(place))
    largest = max(groups.values(), key=len)
    return tuple(largest) if len(largest) > 1 else ()


def trivial_loss(loss: str, y: np.ndarray) -> float:
    """J of one who does not look at the inputs: the shares of the classes, or the mean."""
    if loss == "logistic":
        shares = np.clip(y.mean(axis=0), 1e-12, 1 - 1e-12)
        return float(-(shares * np.log(shares) + (1 - shares) * np.log(1 - shares)).sum())
    if is_classes(loss):
        shares = np.bincount(y) / len(y)
        return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())
    away = np.abs(y - (np.median(y, axis=0) if loss == "absolute" else y.mean(axis=0)))
    if loss == "squared":
        return float(0.5 * (away**2).sum(axis=1).mean())
    return float(away.sum(axis=1).mean())


def validation_loss(loss: str, scores: np.ndarray) -> np.ndarray | None:
    """(epochs,): the loss on rows that did not train, from the scores of each epoch.

    For the absolute and Huber losses half the squared errors stand in. None without such rows.
    """
    values = scores[:, 0] if is_classes(loss) else 0.5 * scores.sum(axis=1)
    return None if np.isnan(values).all() else values
