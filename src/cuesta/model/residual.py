"""The normalization of a residual layer's input in NumPy: the twin of `core.residual`."""

from __future__ import annotations

import numpy as np

SMALLEST = 1e-5  # added to a variance, as Ba et al. and torch do


def normalized(units: np.ndarray) -> np.ndarray:
    """N(u) = (u − mean)/√(variance + 10⁻⁵) of each row (Ba, Kiros and Hinton, 2016)."""
    centered = units - units.mean(axis=1, keepdims=True)
    return centered / np.sqrt((centered * centered).mean(axis=1, keepdims=True) + SMALLEST)
