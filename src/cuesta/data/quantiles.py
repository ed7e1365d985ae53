"""Quantiles of columns by their rows' weights, and the map of a column to a normal one.

A weight of 2 counts as the row twice, so repetition and weights cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cuesta.data.knots import MOST_KNOTS

ROUNDINGS = 8  # numbers that differ by so many units in the last place are one
LEAST_LEVEL = 1e-7  # of a quantile: the normal one's is −5.2, as scikit-learn holds it
TOGETHER = 1e-12  # of the whole weight: sums of weights that differ by less are one sum


def distinct(column: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of a column (rows,), ascending, and the weight of each one's rows; no NaN."""
    present = ~np.isnan(column)
    if weights is None:
        values, counts = np.unique(column[present], return_counts=True)
        return values, counts.astype(np.float64)
    values, place = np.unique(column[present], return_inverse=True)
    return values, np.bincount(place, weights[present], len(values))


def quantiles(values: np.ndarray, weights: np.ndarray, levels: Sequence[float]) -> list[float]:
    """The quantiles of `distinct` numbers: the middle of all q with P(X < q) ≤ level ≤ P(X ≤ q).

    Hyndman and Fan (1996), definition 2: the median of two numbers is their middle.
    """
    sums = np.cumsum(weights)
    slack = TOGETHER * sums[-1]
    last = len(values) - 1
    found = []
    for level in levels:
        first = min(int(np.searchsorted(sums, level * sums[-1] - slack)), last)
        other = min(int(np.searchsorted(sums, level * sums[-1] + slack, side="right")), last)
        found.append(float(values[first] / 2 + values[other] / 2))
    return found


def median_and_range(column: np.ndarray, weights: np.ndarray | None) -> tuple[float, float]:
    """The median of a column (rows,) of two numbers at least, and the distance of its quartiles.

    Half of the span where both quartiles are one number, to a rounding.
    """
    values, sums = distinct(column, weights)
    first, median, third = quantiles(values, sums, (0.25, 0.5, 0.75))
    half = third / 2 - first / 2
    if half <= ROUNDINGS * np.finfo(np.float64).eps * max(abs(first), abs(third)):
        return median, float(values[-1] / 2 - values[0] / 2)
    return median, float(min(half, np.finfo(np.float64).max / 2) * 2)


def normal_map(
    column: np.ndarray, weights: np.ndarray | None = None, most: int = MOST_KNOTS
) -> tuple[np.ndarray, np.ndarray]:
    """Knots and places that make a column (rows,) of two numbers at least a normal one.

    A number's place is Φ⁻¹ of its level, the weight of the rows below it and half of that of its
    own rows, over the whole: ties are at the middle of theirs, and of n rows without ties the least
    is at Φ⁻¹(1/2n). So the ends grow with the rows, as a normal sample's do, rather than to a bound
    (scikit-learn's lie at ±5.2 from ten rows on, the greatest part of the range for two of them).
    Where there are more than `most` numbers, the knots are those at levels sin²(πk/2(most − 1)):
    close at the ends, where Φ⁻¹ is steep (Dunning and Ertl, 2019, for their digests).
    """
    from scipy.special import ndtri

    values, counts = distinct(column, weights)
    sums = np.cumsum(counts)
    levels = (sums - counts / 2) / sums[-1]
    if len(values) > most:
        wanted = np.sin(np.pi / 2 * np.arange(most) / (most - 1)) ** 2
        places = np.unique(np.clip(np.searchsorted(levels, wanted), 0, len(values) - 1))
        values, levels = values[places], levels[places]
    return values, np.asarray(ndtri(np.clip(levels, LEAST_LEVEL, 1 - LEAST_LEVEL)))


def stacked(maps: dict[int, tuple[np.ndarray, np.ndarray]], columns: int) -> list[np.ndarray]:
    """Knots and places (columns, m) of columns of different numbers of knots.

    The last knot is repeated to the end of its row; a column without a map has zeros.
    """
    most = max(len(knots) for knots, _ in maps.values())
    found = [np.zeros((columns, most)), np.zeros((columns, most))]
    for column, parts in maps.items():
        for array, part in zip(found, parts, strict=True):
            array[column] = np.pad(part, (0, most - len(part)), mode="edge")
    return found
