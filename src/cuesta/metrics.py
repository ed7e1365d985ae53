"""Metrics on test rows, their intervals, and what the baseline predicts."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

BOOTSTRAPS = 1000
FEWEST = 5
LEAST = 1e-15  # probabilities are kept this far from 0 and 1, so that a log-loss is finite


def classification_metrics(y: np.ndarray, shares: np.ndarray) -> dict[str, float]:
    """Accuracy, log-loss, ROC-AUC and balanced accuracy of class shares (rows, classes).

    ROC-AUC is the one of class 1 for two classes, else the mean over pairs of classes (Hand
    and Till, 2001); NaN where the rows lack a class.
    """
    decided = shares.argmax(axis=1)
    clipped = np.clip(shares[np.arange(len(y)), y], LEAST, 1.0)
    return {
        "accuracy": float((decided == y).mean()),
        "log_loss": float(-np.log(clipped).mean()),
        "roc_auc": roc_auc(y, shares),
        "balanced_accuracy": _balanced(y, decided),
    }


def _balanced(y: np.ndarray, decided: np.ndarray) -> float:
    """The mean over the classes of the share of a class's rows that are told right."""
    counts = np.bincount(y)
    hits = np.bincount(y[decided == y], minlength=len(counts))
    return float((hits[counts > 0] / counts[counts > 0]).mean())


def roc_auc(y: np.ndarray, shares: np.ndarray) -> float:
    """How likely a row of a class has a larger share of it than a row of another class.

    For two classes that of class 1; else the mean over ordered pairs of classes (Hand and Till,
    2001). NaN where the rows lack a class, or a share is NaN.
    """
    from sklearn.metrics import roc_auc_score

    classes = shares.shape[1]
    if len(np.unique(y)) < classes or np.isnan(shares).any():
        return math.nan
    score = shares[:, 1] if classes == 2 else shares
    return float(roc_auc_score(y, score, multi_class="ovo"))


def regression_metrics(y: np.ndarray, values: np.ndarray) -> dict[str, float]:
    """RMSE, MAE and R² of values (rows, targets), each the mean over the targets."""
    error, spread = values - y, root_mean_square(y - y.mean(axis=0))
    rmse = root_mean_square(error)
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(spread > 0, 1 - (rmse / spread) ** 2, np.nan)
    return {
        "rmse": float(rmse.mean()),
        "mae": float(np.abs(error).mean()),
        "r2": float(r2.mean()),
    }


def root_mean_square(values: np.ndarray) -> np.ndarray:
    """√(mean of v²) of each column, without overflow of the squares."""
    largest = np.abs(values).max(axis=0, initial=0.0)
    unit = np.where(largest > 0, largest, 1.0)
    return unit * np.sqrt(((values / unit) ** 2).mean(axis=0))


def interval(metric: str, y: np.ndarray, decided: np.ndarray, seed: int) -> tuple[float, float]:
    """A 95 % interval of `accuracy`, `balanced_accuracy`, `log_loss` or `rmse` on these rows.

    Accuracy: Wilson's (1927), which stays inside [0, 1]; else the percentiles of 1,000
    bootstrap samples of the rows (Efron, 1979). NaN for fewer than 5 rows, which tell no spread.
    """
    n = len(y)
    if n < FEWEST:
        return math.nan, math.nan
    if metric == "accuracy":
        return wilson(int((decided.argmax(axis=1) == y).sum()), len(y))
    rng = np.random.default_rng([3, seed])
    if metric == "balanced_accuracy":
        samples = (rng.integers(0, n, n) for _ in range(BOOTSTRAPS))
        found = [_balanced(y[rows], decided[rows].argmax(axis=1)) for rows in samples]
        return tuple(np.percentile(found, [2.5, 97.5]).tolist())
    if metric == "log_loss":
        per_row = -np.log(np.clip(decided[np.arange(len(y)), y], LEAST, 1.0))[:, None]
        summarize: Callable[[np.ndarray], np.ndarray] = lambda m: m[:, 0]  # noqa: E731 (a pair)
    else:
        unit = max(float(np.abs(decided - y).max()), np.finfo(np.float64).tiny)
        per_row = ((decided - y) / unit) ** 2
        summarize = lambda m: unit * np.sqrt(m).mean(axis=1)  # noqa: E731 (a pair)
    means = np.stack([per_row[rng.integers(0, n, n)].mean(axis=0) for _ in range(BOOTSTRAPS)])
    low, high = np.percentile(summarize(means), [2.5, 97.5])
    return float(low), float(high)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """(p + z²/2n ± z√(p(1−p)/n + z²/4n²)) / (1 + z²/n), with p = hits/n (Wilson, 1927)."""
    from scipy.stats import binomtest

    found = binomtest(hits, n).proportion_ci(confidence_level=0.95, method="wilson")
    return float(found.low), float(found.high)


def baseline(y_train: np.ndarray, rows: int, classes: int) -> np.ndarray:
    """What the baseline predicts for each row: the classes' shares in training, or the mean."""
    if y_train.ndim == 1:
        row = np.bincount(y_train, minlength=classes) / len(y_train)
    else:
        row = y_train.mean(axis=0)
    return np.tile(row, (rows, 1))
