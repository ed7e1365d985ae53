"""The committee's weights, and what it would predict with weights that other rows chose."""

from __future__ import annotations

import numpy as np

from cuesta.metrics import LEAST
from cuesta.search.committee import greedy, greedy_log_loss, greedy_rmse
from cuesta.search.out_of_fold import OutOfFold


def committee_weights(entries: OutOfFold) -> np.ndarray:
    """Weights (candidates,) that sum to 1, chosen greedily (Caruana et al., 2004).

    By log-loss for classes, whatever the metric (a share that is right in itself serves them
    all), by RMSE for numbers.
    """
    predictions, y = entries.predictions, entries.y
    if not entries.classes:
        return greedy_rmse(predictions - y)
    rows = np.arange(len(y))
    if np.ptp(entries.weights) == 0:
        return greedy_log_loss(predictions[:, rows, y])

    def weighted(_: np.ndarray, mixed: np.ndarray) -> float:
        logs = np.log(np.clip(mixed[rows, y], LEAST, 1.0))
        return -float(np.average(logs, weights=entries.weights))

    return greedy(predictions, y, weighted)


def with_weights_of_others(entries: OutOfFold) -> np.ndarray:
    """Predictions (entries, outputs) of a committee, by weights chosen without the row's fold.

    So the figure of a committee is not that of rows which chose it. With one fold alone they are.
    """
    found = np.empty(entries.predictions.shape[1:])
    for fold in np.unique(entries.folds):
        own = entries.folds == fold
        others = entries if own.all() else entries.at(~own)
        found[own] = entries.at(own).mixed(committee_weights(others))
    return found


def losses(entries: OutOfFold, decided: np.ndarray) -> np.ndarray:
    """Each entry's loss (entries,): −log p of its class, or the mean square over the targets.

    Squares are of errors as shares of the target's largest value, so that none overflows.
    """
    if entries.classes:
        return -np.log(np.clip(decided[np.arange(len(decided)), entries.y], LEAST, 1.0))
    unit = np.abs(entries.y).max(axis=0)
    errors = (decided - entries.y) / np.where(unit > 0, unit, 1.0)
    return np.asarray((errors**2).mean(axis=1))
