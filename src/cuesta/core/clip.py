"""Gradient clipping: the remedy for exploding gradients (N5)."""

from __future__ import annotations

from functools import reduce

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core.types import Params, Scalar


def global_norm(grads: Params) -> Array:
    """‖G‖ over all layers together."""
    return jnp.sqrt(reduce(jnp.add, [jnp.sum(g * g) for g in jax.tree.leaves(grads)]))


def clip_by_value(grads: Params, bound: Scalar) -> Params:
    """G ← max(−c, min(c, G)), element by element (N5); c = ∞ changes nothing."""
    return jax.tree.map(lambda g: jnp.clip(g, -bound, bound), grads)


def clip_by_norm(grads: Params, bound: Scalar) -> tuple[Params, Array]:
    """G ← G · min(1, c/‖G‖) (N5; Pascanu, Mikolov and Bengio, 2013), and ‖G‖ before.

    Zero gradients stay zero; c = ∞ changes nothing.
    """
    norm = global_norm(grads)
    factor = jnp.where(norm > bound, bound / norm, 1.0)
    return jax.tree.map(lambda g: g * factor, grads), norm
