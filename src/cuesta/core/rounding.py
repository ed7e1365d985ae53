"""Keeps the compiler from merging a product and a sum, so that each is rounded on its own."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core.types import Scalar


@jax.custom_jvp
def rounded(product: Array, step: Scalar) -> Array:
    """The same number, kept apart from the sum that it enters.

    A compiler joins a product and a sum in one rounding where it sees both, and what it sees hangs
    on what else a program does: so the same lane could end in other bits in another program. Here
    the bits pass through min(step, 0), which is nothing, but which only we know.
    """
    whole = jnp.int64 if product.dtype == jnp.float64 else jnp.int32
    nothing = jnp.minimum(jnp.asarray(step), 0).astype(whole)
    bits = jax.lax.bitcast_convert_type(product, whole)
    return jax.lax.bitcast_convert_type(bits ^ nothing, product.dtype)


@rounded.defjvp
def _derivative(
    primals: tuple[Array, Scalar], tangents: tuple[Array, Scalar]
) -> tuple[Array, Array]:
    """The identity's: a cast of bits has none of its own."""
    return rounded(*primals), tangents[0]
