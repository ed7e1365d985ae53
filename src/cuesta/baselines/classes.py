"""Class shares of models of scikit-learn, which know the classes of their own rows alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from cuesta.baselines.problem import Decide, Problem
from cuesta.errors import TableError


def check_several_classes(y: np.ndarray) -> None:
    """Raise TableError unless the rows are of two classes or more."""
    if y.min() == y.max():
        raise TableError("The training rows of a fold are all of one class.")


def shares_of(model: Any, problem: Problem, rows: int) -> Decide:
    """The shares of all classes by a model fitted to so many rows.

    A class that none of the n rows is of has a share of 1/(n + classes), by the rule of succession
    (Laplace, 1814), and the others as much less: no class is impossible.
    """
    known = np.asarray(model.classes_)
    unseen = np.setdiff1d(np.arange(problem.classes), known)
    each = 1 / (rows + problem.classes)

    def decide(x: np.ndarray) -> np.ndarray:
        shares = np.full((len(x), problem.classes), each)
        shares[:, known] = model.predict_proba(x) * (1 - each * len(unseen))
        return shares

    return decide
