"""Learning rates as functions of the step: what an optimizer takes in place of a number.

A schedule is called with the step's number, counted from 0, and gives that step's α. They work
under `jit` and `vmap`, and in optax's optimizers too.
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array

from cuesta.core.schedule import cosine_decay, linear_decay, step_decay
from cuesta.core.types import Scalar
from cuesta.errors import SpecError

__all__ = ["Schedule", "constant", "cosine", "linear", "step", "warm_up"]

Schedule = Callable[[Scalar], Array]


def constant(alpha: Scalar) -> Schedule:
    """α_k = α."""
    return lambda k: jnp.asarray(alpha)


def linear(alpha_0: Scalar, alpha_t: Scalar, total: Scalar) -> Schedule:
    """α_k = (1 − k/T) α₀ + (k/T) α_T, and α_T after T (N12). Raises SpecError for T < 0."""
    _check("total", total, 0)
    return lambda k: linear_decay(alpha_0, alpha_t, total, k)


def cosine(alpha_0: Scalar, alpha_t: Scalar, total: Scalar) -> Schedule:
    """α_k = α_T + ½ (α₀ − α_T)(1 + cos(πk/T)), and α_T after T (Loshchilov and Hutter, 2017).

    Raises SpecError for T < 0.
    """
    _check("total", total, 0)
    return lambda k: cosine_decay(alpha_0, alpha_t, total, k)


def step(alpha_0: Scalar, factor: Scalar, every: Scalar) -> Schedule:
    """α_k = α₀ · factor^⌊k/every⌋. Raises SpecError for `every` < 1."""
    _check("every", every, 1)
    return lambda k: step_decay(alpha_0, factor, every, k)


def warm_up(steps: Scalar, then: Schedule | Scalar, start: Scalar = 0.0) -> Schedule:
    """From `start` in a line to the first rate of `then`, over so many steps; then `then`.

    `then` counts its own steps from 0. Raises SpecError for `steps` < 0.
    """
    _check("steps", steps, 0)
    after = then if callable(then) else constant(then)

    def alpha(k: Scalar) -> Array:
        rising = linear_decay(start, after(0), steps, k)
        return jnp.where(k < steps, rising, after(jnp.maximum(k - steps, 0)))

    return alpha


def _check(name: str, value: Scalar, least: int) -> None:
    # A traced number cannot be looked at; what it does wrong, it does in the open.
    if isinstance(value, int | float) and not value >= least:
        raise SpecError(f"{name} must be at least {least}, not {value!r}.")
