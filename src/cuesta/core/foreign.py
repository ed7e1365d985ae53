"""Optimizers that are not ours: finds optax's by name, takes the user's function, checks both."""

from __future__ import annotations

import difflib
import inspect
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from cuesta.errors import SpecError
from cuesta.hyperparameters import Candidate, Factory, Shape, is_foreign


def factory_of(shape: Shape) -> Factory:
    """The factory of a shape's foreign optimizer: its own, or the one of optax by its name.

    Raises SpecError where there is no such factory, or where it takes more than a learning rate.
    """
    return _checked(shape.foreign, shape.factory)


def check_optimizer(optimizer: str | Factory) -> None:
    """Raise SpecError unless an optimizer is of our table, or has a usable factory."""
    candidate = Candidate(optimizer=optimizer)  # type: ignore[arg-type]
    if is_foreign(candidate.optimizer):
        _checked(candidate.optimizer, candidate.factory)


def _checked(name: str, own: Factory | None) -> Factory:
    # Only names of optax itself are looked up: a space's file cannot name other code.
    found = own or _of_optax(name)
    _probe(name, found)
    return found


@cache
def _probe(name: str, found: Factory) -> None:
    """Raise SpecError unless the factory makes something that takes a step."""
    weights = [np.ones((2, 2), np.float32)]
    try:
        made = found(learning_rate=1e-3)
    except Exception as error:  # whatever a factory of somebody's may raise
        raise SpecError(f"optimizer {name!r} needs more than a learning rate: {error}.") from error
    try:
        state = made.init(weights)
        made.update(weights, state, weights)
    except Exception as error:
        raise SpecError(
            f"optimizer {name!r} needs more than gradient, state and weights to take a step."
        ) from error
    if not all(_is_numeric(leaf) for leaf in jax.tree.leaves(state)):
        raise SpecError(
            f"optimizer {name!r} keeps a random key (or another object) in its state; the state "
            "can only hold numbers."
        )


def _is_numeric(leaf: object) -> bool:
    """Whether a leaf of a state is a number or an array of numbers, and not a key of JAX's."""
    kind = getattr(leaf, "dtype", None)
    if kind is None:
        return isinstance(leaf, int | float | complex)
    return jnp.issubdtype(kind, np.number) or kind == np.bool_


def _of_optax(name: str) -> Factory:
    if not name.startswith("optax."):
        raise SpecError(
            f"optimizer {name!r} is unknown; a name can only be one of optax, such as optax.lion; "
            "in Python, give the function itself."
        )
    try:
        import optax
    except ImportError as error:
        raise SpecError(
            f"optimizer {name!r} needs optax, which is not installed (pip install optax)."
        ) from error
    plain = name.removeprefix("optax.")
    found = getattr(optax, plain, None)
    if not inspect.isfunction(found) and not isinstance(found, partial):
        near = difflib.get_close_matches(plain, dir(optax), n=1)
        hint = f" (did you mean 'optax.{near[0]}'?)" if near else ""
        raise SpecError(
            f"optimizer {name!r} is unknown: optax has no optimizer of that name{hint}."
        )
    return found
