"""Metrics on test rows, their intervals, and what the baseline predicts."""

from cuesta.metrics.calibration import calibration_error
from cuesta.metrics.classes import LEAST, decided_classes
from cuesta.metrics.intervals import Interval, interval
from cuesta.metrics.limits import wilson
from cuesta.metrics.means import mean_of_known, root_mean_square
from cuesta.metrics.ranking import average_precision, roc_auc
from cuesta.metrics.table import (
    METRICS,
    Metric,
    classification_metrics,
    metric_of,
    names_for,
    regression_metrics,
)
from cuesta.metrics.trivial import baseline

__all__ = [
    "LEAST",
    "METRICS",
    "Interval",
    "Metric",
    "average_precision",
    "baseline",
    "calibration_error",
    "classification_metrics",
    "decided_classes",
    "interval",
    "mean_of_known",
    "metric_of",
    "names_for",
    "regression_metrics",
    "roc_auc",
    "root_mean_square",
    "wilson",
]
