"""The three products of a layer, each in the order in which compiled code is fastest.

On a CPU a product runs at full rate when the large factor comes first, or when neither factor is
transposed; δWᵀ as it stands takes twice the time. `tests/core/test_products.py` holds the results
to the plain forms, `docs/performance.md` the times.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

NARROW = 16  # up to so many outputs the gradient of a layer's weights is computed transposed


def forward_product(units: Array, w: Array, precision: str = "float32") -> Array:
    """uW: (rows, inputs), (inputs, outputs) → (rows, outputs)."""
    return _dot(units, w, 1, 0, precision)


def backward_product(delta: Array, w: Array, precision: str = "float32") -> Array:
    """δWᵀ = (Wδᵀ)ᵀ: (rows, outputs), (inputs, outputs) → (rows, inputs)."""
    return _turned(_dot(w, delta, 1, 1, precision))


def outer_product(units: Array, delta: Array, precision: str = "float32") -> Array:
    """uᵀδ, the sum of the rows' outer products: (rows, m), (rows, n) → (m, n)."""
    if delta.shape[1] <= NARROW < units.shape[1]:
        return _turned(_dot(delta, units, 0, 0, precision))
    return _dot(units, delta, 0, 0, precision)


def _dot(a: Array, b: Array, axis_a: int, axis_b: int, precision: str) -> Array:
    """Σ over one axis of each, in the named precision, summed in the factors' own."""
    wide = a.dtype
    if precision == "bfloat16":
        a, b = a.astype(jnp.bfloat16), b.astype(jnp.bfloat16)
    contracted = (((axis_a,), (axis_b,)), ((), ()))
    return jax.lax.dot_general(a, b, contracted, preferred_element_type=wide)


def _turned(product: Array) -> Array:
    """The transpose, kept apart: the compiler would turn the product's factors back."""
    turned: Array = jax.lax.optimization_barrier(product).T  # type: ignore[no-untyped-call]
    return turned
