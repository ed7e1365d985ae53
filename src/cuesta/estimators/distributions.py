"""Tells lists from SciPy's distributions, and lets TPE draw from both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cuesta.errors import SpecError

# scipy's distributions that Optuna can learn over; others can only be drawn from.
LOGARITHMIC = ("loguniform", "reciprocal")


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
