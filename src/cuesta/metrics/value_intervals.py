"""95 % intervals of metrics of values; how each was chosen is in bench/coverage.py.

Everywhere errors are v − y (rows, targets), in a unit whose squares do not overflow. Over several
targets an interval is joined from the targets' own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cuesta.metrics.limits import Ends, mean_limits, median_limits, skewed_limits, skewness

# On few rows the skewness is found too small, and the t has a spread of its own that grows with
# it. Both corrections were set on simulated errors: normal, uniform, Laplace, exponential, gamma,
# log-normal and Student's, 25 to 1,000 rows.
SHARPENING = 20.0  # rows: γ is taken times 1 + 20/n
WIDENING = 0.5  # the standard error is taken times 1 + ½ γ²/n
WIDENING_OF_RATIOS = 0.25  # the same, for R²
LEAST_PART = 0.05  # of a mean square, where its low end would have no logarithm


def of_rmse(errors: np.ndarray) -> Ends:
    """The roots of the ends of the mean square, a skewed t of the rows' squares."""
    squares = errors**2
    ends = np.sqrt([_of_rows(rows) for rows in squares.T])
    return mean_limits(np.sqrt(squares.mean(axis=0)), ends, squares - squares.mean(axis=0))


def of_mae(errors: np.ndarray) -> Ends:
    """A skewed t of the rows' absolute errors."""
    sizes = np.abs(errors)
    ends = np.array([_of_rows(rows) for rows in sizes.T])
    return mean_limits(sizes.mean(axis=0), ends, sizes - sizes.mean(axis=0))


def _of_rows(rows: np.ndarray, widening: float = WIDENING) -> Ends:
    value, n = float(rows.mean()), len(rows)
    gamma = skewness(rows - value)
    error = float(rows.std(ddof=1)) / math.sqrt(n) * (1 + widening * gamma**2 / n)
    low, high = skewed_limits(value, error, gamma * (1 + SHARPENING / n), n)
    return max(low, 0.0), high


def of_r2(y: np.ndarray, errors: np.ndarray) -> Ends:
    """From the intervals of 1 − R², the ratio of two mean squares, of each target.

    NaN where a target is constant.
    """
    spreads = y - y.mean(axis=0)
    if not (spreads != 0).any(axis=0).all():
        return math.nan, math.nan
    parts = [_Ratio.of(e, d) for e, d in zip(errors.T, spreads.T, strict=True)]
    low, high = mean_limits(
        np.array([part.value for part in parts]),
        np.array([part.ends for part in parts]),
        np.stack([part.sway for part in parts], axis=1),
    )
    return 1 - high, 1 - low


@dataclass(frozen=True)
class _Ratio:
    """A ratio of two mean squares, its interval, and each row's sway on it (rows,)."""

    value: float
    ends: Ends
    sway: np.ndarray

    @classmethod
    def of(cls, errors: np.ndarray, spreads: np.ndarray) -> _Ratio:
        """mean(e²)/mean(d²), and the ends on the logarithm (MOVER: Zou and Donner, 2008).

        log r − √(l² + s² − 2ρls): l is the way down to the low end of the upper mean, s that to
        the high end of the lower mean, ρ the correlation of e² and d²; and so above. Where ρ is
        near 1 both means are off to the same side, so s goes over to its own low end by ρ.
        """
        unit = float(np.abs(spreads).max())
        upper, lower = (errors / unit) ** 2, (spreads / unit) ** 2
        value = float(upper.mean() / lower.mean())
        if value == 0:
            return cls(0.0, (0.0, 0.0), np.zeros(len(errors)))
        (down, up), (down_lower, up_lower) = _ways(upper), _ways(lower)
        one, other = upper / upper.mean() - 1, lower / lower.mean() - 1
        norm = float(np.linalg.norm(one) * np.linalg.norm(other))
        rho = float(one @ other) / norm if norm > 0 else 0.0
        same = max(rho, 0.0)
        below = _apart(down, same * down_lower + (1 - same) * up_lower, rho)
        above = _apart(up, same * up_lower + (1 - same) * down_lower, rho)
        ends = value * math.exp(-below), value * math.exp(above)
        return cls(value, ends, value * (one - other))


def _ways(squares: np.ndarray) -> tuple[float, float]:
    """How far the ends of a mean are from it, down and up, on the logarithm."""
    low, high = _of_rows(squares, WIDENING_OF_RATIOS)
    value = float(squares.mean())
    return math.log(value / max(low, LEAST_PART * value)), math.log(high / value)


def _apart(one: float, other: float, rho: float) -> float:
    return math.sqrt(max(one**2 + other**2 - 2 * rho * one * other, 0.0))


def of_median_absolute_error(errors: np.ndarray) -> Ends:
    """Between order statistics of the absolute errors."""
    sizes = np.abs(errors)
    values = np.median(sizes, axis=0)
    ends = np.array([median_limits(rows) for rows in sizes.T])
    return mean_limits(values, ends, (sizes <= values) - 0.5)
