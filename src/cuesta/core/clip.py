"""Gradient clipping: the remedy for exploding gradients (N5)."""

from __future__ import annotations

from functools import reduce

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core.types import Params, Scalar, Tensor

BLOCK = 32  # rows that are squared and summed in one pass


def sum_of_squares(tensor: Tensor) -> Array:
    """Σ tᵢ²."""
    return sum_of_products(tensor, tensor)


def sum_of_products(a: Tensor, b: Tensor) -> Array:
    """Σ aᵢbᵢ, matrices block by block of their rows.

    Summed in one go, the compiler would write all products to memory first; the barrier keeps it
    from joining the two sums again.
    """
    block = next((b for b in range(BLOCK, 1, -1) if a.ndim == 2 and len(a) % b == 0), 0)
    if not block:
        return jnp.sum(a * b)
    products = (a * b).reshape(-1, block, a.shape[1])
    sums = jax.lax.optimization_barrier(jnp.sum(products, axis=1))  # type: ignore[no-untyped-call]
    return jnp.sum(sums)


def global_norm(grads: Params, squares: Params | None = None) -> Array:
    """‖G‖ over all layers together; `squares` are each leaf's `sum_of_squares`, where known."""
    squares = jax.tree.map(sum_of_squares, grads) if squares is None else squares
    return jnp.sqrt(reduce(jnp.add, jax.tree.leaves(squares)))


def norm_factor(norm: Array, bound: Scalar) -> Array:
    """min(1, c/‖G‖), defined for every ‖G‖: 1 at 0, and 1 where ‖G‖ is not finite.

    A gradient that is not finite has no direction to keep: it passes as it is, to be seen.
    """
    beyond = (norm > bound) & jnp.isfinite(norm)
    return jnp.where(beyond, bound / jnp.where(beyond, norm, 1.0), 1.0)


def clip_by_value(grads: Params, bound: Scalar) -> Params:
    """G ← max(−c, min(c, G)), element by element (N5); c = ∞ changes nothing, NaN stays NaN."""
    return jax.tree.map(lambda g: jnp.clip(g, -bound, bound), grads)


def clip_by_norm(
    grads: Params, bound: Scalar, squares: Params | None = None
) -> tuple[Params, Array]:
    """G ← G · min(1, c/‖G‖) (N5; Pascanu, Mikolov and Bengio, 2013), and ‖G‖ before.

    Zero gradients stay zero; gradients that are not finite stay as they are; c = ∞ changes
    nothing.
    """
    norm = global_norm(grads, squares)
    factor = norm_factor(norm, bound)
    return jax.tree.map(lambda g: g * factor.astype(g.dtype), grads), norm


def clip_by_layer(grads: Params, bound: Scalar) -> Params:
    """G_l ← G_l · min(1, c/‖G_l‖) for each layer l (each leaf) on its own (N5)."""
    return jax.tree.map(lambda g: clip_by_norm(g, bound)[0], grads)
