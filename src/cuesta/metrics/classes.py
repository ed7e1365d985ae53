"""Metrics of class shares, row by row: accuracy, F1, log-loss, Brier score.

Everywhere y (rows,) holds class numbers, shares (rows, classes) a probability of each class,
weights (rows,) how much a row counts.
"""

from __future__ import annotations

import numpy as np

from cuesta.errors import SpecError
from cuesta.metrics.means import mean

LEAST = 1e-15  # probabilities are kept this far from 0, so that a log-loss is finite


def decided_classes(shares: np.ndarray, threshold: float | None = None) -> np.ndarray:
    """The class of each row: the one with the largest share, of equals the first.

    With a threshold, which two classes may have: class 1 where its share is at least that.
    Raises SpecError for a threshold and more classes.
    """
    if threshold is None:
        return shares.argmax(axis=1)
    if shares.shape[1] != 2:
        raise SpecError("Only two classes have a threshold between them.", parameter="threshold")
    return (shares[:, 1] >= threshold).astype(np.int64)


def accuracy(
    y: np.ndarray,
    shares: np.ndarray,
    weights: np.ndarray | None = None,
    threshold: float | None = None,
) -> float:
    """The share of rows whose class is told right."""
    return float(mean((decided_classes(shares, threshold) == y).astype(np.float64), weights))


def balanced_accuracy(
    y: np.ndarray,
    shares: np.ndarray,
    weights: np.ndarray | None = None,
    threshold: float | None = None,
) -> float:
    """The mean, over the classes that occur, of the share of a class's rows that are told right."""
    hit = y == decided_classes(shares, threshold)
    ones = np.ones(len(y)) if weights is None else weights
    totals = np.bincount(y, ones)
    occur = totals > 0
    return float((np.bincount(y, ones * hit)[occur] / totals[occur]).mean())


def f1(
    y: np.ndarray,
    shares: np.ndarray,
    weights: np.ndarray | None = None,
    threshold: float | None = None,
) -> float:
    """2TP / (2TP + FP + FN) of class 1 for two classes, else the mean of the classes' own (macro).

    A class that neither occurs nor is ever decided does not count among several; of two classes
    F1 is then 0.
    """
    return f1_of(y, decided_classes(shares, threshold), shares.shape[1], weights)


def f1_of(
    y: np.ndarray, decided: np.ndarray, classes: int, weights: np.ndarray | None = None
) -> float:
    """F1 of decided classes (rows,), as `f1` has it."""
    ones = np.ones(len(y)) if weights is None else weights
    right = np.bincount(y, ones * (y == decided), minlength=classes)
    either = np.bincount(y, ones, minlength=classes) + np.bincount(decided, ones, classes)
    found = 2 * right / np.where(either > 0, either, 1.0)
    return float(found[1]) if classes == 2 else float(found[either > 0].mean())


def log_losses(y: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """−log p of each row's own class (rows,), with p at least 1e-15."""
    return -np.log(np.clip(shares[np.arange(len(y)), y], LEAST, 1.0))


def log_loss(y: np.ndarray, shares: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The mean over rows of −log p of the row's own class (Good, 1952), with p at least 1e-15."""
    return float(mean(log_losses(y, shares), weights))


def squared_distances(y: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(p₁ − y)² of each row for two classes, Σₖ (pₖ − [y = k])² for more (rows,)."""
    if shares.shape[1] == 2:
        return (shares[:, 1] - y) ** 2
    apart = shares.copy()
    apart[np.arange(len(y)), y] -= 1.0
    return np.einsum("ij,ij->i", apart, apart)


def brier(y: np.ndarray, shares: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The mean over rows of (p₁ − y)² for two classes, Σₖ (pₖ − [y = k])² for more (Brier, 1950).

    So it is at most 1 for two classes, and at most 2 for more.
    """
    return float(mean(squared_distances(y, shares), weights))
