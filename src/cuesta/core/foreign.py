"""Optimizers of optax's as a candidate's: any factory that takes a learning rate."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from cuesta.errors import SpecError
from cuesta.hyperparameters import FACTORIES, is_foreign

Factory = Callable[..., Any]


def factory(name: str) -> Factory:
    """The factory behind an optimizer's name: `optax.lion`, or one that was given as a function.

    Only names of optax itself are looked up: a space's file cannot name other code. Raises
    SpecError where there is no such factory, or where it takes no learning rate alone.
    """
    found = FACTORIES.get(name) or _of_optax(name)
    _probe(name, found)
    return found


@cache
def _probe(name: str, found: Factory) -> None:
    """Raise SpecError unless the factory makes something that takes a step."""
    weights = [np.ones((2, 2), np.float32)]
    try:
        made = found(learning_rate=1e-3)
    except Exception as error:  # whatever a factory of somebody's may raise
        raise SpecError(
            f"optimizer {name!r} cannot be made from a learning rate alone: {error}."
        ) from error
    try:
        made.update(weights, made.init(weights), weights)
    except Exception as error:
        raise SpecError(
            f"optimizer {name!r} takes no step from gradient, state and weights alone."
        ) from error


def _of_optax(name: str) -> Factory:
    if not name.startswith("optax."):
        raise SpecError(f"optimizer {name!r} is unknown here; give its factory as a function.")
    try:
        import optax
    except ImportError as error:
        raise SpecError(
            f"optimizer {name!r} needs optax, which is not installed (pip install optax)."
        ) from error
    plain = name.removeprefix("optax.")
    found = getattr(optax, plain, None)
    if not inspect.isfunction(found):
        near = difflib.get_close_matches(plain, dir(optax), n=1)
        hint = f" (did you mean 'optax.{near[0]}'?)" if near else ""
        raise SpecError(f"optimizer {name!r} is unknown: optax has no such factory{hint}.")
    return found


def check_optimizer(name: str) -> None:
    """Raise SpecError unless a foreign optimizer's factory is there; our own always are."""
    if is_foreign(name):
        factory(name)
