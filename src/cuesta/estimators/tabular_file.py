"""A tabular estimator in its model's file: its parameters and what its run found, as JSON."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cuesta._util.model_file import FORMAT, check_format
from cuesta.data.kinds import Kind
from cuesta.estimators.distributions import short
from cuesta.estimators.parameters import plain
from cuesta.estimators.tabular_base import TabularEstimator
from cuesta.model import FittedModel


def describe(net: TabularEstimator) -> dict[str, Any]:
    """A fitted estimator without its model, as JSON's own values."""
    classes = getattr(net, "classes_", None)
    return {
        "format": FORMAT,
        "class": type(net).__name__,
        "params": {n: _parameter(n, v) for n, v in net.get_params(deep=False).items()},
        "columns": list(net._columns),
        "named": hasattr(net, "feature_names_in_"),
        "one_column": net._one_column,
        "class_type": "" if classes is None or classes.dtype.kind in "OUT" else str(classes.dtype),
        "in_pandas": net._in_pandas,
        "summary": _finite(net.summary_),
        "leaderboard": _finite([[column.name, column.to_list()] for column in net._leaderboard]),
    }


def restore(
    kind: type[TabularEstimator], about: Mapping[str, Any], model: FittedModel
) -> TabularEstimator:
    """The estimator that was saved.

    Raises ValueError, TypeError or LookupError for what `describe` did not write.
    """
    check_format(about)
    net = kind()
    unknown = set(about["params"]) - set(net.get_params())
    if unknown:
        raise ValueError(f"the parameter {min(unknown)!r} is unknown")
    net.set_params(**{name: _of_json(value) for name, value in about["params"].items()})
    net._columns = _columns(about["columns"], model)
    net.n_features_in_ = len(net._columns)
    if about["named"]:
        net.feature_names_in_ = np.array(net._columns, object)
    if model.target.task == "classification":
        net.classes_ = _classes(model.target.labels, str(about["class_type"]))
    net._one_column = bool(about["one_column"])
    net._in_pandas = bool(about["in_pandas"])
    return net._keep(model, dict(about["summary"]), _leaderboard(about["leaderboard"]))


def _columns(names: Any, model: FittedModel) -> tuple[str, ...]:
    """The columns of X, among them the model's. Raises ValueError."""
    if not isinstance(names, list) or not all(type(name) is str for name in names):
        raise ValueError("columns that are no list of names")
    if len(set(names)) < len(names) or not set(model.encoder.columns) <= set(names):
        raise ValueError("columns that are not those of the model")
    return tuple(names)


def _leaderboard(columns: Any) -> pl.DataFrame:
    """The candidates' table, from pairs of names and values. Raises ValueError."""
    try:
        return pl.DataFrame([pl.Series(name, list(values)) for name, values in columns])
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"a leaderboard that is no table: {error}") from error


def _classes(labels: tuple[Any, ...], class_type: str) -> np.ndarray:
    """The classes in order, in the type that they had."""
    classes = np.unique(np.array(labels))
    typed = classes.astype(class_type) if class_type else classes
    if typed.dtype.kind not in "biufMU" or len(np.unique(typed)) < len(labels):
        raise ValueError(f"classes of type {class_type!r}")
    return typed


def _parameter(name: str, value: Any) -> Any:
    """A parameter as JSON, from which it is read as it was, but for lists in place of tuples."""
    try:
        return _as_json(value)
    except TypeError:
        if name != "random_state":  # what a generator drew cannot be drawn again
            warnings.warn(
                f"A file cannot hold {name}={short(value)}; a loaded estimator has None there.",
                stacklevel=5,  # at the line that calls save
            )
        return None


def _as_json(value: Any) -> Any:
    """A value as JSON. Raises TypeError for one of a type that JSON does not have."""
    value = plain(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None  # of a space: no bound
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [_as_json(part) for part in value]
    if isinstance(value, Kind):
        return f"{value.name}:{value.format}" if value.format else value.name
    if isinstance(value, Mapping):
        # As pairs: a file sorts names, and the draws of a space follow their order.
        return {"dict": [[str(name), _as_json(part)] for name, part in value.items()]}
    raise TypeError(type(value).__name__)


def _of_json(value: Any) -> Any:
    """A parameter as it was before it became JSON."""
    if isinstance(value, dict):
        return {name: _of_json(part) for name, part in value["dict"]}
    return [_of_json(part) for part in value] if isinstance(value, list) else value


def _finite(value: Any) -> Any:
    """Plain values without NaN and infinities, which JSON does not have."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
