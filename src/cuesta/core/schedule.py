"""The learning rate as a function of the step, counted from 0 (N12, and the usual others)."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from cuesta.core.rounding import rounded
from cuesta.core.types import Scalar


def passed(total: Scalar, step: Scalar) -> Array:
    """The share k/T of a schedule that has passed, at most 1; 1 where T is 0."""
    # Whole numbers divide in float32 even where float64 is on: let them be floats first.
    k, of = jnp.asarray(step, float), jnp.maximum(jnp.asarray(total, float), 1.0)
    return jnp.where(step >= total, 1.0, k / of)


def linear_decay(alpha_0: Scalar, alpha_t: Scalar, total: Scalar, step: Scalar) -> Array:
    """α_k = (1 − k/T) α₀ + (k/T) α_T, and α_T after T (N12).

    Written as α₀ + (k/T)(α_T − α₀), so that a constant rate is the same whatever T.
    """
    share = passed(total, step)
    gone = rounded(jnp.asarray(share * (alpha_t - alpha_0)), step)
    return jnp.where(share < 1.0, alpha_0 + gone, alpha_t)


def cosine_decay(alpha_0: Scalar, alpha_t: Scalar, total: Scalar, step: Scalar) -> Array:
    """α_k = α_T + ½ (α₀ − α_T)(1 + cos(πk/T)), and α_T after T (Loshchilov and Hutter, 2017)."""
    return alpha_t + 0.5 * (alpha_0 - alpha_t) * (1.0 + jnp.cos(jnp.pi * passed(total, step)))


def step_decay(alpha_0: Scalar, factor: Scalar, every: Scalar, step: Scalar) -> Array:
    """α_k = α₀ · factor^⌊k/every⌋."""
    return alpha_0 * factor ** jnp.floor_divide(step, every)
