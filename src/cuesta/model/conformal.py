"""Intervals and label sets by CV+: from the folds' networks and how far they were from their rows.

For exchangeable rows they hold the truth at least 1 − 2α of the time, whatever the network, and in
practice about 1 − α (Barber, Candès, Ramdas and Tibshirani, 2021, "Predictive inference with the
jackknife+"; Romano, Sesia and Candès, 2020, "Classification with valid and adaptive coverage").
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cuesta.model.calibration import FoldResiduals

HALVINGS = 64  # of a range of float64: its last bit, and some
ROUNDINGS = 1e-9  # by which level · (n + 1), which may be meant as a whole number, is too large

Bounds = tuple[np.ndarray, np.ndarray]


def rank(level: float, rows: int) -> int:
    """⌈(1 − α)(n + 1)⌉: which of n values in order is the bound; above n there is none."""
    return math.ceil(level * (rows + 1) - ROUNDINGS)


def rows_of(residuals: Sequence[FoldResiduals]) -> int:
    """n: how many rows the residuals stand for."""
    return sum(fold.rows for fold in residuals)


def bounds(decided: np.ndarray, residuals: Sequence[FoldResiduals], level: float) -> Bounds:
    """The lower and the upper bound (rows, targets) of each target (CV+; Barber et al., 2021).

    With α = 1 − level: the ⌊α(n + 1)⌋-th smallest of ŷ_f(i)(x) − Rᵢ, and the ⌈(1 − α)(n + 1)⌉-th
    smallest of ŷ_f(i)(x) + Rᵢ over the n rows i, of which f(i) is the fold; −∞ and ∞ where n is too
    small for the level. `decided` (folds, rows, targets) are ŷ_f(x), in the units of the target.
    """
    place = rank(level, rows_of(residuals))
    upper, lower = np.empty(decided.shape[1:]), np.empty(decided.shape[1:])
    for target in range(decided.shape[2]):
        values = [fold.values[:, target] for fold in residuals]
        counts = [fold.counts for fold in residuals]
        upper[:, target] = _smallest(decided[:, :, target], values, counts, place)
        lower[:, target] = -_smallest(-decided[:, :, target], values, counts, place)
    return lower, upper


def _smallest(
    decided: np.ndarray, values: list[np.ndarray], counts: list[np.ndarray], place: int
) -> np.ndarray:
    """(rows,) of each row the `place`-th smallest of ŷ_f + R over all folds f and their rows.

    By halving a range that holds it: how many sums are at most t is told by a search in each fold's
    sorted residuals. So neither time nor memory is spent on all sums of all rows.
    """
    if place > sum(fold[-1] for fold in counts):
        return np.full(decided.shape[1], np.inf)
    low = np.min([at + r[0] for at, r in zip(decided, values, strict=True)], axis=0)
    high = np.max([at + r[-1] for at, r in zip(decided, values, strict=True)], axis=0)
    for _ in range(HALVINGS):
        middle = low / 2 + high / 2
        found = np.zeros(decided.shape[1], np.int64)
        for at, residuals, count in zip(decided, values, counts, strict=True):
            found += count[np.searchsorted(residuals, middle - at, side="right")]
        enough = found >= place
        high = np.where(enough, middle, high)
        low = np.where(enough, low, middle)
    return np.asarray(high)


def label_sets(shares: np.ndarray, residuals: Sequence[FoldResiduals], level: float) -> np.ndarray:
    """(rows, classes) whether a label is in the row's set (CV+; Romano, Sesia and Candès, 2020).

    Label y is in the set where fewer than (1 − α)(n + 1) rows i have Rᵢ < 1 − p_f(i)(y | x), with
    Rᵢ = 1 − p of row i's own label. `shares` (folds, rows, classes) are p_f. A set may be empty.
    """
    found = np.zeros(shares.shape[1:], np.int64)
    for of_fold, fold in zip(shares, residuals, strict=True):
        found += fold.counts[np.searchsorted(fold.values[:, 0], 1 - of_fold, side="left")]
    return found < rank(level, rows_of(residuals))
