"""Gradient clipping: the remedy for exploding gradients (N5)."""

from __future__ import annotations

from functools import partial, reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cuesta.core.types import Params, Scalar, Tensor

BLOCK = 32  # rows that are squared and summed in one pass


def wide(tensor: Tensor) -> Array:
    """The tensor; in float32 where it is in half precision, whose squares end at 65,504."""
    tensor = jnp.asarray(tensor)
    return tensor.astype(jnp.float32) if tensor.dtype.itemsize < 4 else tensor


def absolute_square(tensor: Tensor) -> Array:
    """|t|², element by element: of a complex number the squares of both parts together."""
    if jnp.iscomplexobj(tensor):
        return jnp.square(jnp.real(tensor)) + jnp.square(jnp.imag(tensor))
    return tensor * tensor


def sum_of_squares(tensor: Tensor) -> Array:
    """Σ |tᵢ|²; half precision is summed in float32."""
    tensor = wide(tensor)
    if jnp.iscomplexobj(tensor):
        return jnp.sum(absolute_square(tensor))
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


class Norm(NamedTuple):
    """‖G‖ in two numbers, since its square can overflow where no element does.

    `scaled` is the norm of G · `scale`; `scale` is 1 wherever Σ G⊙G is finite.
    """

    scaled: Array
    scale: Array

    @property
    def value(self) -> Array:
        """‖G‖, and the largest number where it lies beyond that though G is finite."""
        value = self.scaled / self.scale
        largest = np.finfo(value.dtype).max
        return jnp.where(jnp.isfinite(self.scaled), jnp.minimum(value, largest), value)


def measure(grads: Params, squares: Params | None = None) -> Norm:
    """‖G‖ over all layers together; `squares` are each leaf's `sum_of_squares`, where known."""
    squares = jax.tree.map(sum_of_squares, grads) if squares is None else squares
    return _measure(grads, squares)


@jax.custom_jvp
@partial(jax.jit, inline=True)  # outside of compiled code a loop would be compiled at each call
def _measure(grads: Params, squares: Params) -> Norm:
    total = _total(squares)
    over = total == jnp.inf
    # Were it a constant, the compiler would square it, to 0, apart from G.
    scale = jnp.where(over, _smaller(total.dtype), 1.0).astype(total.dtype)

    def again(_: tuple[Array, Array]) -> tuple[Array, Array]:
        small = jax.tree.map(lambda g: sum_of_squares(_times(wide(g), scale)), grads)
        return jnp.zeros_like(over), _total(small)

    # A loop of one round or none: of a condition, batched, both sides would be computed always.
    _, total = jax.lax.while_loop(lambda carry: carry[0], again, (over, total))
    return Norm(jnp.sqrt(total), scale)


@_measure.defjvp
def _change_of_norm(
    primals: tuple[Params, Params], tangents: tuple[Params, Params]
) -> tuple[Norm, Norm]:
    """d‖G‖ = Re⟨G, dG⟩/‖G‖, and 0 at G = 0; a loop has no derivative of its own."""
    grads, change = primals[0], tangents[0]
    norm = _measure(*primals)

    def along(g: Tensor, d: Tensor) -> Array:
        small, moved = _times(wide(g), norm.scale), _times(wide(d), norm.scale)
        return jnp.sum(jnp.real(jnp.conj(small) * moved))

    turned = _total(jax.tree.map(along, grads, change)).astype(norm.scaled.dtype)
    none = norm.scaled == 0
    slope = jnp.where(none, 0.0, turned) / jnp.where(none, 1.0, norm.scaled)
    return norm, Norm(slope, jnp.zeros_like(norm.scale))


def _total(numbers: Params) -> Array:
    """The sum of a tree's leaves; 0 where it has none, as a tree of frozen weights."""
    leaves = jax.tree.leaves(numbers)
    return reduce(jnp.add, leaves) if leaves else jnp.zeros(())


def _smaller(dtype: Any) -> float:
    """A power of two that keeps the square of any number of this precision far from overflow."""
    return float(2.0 ** (-5 * np.finfo(dtype).maxexp // 8))


def _times(tensor: Array, number: Scalar) -> Array:
    return tensor * jnp.asarray(number, tensor.dtype)


def global_norm(grads: Params, squares: Params | None = None) -> Array:
    """‖G‖ over all layers together; `squares` are each leaf's `sum_of_squares`, where known.

    Where the squares overflow (from 1.8e19 in float32), they are taken again of a smaller G.
    """
    return measure(grads, squares).value


def norm_factors(norm: Norm, bound: Scalar) -> tuple[Array, Array]:
    """Two factors of min(1, c/‖G‖), defined for every ‖G‖: 1 at 0, and 1 where G is not finite.

    A gradient that is not finite has no direction to keep: it passes as it is, to be seen. One
    factor is 1, save where the squares of G overflow: the quotient could be too small for a number.
    """
    beyond = (norm.value > bound) & jnp.isfinite(norm.scaled)
    factor = jnp.where(beyond, bound / jnp.where(beyond, norm.scaled, 1.0), 1.0)
    return jnp.where(beyond, norm.scale, 1.0), factor


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
    norm = measure(grads, squares)
    scale, factor = norm_factors(norm, bound)

    def clipped(g: Tensor) -> Array:
        return _times(_times(wide(g), scale), factor).astype(g.dtype)

    return jax.tree.map(clipped, grads), norm.value


def clip_by_layer(grads: Params, bound: Scalar) -> Params:
    """G_l ← G_l · min(1, c/‖G_l‖) for each layer l (each leaf) on its own (N5)."""
    return jax.tree.map(lambda g: clip_by_norm(g, bound)[0], grads)
