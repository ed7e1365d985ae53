"""In which scale a regression's targets are learned (N3): standardized, perhaps of another shape.

A transform is a monotone map of straight lines between knots, and on in a straight line beyond
both ends. The map is its own definition: training, validation and prediction have the same one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cuesta.data.knots import mapped_columns
from cuesta.data.scale import Scaling, fit_scaling

KNOTS = 65  # of a map; an odd number, so that the middle of its range is one of them
NARROWEST = 2.0**-40  # of its size: less of a width has no room for the knots in float64
SHORTEST = 1e-9  # of the range of the targets: a logarithm's unit
RAREST = 1e-7  # the least share of rows that a normal quantile is taken of


def fit_target_scaling(
    y: np.ndarray, method: str, transform: str = "none", weights: np.ndarray | None = None
) -> Scaling:
    """Fit on the targets of training rows (rows, targets) alone; rows count by their weights.

    The shift and the scale are those of the targets' own units, whatever the transform: mean and
    standard deviation, or 0 and 1 where `method` is "none". A target that is constant in these rows
    keeps its unit, for it may not be so in others. A transform adds knots, whose places have mean 0
    and deviation 1 over the rows and are evenly spaced: "log", log(1 + (y − least)/m), m the
    median distance from the least of the rows above it, for targets skewed to the right such as
    prices (a smaller m bends more, and then the errors of the largest targets, which weigh most in
    own units, grow); "quantile", to the normal distribution by ranks.
    """
    fitted = fit_scaling(y, method, weights)
    varies = fitted.scale > 0
    scaling = Scaling(fitted.shift, np.where(varies, fitted.scale, 1.0))
    if transform == "none":
        return scaling
    each = np.ones(len(y)) if weights is None else weights
    columns = zip(y.T, varies, scaling.shift, scaling.scale, strict=True)
    found = [
        (_fitted_map(column, each, transform) if v else None) or _line(shift, scale)
        for column, v, shift, scale in columns
    ]
    knots, places = (np.stack(part) for part in zip(*found, strict=True))
    return replace(scaling, knots=knots, places=places)


def own_scale(scaling: Scaling) -> Scaling:
    """The scaling without its transform: shift and scale of the targets' own units."""
    return Scaling(scaling.shift, scaling.scale)


def learned(scaling: Scaling, y: np.ndarray) -> np.ndarray:
    """Targets (rows, targets) in the scale in which they are learned."""
    z = scaling.apply(y)
    if scaling.knots is not None and scaling.places is not None:
        _go_on(z, y, scaling.knots, scaling.places, mapped_columns(scaling.knots))
    return z


def unlearned(scaling: Scaling, z: np.ndarray) -> np.ndarray:
    """What is learned (rows, targets) back in the targets' own units: the inverse of `learned`.

    Held within the bounds of the scaling, where it has such.
    """
    values = scaling.undo(z)
    if scaling.knots is not None and scaling.places is not None:
        _go_on(values, z, scaling.places, scaling.knots, mapped_columns(scaling.knots))
    if scaling.low is None or scaling.high is None:
        return values
    return np.clip(values, scaling.low, scaling.high)


def _go_on(
    values: np.ndarray, x: np.ndarray, knots: np.ndarray, places: np.ndarray, columns: np.ndarray
) -> None:
    """Where `x` lies beyond the ends, which hold the values, let the last line go on, in place."""
    for column in columns:
        for end, inner, beyond in ((0, 1, np.minimum), (-1, -2, np.maximum)):
            away = beyond(x[:, column] - knots[column, end], 0.0)
            wide = knots[column, end] - knots[column, inner]
            rise = places[column, end] - places[column, inner]
            values[:, column] += away * (rise / wide if wide else 0.0)


Map = tuple[np.ndarray, np.ndarray]  # knots in own units and their places, both (KNOTS,)


def _fitted_map(y: np.ndarray, weights: np.ndarray, transform: str) -> Map | None:
    """The map of one target that varies; None where its range has no room for the knots."""
    values, own = np.unique(y, return_inverse=True)
    counts = np.bincount(own, weights)
    low, half = values[0], values[-1] / 2 - values[0] / 2  # half the range, so that it fits float64
    unit = (values / 2 - low / 2) / half
    at, grid = (_log if transform == "log" else _normal)(unit, counts)
    at[0], at[-1] = 0.0, 1.0
    knots = 2 * (low / 2 + half * at)
    knots[0], knots[-1] = low, values[-1]
    if not (np.diff(knots) > 0).all():
        return None
    raw = np.interp(unit, at, grid)
    mean = np.average(raw, weights=counts)
    deviation = np.sqrt(np.average((raw - mean) ** 2, weights=counts))
    return knots, (grid - mean) / max(deviation, RAREST * np.ptp(grid))


def _log(unit: np.ndarray, counts: np.ndarray) -> Map:
    """log(1 + t/m), evenly spaced, of t from 0 to 1; m is the median of the t above 0."""
    below = np.cumsum(counts[1:])
    middle = unit[1:][np.searchsorted(below, below[-1] / 2)]
    m = max(float(middle), SHORTEST)
    grid = np.linspace(0.0, np.log1p(1 / m), KNOTS)
    return m * np.expm1(grid), grid


def _normal(unit: np.ndarray, counts: np.ndarray) -> Map:
    """Φ⁻¹ of the share of rows below and half of those at t, evenly spaced."""
    from scipy.special import ndtri  # which prediction does without

    shares = (np.cumsum(counts) - counts / 2) / counts.sum()
    normal = ndtri(np.clip(shares, RAREST, 1 - RAREST))
    grid = np.linspace(normal[0], normal[-1], KNOTS)
    return np.interp(grid, normal, unit), grid


def _line(shift: float, scale: float) -> Map:
    """The map of a target that is constant, or all but constant beside its size."""
    places = np.linspace(-1.0, 1.0, KNOTS)
    return shift + places * max(scale, NARROWEST * abs(shift)), places
