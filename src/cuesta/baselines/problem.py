"""What a baseline is fitted to, and what is had of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cuesta.data.folds import Fold

Decide = Callable[[np.ndarray], np.ndarray]  # rows as they are → class shares, or values
Measure = Callable[[np.ndarray, np.ndarray], float]  # targets, what is decided → the metric


@dataclass(frozen=True)
class Problem:
    """Training rows (rows, columns) with NaN for missing, their targets, and the folds.

    `y` are class numbers (rows,) below `classes`, or values (rows, targets) where `classes` is 0.
    `balanced` asks that each class counts the same. `seed` is for what is drawn at random.
    """

    x: np.ndarray
    y: np.ndarray
    folds: Sequence[Fold]
    classes: int
    balanced: bool = False
    seed: int = 0

    @property
    def outputs(self) -> int:
        """How many numbers are decided of a row."""
        return self.classes or int(self.y.shape[1])


@dataclass(frozen=True)
class Method:
    """A way to fit: the settings to choose among, and what fits each of them to some rows.

    `fit` (problem, numbers of training rows, settings) gives a decision for each setting. `symbol`
    is what a setting is called, or empty where there is none to choose.
    """

    name: str
    fit: Callable[[Problem, np.ndarray, Sequence[float]], list[Decide]]
    settings: tuple[float, ...] = (0.0,)
    symbol: str = ""


@dataclass(frozen=True)
class Baseline:
    """A baseline that was validated and fitted to all training rows.

    Attributes
    ----------
    name : str
        What it is called: "linear model" or "boosted trees".
    detail : str
        How it was fitted, in a few words.
    cv_mean, cv_se : float
        The mean of the metric over the folds, and its standard error; NaN without folds.
    folds : tuple of float
        The metric of each fold; empty where the folds were left out.
    out_of_fold : ndarray (rows, outputs) or None
        What is decided of each row by the models that did not see it, NaN where there is none.
    decide : callable
        Rows as they are → class shares, or values, by the model of all training rows.
    """

    name: str
    detail: str
    cv_mean: float
    cv_se: float
    folds: tuple[float, ...]
    out_of_fold: np.ndarray | None
    decide: Decide
