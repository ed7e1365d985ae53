"""How much each row sways a metric: ψᵢ = n ∂metric/∂wᵢ at equal weights wᵢ.

These are the influence values of the infinitesimal jackknife (Efron, 1982, ch. 6): Σᵢ ψᵢ = 0, and
the standard error of the metric is √(Σ ψᵢ²)/n.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np


def of_roc_auc(y: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """ψ (rows,) of ROC-AUC, from the placements of DeLong, DeLong and Clarke-Pearson (1988)."""
    if shares.shape[1] == 2:
        return _of_area(y == 1, shares[:, 1])
    found, pairs = np.zeros(len(y)), shares.shape[1] * (shares.shape[1] - 1)
    for one, other in combinations(range(shares.shape[1]), 2):
        rows = np.flatnonzero((y == one) | (y == other))
        unit = len(y) / len(rows) / pairs
        for own in (one, other):
            found[rows] += unit * _of_area(y[rows] == own, shares[rows, own])
    return found


def _of_area(positive: np.ndarray, score: np.ndarray) -> np.ndarray:
    """n/m (Pᵢ − AUC) with Pᵢ the part of the other class's rows, n_other, that i is in order with.

    m is the number of rows of i's own class.
    """
    inside, outside = np.sort(score[positive]), np.sort(score[~positive])
    in_order = np.empty(len(score))
    in_order[positive] = _below(outside, score[positive])
    in_order[~positive] = 1 - _below(inside, score[~positive])
    own = np.where(positive, len(inside), len(outside))
    return len(score) / own * (in_order - in_order[positive].mean())


def _below(ordered: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Of each value, the part of the ordered ones that lie below it, a tie as half."""
    left = np.searchsorted(ordered, values, side="left")
    return (left + np.searchsorted(ordered, values, side="right")) / (2 * len(ordered))


def of_f1(y: np.ndarray, decided: np.ndarray, classes: int) -> np.ndarray:
    """ψ (rows,) of macro F1 = mean over k of 2TPₖ/(Yₖ + Dₖ), rows of class k and decided as k.

    ψᵢ = (n/K) Σₖ (2[yᵢ = dᵢ = k] − Fₖ [yᵢ = k] − Fₖ [dᵢ = k]) / (Yₖ + Dₖ), with K the classes that
    occur or are decided.
    """
    right = y == decided
    either = np.bincount(y, minlength=classes) + np.bincount(decided, minlength=classes)
    some = np.where(either > 0, either, 1)
    f1 = 2 * np.bincount(y[right], minlength=classes) / some
    lost = f1 / some
    each = 2 * right / some[y] - lost[y] - lost[decided]
    return len(y) / (either > 0).sum() * each
