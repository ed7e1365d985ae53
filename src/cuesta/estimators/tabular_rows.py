"""From X and y to the table that a run reads, and from new rows to the columns of that table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from sklearn.base import is_classifier
from sklearn.utils.validation import check_consistent_length, validate_data

from cuesta._text import count
from cuesta.data.columns import frame_of, read_target, with_columns
from cuesta.data.frames import as_frame
from cuesta.data.kinds import without_marks
from cuesta.data.table import Table
from cuesta.errors import TableError
from cuesta.estimators.rows import check_matrix, check_table, with_names
from cuesta.estimators.targets import (
    LearnedTarget,
    as_given,
    encode_target,
    read_classes,
    read_values,
)

NAME = "X"  # of the table
FIXED = ("number", "boolean")  # kinds of columns that an array can stand for


class TabularRows(NamedTuple):
    """The table of a fit, which of its columns are targets or groups, and what `y` was."""

    table: Table
    targets: tuple[str, ...]
    groups: str | None
    learned: LearnedTarget
    columns: tuple[str, ...]  # of X


def tabular_rows(net: Any, X: Any, y: Any, groups: Any = None) -> TabularRows:
    """The rows of a fit as one table: the columns of X, after them the targets and the groups.

    Sets what scikit-learn keeps of a fit's columns: `n_features_in_`, `feature_names_in_`. Raises
    ValueError (often a TableError) for rows that cannot be used.
    """
    if y is None:
        raise ValueError(
            f"This {type(net).__name__} estimator requires y to be passed, but the target y is "
            "None."
        )
    _check_every_row_has_a_target(y)
    frame, values = _checked(net, X, as_given(y))
    learned = read_classes(values) if is_classifier(net) else read_values(values)
    if learned.target.task == "multilabel":
        raise TableError("y has several labels a row; TabularClassifier takes one class a row.")
    names = _free_names(y, learned.target.outputs if learned.classes is None else 1, frame)
    added = _target_columns(learned, values, names, net)
    of_groups = []
    if groups is not None:
        check_consistent_length(frame, groups)
        taken = {*frame.columns, *names}
        of_groups = [_series(groups).alias(_free("groups", taken))]
    table = with_columns(frame, [*added, *of_groups])
    group_name = of_groups[0].name if of_groups else None
    return TabularRows(Table(NAME, table), names, group_name, learned, tuple(frame.columns))


def rows_for_prediction(net: Any, X: Any, columns: tuple[str, ...]) -> pl.DataFrame:
    """New rows as a frame of the fit's columns.

    Raises ValueError where the columns are not those of the fit.
    """
    table = as_frame(X)
    if table is None:
        _check_array_fits(net)
        x = validate_data(net, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        return frame_of(pl.Series(name, x[:, i]) for i, name in enumerate(columns))
    # Names and their order are those of the fit, or either had no names: then places count.
    validate_data(net, with_names(X, table), reset=False, skip_check_array=True)
    return frame_of(series.alias(name) for series, name in zip(table, columns, strict=True))


def _check_array_fits(net: Any) -> None:
    if all(feature.kind in FIXED for feature in net.model_.encoder.features):
        return
    raise TableError(
        "X is an array, and the networks were fitted to a table whose columns it cannot stand for; "
        "give X as a table with the same columns."
    )


def _check_every_row_has_a_target(y: Any) -> None:
    """Raise TableError where a list or column of objects holds None or NaN.

    scikit-learn's checks would take None, and a NaN among texts, for a class.
    """
    values = np.array(y, object) if isinstance(y, list | tuple) else np.asarray(as_given(y))
    if values.dtype.kind != "O":
        return
    gaps = sum(
        value is None or (isinstance(value, float) and math.isnan(value))
        for value in values.ravel().tolist()
    )
    if gaps:
        raise TableError(f"y has no value in {count(gaps, 'row')}; leave them out of X and y.")


def _checked(net: Any, X: Any, y: Any) -> tuple[pl.DataFrame, np.ndarray]:
    """X as a frame and y as an array that scikit-learn's checks let pass."""
    table = as_frame(X)
    if table is None:
        x, y = check_matrix(net, X, y, reset=True)
        names = getattr(net, "feature_names_in_", [f"x{i}" for i in range(x.shape[1])])
        table = frame_of(pl.Series(name, x[:, i]) for i, name in enumerate(names))
    else:
        y = check_table(net, X, table, y, reset=True)
    if len(y) < 2:
        raise TableError("X has 1 sample, and folds need several.")
    return table, y


def _free_names(y: Any, many: int, frame: pl.DataFrame) -> tuple[str, ...]:
    """The targets' names: those that y has, else y, y0, y1; none that is a column's of X."""
    default = ["y"] if many == 1 else [f"y{i}" for i in range(many)]
    given = [str(name) for name in _names_of(y) if isinstance(name, str)]
    names: list[str] = []
    for name in given if len(given) == many else default:
        names.append(_free(name, {*frame.columns, *names}))
    return tuple(names)


def _names_of(y: Any) -> list[Any]:
    if hasattr(y, "columns"):  # of a table; a pyarrow one has its names elsewhere
        return list(getattr(y, "column_names", y.columns))
    name = getattr(y, "name", None)
    return [name] if name else []


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _target_columns(
    learned: LearnedTarget, y: np.ndarray, names: tuple[str, ...], net: Any
) -> list[pl.Series]:
    """The targets as the run reads them: values, or labels that it reads as they are.

    A run takes some texts for missing, and some for one. Where that would change the labels of
    `y`, their numbers stand for them.
    """
    encoded = encode_target(learned, y)
    missing = texts(net.missing)
    if learned.classes is None:
        values = [pl.Series(name, column) for name, column in zip(names, encoded.T, strict=True)]
        return [_without_missing(series, missing) for series in values]
    labels = learned.target.labels
    series = pl.Series(names[0], [labels[number] for number in encoded.tolist()])
    series = _without_missing(series, missing)
    try:
        read, _ = read_target(series, "classification", net.decimal)
    except TableError:
        read = None
    if read is not None and read.equals(series):
        return [series]
    return [_without_missing(pl.Series(names[0], encoded), missing)]


def _without_missing(series: pl.Series, missing: tuple[str, ...]) -> pl.Series:
    """The targets. Raises TableError where one of them is said to mean a missing value."""
    gaps = without_marks(series, missing).is_null()
    if gaps.any():
        value = series.filter(gaps)[0]
        raise TableError(
            f"y holds {value!r}, which is said to mean a missing value; leave such rows out of X "
            "and y.",
            parameter="missing",
        )
    return series


def texts(values: str | Sequence[Any] | None) -> tuple[str, ...]:
    """One text or several, as a tuple; numbers as they are written."""
    if values is None:
        return ()
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
        return (str(values),)
    return tuple(str(value) for value in values)


def _series(values: Any) -> pl.Series:
    frame = as_frame(values)
    if frame is not None:
        return frame.to_series(0)
    if isinstance(values, pl.Series):
        return values
    return pl.Series(np.asarray(values).ravel().tolist())
