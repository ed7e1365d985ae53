"""Columns that are one number but for few rows: how much those rows may count.

A pixel that is 0 in all but three of 1,500 rows has a deviation so small that those three lie 20
of them away, and a row of the test 50: it would decide alone what three rows had in common.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cuesta.data.quantiles import distinct

TRUSTED = 10.0  # rows that count as much as knowing nothing of a column


class Commonest(NamedTuple):
    """Of each column the number that more than half of its rows have, if there is one.

    All (columns,): the number, the weight of its rows, and that of all rows with a number; where
    no number has more than half, the second is 0.
    """

    number: np.ndarray
    own: np.ndarray
    total: np.ndarray


def commonest(x: np.ndarray, weights: np.ndarray | None) -> Commonest:
    """That of these rows (rows, columns), NaN where one is missing, by their weights (rows,)."""
    found = np.array([_majority(column, weights) for column in x.T]).reshape(-1, 3)
    return Commonest(*found.T)


def _majority(column: np.ndarray, weights: np.ndarray | None) -> tuple[float, float, float]:
    if weights is None:
        present = column[~np.isnan(column)]
        if not len(present):
            return 0.0, 0.0, 0.0
        # What more than half of the rows have is their median.
        number = float(np.partition(present, len(present) // 2)[len(present) // 2])
        own, total = float((present == number).sum()), float(len(present))
    else:
        values, sums = distinct(column, weights)
        if not len(values):
            return 0.0, 0.0, 0.0
        most = int(sums.argmax())
        number, own, total = float(values[most]), float(sums[most]), float(sums.sum())
    return (number, own, total) if own > total / 2 else (0.0, 0.0, total)


def times_wider(mean: np.ndarray, deviation: np.ndarray, common: Commonest) -> np.ndarray:
    """(columns,) by what a column's deviation is to be multiplied: max(1, u·κ/n/deviation), κ = 10.

    n, at least 1, is the weight of the rows that differ from the commonest number, and u the root
    of their mean squared distance from it. So they lie n/κ scales from it at most: 3 rows at 0.3,
    as those of a mark do by `mark_scale`. The deviation of N rows is about u√(n/N), and so the
    greater from n = ∛(κ²N) on, 46 of 1,000 rows; then this is 1, as without a commonest number.
    """
    others = np.maximum(common.total - common.own, 1.0)
    # In deviations, so that no square leaves float64.
    away = 2 * ((mean / 2 - common.number / 2) / deviation)
    wider = np.sqrt(common.total * (1 + away**2) / others) * (TRUSTED / others)
    return np.where(common.own > 0, np.maximum(wider, 1.0), 1.0)


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
