"""Maps that are straight between knots: one for each column, in place of a shift and a scale.

By the share of the way from knot to knot, not by slopes: two knots may lie 10⁻³⁰⁰ apart, or 10³⁰⁰,
and a slope would not fit float64.
"""

from __future__ import annotations

import numpy as np

MOST_KNOTS = 256  # of a column that is mapped by its quantiles
LARGEST_KNOTS = 1024  # of any map that a file may hold


def mapped_columns(knots: np.ndarray) -> np.ndarray:
    """The columns that have a map: those whose knots (columns, m) are not all one number."""
    return np.flatnonzero(knots[:, 0] < knots[:, -1])


def along(x: np.ndarray, knots: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The places of numbers `x`, in a straight line from knot to knot, and held beyond the ends.

    With k ≤ x < k′ neighbours among `knots` (m,), ascending, and p, p′ their `places` (m,), also
    ascending: p + (p′ − p)(x − k)/(k′ − k). A number on several equal knots is at the last one's
    place. It never descends, not by a rounding either. NaN stays NaN.
    """
    x = np.clip(x, knots[0], knots[-1])
    last = len(knots) - 2
    left = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, last)
    # By halves, which are exact: the distance of two large numbers may not fit float64.
    half_knots, half_places = knots / 2, places / 2
    gap = half_knots[left + 1] - half_knots[left]
    with np.errstate(divide="ignore", invalid="ignore"):
        way = (x / 2 - half_knots[left]) / gap
    way = np.where(gap > 0, way, np.where(np.isnan(x), np.nan, 1.0))
    step = half_places[left + 1] - half_places[left]
    return np.asarray(np.clip(2 * (half_places[left] + way * step), places[left], places[left + 1]))
