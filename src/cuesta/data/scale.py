"""Normalization (N3): x ↦ (x − shift)/scale, fitted on the training rows of one fold.

In float64 on the host: a column such as 1e6 ± 1 would lose its digits in float32 before its
mean could be taken away; and prediction then scales with the very same code.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cuesta.data.far import far_bounds
from cuesta.data.knots import along, mapped_columns

ROUNDINGS = 8
FARTHEST = 1e15
STRANGE = 1e6
SOFT = 3.0  # the bound of a smooth clip
LEAST_REST = 1e-12  # of 1 − (z/3)², which rounding makes 0: as if z were 10⁶
TRUSTED = 10.0  # rows of a mark that count as much as knowing nothing of it


@dataclass(frozen=True)
class Scaling:
    """How the numbers of each column are mapped, and back.

    Attributes
    ----------
    shift, scale : float array (columns,)
        z = (x − shift)/scale; a scale of 0 marks a column that is constant.
    low, high : float array (columns,), optional
        Numbers below `low` or above `high` lie far from those that trained: as inputs they are
        taken for missing.
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
        with np.errstate(over="ignore"):
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
    others. Where there are none, the two are the same. `none` changes no number.
    """
    bounds = None if method == "none" else far_bounds(x)
    if bounds is None:
        return fit_scaling(x, method, weights)
    fitted = fit_scaling(_between(x, *bounds), method, weights)
    return replace(fitted, low=bounds[0], high=bounds[1])


def _between(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.where((x < low) | (x > high), np.nan, x)


def fit_scaling(x: np.ndarray, method: str, weights: np.ndarray | None = None) -> Scaling:
    """Fit on training rows (rows, columns) alone; NaN is missing (N3).

    `standard`: shift = mean, scale = standard deviation, or `mark_scale` for a column of nothing
    but 0 and 1; `minmax`: shift = least, scale = greatest − least; `none`: shift 0, scale 1.
    Rows count by their `weights` (rows,), above 0, in means and deviations.
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
    binary = np.all(~present | (x == 0) | (x == 1), axis=0)
    scale = np.where(binary, mark_scale(mean, counts), _doubled(deviation * half))
    shift = np.where(varies, _doubled(low / 2 + mean * half), constant)
    return Scaling(shift, np.where(varies, scale, 0.0))


def mark_scale(share: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(columns,) the scale of marks, columns of nothing but 0 and 1: (n + κ)/n, with κ = 10.

    n, at least 1, is how many of the rows have the rarer of the two values. So a mark keeps its
    unit where many rows have it, and is no outlier where few do (its deviation would make it
    one). And it counts by n/(n + κ), the credibility of a mean of n rows (Bühlmann, 1967): what
    three rows had in common decides no row alone. `share` (columns,) is that of the 1s among
    `rows` (columns,), by their weights.
    """
    rarer = np.minimum(share, 1 - share) * rows
    return 1 + TRUSTED / np.maximum(rarer, 1.0)


def _doubled(x: np.ndarray) -> np.ndarray:
    return np.minimum(x, np.finfo(np.float64).max / 2) * 2
