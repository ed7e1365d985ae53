"""The baseline: what the loss is for a predictor that ignores the inputs."""

from __future__ import annotations

import numpy as np

from cuesta.hyperparameters import is_classes


def describe_baseline(loss: str) -> str:
    """What the baseline of a loss predicts, in words."""
    if is_classes(loss):
        what = f"the share of each {'label' if loss == 'logistic' else 'class'} in"
    else:
        what = f"the {'median' if loss == 'absolute' else 'mean'} target of"
    return f"the baseline predicts {what} the training rows, whatever the inputs are"


def baseline_loss(loss: str, y: np.ndarray, weights: np.ndarray | None = None) -> float:
    """J of the baseline on the training targets y, as the loss sees them.

    It predicts the classes' shares, or the mean (the median for the absolute loss). Rows count by
    their weights (rows,), as they do in training.

    >>> baseline_loss("squared", np.array([[1.0], [3.0]]))
    0.5
    """
    each = np.ones(len(y)) if weights is None else weights
    if loss == "logistic":
        return _entropy_of_labels(y, each)
    if is_classes(loss):
        return _entropy_of_classes(y, each)
    middle = np.median(y, axis=0) if loss == "absolute" else np.average(y, axis=0, weights=each)
    away = np.abs(y - middle)
    rows = 0.5 * (away**2).sum(axis=1) if loss == "squared" else away.sum(axis=1)
    return float(np.average(rows, weights=each))


def _entropy_of_classes(y: np.ndarray, weights: np.ndarray) -> float:
    shares = np.bincount(y, weights) / weights.sum()
    return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())


def _entropy_of_labels(y: np.ndarray, weights: np.ndarray) -> float:
    shares = np.clip(np.average(y, axis=0, weights=weights), 1e-12, 1 - 1e-12)
    return float(-(shares * np.log(shares) + (1 - shares) * np.log(1 - shares)).sum())
