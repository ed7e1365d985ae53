"""Tells lists from SciPy's distributions, and lets TPE draw from both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cuesta.errors import SpecError
from cuesta.search.space import range_of

# scipy's distributions that Optuna can learn over; others can only be drawn from.
LOGARITHMIC = ("loguniform", "reciprocal")
LONGEST = 60  # characters of a value in a message


WHOLE_NUMBERS = ("epochs", "n_iter_no_change", "batch_size", "hidden_layer_sizes", "random_state")


def checked_spaces(params: Any) -> list[dict[str, Any]]:
    """The dicts of parameters of a search: lists stay, ranges become distributions of scipy's.

    Raises SpecError for what is neither, naming the parameter.
    """
    spaces = list(params) if isinstance(params, list | tuple) else [params]
    for space in spaces:
        if not isinstance(space, Mapping):
            raise SpecError(f"params must be a dict, or a list of dicts, not {short(params)}.")
    if not spaces:
        raise SpecError("params is an empty list; give a dict of parameters.")
    return [{name: _values(name, value) for name, value in space.items()} for space in spaces]


def _values(name: str, value: Any) -> Any:
    """A parameter's list or distribution."""
    if is_range(value):
        return value
    if isinstance(value, Mapping):
        return _distribution(name, value)
    if isinstance(value, np.ndarray) and value.ndim == 1 and len(value):
        return value
    if isinstance(value, str) or not isinstance(value, Sequence) or not len(value):
        raise SpecError(
            f"params: {name!r} must be a list of at least one value, a range such as "
            f"{{'low': 0.001, 'high': 0.1, 'log': True}}, or a distribution, not {short(value)}."
        )
    return value


def _distribution(name: str, value: Mapping[str, Any]) -> Any:
    from scipy.stats import loguniform, uniform

    parameter = name.rpartition("__")[2]
    if parameter in WHOLE_NUMBERS:
        raise SpecError(f"params: {name!r} takes whole numbers: give a list of them, or a randint.")
    found = range_of(name, value)
    if found.low == found.high:
        return [found.low]
    if found.log:
        return loguniform(found.low, found.high)
    return uniform(found.low, found.high - found.low)


def short(value: Any) -> str:
    """A value in a message, cut to a few words."""
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def is_range(value: Any) -> bool:
    """Whether this is a distribution to draw from, not a list of values."""
    return hasattr(value, "rvs")


def suggested(trial: Any, spaces: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The parameters that a trial of Optuna's suggests, from one of the spaces.

    Raises SpecError for a distribution that TPE does not know.
    """
    which = 0 if len(spaces) == 1 else trial.suggest_categorical("space", list(range(len(spaces))))
    mark = "" if len(spaces) == 1 else f"{which}."
    return {name: _one(trial, mark + name, value) for name, value in spaces[which].items()}


def _one(trial: Any, name: str, value: Any) -> Any:
    if not is_range(value):
        listed = list(value)
        return listed[trial.suggest_categorical(name, list(range(len(listed))))]
    kind = getattr(getattr(value, "dist", None), "name", type(value).__name__)
    low, high = value.support()
    if kind in LOGARITHMIC:
        return trial.suggest_float(name, float(low), float(high), log=True)
    if kind == "uniform":
        return trial.suggest_float(name, float(low), float(high))
    if kind == "randint":
        return trial.suggest_int(name, int(low), int(high))
    parameter = name.rpartition(".")[2]
    raise SpecError(f"TPE knows uniform, loguniform and randint; that of {parameter} is {kind}.")
