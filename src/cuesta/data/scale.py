"""Normalization (N3): x ↦ (x − shift)/scale, or by ranks, fitted on the training rows of one fold.

In float64 on the host: a column such as 1e6 ± 1 would lose its digits in float32 before its
mean could be taken away; and prediction then scales with the very same code.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cuesta.data.far import far_bounds
from cuesta.data.knots import along, mapped_columns
from cuesta.data.quantiles import ROUNDINGS, median_and_range, normal_map, stacked
from cuesta.data.rare import commonest, mark_scale, times_wider

LARGEST = np.finfo(np.float64).max
FARTHEST = 1e15
STRANGE = 1e6
SOFT = 3.0  # the bound of a smooth clip
LEAST_REST = 1e-12  # of 1 − (z/3)², which rounding makes 0: as if z were 10⁶


@dataclass(frozen=True)
class Scaling:
    """How the numbers of each column are mapped, and back.

    Attributes
    ----------
    shift, scale : float array (columns,)
        z = (x − shift)/scale; a scale of 0 marks a column that is constant.
    low, high : float array (columns,), optional
        Numbers below `low` or above `high` lie far from those that trained: as inputs they are
        taken for missing, as predictions they are held there.
    knots, places : float array (columns, m), optional
        Of a column whose knots are not all one number: z goes in a straight line from place to
        place where x goes from knot to knot; `shift` and `scale` are not looked at. Both ascend
        along a row; a row of fewer knots repeats its last one. Beyond the ends z is held at the
        end's place, and back at the end's knot: whoever wants a line to go on sets knots further
        out.
    smooth : bool array (columns,), optional
        Of a column without such knots: whether z becomes z/√(1 + (z/3)²), which is within ±3.
    """

    shift: np.ndarray
    scale: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    knots: np.ndarray | None = None
    places: np.ndarray | None = None
    smooth: np.ndarray | None = None

    def apply(self, x: np.ndarray) -> np.ndarray:
        """From numbers to z: a constant column ↦ 0, a missing value ↦ 0.

        0 is the place of the column's mean, or of its median: mean imputation (N3).
        """
        scale = np.where(self.scale > 0, self.scale, np.inf)
        # By halves, which is exact: the difference of two large numbers may not fit float64.
        with np.errstate(over="ignore"):
            z = np.nan_to_num(2 * ((x / 2 - self.shift / 2) / scale), nan=0.0)
        if self.smooth is not None:
            z = np.where(self.smooth, z / np.hypot(1.0, z / SOFT), z)
        if self.knots is not None and self.places is not None:
            for column in mapped_columns(self.knots):
                place = along(x[..., column], self.knots[column], self.places[column])
                z[..., column] = np.nan_to_num(place, nan=0.0)
        return z

    def inputs(self, x: np.ndarray) -> np.ndarray:
        """`apply` as a network takes it: held within ±10¹⁵, which squared is a number in float32.

        So a row far from those that trained, or in other units, does not end in infinities. A
        number more than 10⁶ scales away tells nothing and is taken for missing, where the column
        has a scale of its own.
        """
        z = np.clip(self.apply(self.near(x)), -FARTHEST, FARTHEST)
        strange = np.abs(z) > STRANGE
        return np.where(strange & (self.scale != 1), 0.0, z) if strange.any() else z

    def near(self, x: np.ndarray) -> np.ndarray:
        """The numbers as inputs: NaN for those that lie far."""
        if self.low is None or self.high is None:
            return x
        return _between(x, self.low, self.high)

    def undo(self, z: np.ndarray) -> np.ndarray:
        """Back to the column's own units: z·scale + shift, or along its knots."""
        line = z
        if self.smooth is not None:
            rest = 1 - np.minimum(np.abs(z) / SOFT, 1.0) ** 2
            line = np.where(self.smooth, z / np.sqrt(np.maximum(rest, LEAST_REST)), z)
        x = line * self.scale + self.shift
        if self.knots is not None and self.places is not None:
            for column in mapped_columns(self.knots):
                x[..., column] = along(z[..., column], self.places[column], self.knots[column])
        return x


def fit_input_scaling(x: np.ndarray, method: str, weights: np.ndarray | None = None) -> Scaling:
    """`fit_scaling` for inputs: without the numbers that lie far from the rest of their column.

    So a code for missing values (−9999) or one wild value does not decide the scale of the
    others. Where there are none, the two are the same. And a standardized column that is one number
    but for few rows has a scale that those rows can answer for (`times_wider`). `none` changes no
    number.
    """
    bounds = None if method == "none" else far_bounds(x)
    near = x if bounds is None else _between(x, *bounds)
    fitted = fit_scaling(near, method, weights)
    if method == "standard":
        fitted = _credible(fitted, near, weights)
    return fitted if bounds is None else replace(fitted, low=bounds[0], high=bounds[1])


def _credible(fitted: Scaling, x: np.ndarray, weights: np.ndarray | None) -> Scaling:
    """With the scales of columns that are one number but for few rows made wider."""
    scale = fitted.scale.copy()
    own = np.flatnonzero(_own_scale(fitted, x))
    common = commonest(x[:, own], weights)
    with np.errstate(over="ignore"):
        scale[own] *= times_wider(fitted.shift[own], scale[own], common)
    return replace(fitted, scale=np.minimum(scale, LARGEST))


def _between(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.where((x < low) | (x > high), np.nan, x)


def fit_scaling(x: np.ndarray, method: str, weights: np.ndarray | None = None) -> Scaling:
    """Fit on training rows (rows, columns) alone; NaN is missing (N3).

    `standard`: shift = mean, scale = standard deviation; `robust`: shift = median, scale = distance
    of the quartiles, or half of the span where that is 0, and a smooth clip (Holzmüller et al.,
    2024, RealMLP); `quantile`: `normal_map`. A column of nothing but 0 and 1 has the mean and
    `mark_scale` in these three. `minmax`: shift = least, scale = greatest − least; `none`: shift 0,
    scale 1. Rows count by their `weights` (rows,), above 0.
    """
    present = ~np.isnan(x)
    each = np.ones(len(x)) if weights is None else weights
    counts = each @ present
    low = np.where(present, x, np.inf).min(axis=0)
    high = np.where(present, x, -np.inf).max(axis=0)
    size = np.maximum(np.abs(low), np.abs(high))
    # 0.3 and 0.1 + 0.2 are one value in two roundings, not two values.
    varies = (counts > 0) & (high / 2 - low / 2 > ROUNDINGS * np.finfo(np.float64).eps * size)
    constant = np.where(counts > 0, low, 0.0)
    if method == "none":
        return Scaling(np.where(varies, 0.0, constant), varies.astype(np.float64))
    # Half the span, so that it fits float64; and means of x moved to [0, 1] first, so that
    # neither 1e300 nor 1e9 ± 1e-3 is lost on the way.
    half = np.where(varies, high / 2 - low / 2, 1.0)
    low = np.where(varies, low, constant)
    unit = np.where(present & varies, (x / 2 - low / 2) / half, 0.0)
    total = np.where(counts > 0, counts, 1.0)
    mean = (each[:, None] * unit).sum(axis=0) / total
    spread = np.where(present & varies, unit - mean, 0.0)
    deviation = np.sqrt((each[:, None] * spread**2).sum(axis=0) / total)
    if method == "minmax":
        return Scaling(low, np.where(varies, _doubled(half), 0.0))
    scale = np.where(_marks(x), mark_scale(mean, counts), _doubled(deviation * half))
    shift = np.where(varies, _doubled(low / 2 + mean * half), constant)
    fitted = Scaling(shift, np.where(varies, scale, 0.0))
    if method == "robust":
        return _robust(fitted, x, weights)
    return _quantile(fitted, x, weights) if method == "quantile" else fitted


def _robust(standard: Scaling, x: np.ndarray, weights: np.ndarray | None) -> Scaling:
    """By medians and quartiles where the columns are not constant and no marks."""
    shift, scale = standard.shift.copy(), standard.scale.copy()
    own = _own_scale(standard, x)
    for column in np.flatnonzero(own):
        shift[column], scale[column] = median_and_range(x[:, column], weights)
    return Scaling(shift, scale, smooth=own) if own.any() else standard


def _quantile(standard: Scaling, x: np.ndarray, weights: np.ndarray | None) -> Scaling:
    """By quantiles where the columns are not constant and no marks."""
    own = _own_scale(standard, x)
    if not own.any():
        return standard
    maps = {c: normal_map(x[:, c], weights) for c in np.flatnonzero(own).tolist()}
    knots, places = stacked(maps, x.shape[1])
    shift, scale = np.where(own, 0.0, standard.shift), np.where(own, 1.0, standard.scale)
    return Scaling(shift, scale, knots=knots, places=places)


def _own_scale(standard: Scaling, x: np.ndarray) -> np.ndarray:
    """(columns,) whether a column varies and is no mark."""
    return (standard.scale > 0) & ~_marks(x)


def _marks(x: np.ndarray) -> np.ndarray:
    """(columns,) whether a column is nothing but 0 and 1."""
    return np.all(np.isnan(x) | (x == 0) | (x == 1), axis=0)


def _doubled(x: np.ndarray) -> np.ndarray:
    return np.minimum(x, LARGEST / 2) * 2
