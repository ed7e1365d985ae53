"""Means over rows that may have weights."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np


def mean(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Σᵢ wᵢvᵢ / Σᵢ wᵢ over the rows of values (rows, …); without weights each row counts 1."""
    if weights is None:
        return values.mean(axis=0)
    return np.tensordot(weights, values, axes=1) / weights.sum()


def mean_of_known(values: Iterable[float]) -> float:
    """The mean of those that are no NaN, as ROC-AUC is where a class lacks; NaN for none."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


def root_mean_square(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """√(mean of v²) of each column, without overflow of the squares."""
    largest = np.abs(values).max(axis=0, initial=0.0)
    unit = np.where(largest > 0, largest, 1.0)
    return unit * np.sqrt(mean((values / unit) ** 2, weights))


def median(values: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The value (of rows,) with half of the weight on either side; of two such, their middle.

    NaN where a value is NaN.
    """
    if weights is None:
        return float(np.median(values))
    if np.isnan(values).any():
        return math.nan
    order = np.argsort(values, kind="stable")
    order = order[weights[order] > 0]
    below = np.cumsum(weights[order])
    half = below[-1] / 2
    slack = 1e-9 * half  # sums of weights such as 0.7 miss the half by roundings
    lower = values[order[np.searchsorted(below, half - slack)]]
    upper = values[order[np.searchsorted(below, half + slack)]]
    return float((lower + upper) / 2)
