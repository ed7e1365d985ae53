"""Candidates by TPE from lists and scipy's distributions, a wave at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cuesta.errors import SpecError
from cuesta.search.samplers import WAVE, new_study, tell

# scipy's distributions that optuna can learn over; others are drawn from, not searched.
LOGARITHMIC = ("loguniform", "reciprocal")


def is_range(value: Any) -> bool:
    """Whether this is a distribution to draw from, not a list of values."""
    return hasattr(value, "rvs")


def search_by_tpe(
    spaces: Sequence[Mapping[str, Any]],
    count: int,
    seed: int,
    evaluate: Callable[[Sequence[dict[str, Any]]], list[float]],
) -> None:
    """Tree-structured Parzen estimator (Bergstra et al., 2011; by Optuna), a wave at a time.

    `evaluate` trains a wave and returns its scores, higher is better, NaN where there is none.
    Raises SpecError for a distribution that TPE does not know.
    """
    study = new_study(seed)
    for begin in range(0, count, WAVE):
        asked = [study.ask() for _ in range(min(WAVE, count - begin))]
        scores = evaluate([_suggested(trial, spaces) for trial in asked])
        for trial, score in zip(asked, scores, strict=True):
            tell(study, trial, -float(score))


def _suggested(trial: Any, spaces: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
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
