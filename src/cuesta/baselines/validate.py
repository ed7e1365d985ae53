"""Validates a baseline on the folds of the networks, and fits it to all training rows (N2)."""

from __future__ import annotations

import math

import numpy as np

from cuesta.baselines.problem import Baseline, Decide, Measure, Method, Problem
from cuesta.baselines.threads import one_thread
from cuesta.data.fold_means import held_out_ratio, standard_error
from cuesta.data.folds import Fold
from cuesta.errors import TableError
from cuesta.metrics import mean_of_known


def validated(problem: Problem, method: Method, measure: Measure, *, higher: bool) -> Baseline:
    """The method at the setting whose metric has the best mean over the folds.

    Metric = (1/k) Σ metricᵢ (N2) over the folds that have one, the earlier of equal settings;
    `higher` says that a higher metric is better. Raises ValueError or ArithmeticError where a fit
    fails.
    """
    with one_thread():
        decided = [_decided(problem, method, fold) for fold in problem.folds]
        scores = np.array(
            [
                [measure(problem.y[fold.validation], of) for of in each]
                for fold, each in zip(problem.folds, decided, strict=True)
            ]
        )
        means = np.array([mean_of_known(of_setting) for of_setting in scores.T])
        if not np.isfinite(means).any():
            raise TableError("Its metric is not finite.")
        losses = np.where(np.isfinite(means), -means if higher else means, np.inf)
        best = int(np.argmin(losses))
        decide = _fitted(problem, method, method.settings[best])
    return Baseline(
        method.name,
        f"{method.symbol} = {method.settings[best]:g}" if method.symbol else "",
        float(means[best]),
        standard_error(scores[:, best], held_out_ratio(problem.folds)),
        tuple(scores[:, best].tolist()),
        _out_of_fold(problem, [each[best] for each in decided]),
        decide,
    )


def fitted_only(problem: Problem, method: Method) -> Baseline:
    """The method at its first setting fitted to all training rows, without a validation.

    Raises ValueError or ArithmeticError where the fit fails.
    """
    decide = _fitted(problem, method, method.settings[0])
    return Baseline(method.name, "", math.nan, math.nan, (), None, decide)


def _decided(problem: Problem, method: Method, fold: Fold) -> list[np.ndarray]:
    """What each setting decides of the fold's validation rows."""
    rows = problem.x[fold.validation]
    return [decide(rows) for decide in method.fit(problem, fold.train, method.settings)]


def _fitted(problem: Problem, method: Method, setting: float) -> Decide:
    return method.fit(problem, np.arange(len(problem.x)), [setting])[0]


def _out_of_fold(problem: Problem, decided: list[np.ndarray]) -> np.ndarray:
    """(rows, outputs): the mean of what is decided of a row in the folds that it validates."""
    total = np.zeros((len(problem.x), problem.outputs))
    times = np.zeros((len(problem.x), 1))
    for fold, of in zip(problem.folds, decided, strict=True):
        total[fold.validation] += of
        times[fold.validation] += 1
    return np.where(times > 0, total / np.maximum(times, 1), np.nan)
