"""A 95 % interval of the calibration error, which few rows make too large."""

from __future__ import annotations

import math

import numpy as np

from cuesta.metrics.calibration import BINS, bins_of, gaps_of
from cuesta.metrics.limits import Ends, Z

SPREAD = 0.5  # of a bin's variance, that its gap may have beside what was seen; set by simulation
HALVINGS = 60


def of_calibration_error(y: np.ndarray, shares: np.ndarray) -> Ends:
    """The calibration errors from which the one that was found is no surprise.

    It is Σ_b |D_b| of gaps D_b = Σ_{i in b} gᵢ/n, gᵢ = [told right] − confidence, that have the
    variances σ_b² = Σ gᵢ²/n². Were the true gaps λ √(D_b² + σ_b²/2), the |D_b| would be folded
    normal variables, whose sum has a known mean and variance; λ is within the interval where the
    found sum is within 1.96 standard deviations of that mean. Chance alone makes |D_b| large: so
    the interval lies lower than the metric, and need not hold it. y (rows,), shares (rows,
    classes).
    """
    gaps, bins = gaps_of(y, shares), bins_of(shares)
    square = np.bincount(bins, gaps**2, BINS)
    some = square > 0
    gap = np.bincount(bins, gaps, BINS)[some] / len(y)
    error = np.sqrt(square[some]) / len(y)
    shape = np.sqrt(gap**2 + SPREAD * error**2)
    found = float(np.abs(gap).sum())
    if found == 0:
        return 0.0, 0.0
    low, high = (_crossing(shape, error, found, z) for z in (Z, -Z))
    return low * float(shape.sum()), high * float(shape.sum()) if high > 0 else found


def _crossing(shape: np.ndarray, error: np.ndarray, found: float, z: float) -> float:
    """The λ at which the found sum is z standard deviations above its mean; 0 where it is less."""
    low, high = 0.0, 1.0
    if _surprise(low * shape, error, found) <= z:
        return 0.0
    while _surprise(high * shape, error, found) > z:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _surprise(middle * shape, error, found) > z:
            low = middle
        else:
            high = middle
    return high


def _surprise(true: np.ndarray, error: np.ndarray, found: float) -> float:
    """(found − E Σ |D|) / sd(Σ |D|) for D ~ N(true, error²): folded normal (Leone et al., 1961).

    E|D| = σ √(2/π) e^(−μ²/2σ²) + μ (1 − 2Φ(−μ/σ)), and E D² = μ² + σ².
    """
    from scipy.special import ndtr

    bell = math.sqrt(2 / math.pi) * np.exp(-((true / error) ** 2) / 2)
    mean = error * bell + true * (1 - 2 * ndtr(-true / error))
    variance = np.maximum(true**2 + error**2 - mean**2, 0).sum()
    return float((found - mean.sum()) / math.sqrt(variance))
