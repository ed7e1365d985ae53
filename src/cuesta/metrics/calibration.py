"""How far confidence is from what is earned."""

from __future__ import annotations

import math

import numpy as np

BINS = 15  # as Guo et al. (2017) have it


def calibration_error(
    y: np.ndarray, shares: np.ndarray, weights: np.ndarray | None = None, bins: int = BINS
) -> float:
    """The expected calibration error: Σ_b (n_b/n) |accuracy of bin b − mean confidence of bin b|.

    A row's confidence is its largest share; bins are of equal width, (b/bins, (b + 1)/bins], and
    an empty one adds nothing (Naeini et al., 2015; Guo et al., 2017). y (rows,), shares (rows,
    classes). NaN where a share is NaN. From few rows it is too large: |·| does not average out.
    """
    if np.isnan(shares).any():
        return math.nan
    ones = np.ones(len(y)) if weights is None else weights
    gap = np.bincount(bins_of(shares, bins), ones * gaps_of(y, shares), bins)
    return float(np.abs(gap).sum() / ones.sum())


def gaps_of(y: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """1 less its confidence for a row that is told right, else 0 less that (rows,)."""
    return (shares.argmax(axis=1) == y) - shares.max(axis=1)


def bins_of(shares: np.ndarray, bins: int = BINS) -> np.ndarray:
    """The bin of each row's confidence, from 0 (rows,)."""
    return np.clip(np.ceil(shares.max(axis=1) * bins).astype(int) - 1, 0, bins - 1)
