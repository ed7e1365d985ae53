"""95 % intervals of metrics of class shares; how each was chosen is in bench/coverage.py.

Everywhere y (rows,) holds class numbers, shares (rows, classes), decided (rows,) classes.
"""

from __future__ import annotations

import math

import numpy as np

from cuesta.metrics import influence, ranking
from cuesta.metrics.classes import f1_of, log_losses, squared_distances
from cuesta.metrics.left_out import precisions_without
from cuesta.metrics.limits import Ends, logit_limits, skewed_limits, skewness, wilson

NONE = (math.nan, math.nan)


def of_accuracy(y: np.ndarray, decided: np.ndarray) -> Ends:
    """Wilson's interval of the share of rows told right."""
    return wilson(int((decided == y).sum()), len(y))


def of_balanced_accuracy(y: np.ndarray, decided: np.ndarray) -> Ends:
    """Wilson's interval for as many rows as have the variance of the mean of the classes' shares.

    Each class's share is taken as (hits + ½)/(rows + 1), so that one of 0 or 1 has a variance too.
    """
    totals = np.bincount(y)
    hits = np.bincount(y[decided == y], minlength=len(totals))[totals > 0]
    totals = totals[totals > 0]
    shrunk = (hits + 0.5) / (totals + 1)
    variance = (shrunk * (1 - shrunk) / totals).sum() / len(totals) ** 2
    middle = shrunk.mean()
    worth = float(middle * (1 - middle) / variance)
    return wilson(float((hits / totals).mean()) * worth, worth)


def of_f1(y: np.ndarray, decided: np.ndarray, classes: int) -> Ends:
    """F1 of class 1 of two: from Wilson's interval of J = TP/(TP + FP + FN), F1 = 2J/(1 + J).

    J is the share of hits among the rows that are of the class or decided as it (Hand, Christen
    and Kirielle, 2021). Macro F1 of more classes: on the logit scale, by the influence of each row.
    """
    if classes == 2:
        either = int(((y == 1) | (decided == 1)).sum())
        if not either:
            return NONE
        low, high = wilson(int(((y == 1) & (decided == 1)).sum()), either)
        return 2 * low / (1 + low), 2 * high / (1 + high)
    sway = influence.of_f1(y, decided, classes)
    error = float(sway.std(ddof=1)) / math.sqrt(len(y))
    fewest = int(np.bincount(y)[np.unique(y)].min())  # of the classes that occur
    return logit_limits(f1_of(y, decided, classes), error, len(y) - 1, fewest)


def of_log_loss(y: np.ndarray, shares: np.ndarray) -> Ends:
    """A skewed t of the rows' losses."""
    return _of_rows(log_losses(y, shares))


def of_brier(y: np.ndarray, shares: np.ndarray) -> Ends:
    """A skewed t of the rows' squared distances."""
    low, high = _of_rows(squared_distances(y, shares))
    return low, min(high, 1.0 if shares.shape[1] == 2 else 2.0)


def _of_rows(rows: np.ndarray) -> Ends:
    value, n = float(rows.mean()), len(rows)
    error = float(rows.std(ddof=1)) / math.sqrt(n)
    low, high = skewed_limits(value, error, skewness(rows - value), n)
    return max(low, 0.0), high


def of_roc_auc(y: np.ndarray, shares: np.ndarray) -> Ends:
    """On the logit scale, with the variance of DeLong, DeLong and Clarke-Pearson (1988).

    Its degrees of freedom are those of a sum of the classes' variances (Welch, 1947). NaN where a
    class has less than two rows.
    """
    counts = np.bincount(y, minlength=shares.shape[1])
    if counts.min() < 2:
        return NONE
    sway = influence.of_roc_auc(y, shares)
    own = np.bincount(y, sway) / counts  # 0 for two classes, to a rounding
    parts = np.bincount(y, (sway - own[y]) ** 2) * counts / (counts - 1) / len(y) ** 2
    variance = float(parts.sum())
    value = ranking.roc_auc(y, shares)
    if variance == 0:
        return logit_limits(value, 0.0, math.inf, int(counts.min()))
    degrees = variance**2 / float((parts**2 / (counts - 1)).sum())
    return logit_limits(value, math.sqrt(variance), degrees, int(counts.min()))


def of_average_precision(y: np.ndarray, shares: np.ndarray) -> Ends:
    """On the logit scale, about the value without the bias that the jackknife tells (Efron, 1982).

    Each row of a class counts itself among those found, so that the metric is too large on few
    rows: 0.25 for 0.20 where 60 rows have five classes and shares say nothing. The interval is
    widened to hold the metric itself. NaN where a class has less than two rows.
    """
    n, fewest = len(y), _fewest(y, shares.shape[1])
    if fewest < 2:
        return NONE
    value, without = ranking.average_precision(y, shares), precisions_without(y, shares)
    unbiased = n * value - (n - 1) * float(without.mean())
    error = math.sqrt((n - 1) / n * float(((without - without.mean()) ** 2).sum()))
    degrees = fewest - 1 if shares.shape[1] == 2 else n - shares.shape[1]
    if 0 < value < 1:
        unbiased = min(max(unbiased, 1 / (2 * n)), 1 - 1 / (2 * n))
    low, high = logit_limits(unbiased, error, degrees, fewest)
    return min(low, value), max(high, value)


def _fewest(y: np.ndarray, classes: int) -> int:
    """The rows of the class that has the fewest of them."""
    return int(np.bincount(y, minlength=classes).min())
