"""A metric with each row left out in turn, for the jackknife (Quenouille, 1956)."""

from __future__ import annotations

import numpy as np


def precisions_without(y: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The average precision without row i, of each i (rows,); of several classes the macro mean.

    Each class must have two rows at least.
    """
    if shares.shape[1] == 2:
        return _without(y == 1, shares[:, 1])
    each = [_without(y == k, shares[:, k]) for k in range(shares.shape[1])]
    return np.mean(each, axis=0)


def _without(positive: np.ndarray, score: np.ndarray) -> np.ndarray:
    """AP = (1/m) Σᵢ TPᵢ/Tᵢ over the m rows of the class, with Tᵢ = TPᵢ + FPᵢ rows taken by then.

    Without a row of the class the rows taken after it, or with it, have (TP − 1)/(T − 1); without
    another row they have TP/(T − 1). So sums over what is before and after give all at once.
    """
    values, step = np.unique(-score, return_inverse=True)
    inside = np.bincount(step, positive, len(values))
    found = np.cumsum(inside)
    taken = np.cumsum(np.bincount(step, minlength=len(values)))
    fewer = np.maximum(taken - 1, 1)  # with one row taken, nothing is left that it divides
    whole = inside * found / taken
    before = np.cumsum(whole) - whole
    after_own = np.cumsum((inside * (found - 1) / fewer)[::-1])[::-1] - (found - 1) / fewer
    after_other = np.cumsum((inside * found / fewer)[::-1])[::-1]
    own = (before + after_own)[step] / (found[-1] - 1)
    return np.where(positive, own, (before + after_other)[step] / found[-1])
