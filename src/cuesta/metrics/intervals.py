"""A 95 % interval of a metric on test rows, and what is to be said of it."""

from __future__ import annotations

import math

import numpy as np

from cuesta.metrics import class_intervals, value_intervals
from cuesta.metrics.calibration_interval import of_calibration_error
from cuesta.metrics.classes import decided_classes
from cuesta.metrics.limits import Ends
from cuesta.metrics.table import METRICS, Function, metric_of
from cuesta.metrics.tails import heavy_tails

FEWEST = 5
BOOTSTRAPS = 500  # of a scorer, which may take milliseconds
MOST_DRAWN = 20_000_000  # rows, in all bootstrap samples together; 200 samples at least
NEGATED = {
    "neg_log_loss": "log_loss",
    "neg_brier_score": "brier",
    "neg_mean_absolute_error": "mae",
    "neg_root_mean_squared_error": "rmse",
    "neg_median_absolute_error": "median_absolute_error",
}
OF_SQUARES = {"rmse": "RMSE", "r2": "R²"}  # what the largest few errors decide


class Interval(tuple[float, float]):
    """The two ends of a 95 % interval, with a `note` where it cannot be taken at its word."""

    note: str

    def __new__(cls, low: float, high: float, note: str = "") -> Interval:
        """From its ends; both NaN where there is none."""
        found = super().__new__(cls, (float(low), float(high)))
        found.note = note
        return found

    def __getnewargs__(self) -> tuple[float, float, str]:
        """What a copy, or another process, makes it of."""
        return self[0], self[1], self.note


def interval(
    metric: str, y: np.ndarray, decided: np.ndarray, seed: int, threshold: float | None = None
) -> Interval:
    """A 95 % interval of the metric of this name on these rows.

    y (rows,) and decided (rows, classes) for classes, both (rows, targets) for numbers. Metrics
    of ours, and some scorers that are one of these negated, have closed forms, whose coverage
    bench/coverage.py measures. For any other scorer it is between percentiles of bootstrap samples
    of the rows (Efron, 1979), drawn from `seed`, and a note says that these cover less. Errors
    with heavy tails are noted for RMSE and R². NaN for fewer than 5 rows, which tell no spread,
    for what is not finite, and where the rows lack a class that the metric needs. Raises SpecError
    for a name that is no metric of the task.
    """
    if len(y) < FEWEST or not (np.isfinite(decided).all() and np.isfinite(y).all()):
        return Interval(math.nan, math.nan)
    if metric in NEGATED:
        found = interval(NEGATED[metric], y, decided, seed)
        return Interval(-found[1], -found[0], found.note)
    known = METRICS.get(metric)
    if known is None or known.task != _task_of(y):
        return _of_scorer(metric, y, decided, seed, threshold)
    if y.ndim == 2:
        return _of_values(metric, y, decided)
    return _of_classes(metric, y, decided, threshold)


def _of_classes(
    metric: str, y: np.ndarray, shares: np.ndarray, threshold: float | None
) -> Interval:
    by_decision = {
        "accuracy": class_intervals.of_accuracy,
        "balanced_accuracy": class_intervals.of_balanced_accuracy,
    }
    by_shares = {
        "log_loss": class_intervals.of_log_loss,
        "brier": class_intervals.of_brier,
        "roc_auc": class_intervals.of_roc_auc,
        "average_precision": class_intervals.of_average_precision,
        "calibration_error": of_calibration_error,
    }
    if metric in by_shares:
        return Interval(*by_shares[metric](y, shares))
    told = decided_classes(shares, threshold)
    if metric == "f1":
        return Interval(*class_intervals.of_f1(y, told, shares.shape[1]))
    return Interval(*by_decision[metric](y, told))


def _of_values(metric: str, y: np.ndarray, values: np.ndarray) -> Interval:
    errors = values - y
    by_errors = {
        "rmse": value_intervals.of_rmse,
        "mae": value_intervals.of_mae,
        "median_absolute_error": value_intervals.of_median_absolute_error,
    }
    if metric == "r2":
        low, high = value_intervals.of_r2(y, errors)
    else:
        unit = max(float(np.abs(errors).max()), float(np.finfo(np.float64).tiny))
        low, high = (unit * end for end in by_errors[metric](errors / unit))
    note = ""
    if metric in OF_SQUARES and heavy_tails(errors):
        note = (
            f"errors with heavy tails: the {OF_SQUARES[metric]}'s interval is too narrow; those of "
            "MAE and the median absolute error hold"
        )
    return Interval(low, high, note)


def _of_scorer(
    name: str, y: np.ndarray, decided: np.ndarray, seed: int, threshold: float | None
) -> Interval:
    metric = metric_of(name, _task_of(y))

    def function(y: np.ndarray, decided: np.ndarray) -> float:
        return metric.of_model(y, decided, threshold)

    low, high = _percentiles(function, y, decided, seed)
    return Interval(low, high, "from bootstrap samples, which cover a little less than 95 %")


def _task_of(y: np.ndarray) -> str:
    return "classification" if y.ndim == 1 else "regression"


def _percentiles(function: Function, y: np.ndarray, decided: np.ndarray, seed: int) -> Ends:
    rng, n = np.random.default_rng([3, seed]), len(y)
    samples = min(max(MOST_DRAWN // n, 200), BOOTSTRAPS)
    drawn = (rng.integers(0, n, n) for _ in range(samples))
    found = np.array([function(y[rows], decided[rows]) for rows in drawn])
    found = found[np.isfinite(found)]
    if len(found) < samples / 2:  # most lack a class
        return math.nan, math.nan
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
