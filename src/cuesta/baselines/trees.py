"""scikit-learn's boosted trees at their defaults, and how much work they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cuesta.baselines.classes import check_several_classes, shares_of
from cuesta.baselines.problem import Decide, Method, Problem
from cuesta.baselines.threads import one_thread
from cuesta.data.scale import fit_scaling

ROUNDS = 100  # of boosting, each a tree for every output
MANY_ROWS = 1000  # from which the trees have all their leaves
LARGE = 12_000  # rows whose counting takes as long as the choice of the splits
MOST_FOR_FOLDS, MOST_AT_ALL = 25_000.0, 150_000.0  # work: about 1 s and 7 s a model, on one core


def work(problem: Problem) -> float:
    """About how much one fit is: trees × columns × (the share of their leaves + rows/12,000).

    About 20,000 are a second of one core. It is compared with a bound that grows with the
    rows as the networks' own work does, and depends on sizes alone: the clock decides nothing.
    """
    rows, columns = problem.x.shape
    outputs = 1 if problem.classes == 2 else problem.outputs
    return ROUNDS * outputs * columns * (min(1.0, rows / MANY_ROWS) + rows / LARGE)


def is_quick(problem: Problem, most: float) -> bool:
    """Whether a fit is no more work than `most`, or than so much for each 12,000 rows."""
    return work(problem) <= most * max(1.0, len(problem.x) / LARGE)


def fit_trees(problem: Problem, rows: np.ndarray, _: Sequence[float]) -> list[Decide]:
    """Histogram gradient boosting on the encoded columns, missing values as they are.

    Raises TableError where all rows are of one class, ValueError for what cannot be binned.
    """
    x, y = problem.x[rows], problem.y[rows]
    return [_classes(problem, x, y) if problem.classes else _values(problem, x, y)]


def _classes(problem: Problem, x: np.ndarray, y: np.ndarray) -> Decide:
    from sklearn.ensemble import HistGradientBoostingClassifier

    check_several_classes(y)
    counts = np.bincount(y)
    alone = bool((counts == 1).any())  # such a class cannot be on both sides of an early stop
    model = HistGradientBoostingClassifier(
        random_state=problem.seed,
        class_weight="balanced" if problem.balanced else None,
        early_stopping=False if alone else "auto",
    )
    with one_thread():
        model.fit(x, y)
    return _in_one_thread(shares_of(model, problem, len(x)))


def _values(problem: Problem, x: np.ndarray, y: np.ndarray) -> Decide:
    """A model for each target, of deviation 1: squares of large numbers leave float32."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    scaling = fit_scaling(y, "standard")
    models: list[Any] = []
    with one_thread():
        for column in scaling.apply(y).T:
            model = HistGradientBoostingRegressor(random_state=problem.seed)
            models.append(model.fit(x, column))

    def decide(x: np.ndarray) -> np.ndarray:
        return scaling.undo(np.stack([model.predict(x) for model in models], axis=1))

    return _in_one_thread(decide)


def _in_one_thread(decide: Decide) -> Decide:
    def alone(x: np.ndarray) -> np.ndarray:
        with one_thread():
            return decide(x)

    return alone


TREES = Method("boosted trees", fit_trees)
