"""The metrics by name: for which task, which way is better, how each is computed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from cuesta.errors import SpecError
from cuesta.metrics import calibration, classes, ranking, values
from cuesta.metrics.scorers import (
    TWO_CLASSES,
    function_of,
    looks_at_shares,
    only_two,
    scorer_names,
)

Function = Callable[..., float]


@dataclass(frozen=True)
class Metric:
    """A metric of test rows.

    Parameters
    ----------
    name : str
        As a user writes it.
    task : str
        "classification" or "regression".
    higher_is_better : bool
        Which way is better.
    words : str
        What it is, for a table of results.
    function : callable
        `(y, decided, weights=None) -> float`. For classes y (rows,) holds class numbers and
        decided (rows, classes) shares; for numbers both are (rows, targets). Where `threshold` is
        true it takes a `threshold=` too: class 1 of two is decided from it on.
    curve : str
        By which curve of a training candidates are compared and the number of epochs is chosen:
        its own, for "log_loss", "accuracy", "balanced_accuracy" and "rmse", else that of the loss,
        "log_loss" or "rmse". Empty for what is reported and never selected by.
    threshold : bool, default=False
        Whether it looks at the decided class alone.
    """

    name: str
    task: str
    higher_is_better: bool
    words: str
    function: Function
    curve: str
    threshold: bool = False

    def __call__(
        self,
        y: np.ndarray,
        decided: np.ndarray,
        weights: np.ndarray | None = None,
        threshold: float | None = None,
    ) -> float:
        """Its value on these rows; a threshold counts where it looks at the decided class."""
        if self.threshold:
            return self.function(y, decided, weights, threshold)
        return self.function(y, decided, weights)

    def of_model(self, y: np.ndarray, decided: np.ndarray, threshold: float | None = None) -> float:
        """Its value on what a model decides; −∞, the worst score, where a scorer refuses that.

        Those that take logarithms refuse values below 0, which a model may well predict.
        """
        try:
            return self(y, decided, threshold=threshold)
        except SpecError:
            return -math.inf  # of a scorer a higher value is better


C, R = "classification", "regression"
_ROWS = (
    # In the order of a report.
    Metric("accuracy", C, True, "accuracy", classes.accuracy, "accuracy", True),
    Metric("log_loss", C, False, "log-loss", classes.log_loss, "log_loss"),
    Metric("roc_auc", C, True, "ROC-AUC", ranking.roc_auc, "log_loss"),
    Metric(
        "balanced_accuracy",
        C,
        True,
        "balanced accuracy",
        classes.balanced_accuracy,
        "balanced_accuracy",
        True,
    ),
    Metric(
        "average_precision", C, True, "average precision", ranking.average_precision, "log_loss"
    ),
    Metric("f1", C, True, "F1", classes.f1, "log_loss", True),
    Metric("brier", C, False, "Brier score", classes.brier, "log_loss"),
    Metric("calibration_error", C, False, "calibration error", calibration.calibration_error, ""),
    Metric("rmse", R, False, "RMSE", values.rmse, "rmse"),
    Metric("mae", R, False, "MAE", values.mae, "rmse"),
    Metric("r2", R, True, "R²", values.r2, "rmse"),
    Metric(
        "median_absolute_error", R, False, "median absolute error", values.median_absolute_error, ""
    ),
)
METRICS = {metric.name: metric for metric in _ROWS}


def names_for(task: str) -> tuple[str, ...]:
    """The names of the metrics that a search for this task may select by."""
    return tuple(metric.name for metric in _ROWS if metric.task == task and metric.curve)


def classification_metrics(
    y: np.ndarray, shares: np.ndarray, threshold: float | None = None
) -> dict[str, float]:
    """Every metric of class shares (rows, classes) for class numbers y (rows,), by name.

    With a threshold, class 1 of two is decided where its share is at least that. NaN for ROC-AUC
    and average precision where the rows lack a class.
    """
    of_classes = (metric for metric in _ROWS if metric.task == C)
    return {metric.name: metric(y, shares, threshold=threshold) for metric in of_classes}


def regression_metrics(y: np.ndarray, values: np.ndarray) -> dict[str, float]:
    """Every metric of values for y, both (rows, targets), each the mean over the targets."""
    return {metric.name: metric(y, values) for metric in _ROWS if metric.task == R}


def metric_of(name: str, task: str, classes: int = 0) -> Metric:
    """The metric of this name: one of ours, else scikit-learn's scorer, where higher is better.

    Raises SpecError for a name that is unknown, does not suit the task, or needs two classes
    where there are `classes` (0: not known yet); it lists the names that fit.
    """
    ours = METRICS.get(name)
    if ours is not None and ours.task == task and ours.curve:
        return ours
    scorers = scorer_names(task)
    if name not in scorers:
        raise _refusal(name, task, scorers)
    if name in TWO_CLASSES and classes > 2:
        raise only_two(name)
    hard = task == C and not looks_at_shares(name)
    curve = "rmse" if task == R else "log_loss"
    return Metric(name, task, True, _words(name), function_of(name), curve, hard)


def _refusal(name: str, task: str, scorers: tuple[str, ...]) -> SpecError:
    ours = names_for(task)
    other = R if task == C else C
    why = "is unknown"
    if name in METRICS and METRICS[name].task == task:
        why = "is reported, and never selected by"
    elif name in METRICS or name in scorer_names(other):
        why = f"is for {other}, not for {task}"
    elif near := get_close_matches(name.lower(), (*ours, *scorers), n=1):
        why = f"is unknown; did you mean {near[0]!r}"
    theirs = ", ".join(scorer for scorer in scorers if scorer not in METRICS)
    mark = "? Take" if "mean" in why else ": take"
    return SpecError(
        f"The metric {name!r} {why}{mark} {', '.join(ours)}; or a scorer of scikit-learn: "
        f"{theirs}.",
        parameter="metric",
    )


def _words(name: str) -> str:
    plain = name.removeprefix("neg_").replace("_", " ")
    return f"{plain}, negated" if name.startswith("neg_") else plain
