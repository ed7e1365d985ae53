"""Turns targets into the numbers that a network learns, and weighs classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from cuesta.data.encode import Target
from cuesta.errors import SpecError, TableError
from cuesta.estimators.parameters import plain
from cuesta.training.fits import Rows


@dataclass(frozen=True)
class LearnedTarget:
    """What `y` was in a first fit.

    `classes` are the classes in order, in the type of `y`, or the labels' numbers; None where `y`
    holds values; these are (rows,) where `one_column`, and else (rows, targets).
    """

    target: Target
    classes: np.ndarray | None = None
    one_column: bool = True


def read_values(y: Any) -> LearnedTarget:
    """Targets that are numbers: `y` (rows,) or (rows, targets)."""
    values = np.asarray(y, np.float64)
    if values.ndim == 2 and values.shape[1] == 1:
        values = column_or_1d(values, warn=True)
    count = 1 if values.ndim == 1 else values.shape[1]
    names = ("y",) if count == 1 else tuple(f"y{i}" for i in range(count))
    return LearnedTarget(Target("regression", names), one_column=values.ndim == 1)


def read_classes(y: Any, classes: np.ndarray | None = None) -> LearnedTarget:
    """Targets that are classes (rows,), or labels of 0 and 1 (rows, labels).

    `classes` are all there may be, where they are known. Raises TableError for a single class.
    """
    check_classification_targets(y)
    kind = type_of_target(y)
    if kind == "multilabel-indicator":
        return _labels_of_rows(tuple(f"label_{i}" for i in range(y.shape[1])))
    if kind == "multiclass-multioutput":
        raise ValueError("Several targets of more than two classes each are not supported.")
    values = column_or_1d(y, warn=True)
    classes = np.unique(values) if classes is None else classes
    if len(classes) < 2:
        raise TableError(
            f"y holds only one class, {plain(classes[0])!r}; a classifier needs at least two."
        )
    return LearnedTarget(Target("classification", ("y",), _plain_labels(classes)), classes)


def target_of_file(target: Target, *, one_column: bool) -> LearnedTarget:
    """What `y` was, from what a model's file holds of it."""
    if target.task == "multilabel":
        return _labels_of_rows(target.names)
    classes = np.array(target.labels) if target.task == "classification" else None
    return LearnedTarget(target, classes, one_column)


def _labels_of_rows(names: tuple[str, ...]) -> LearnedTarget:
    return LearnedTarget(Target("multilabel", names), np.arange(len(names)))


def _plain_labels(classes: np.ndarray) -> tuple[Any, ...]:
    """Classes as Python's own values of one type."""
    listed = classes.tolist()
    return tuple(listed) if len({type(label) for label in listed}) == 1 else tuple(map(str, listed))


def encode_target(learned: LearnedTarget, y: Any) -> np.ndarray:
    """Class numbers (rows,), labels (rows, labels), or values (rows, targets) in float64.

    Raises TableError for a class that the first fit did not have.
    """
    if learned.target.task == "multilabel":
        return np.asarray(y).astype(np.int32)
    if learned.classes is None:
        values = np.asarray(y, np.float64)
        return values.reshape(len(values), -1)
    return _class_numbers(learned.classes, column_or_1d(y))


def _class_numbers(classes: np.ndarray, y: np.ndarray) -> np.ndarray:
    places = np.searchsorted(classes, y).clip(0, len(classes) - 1)
    unknown = classes[places] != y
    if unknown.any():
        raise TableError(
            f"y holds the class {plain(y[unknown.argmax()])!r}, which the first fit did not have; "
            "name all classes in the first partial_fit by classes=."
        )
    return places.astype(np.int32)


def weigh_classes(class_weight: Any, learned: LearnedTarget, rows: Rows) -> np.ndarray | None:
    """The rows' weights (rows,), each times its class's; None where all count the same.

    `class_weight` is None, a dict class → weight, or "balanced": rows/(classes · rows of the
    class). Raises SpecError for weights that are not above 0, and for several labels.
    """
    if class_weight is None:
        return rows.weights
    if learned.classes is None or learned.target.task == "multilabel":
        raise SpecError(
            "class_weight needs one target of classes, and y has several labels; leave it at None "
            "and weigh rows by sample_weight."
        )
    labels = learned.classes[rows.y]
    present = np.unique(labels)
    weights = compute_class_weight(
        class_weight, classes=present, y=labels, sample_weight=rows.weights
    )
    of_class = dict(zip(present.tolist(), weights, strict=True))
    factors = np.array([of_class[label] for label in labels.tolist()], np.float64)
    if not (np.isfinite(factors).all() and (factors > 0).all()):
        raise SpecError("class_weight must hold finite numbers above 0.")
    return factors if rows.weights is None else factors * rows.weights
