"""Logistic regression: the linear model of classes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from cuesta.baselines.classes import check_several_classes, shares_of
from cuesta.baselines.problem import Decide, Method, Problem
from cuesta.data.scale import Scaling, fit_input_scaling

STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # C
MOST_STEPS = 300


def fit_logistic(problem: Problem, rows: np.ndarray, strengths: Sequence[float]) -> list[Decide]:
    """Multinomial logistic regression on rows normalized by themselves (N3), for each C.

    It minimizes Σ −log softmax(zᵢW + b)[yᵢ] + ‖W‖²/2C by L-BFGS, each C from the last one's end.
    Raises TableError where all rows are of one class.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    x, y = problem.x[rows], problem.y[rows]
    check_several_classes(y)
    inputs = fit_input_scaling(x, "standard")
    z = inputs.inputs(x)
    found: list[Decide] = []
    start = None
    for strength in strengths:
        model = LogisticRegression(
            C=strength,
            max_iter=MOST_STEPS,
            warm_start=True,
            class_weight="balanced" if problem.balanced else None,
        )
        if start is not None:
            model.coef_, model.intercept_ = start
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # near enough after so many steps
            model.fit(z, y)
        start = model.coef_, model.intercept_
        found.append(_normalized(inputs, shares_of(model, problem, len(rows))))
    return found


def _normalized(inputs: Scaling, decide: Decide) -> Decide:
    return lambda x: decide(inputs.inputs(x))


LOGISTIC = Method("linear model", fit_logistic, STRENGTHS, "C")
