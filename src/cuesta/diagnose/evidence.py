"""What the doctor looks at: a recording, the curves, and what is plain to see in the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cuesta.core.net import Layer
from cuesta.data.scale import fit_scaling
from cuesta.diagnose.record import Recording
from cuesta.hyperparameters import Candidate, Shape, is_classes

FAR = 8.0  # the size from which a column is far from 0 and 1


@dataclass(frozen=True)
class Inputs:
    """The rows as the network gets them: how far its columns are from 0, and which repeat.

    `sizes` are the columns' root mean squares, the largest first, and `order` their numbers;
    `twins` the largest set of columns that are one column, by a factor and a shift.
    """

    sizes: np.ndarray
    order: np.ndarray
    twins: tuple[int, ...]

    @property
    def largest(self) -> float:
        """The largest size of a column; about 1 where inputs are normalized."""
        return float(self.sizes[0]) if len(self.sizes) else 0.0

    @property
    def alone(self) -> bool:
        """Whether one column is far off while the others are not."""
        return self.largest >= FAR and (len(self.sizes) == 1 or self.sizes[1] < FAR)


@dataclass(frozen=True)
class Evidence:
    """All that a diagnosis rests on.

    `trivial` is the loss of one who says the classes' shares, or the mean, of the training rows;
    `train` (epochs,) the mean training loss; `validation` (epochs,) the same loss on rows that did
    not train, or None; `inputs` and `target_size` (a root mean square) what the network is given;
    `gains` (layers,) the initial weights' root mean square times √inputs: √2 for `he`, 1 for
    `normal`.
    """

    candidate: Candidate
    shape: Shape
    recording: Recording
    trivial: float
    train: np.ndarray
    validation: np.ndarray | None
    inputs: Inputs
    target_size: float
    gains: np.ndarray
    names: tuple[str, ...] = ()


def look_at_inputs(x: np.ndarray, normalize: str) -> Inputs:
    """What the normalized rows (rows, columns) are like."""
    z = fit_scaling(x, normalize).apply(x)
    sizes = np.sqrt((z**2).mean(axis=0))
    order = np.argsort(-sizes, kind="stable")
    return Inputs(sizes[order], order, _twins(z))


def gains_of(layers: list[Layer]) -> np.ndarray:
    """How large initial weights are, layer by layer, whatever the number of inputs."""
    return np.array([float(np.sqrt((w**2).mean() * w.shape[0])) for w, _ in layers])


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
        groups.setdefault((np.round(column, 6) + 0.0).tobytes(), []).append(int(place))
    largest = max(groups.values(), key=len)
    return tuple(largest) if len(largest) > 1 else ()


def trivial_loss(loss: str, y: np.ndarray, weights: np.ndarray | None = None) -> float:
    """J of one who does not look at the inputs: the shares of the classes, or the mean.

    Rows count by their weights, as they do in training.
    """
    each = np.ones(len(y)) if weights is None else weights
    if loss == "logistic":
        shares = np.clip(np.average(y, axis=0, weights=each), 1e-12, 1 - 1e-12)
        return float(-(shares * np.log(shares) + (1 - shares) * np.log(1 - shares)).sum())
    if is_classes(loss):
        shares = np.bincount(y, each) / each.sum()
        return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())
    middle = np.median(y, axis=0) if loss == "absolute" else np.average(y, axis=0, weights=each)
    away = np.abs(y - middle)
    rows = 0.5 * (away**2).sum(axis=1) if loss == "squared" else away.sum(axis=1)
    return float(np.average(rows, weights=each))


def validation_loss(loss: str, scores: np.ndarray) -> np.ndarray | None:
    """(epochs,): the loss on rows that did not train, from the scores of each epoch.

    For the absolute and Huber losses half the squared errors stand in. None without such rows.
    """
    values = scores[:, 0] if is_classes(loss) else 0.5 * scores.sum(axis=1)
    return None if np.isnan(values).all() else values
