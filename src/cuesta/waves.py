"""Candidates by TPE from lists and scipy's distributions, a wave at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from cuesta.errors import SpecError

# scipy's distributions that optuna can learn over; others are drawn from, not searched.
LOGARITHMIC = ("loguniform", "reciprocal")


def is_range(value: Any) -> bool:
    """Whether this is a distribution to draw from, not a list of values."""
    return hasattr(value, "rvs")


def tpe_waves(
    spaces: Sequence[Mapping[str, Any]],
    count: int,
    seed: int,
    evaluate: Callable[[Sequence[dict[str, Any]]], list[float]],
    wave: int,
) -> Iterator[list[dict[str, Any]]]:
    """Tree-structured Parzen estimator (Bergstra et al., 2011; by Optuna), a wave at a time.

    `evaluate` trains a wave and returns its scores, higher is better, NaN where there is none; so
    nothing is left to be yielded. Raises SpecError for a distribution that TPE does not know.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=wave, constant_liar=True)
    study = optuna.create_study(sampler=sampler, direction="maximize")
    for begin in range(0, count, wave):
        asked = [study.ask() for _ in range(min(wave, count - begin))]
        scores = evaluate([_suggested(trial, spaces) for trial in asked])
        for trial, score in zip(asked, scores, strict=True):
            if np.isfinite(score):
                study.tell(trial, float(score))
            else:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
    yield from ()


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
