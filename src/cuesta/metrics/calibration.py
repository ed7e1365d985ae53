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
    confidence = shares.max(axis=1)
    if np.isnan(confidence).any():
        return math.nan
    ones = np.ones(len(y)) if weights is None else weights
    gap = ones * ((shares.argmax(axis=1) == y) - confidence)
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return float(np.abs(np.bincount(bin_of, gap, bins)).sum() / ones.sum())
