"""Metrics of values: RMSE, MAE, R², the median absolute error.

Everywhere y and values are (rows, targets), in the targets' own units; weights (rows,) say how
much a row counts. Over several targets each metric is the mean of theirs.
"""

from __future__ import annotations

import numpy as np

from cuesta.metrics.means import mean, median, root_mean_square


def rmse(y: np.ndarray, values: np.ndarray, weights: np.ndarray | None = None) -> float:
    """√(mean of (v − y)²) of each target, and the mean over the targets."""
    return float(root_mean_square(values - y, weights).mean())


def mae(y: np.ndarray, values: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The mean of |v − y| of each target, and the mean over the targets."""
    return float(mean(np.abs(values - y), weights).mean())


def r2(y: np.ndarray, values: np.ndarray, weights: np.ndarray | None = None) -> float:
    """1 − Σ (v − y)² / Σ (y − ȳ)² of each target, and the mean; NaN where a target is constant."""
    error = root_mean_square(values - y, weights)
    spread = root_mean_square(y - mean(y, weights), weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.where(spread > 0, 1 - (error / spread) ** 2, np.nan).mean())


def median_absolute_error(
    y: np.ndarray, values: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """The median of |v − y| of each target, and the mean over the targets."""
    return float(np.mean([median(error, weights) for error in np.abs(values - y).T]))
