"""Turns targets into the numbers that a network learns, and weighs classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import issparse
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

    @property
    def class_type(self) -> str:
        """The type of classes that are dates, and else nothing: a file holds dates as text."""
        dates = self.classes is not None and self.classes.dtype.kind == "M"
        return str(self.classes.dtype) if dates and self.classes is not None else ""


def as_given(y: Any) -> Any:
    """Targets in a form that scikit-learn's checks leave as they are.

    pandas' nullable whole numbers and booleans would become float64, in which two large labels
    can be one; sparse labels are made dense, and a lazy table is collected.
    """
    if isinstance(y, pl.LazyFrame):
        y = y.collect()
    if issparse(y):
        return y.toarray()
    if type(y).__module__.partition(".")[0] != "pandas":
        return y
    columns = [y.iloc[:, i] for i in range(y.shape[1])] if hasattr(y, "columns") else [y]
    if not any(_is_nullable(column.dtype) for column in columns) or y.isna().to_numpy().any():
        return y
    plain = [column.to_numpy(getattr(column.dtype, "numpy_dtype", None)) for column in columns]
    return np.column_stack(plain) if hasattr(y, "columns") else plain[0]


def _is_nullable(kind: Any) -> bool:
    """Whether this is a type of whole numbers or booleans that is not NumPy's."""
    return not isinstance(kind, np.dtype) and getattr(kind, "kind", "") in tuple("iub")


def read_values(y: Any) -> LearnedTarget:
    """Targets that are numbers: `y` (rows,) or (rows, targets). Raises TableError for dates."""
    if np.asarray(y).dtype.kind in "mM":
        raise TableError("y holds dates or durations; a regressor needs numbers.")
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
    if values.dtype.kind == "m":
        raise TableError("y holds durations, which are no classes; give them as text or numbers.")
    classes = np.unique(values) if classes is None else classes
    if len(classes) < 2:
        raise TableError(
            f"y holds only one class, {plain(classes[0])!r}; a classifier needs at least two."
        )
    return LearnedTarget(Target("classification", ("y",), plain_labels(classes)), classes)


def target_of_file(target: Target, class_type: str, *, one_column: bool) -> LearnedTarget:
    """What `y` was, from what a model's file holds of it. Raises ValueError, TypeError."""
    if target.task == "multilabel":
        return _labels_of_rows(target.names)
    classes = np.array(target.labels) if target.task == "classification" else None
    if classes is not None and class_type:
        if not class_type.startswith("datetime64"):
            raise ValueError(f"labels of the type {class_type!r}")
        classes = classes.astype(class_type)
    return LearnedTarget(target, classes, one_column)


def _labels_of_rows(names: tuple[str, ...]) -> LearnedTarget:
    return LearnedTarget(Target("multilabel", names), np.arange(len(names)))


def plain_labels(classes: np.ndarray) -> tuple[Any, ...]:
    """Classes as Python's own values of one type, dates as text."""
    listed = (classes.astype(str) if classes.dtype.kind == "M" else classes).tolist()
    return tuple(listed) if len({type(label) for label in listed}) == 1 else tuple(map(str, listed))


def encode_target(learned: LearnedTarget, y: Any) -> np.ndarray:
    """Class numbers (rows,), labels (rows, labels), or values (rows, targets) in float64.

    Raises TableError for a class that the first fit did not have.
    """
    y = np.asarray(y)
    columns = 1 if y.ndim == 1 else y.shape[1]
    if learned.target.task != "classification" and columns != learned.target.outputs:
        raise TableError(
            f"y has {columns} column{'s' * (columns > 1)}, and the first fit had "
            f"{learned.target.outputs}."
        )
    if learned.target.task == "multilabel":
        return y.astype(np.int32)
    if learned.classes is None:
        return y.astype(np.float64).reshape(len(y), -1)
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


def count_classes(learned: LearnedTarget, rows: Rows) -> np.ndarray | None:
    """The weight of the rows of each class (classes,); None for numbers and labels."""
    if learned.target.task != "classification":
        return None
    return np.bincount(rows.y, rows.weights, len(learned.target.labels)).astype(np.float64)


def class_factors(
    class_weight: Any, learned: LearnedTarget, counts: np.ndarray | None
) -> np.ndarray | None:
    """The factor of each class (classes,) in its rows' weights; None where all count the same.

    `class_weight` is None, a dict class → factor, or "balanced": rows/(classes · rows of the
    class), by the `counts` of all rows so far. Raises SpecError for factors that are not above 0,
    and for several labels.
    """
    if class_weight is None:
        return None
    if learned.classes is None or counts is None:
        raise SpecError(
            "class_weight needs one target of classes, and y has several labels; leave it at None "
            "and weigh rows by sample_weight."
        )
    present = counts > 0
    if isinstance(class_weight, str) and class_weight == "balanced":
        among = np.where(present, counts, 1.0)
        return np.where(present, counts.sum() / (present.sum() * among), 1.0)
    classes = learned.classes[present]
    found = np.ones(len(counts))
    found[present] = compute_class_weight(class_weight, classes=classes, y=classes)
    if not (np.isfinite(found).all() and (found > 0).all()):
        raise SpecError("class_weight must hold finite numbers above 0.")
    return found


def weigh_classes(rows: Rows, factors: np.ndarray | None) -> np.ndarray | None:
    """The rows' weights (rows,), each times its class's factor; None where all count the same."""
    if factors is None:
        return rows.weights
    return factors[rows.y] if rows.weights is None else factors[rows.y] * rows.weights
