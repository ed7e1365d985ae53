"""Checks X, y and sample_weight, and makes training rows of them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from sklearn.base import RegressorMixin
from sklearn.utils import check_array, check_consistent_length

# Not public, but there is no other way to the checks that scikit-learn makes of its own estimators.
from sklearn.utils.validation import _check_sample_weight, validate_data

from cuesta._util.checks import check_count
from cuesta.data.columns import convert_columns, read_columns, tidy_frame
from cuesta.data.encode import Encoder, fit_encoder, fit_matrix_encoder
from cuesta.data.frames import as_frame
from cuesta.data.kinds import Kind
from cuesta.data.layout import Layout
from cuesta.errors import SpecError, TableError
from cuesta.estimators.holding_out import is_splitter, split_rows
from cuesta.estimators.parameters import plain, values_of
from cuesta.estimators.presets import table_size
from cuesta.estimators.targets import (
    LearnedTarget,
    as_given,
    class_factors,
    count_classes,
    encode_target,
    read_classes,
    read_values,
    weigh_classes,
)
from cuesta.training.fits import Rows

LARGEST_BATCH = 1_000_000
ValidationSet = tuple[Any, ...]  # X, y, and perhaps weights, of rows that validate


@dataclass(frozen=True)
class Encoding:
    """How rows become numbers: decided by a first fit, kept by all that go on from it.

    `kinds` are those of a table's columns; None where the first fit had an array.
    """

    encoder: Encoder
    kinds: Mapping[str, Kind] | None
    target: LearnedTarget


@dataclass(frozen=True)
class Prepared:
    """What a fit learns from: encoded rows, and how they were encoded."""

    encoding: Encoding
    rows: Rows
    classes: np.ndarray | None  # the weight of each class's rows, of this fit and those before
    held_out: tuple[int, ...] | None = None  # places of rows that the user wants to validate


class Preparation(NamedTuple):
    """The parameters of an estimator on which its prepared rows depend."""

    estimator: str
    batch_size: str
    preset: str
    class_weight: str
    splitter: str

    @classmethod
    def of(cls, net: Any) -> Preparation:
        """Those of this estimator."""
        weights = getattr(net, "class_weight", None)
        splitter = repr(net.validation_fraction) if _splitter(net) else ""
        kind, batch_size = type(net).__name__, repr(plain(net.batch_size))
        return cls(kind, batch_size, repr(getattr(net, "preset", None)), repr(weights), splitter)


class CheckedRows(NamedTuple):
    """Rows that scikit-learn's checks let pass: a table with its columns' kinds, or a matrix."""

    x: pl.DataFrame | np.ndarray
    y: np.ndarray
    weights: np.ndarray | None
    kinds: Mapping[str, Kind] | None
    held: np.ndarray | None = None  # whether each row validates, where a splitter says so


def prepare_rows(
    net: Any,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    known: Encoding | None = None,
    classes: np.ndarray | None = None,
    counts: np.ndarray | None = None,
    validation_set: ValidationSet | None = None,
    all_train: bool = False,
    quiet: bool = False,
) -> Prepared:
    """Check, encode and weigh rows for a fit of this estimator.

    `validation_set` are rows of the user's own that validate; where `all_train`, none does.
    They are encoded as the `known` encoding says, else by one fitted to them, with all `classes`
    where these are given; notes on columns are then warnings, unless `quiet`. Sets what
    scikit-learn keeps of a fit's columns: `n_features_in_`, `feature_names_in_`.
    """
    checked = _check(net, X, as_given(y), sample_weight, known)
    if _splitter(net) and validation_set is None and not all_train:
        held = split_rows(net.validation_fraction, checked.x, checked.y)
        checked = checked._replace(held=held)
    checked = _without_weightless(checked)
    encoding = known or _fit_encoding(net, checked, classes, quiet)
    rows = _encoded(encoding, checked)
    size = table_size(rows.x, encoding.target.target.task)
    batch_size = check_count("batch_size", values_of(net, size)["batch_size"], LARGEST_BATCH)
    if checked.held is None:
        rows = join_equal_rows(rows, batch_size)
    found = count_classes(encoding.target, rows)
    if found is not None and counts is not None:
        found = found + counts
    held_out = None if checked.held is None else np.flatnonzero(checked.held)
    held_out = np.arange(0) if all_train else held_out
    if validation_set is not None:
        more = _validation_rows(net, encoding, validation_set)
        held_out = len(rows.x) + np.arange(len(more.x))
        rows = _both(rows, more)
    factors = class_factors(getattr(net, "class_weight", None), encoding.target, found)
    weights = weigh_classes(rows, factors)
    if weights is not None and np.ptp(weights) == 0:
        weights = None  # rows of equal weight need none
    rows = replace(rows, weights=weights)
    return Prepared(encoding, rows, found, None if held_out is None else tuple(held_out.tolist()))


def _splitter(net: Any) -> bool:
    """Whether a splitter says which rows of this estimator's stop its training."""
    return bool(net.early_stopping) and is_splitter(net.validation_fraction)


def _encoded(encoding: Encoding, checked: CheckedRows) -> Rows:
    x = encode_rows(encoding.encoder, checked.x)
    y = encode_target(encoding.target, checked.y)
    return Rows(x, y, checked.weights, Layout.of(encoding.encoder))


def _validation_rows(net: Any, encoding: Encoding, given: ValidationSet) -> Rows:
    """The user's own rows that validate, encoded as those that train."""
    if not isinstance(given, tuple | list) or len(given) not in (2, 3):
        raise SpecError("validation_set must be (X_val, y_val) or (X_val, y_val, weights).")
    x, y, weights = (*given, None)[:3]
    checked = _without_weightless(_check(net, x, as_given(y), weights, encoding))
    return _encoded(encoding, checked)


def _both(rows: Rows, more: Rows) -> Rows:
    weights = None
    if rows.weights is not None or more.weights is not None:
        weights = np.concatenate(
            [np.ones(len(r.x)) if r.weights is None else r.weights for r in (rows, more)]
        )
    x, y = np.concatenate([rows.x, more.x]), np.concatenate([rows.y, more.y])
    return replace(rows, x=x, y=y, weights=weights)


def encode_for_prediction(net: Any, X: Any) -> np.ndarray:
    """Rows `X` encoded as a fitted estimator's model takes them: (rows, inputs).

    Raises ValueError where the columns are not those of the fit.
    """
    table = as_frame(X)
    if table is None:
        x = validate_data(net, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        return encode_rows(net.model_.encoder, x)
    validate_data(net, with_names(X, table), reset=False, skip_check_array=True)
    return encode_rows(net.model_.encoder, tidy_frame(table))


def encode_rows(encoder: Encoder, x: pl.DataFrame | np.ndarray) -> np.ndarray:
    """(rows, width), of a matrix or a tidied table.

    Raises TableError for an array where a table was learned from.
    """
    if isinstance(x, pl.DataFrame):
        return encoder.encode_tidied(x)
    numbers = all(feature.kind == "number" for feature in encoder.features)
    if not numbers or x.shape[1] != len(encoder.features):
        raise TableError(
            "X is an array, and the network was fitted to a table whose columns it cannot stand "
            "for; give X as a table with the same columns."
        )
    return encoder.encode_matrix(x)


def _check(net: Any, X: Any, y: Any, sample_weight: Any, known: Encoding | None) -> CheckedRows:
    if y is None:
        raise ValueError(
            f"This {type(net).__name__} estimator requires y to be passed, but the target y is "
            "None."
        )
    table = as_frame(X)
    if table is None:
        x, y = check_matrix(net, X, y, reset=known is None)
        return CheckedRows(x, y, _check_weights(sample_weight, len(y)), None)
    y = check_table(net, X, table, y, reset=known is None)
    weights = _check_weights(sample_weight, len(y))
    if known is None:
        frame, kinds = read_columns(table)
        return CheckedRows(frame, y, weights, kinds)
    if known.kinds is None:
        raise TableError("X is a table, and the first fit had an array; give X as an array again.")
    frame = convert_columns(tidy_frame(table), known.kinds)
    return CheckedRows(frame, y, weights, known.kinds)


def check_matrix(net: Any, X: Any, y: Any, *, reset: bool) -> tuple[np.ndarray, np.ndarray]:
    """Rows and targets as arrays that scikit-learn's checks let pass."""
    return validate_data(
        net,
        X,
        y,
        reset=reset,
        dtype=np.float64,
        ensure_all_finite="allow-nan",
        multi_output=True,
        y_numeric=isinstance(net, RegressorMixin),
    )


def check_table(net: Any, X: Any, table: pl.DataFrame, y: Any, *, reset: bool) -> np.ndarray:
    """The targets as an array; of the table, scikit-learn looks at the names of its columns."""
    validate_data(net, with_names(X, table), reset=reset, skip_check_array=True)
    numeric = "numeric" if isinstance(net, RegressorMixin) else None
    y = check_array(y, ensure_2d=False, dtype=numeric, input_name="y")
    check_consistent_length(table, y)
    return y


def with_names(X: Any, table: pl.DataFrame) -> Any:
    """The table in a form whose column names scikit-learn reads.

    It does not know those of pyarrow, nor of what is collected first.
    """
    return X if type(X).__module__.partition(".")[0] == "pandas" else table


def _check_weights(sample_weight: Any, count: int) -> np.ndarray | None:
    if sample_weight is None:
        return None
    return _check_sample_weight(
        sample_weight, np.empty((count, 1)), dtype=np.float64, ensure_non_negative=True
    )


def _without_weightless(rows: CheckedRows) -> CheckedRows:
    """The rows whose weight is not zero. Raises ValueError where there is none."""
    if rows.weights is None:
        return rows
    kept = rows.weights > 0
    if not kept.any():
        raise ValueError(
            "sample_weight is zero in every row; at least one row needs a weight above zero."
        )
    if kept.all():
        return rows
    x = rows.x.filter(pl.Series(kept)) if isinstance(rows.x, pl.DataFrame) else rows.x[kept]
    held = None if rows.held is None else rows.held[kept]
    return CheckedRows(x, rows.y[kept], rows.weights[kept], rows.kinds, held)


def _fit_encoding(net: Any, rows: CheckedRows, classes: np.ndarray | None, quiet: bool) -> Encoding:
    if isinstance(rows.x, pl.DataFrame):
        encoder = fit_encoder(rows.x, rows.kinds)
        for note in () if quiet else encoder.notes:
            warnings.warn(f"{note}.", stacklevel=4)  # at the line that calls fit
    else:
        names = getattr(net, "feature_names_in_", [f"x{i}" for i in range(rows.x.shape[1])])
        encoder = fit_matrix_encoder(rows.x, list(names))
    numbers = isinstance(net, RegressorMixin)
    target = read_values(rows.y) if numbers else read_classes(rows.y, classes)
    return Encoding(encoder, rows.kinds, target)


def join_equal_rows(rows: Rows, batch_size: int) -> Rows:
    """Rows that all fit one batch: sorted, equal ones as one row with the sum of their weights.

    There J is a sum over all rows, whatever their order and however they repeat; so neither may
    change a bit of the result, and a weight of 2 is the same as a row that stands there twice.
    """
    weights = np.ones(len(rows.x)) if rows.weights is None else rows.weights
    if weights.sum() > batch_size or len(rows.x) > batch_size:
        return rows
    # A missing value equals another, which NaN does not.
    joined = np.column_stack([np.nan_to_num(rows.x), np.isnan(rows.x), rows.y])
    _, first, place = np.unique(joined, axis=0, return_index=True, return_inverse=True)
    weights = np.bincount(place.ravel(), weights)
    return replace(rows, x=rows.x[first], y=rows.y[first], weights=weights)
