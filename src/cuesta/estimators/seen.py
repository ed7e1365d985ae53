"""What an estimator has seen so far, and how its normalization follows while it has seen little.

A first batch may be one row, or hold a column that is constant there: its mean and deviation say
little of the rows to come. So statistics of all rows so far are kept, and the normalization follows
them until a column varies and `ENOUGH` rows were seen; then it stays. Whenever it moves, the first
and the last layer move with it, so that the network is the same function before and after.

Where that cannot be, normalization stays that of the first rows: a network whose first layer is an
embedding or a scale is not linear in its inputs, ranks are no shift and scale, and so on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from cuesta.core.lane import State
from cuesta.core.layer import Layer
from cuesta.data.far import far_bounds
from cuesta.data.quantiles import ROUNDINGS
from cuesta.data.rare import Commonest, commonest, mark_scale, times_wider
from cuesta.data.scale import Scaling
from cuesta.hyperparameters import NO_FRONT, Candidate
from cuesta.training.fits import ResumePoint, Rows

ENOUGH = 100  # rows: a standard deviation of so many is known to 1/√200, that is 7 %
LINEAR = ("standard", "minmax", "none")  # normalizations that are a shift and a scale by statistics
LEAST_MOVE = 1e-6  # deviations: less is the rounding of the same rows, seen again


class Statistics(NamedTuple):
    """Of each column's values so far that are not missing, all (columns,).

    Their weight, mean, and sum of squared distances from it; the least and the greatest; whether
    all are 0 or 1; and a number that many rows have, with the weight of those rows, or 0 where
    there is none.
    """

    weight: np.ndarray
    mean: np.ndarray
    squares: np.ndarray
    low: np.ndarray
    high: np.ndarray
    binary: np.ndarray
    common: np.ndarray
    own: np.ndarray

    @property
    def varies(self) -> np.ndarray:
        """Whether there are two values, not one in two roundings."""
        size = np.maximum(np.abs(self.low), np.abs(self.high))
        return (self.weight > 0) & (
            self.high / 2 - self.low / 2 > ROUNDINGS * np.finfo(np.float64).eps * size
        )


@dataclass(frozen=True)
class Seen:
    """The rows that an estimator was trained on: how many, and what their columns held.

    `classes` (classes,) are the weights of the rows of each class, or None where `y` holds no
    classes.
    """

    rows: int
    inputs: Statistics
    targets: Statistics | None
    classes: np.ndarray | None


def statistics(x: np.ndarray, weights: np.ndarray | None) -> Statistics:
    """Those of these rows (rows, columns), NaN where one is missing."""
    present = ~np.isnan(x)
    each = np.ones(len(x)) if weights is None else weights
    total = each @ present
    share = np.where(total > 0, total, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = each @ np.where(present, x, 0.0) / share
        squares = each @ np.where(present, x - mean, 0.0) ** 2
    return Statistics(
        total,
        mean,
        squares,
        np.where(present, x, np.inf).min(axis=0),
        np.where(present, x, -np.inf).max(axis=0),
        np.all(~present | (x == 0) | (x == 1), axis=0),
        *commonest(x, weights)[:2],
    )


def merged(a: Statistics, b: Statistics) -> Statistics:
    """Those of the rows of both (Chan, Golub and LeVeque, 1979).

    n = n₁ + n₂, δ = mean₂ − mean₁: mean = mean₁ + δ n₂/n, squares = squares₁ + squares₂ + δ² n₁n₂/n
    """
    weight = a.weight + b.weight
    share = b.weight / np.where(weight > 0, weight, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        delta = b.mean - a.mean
        return Statistics(
            weight,
            a.mean + delta * share,
            a.squares + b.squares + delta**2 * a.weight * share,
            np.minimum(a.low, b.low),
            np.maximum(a.high, b.high),
            a.binary & b.binary,
            *_common_of_both(a, b),
        )


def _common_of_both(a: Statistics, b: Statistics) -> tuple[np.ndarray, np.ndarray]:
    """The number that is commonest in one of both, and the weight of its rows, as far as known.

    What is commonest in one part alone is taken to be in none of the other's rows: so a column may
    seem less constant than it is.
    """
    number = np.where(a.own > b.own, a.common, b.common)
    own = np.where(a.common == number, a.own, 0.0) + np.where(b.common == number, b.own, 0.0)
    return number, own


def scaling_of(found: Statistics, method: str) -> Scaling:
    """The normalization by these statistics, as `fit_scaling` makes it of rows (N3)."""
    varies = found.varies
    constant = np.where(found.weight > 0, found.low, 0.0)
    if method == "none":
        return Scaling(np.where(varies, 0.0, constant), varies.astype(np.float64))
    if method == "minmax":
        return Scaling(constant, np.where(varies, found.high - found.low, 0.0))
    deviation = np.sqrt(found.squares / np.where(found.weight > 0, found.weight, 1.0))
    scale = np.where(found.binary, mark_scale(found.mean, found.weight), deviation)
    return Scaling(np.where(varies, found.mean, constant), np.where(varies, scale, 0.0))


def input_scaling_of(found: Statistics, method: str) -> Scaling:
    """The normalization of inputs by these statistics, as `fit_input_scaling` makes it of rows."""
    fitted = scaling_of(found, method)
    if method != "standard":
        return fitted
    own = (fitted.scale > 0) & ~found.binary
    most = np.where(found.own > found.weight / 2, found.own, 0.0)
    common = Commonest(found.common[own], most[own], found.weight[own])
    scale = fitted.scale.copy()
    with np.errstate(over="ignore", invalid="ignore"):
        scale[own] *= times_wider(fitted.shift[own], scale[own], common)
    return replace(fitted, scale=scale)


def seen_of(rows: Rows, inputs: Scaling, classes: np.ndarray | None) -> Seen:
    """What a first fit to these rows has seen; `inputs` is how it normalized them."""
    x, y, weights = inputs.near(rows.x), rows.y, rows.weights
    enough = len(x) >= ENOUGH
    targets = None
    if y.dtype.kind == "f":
        targets = _statistics(y, weights, (np.ptp(y, axis=0) > 0) & enough)
    return Seen(len(x), _statistics(x, weights, (inputs.scale > 0) & enough), targets, classes)


def _statistics(x: np.ndarray, weights: np.ndarray | None, settled: np.ndarray) -> Statistics:
    """Those of the columns that are not settled; of the others, only that they vary."""
    if not settled.any():
        return statistics(x, weights)
    parts = [np.full(len(settled), value) for value in (1.0, 0.0, 0.0, -1.0, 1.0, False, 0.0, 0.0)]
    for part, found in zip(parts, statistics(x[:, ~settled], weights), strict=True):
        part[~settled] = found
    return Statistics(*parts)


def go_on(
    resume: ResumePoint, seen: Seen, rows: Rows, classes: np.ndarray | None, candidate: Candidate
) -> tuple[ResumePoint, Seen]:
    """The point to go on from with these rows more, normalization adapted; and all rows seen."""
    inputs, targets, method = seen.inputs, seen.targets, candidate.normalize
    settled = _settled(inputs, seen.rows)
    if inputs_follow(candidate, rows) and not settled.all():
        near = _with_bounds(resume.inputs, rows.x, settled, method)
        inputs = merged(inputs, _statistics(near.near(rows.x), rows.weights, settled))
        resume = resume._replace(inputs=near)
        resume = _with_inputs(resume, seen, input_scaling_of(inputs, method))
    follow = candidate.target_transform == "none"  # no last layer makes up for another map
    if follow and targets is not None and not (settled := _settled(targets, seen.rows)).all():
        targets = merged(targets, _statistics(rows.y, rows.weights, settled))
        method = "none" if method == "none" else "standard"
        resume = _with_targets(resume, seen, scaling_of(targets, method))
    return resume, Seen(seen.rows + len(rows.x), inputs, targets, classes)


def inputs_follow(candidate: Candidate, rows: Rows) -> bool:
    """Whether the first layer can take up a move of the inputs' normalization."""
    front = rows.layout.front(candidate) if rows.layout else NO_FRONT
    return candidate.normalize in LINEAR and front == NO_FRONT and not candidate.input_scale


def _with_bounds(old: Scaling, x: np.ndarray, settled: np.ndarray, method: str) -> Scaling:
    """With bounds against numbers of these rows that lie far, in columns that are not settled."""
    bounds = None if method == "none" else far_bounds(old.near(x))
    if bounds is None:
        return old
    low, high = np.where(settled, -np.inf, bounds[0]), np.where(settled, np.inf, bounds[1])
    if old.low is not None and old.high is not None:
        low, high = np.maximum(old.low, low), np.minimum(old.high, high)
    return replace(old, low=low, high=high)


def _settled(seen: Statistics, rows: int) -> np.ndarray:
    """Whether a column's normalization stays: it varies, and rows enough were seen."""
    return seen.varies & (rows >= ENOUGH)


def _followed(old: Scaling, new: Scaling, seen: Statistics, rows: int) -> Scaling:
    """The old normalization, and the new one of columns that are not settled and moved."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        far = np.abs(new.shift - old.shift) > LEAST_MOVE * new.scale
        wide = np.abs(new.scale - old.scale) > LEAST_MOVE * new.scale
    usable = np.isfinite(new.scale) & np.isfinite(new.shift) & (new.scale > 0)
    moved = ~_settled(seen, rows) & usable & (far | wide)
    return replace(
        old,
        shift=np.where(moved, new.shift, old.shift),
        scale=np.where(moved, new.scale, old.scale),
    )


def _with_inputs(resume: ResumePoint, seen: Seen, wanted: Scaling) -> ResumePoint:
    """Move the inputs' normalization, and the first layer with it.

    z = (x − s)/c and z′ = (x − s′)/c′: w z + b = (w c′/c) z′ + b + w (s′ − s)/c. A column that was
    constant had z = 0 and keeps its w; b takes w (s′ − s)/c′, so that the rows before stay there.
    """
    old = resume.inputs
    new = _followed(old, wanted, seen.inputs, seen.rows)
    if np.array_equal(new.shift, old.shift) and np.array_equal(new.scale, old.scale):
        return resume
    was = old.scale > 0
    unit = np.where(was, old.scale, np.where(new.scale > 0, new.scale, 1.0))
    ratio = np.where(was, new.scale / unit, 1.0)
    shift = np.where(seen.inputs.weight > 0, (new.shift - old.shift) / unit, 0.0)

    def moved(layers: list[Layer]) -> list[Layer]:
        (w, b), *rest = layers
        return [Layer(_like(w, w * ratio[:, None]), _like(b, b + shift @ w)), *rest]

    return resume._replace(state=_with_layers(resume.state, moved), inputs=new)


def _with_targets(resume: ResumePoint, seen: Seen, wanted: Scaling) -> ResumePoint:
    """Move the targets' normalization, and the last layer with it.

    y = o c + s = o′ c′ + s′: W′ = W c/c′ and B′ = (B c + s − s′)/c′.
    """
    old = resume.targets
    if old is None or seen.targets is None:
        return resume
    new = _followed(old, wanted, seen.targets, seen.rows)
    if np.array_equal(new.shift, old.shift) and np.array_equal(new.scale, old.scale):
        return resume

    def moved(layers: list[Layer]) -> list[Layer]:
        *rest, (w, b) = layers
        bias = (b * old.scale + old.shift - new.shift) / new.scale
        return [*rest, Layer(_like(w, w * (old.scale / new.scale)), _like(b, bias))]

    return resume._replace(state=_with_layers(resume.state, moved), targets=new)


def _like(leaf: np.ndarray, values: np.ndarray) -> np.ndarray:
    return values.astype(np.asarray(leaf).dtype)


def _with_layers(state: State, moved: Callable[[list[Layer]], list[Layer]]) -> State:
    """The state with all its layers moved, those of its best epoch and of the average too."""
    best, average = state.best, state.average
    if best is not None:
        best = best._replace(layers=moved(best.layers))
    average = None if average is None else moved(average)
    return state._replace(layers=moved(state.layers), best=best, average=average)
