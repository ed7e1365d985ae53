"""Normalization (N3): x ↦ (x − shift)/scale, fitted on the training rows of one fold.

In float64 on the host: a column such as 1e6 ± 1 would lose its digits in float32 before its
mean could be taken away; and prediction then scales with the very same code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scaling:
    """Shift and scale of each column; a scale of 0 marks a column that is constant."""

    shift: np.ndarray
    scale: np.ndarray

    def apply(self, x: np.ndarray) -> np.ndarray:
        """(x − shift)/scale; a constant column ↦ 0, a missing value ↦ 0 (mean imputation)."""
        scale = np.where(self.scale > 0, self.scale, np.inf)
        return np.nan_to_num((x - self.shift) / scale, nan=0.0)

    def undo(self, z: np.ndarray) -> np.ndarray:
        """z·scale + shift: back to the column's own units."""
        return z * self.scale + self.shift


def fit_scaling(x: np.ndarray, method: str) -> Scaling:
    """Fit on training rows (rows, columns) alone; NaN is missing (N3).

    `standard`: shift = mean, scale = standard deviation; `minmax`: shift = least, scale =
    greatest − least; `none`: shift 0, scale 1. A column of nothing but 0 and 1 keeps its unit
    under `standard`: only its mean is taken away, so that a rare category is no outlier.
    """
    present = ~np.isnan(x)
    counts = present.sum(axis=0)
    low = np.where(present, x, np.inf).min(axis=0)
    high = np.where(present, x, -np.inf).max(axis=0)
    varies = (counts > 0) & (high > low)
    if method == "none":
        return Scaling(np.zeros(x.shape[1]), varies.astype(np.float64))
    low = np.where(varies, low, 0.0)
    span = np.where(varies, high - low, 1.0)
    # Means of x moved to [0, 1] first: neither 1e300 nor 1e6 ± 1e-6 over- or underflows.
    unit = np.where(present & varies, (x - low) / span, 0.0)
    mean = unit.sum(axis=0) / np.maximum(counts, 1)
    spread = np.where(present & varies, unit - mean, 0.0)
    deviation = np.sqrt((spread**2).sum(axis=0) / np.maximum(counts, 1))
    if method == "minmax":
        return Scaling(low, np.where(varies, span, 0.0))
    binary = np.all(~present | (x == 0) | (x == 1), axis=0)
    scale = np.where(binary, 1.0, deviation * span)
    return Scaling(low + mean * span, np.where(varies, scale, 0.0))
