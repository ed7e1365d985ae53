"""Second derivatives of ONE network's loss along directions, from the pass that a step made.

Written out, as the backward pass is: automatic differentiation would run the whole pass anew for
each of them. A dot marks a tangent, the derivative along the direction V = (Ẇ, ḃ):

    ż_l = u̇_l W_l + u_l Ẇ_l + ḃ_l        u̇_{l+1} = slope_l ⊙ ż_l        δ̇_o = H_ℓ ż_o
    δ̇_{l−1} = (δ̇_l W_lᵀ + δ_l Ẇ_lᵀ) ⊙ slope + δ_{l−1} ⊙ (φ″/φ′) ⊙ ż_{l−1}
    (HV)_l = u̇_lᵀ δ_l + u_lᵀ δ̇_l

with H_ℓ the Hessian of the loss by the network's outputs, and φ the activation (Pearlmutter, Fast
exact multiplication by the Hessian, Neural Computation 6, 1994). For networks with embeddings, with
residual layers, or whose φ″ is not 0 wherever φ′ is, see `automatic`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core.activation import second_to_first_derivative
from cuesta.core.lane import Batch, LaneHyperparameters, ProgramFeatures
from cuesta.core.layer import Layer
from cuesta.core.loss import loss_and_slope
from cuesta.core.net import forward, hidden_units
from cuesta.core.products import backward_product, forward_product, outer_product
from cuesta.core.step import Pass
from cuesta.hyperparameters import Shape

# A layer's number and rows (rows, inputs of the layer) → the rows times the direction's Ẇ.
DirectionProduct = Callable[[int, Array], Array]


class LocalLoss(NamedTuple):
    """J of one batch near the weights at which a pass was made: what is differentiated twice."""

    layers: list[Layer]
    seen: Pass
    shape: Shape
    hyperparameters: LaneHyperparameters
    batch: Batch
    features: ProgramFeatures

    @property
    def is_plain(self) -> bool:
        """Whether this file's formulas hold: dense layers alone, φ″ a multiple of φ′."""
        exponential = self.features.exponential and self.hyperparameters.activation.exponential
        return not (exponential or self.shape.front.depth or self.shape.residual)


class Tangents(NamedTuple):
    """The tangents of a forward pass along a direction.

    `sums[l]` (rows, outputs of layer l) is ż of layer l; `units[l]` is u̇ of what enters layer
    l + 1, since the inputs of the network do not change.
    """

    sums: list[Array]
    units: list[Array]


def first_tangent(at: LocalLoss, direction: list[Layer]) -> Array:
    """ż = xẆ + ḃ (rows, outputs) of the first layer, which needs no layer below it."""
    return forward_product(at.batch[0], direction[0].w, at.shape.precision) + direction[0].b


def curvature_along(at: LocalLoss, direction: list[Layer], first: Array) -> Array:
    """VᵀHV, the second derivative of J along V, given V's `first_tangent`."""
    precision = at.shape.precision
    return _curvature(
        at,
        lambda depth, rows: forward_product(rows, direction[depth].w, precision),
        [layer.b for layer in direction],
        first,
    )


def curvature_along_gradient(at: LocalLoss) -> Array:
    """GᵀHG, G the batch's own gradient."""
    biases = [layer.b for layer in at.seen.grads]

    def product(depth: int, rows: Array) -> Array:
        return _gradient_product(at, depth, rows)

    return _curvature(at, product, biases, product(0, at.batch[0]) + biases[0])


def _gradient_product(at: LocalLoss, depth: int, rows: Array) -> Array:
    """Rows times a layer's gradient uᵀδ, as (rows uᵀ) δ where that takes fewer operations."""
    units, delta = at.seen.tape.units[depth], at.seen.deltas[depth]
    precision, batch = at.shape.precision, len(at.batch[0])
    if batch * (units.shape[1] + delta.shape[1]) < units.shape[1] * delta.shape[1]:
        return forward_product(backward_product(rows, units, precision), delta, precision)
    return forward_product(rows, at.seen.grads[depth].w, precision)


def _curvature(
    at: LocalLoss, product: DirectionProduct, biases: list[Array], tangent: Array
) -> Array:
    """Σ żᵀH_ℓż + 2 Σ δ·(u̇Ẇ) + Σ δ·(φ″/φ′)·ż².

    The second derivative of the outputs is multiplied by δ layer by layer, so that it is never
    propagated through the layers above.
    """
    tape, deltas = at.seen.tape, at.seen.deltas
    rows = len(tangent)
    curvature = jnp.zeros((), tangent.dtype)
    for depth in range(1, len(at.layers)):
        curvature += jnp.sum(
            deltas[depth - 1] * _second_to_first(at, depth - 1) * tangent * tangent
        )
        entering = tape.slopes[depth - 1] * tangent
        # Rows and tangents in one product, so that the direction's weights are read once.
        both = product(depth, jnp.concatenate([tape.units[depth], entering]))
        curvature += 2.0 * jnp.sum(deltas[depth] * both[rows:])
        straight = forward_product(entering, at.layers[depth].w, at.shape.precision)
        tangent = straight + both[:rows] + biases[depth]
    return curvature + jnp.sum(tangent * _loss_hessian_product(at, tangent))


def loss_after(at: LocalLoss, after: list[Layer], first: Array) -> Array:
    """J of the same batch, the same units dropped, after a step with this `first_tangent`.

    The first layer, most of the work, is linear in its weights: its new sums are z + ż.
    """
    _, y, shares, noise = at.batch
    kind, threshold = at.hyperparameters.activation, at.hyperparameters.keep_threshold
    precision = at.shape.precision
    if len(after) == 1:
        outputs = at.seen.tape.outputs + first
    else:
        dropped = None if noise is None else noise[0]
        z = at.seen.tape.sums[0] + first
        units, _ = hidden_units(kind, z, dropped, threshold, bounded=at.features.bounded)
        rest = None if noise is None else noise[1:]
        outputs = forward(after[1:], units, kind, rest, threshold, precision, at.features.bounded)
    return loss_and_slope(at.shape.loss, outputs, y, shares, at.hyperparameters.loss_number)[0]


def hessian_product(at: LocalLoss, direction: list[Layer]) -> list[Layer]:
    """HV without H: one pass forward and one back."""
    tape, deltas, precision = at.seen.tape, at.seen.deltas, at.shape.precision
    tangents = forward_tangents(at, direction)
    delta_dot = _loss_hessian_product(at, tangents.sums[-1])
    product: list[Layer] = []
    for depth in reversed(range(1, len(at.layers))):
        # u̇ᵀδ + uᵀδ̇ as one product of twice the rows.
        w = outer_product(
            jnp.concatenate([tangents.units[depth - 1], tape.units[depth]]),
            jnp.concatenate([deltas[depth], delta_dot]),
            precision,
        )
        product.insert(0, Layer(w, delta_dot.sum(axis=0)))
        back = backward_product(delta_dot, at.layers[depth].w, precision)
        back += backward_product(deltas[depth], direction[depth].w, precision)
        curved = deltas[depth - 1] * _second_to_first(at, depth - 1) * tangents.sums[depth - 1]
        delta_dot = back * tape.slopes[depth - 1] + curved
    first = Layer(outer_product(tape.units[0], delta_dot, precision), delta_dot.sum(axis=0))
    return [first, *product]


def forward_tangents(at: LocalLoss, direction: list[Layer]) -> Tangents:
    """How the sums and the units of every layer change along a direction."""
    tape, precision = at.seen.tape, at.shape.precision
    sums, units = [first_tangent(at, direction)], []
    for depth in range(1, len(at.layers)):
        units.append(tape.slopes[depth - 1] * sums[-1])
        below = forward_product(units[-1], at.layers[depth].w, precision)
        own = forward_product(tape.units[depth], direction[depth].w, precision)
        sums.append(below + own + direction[depth].b)
    return Tangents(sums, units)


def _loss_hessian_product(at: LocalLoss, tangent: Array) -> Array:
    """H_ℓ ż: how ∂J/∂outputs changes when the outputs change by ż (rows, outputs)."""
    _, y, shares, _ = at.batch

    def slope(outputs: Array) -> Array:
        return loss_and_slope(at.shape.loss, outputs, y, shares, at.hyperparameters.loss_number)[1]

    return jax.jvp(slope, (at.seen.tape.outputs,), (tangent,))[1]


def _second_to_first(at: LocalLoss, depth: int) -> Array | float:
    """φ″/φ′ at the sums of a hidden layer; 0 where no activation of the program is curved."""
    if not at.features.bounded:
        return 0.0
    return second_to_first_derivative(at.hyperparameters.activation, at.seen.tape.sums[depth])
