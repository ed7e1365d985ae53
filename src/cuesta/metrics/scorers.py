"""scikit-learn's scorers as metrics of class shares and of values."""

from __future__ import annotations

import inspect
import math
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from cuesta.errors import SpecError
from cuesta.metrics.classes import decided_classes

TWO_CLASSES = (
    "jaccard",
    "precision",
    "recall",
    "neg_negative_likelihood_ratio",
    "positive_likelihood_ratio",
)


def scorer_names(task: str) -> tuple[str, ...]:
    """The scorers of scikit-learn that judge this task.

    Not those for labels of which a row has several (`…_samples`), nor those that compare
    clusterings, to which a class by any other name is the same.
    """
    from sklearn.metrics import get_scorer_names

    return tuple(name for name in get_scorer_names() if task_of(name) == task)


def task_of(name: str) -> str:
    """The task that a scorer's name is for; empty for none of ours."""
    module = _scorer(name)._score_func.__module__
    if name.endswith("_samples") or ".cluster." in module:
        return ""
    return "regression" if module.endswith("._regression") else "classification"


def looks_at_shares(name: str) -> bool:
    """Whether a scorer of classes takes their shares, rather than the decided class."""
    return _scorer(name)._response_method != "predict"


def function_of(name: str) -> ScorerOfShares | ScorerOfClasses | ScorerOfValues:
    """The scorer's own function, on class numbers and shares or on values; higher is better."""
    if task_of(name) == "regression":
        return ScorerOfValues(name)
    return ScorerOfShares(name) if looks_at_shares(name) else ScorerOfClasses(name)


@dataclass(frozen=True)
class ScorerOfValues:
    """A scorer of values: y and values are (rows, targets)."""

    name: str

    def __call__(
        self, y: np.ndarray, values: np.ndarray, weights: np.ndarray | None = None
    ) -> float:
        """The score of these rows; SpecError where the scorer refuses them."""
        one = y.shape[1] == 1
        return _score(self.name, y[:, 0] if one else y, values[:, 0] if one else values, weights)


@dataclass(frozen=True)
class ScorerOfClasses:
    """A scorer of decided classes: y (rows,) and shares (rows, classes), perhaps a threshold."""

    name: str

    def __call__(
        self,
        y: np.ndarray,
        shares: np.ndarray,
        weights: np.ndarray | None = None,
        threshold: float | None = None,
    ) -> float:
        """The score of these rows; SpecError where the scorer refuses them."""
        if self.name in TWO_CLASSES and shares.shape[1] != 2:
            raise only_two(self.name)
        return _score(self.name, y, decided_classes(shares, threshold), weights)


@dataclass(frozen=True)
class ScorerOfShares:
    """A scorer of class shares (rows, classes); NaN where a rank has no row of a class."""

    name: str

    def __call__(
        self, y: np.ndarray, shares: np.ndarray, weights: np.ndarray | None = None
    ) -> float:
        """The score of these rows; SpecError where the scorer refuses them."""
        classes = shares.shape[1]
        if "roc_auc" in self.name and (np.bincount(y, minlength=classes) == 0).any():
            return math.nan
        told = shares[:, 1] if classes == 2 else shares
        return _score(self.name, y, told, weights, labels=np.arange(classes))


def only_two(name: str) -> SpecError:
    """The refusal of a scorer that knows two classes and no more."""
    return SpecError(f"The metric {name!r} is for two classes.", parameter="metric")


def _score(
    name: str, y: np.ndarray, told: np.ndarray, weights: np.ndarray | None, **more: Any
) -> float:
    scorer, known = _scorer(name), _parameters(name)
    options = {key: value for key, value in more.items() if key in known}
    if weights is not None:
        if "sample_weight" not in known:
            raise SpecError(f"The metric {name!r} takes no weights of rows.", parameter="metric")
        options["sample_weight"] = weights
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a class that no row has or gets: 0, or NaN
            found = scorer._score_func(y, told, **options, **scorer._kwargs)
    except ValueError as error:
        sentence = f"The metric {name!r} cannot judge these rows: {error}"
        raise SpecError(f"{sentence.rstrip('.')}.", parameter="metric") from None
    return float(scorer._sign * found)


@cache
def _scorer(name: str) -> Any:
    from sklearn.metrics import get_scorer

    return get_scorer(name)


@cache
def _parameters(name: str) -> frozenset[str]:
    return frozenset(inspect.signature(_scorer(name)._score_func).parameters)
