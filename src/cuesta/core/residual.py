"""The normalization of a residual layer's input, and the way back through it."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from cuesta.core.rounding import rounded
from cuesta.core.types import Scalar

SMALLEST = 1e-5  # added to a variance, as Ba et al. and torch do


def normalized(units: Array, step: Scalar) -> tuple[Array, Array]:
    """N(u) = (u − mean)/√(variance + 10⁻⁵) of each row (Ba, Kiros and Hinton, 2016).

    Also the divisor (rows, 1). Gain and shift are left to the layer that follows. Products are
    `rounded` by `step`, so that these are the same bits in any program.
    """
    centered = units - jnp.mean(units, axis=1, keepdims=True)
    squares = rounded(centered * centered, step)
    spread = jnp.sqrt(jnp.mean(squares, axis=1, keepdims=True) + SMALLEST)
    return centered / spread, spread


def normalized_back(back: Array, units: Array, spread: Array, step: Scalar) -> Array:
    """∂J/∂u from ∂J/∂N, of rows N = `units`: (g − mean g − N · mean(g ⊙ N))/spread."""
    mean = jnp.mean(back, axis=1, keepdims=True)
    along = jnp.mean(rounded(back * units, step), axis=1, keepdims=True)
    return (back - mean - rounded(units * along, step)) / spread
