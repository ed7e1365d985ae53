"""The part of a model's file that describes the estimator, in JSON."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from cuesta._util.model_file import FORMAT, check_format
from cuesta._util.plain_json import shown
from cuesta.data.kinds import Kind
from cuesta.errors import SpecError
from cuesta.estimators.distributions import short
from cuesta.estimators.parameters import plain

SHARE = 0.1  # the default of validation_fraction


class Description(NamedTuple):
    """An estimator without its model: its class and parameters, its columns, its training."""

    name: str
    params: dict[str, Any]
    columns: int
    column_names: tuple[str, ...]
    history: dict[str, list[float]]
    best_epoch: int
    one_column: bool  # whether a regression's y was (rows,)
    class_type: str = ""  # of labels that are dates; the file holds them as text
    kinds: dict[str, Kind] | None = None  # of a table's columns
    state: dict[str, Any] | None = None  # of the training, beside its arrays


def to_json(about: Description) -> dict[str, Any]:
    """The description as JSON's own values.

    Raises SpecError for a parameter that is neither a name nor a number.
    """
    return {
        "format": FORMAT,
        "class": about.name,
        "params": {name: _as_json(name, value) for name, value in about.params.items()},
        "n_features_in": about.columns,
        "feature_names_in": list(about.column_names),
        "history": {
            name: [None if np.isnan(value) else value for value in curve]
            for name, curve in about.history.items()
        },
        "best_epoch": about.best_epoch,
        "one_target": about.one_column,
        "class_type": about.class_type,
        "kinds": None
        if about.kinds is None
        else [[name, k.name, k.format, list(k.marks)] for name, k in about.kinds.items()],
        "state": about.state,
    }


def from_json(values: Mapping[str, Any]) -> Description:
    """The description that `to_json` wrote.

    Raises ValueError, TypeError or LookupError for anything else.
    """
    check_format(values)
    columns, names = values["n_features_in"], values["feature_names_in"]
    if type(columns) is not int or columns < 1 or len(names) not in (0, columns):
        raise ValueError(f"n_features_in {shown(columns, 20)} with {len(names)} names")
    return Description(
        values["class"],
        {name: _as_parameter(value) for name, value in values["params"].items()},
        columns,
        tuple(str(name) for name in names),
        {str(name): [_number(v) for v in curve] for name, curve in values["history"].items()},
        int(values["best_epoch"]),
        bool(values["one_target"]),
        str(values.get("class_type", "")),
        _kinds(values.get("kinds")),
        values.get("state"),
    )


def _number(value: Any) -> float:
    """A score; NaN, which JSON does not have, where an epoch had none."""
    return float("nan") if value is None else float(value)


def _kinds(values: Any) -> dict[str, Kind] | None:
    if values is None:
        return None
    return {
        str(name): Kind(str(kind), str(form), tuple(map(str, marks)))
        for name, kind, form, marks in values
    }


def _as_json(name: str, value: Any) -> Any:
    value = plain(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, dict):
        return {"dict": [[plain(k), plain(v)] for k, v in value.items()]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if name == "random_state":
        return None  # what a generator drew cannot be drawn again
    if name == "validation_fraction":
        warnings.warn(
            f"A file cannot hold validation_fraction={short(value)}; a loaded network has "
            f"{SHARE} there.",
            stacklevel=5,  # at the line that calls save
        )
        return SHARE
    raise SpecError(
        f"{name} is {value!r}, which a file cannot hold: give it as a name or a number, or write "
        "the model alone by model_.save(path)."
    )


def _as_parameter(value: Any) -> Any:
    """A parameter as it was before it became JSON."""
    if isinstance(value, dict):
        return dict(value["dict"])
    return tuple(value) if isinstance(value, list) else value
