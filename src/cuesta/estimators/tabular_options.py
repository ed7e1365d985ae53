"""The options of a run from an estimator's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from cuesta._util.checks import check_count, check_range
from cuesta.data.kinds import Kind, parse_kinds
from cuesta.errors import SpecError
from cuesta.estimators.parameters import draw_seed, plain
from cuesta.estimators.tabular_rows import TabularRows, texts
from cuesta.search.portfolio import SPACES
from cuesta.search.space import Space, read_space, space_of
from cuesta.tabular.options import AUTO, Options

MOST = {"folds": 10_000, "outer": 10_000, "candidates": 1_000_000, "epochs": 1_000_000}


def options_of(net: Any, rows: TabularRows) -> Options:
    """The options of the run that fits this estimator to these rows.

    Parameters that are options by name are taken as they are. Raises SpecError for one that cannot
    be used; the sentence names it.
    """
    given = {name: plain(value) for name, value in net.get_params(deep=False).items()}
    for name, most in MOST.items():
        if name not in AUTO or not isinstance(given[name], str):
            check_count(name, given[name], most)
    if given["threads"] is not None:
        check_count("threads", given["threads"], 10_000)
    check_range("test_size", given["test_size"], 0, 1)
    _check_decision(given.get("threshold"), given.get("costs"))
    names = {field.name for field in fields(Options)}
    return Options(
        **{name: given[name] for name in names & given.keys()}
        | {
            "target": rows.targets,
            "groups": rows.groups,
            "task": "classification" if is_classifier(net) else "regression",
            "seed": draw_seed(net.random_state),
            "space": _space(net.space),
            "columns": _kinds(net.columns),
            "missing": texts(net.missing),
            "drop": texts(net.drop),
        }
    )


def _check_decision(threshold: Any, costs: Any) -> None:
    """Raise SpecError for what cannot be a threshold or a pair of costs; `Options` looks closer."""
    if threshold is not None and not _is_number(threshold) and not isinstance(threshold, str):
        raise SpecError(f"threshold must be a number, 'auto' or None, not {threshold!r}.")
    if costs is None:
        return
    if not isinstance(costs, tuple) or len(costs) != 2 or not all(map(_is_number, costs)):
        raise SpecError(
            f"costs must be two numbers, of a false alarm and of a miss, not {costs!r}."
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _space(space: Any) -> Space | str | None:
    """A space, from what a file holds as a dict, or from the file. Raises SpecError."""
    if space is None or isinstance(space, Space) or (isinstance(space, str) and space in SPACES):
        return space
    if isinstance(space, str | Path):
        return read_space(str(space))
    if not isinstance(space, Mapping) or not space:
        raise SpecError(
            "space must be a dict with a list or a range for each parameter, or the path of a "
            f"file, not {space!r}."
        )
    return space_of(_as_in_a_file(space), "space")


def _as_in_a_file(value: Any) -> Any:
    """Values as a file has them: lists for tuples and arrays."""
    if isinstance(value, Mapping):
        return {str(name): _as_in_a_file(part) for name, part in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_as_in_a_file(part) for part in value]
    return plain(value)


def _kinds(columns: Any) -> dict[str, Kind]:
    """What columns are, from a dict, or from a text NAME=KIND or several. Raises SpecError."""
    if isinstance(columns, Mapping):
        kinds = {str(n): kind for n, kind in columns.items() if isinstance(kind, Kind)}
        named = [f"{name}={kind}" for name, kind in columns.items() if str(name) not in kinds]
        return {**kinds, **parse_kinds(named)}
    return parse_kinds(texts(columns))
