"""Optimizers of optax's as a candidate's: any factory that takes a learning rate."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from cuesta.errors import SpecError
from cuesta.spec import FACTORIES, is_foreign

Factory = Callable[..., Any]


def factory(name: str) -> Factory:
    """The factory behind an optimizer's name: `optax.lion`, or one that was given as a function.

    Only names of optax itself are looked up: a space's file cannot name other code. Raises
    SpecError where there is no such factory, or where it takes no learning rate alone.
    """
    found = FACTORIES.get(name) or _of_optax(name)
    try:
        made = found(learning_rate=1e-3)
    except Exception as error:  # whatever a factory of somebody's may raise
        raise SpecError(
            f"optimizer {name!r} cannot be made from a learning rate alone: {error}."
        ) from error
    if not (callable(getattr(made, "init", None)) and callable(getattr(made, "update", None))):
        raise SpecError(f"optimizer {name!r} makes no gradient transformation (init, update).")
    return found


def _of_optax(name: str) -> Factory:
    if not name.startswith("optax."):
        raise SpecError(f"optimizer {name!r} is unknown here; give its factory as a function.")
    try:
        import optax
    except ImportError as error:
        raise SpecError(f"optimizer {name!r} needs optax, which is not installed.") from error
    found = getattr(optax, name.removeprefix("optax."), None)
    if not inspect.isfunction(found):
        raise SpecError(f"optimizer {name!r} is unknown: optax has no such factory.")
    return found


def check_optimizer(name: str) -> None:
    """Raise SpecError unless a foreign optimizer's factory is there; our own always are."""
    if is_foreign(name):
        factory(name)
