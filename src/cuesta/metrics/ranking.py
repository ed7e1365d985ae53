"""Metrics of the order that class shares put the rows in: ROC-AUC and average precision.

NaN where the rows lack a class, or a share is NaN. Rows with equal shares are one step.
"""

from __future__ import annotations

import math

import numpy as np


def roc_auc(y: np.ndarray, shares: np.ndarray, weights: np.ndarray | None = None) -> float:
    """How likely a row of a class has a larger share of it than a row of another class.

    For two classes that of class 1; else the mean over ordered pairs of classes (Hand and Till,
    2001). NaN where the rows lack a class, or a share is NaN.
    """
    if _unranked(y, shares):
        return math.nan
    ones = np.ones(len(y)) if weights is None else weights
    if shares.shape[1] == 2:
        return float(_areas(y, shares[:, 1], ones, 1, 2)[0])
    classes = shares.shape[1]
    areas = [_areas(y, shares[:, k], ones, k, classes) for k in range(classes)]
    return float(np.mean([np.delete(area, k) for k, area in enumerate(areas)]))


def average_precision(
    y: np.ndarray, shares: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """Σₛ (Rₛ − Rₛ₋₁) Pₛ over the steps of a class's share from high to low.

    Rₛ is the part of the class's rows found by then, Pₛ the part of the rows taken that are its.
    For two classes that of class 1; else the mean over the classes, each against all others
    (macro). NaN where the rows lack a class, or a share is NaN.
    """
    if _unranked(y, shares):
        return math.nan
    ones = np.ones(len(y)) if weights is None else weights
    wanted = [1] if shares.shape[1] == 2 else range(shares.shape[1])
    return float(np.mean([_precision(y == k, shares[:, k], ones) for k in wanted]))


def _unranked(y: np.ndarray, shares: np.ndarray) -> bool:
    return bool((np.bincount(y, minlength=shares.shape[1]) == 0).any() or np.isnan(shares).any())


def _steps(y: np.ndarray, score: np.ndarray, ones: np.ndarray, classes: int) -> np.ndarray:
    """The weight of each class at each value of the score, from low on (values, classes)."""
    values, step = np.unique(score, return_inverse=True)
    weight = np.bincount(step * classes + y, ones, len(values) * classes)
    return weight.reshape(len(values), classes)


def _areas(
    y: np.ndarray, score: np.ndarray, ones: np.ndarray, own: int, classes: int
) -> np.ndarray:
    """Of each class, the part of pairs with a row of `own` that are in order, a tie as half."""
    steps = _steps(y, score, ones, classes)
    below = np.cumsum(steps, axis=0) - steps / 2
    return steps[:, own] @ below / (steps[:, own].sum() * steps.sum(axis=0))


def _precision(positive: np.ndarray, score: np.ndarray, ones: np.ndarray) -> float:
    outside, inside = _steps(positive.astype(np.int64), score, ones, 2)[::-1].T
    found = np.cumsum(inside)
    taken = found + np.cumsum(outside)
    precision = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)
    return float(inside @ precision / found[-1])
