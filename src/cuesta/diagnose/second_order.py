"""Second derivatives of ONE network's loss along directions, from the pass that a step made.

Written out, as the backward pass is: differentiated by a machine, each would run the whole pass
anew. Dots are derivatives along the direction V = (Ẇ, ḃ):

    ż_l = u̇_l W_l + u_l Ẇ_l + ḃ_l          u̇_{l+1} = slope_l ⊙ ż_l          δ̇_o = H_ℓ ż_o
    δ̇_{l−1} = (δ̇_l W_lᵀ + δ_l Ẇ_lᵀ) ⊙ slope + δ_{l−1} ⊙ turn ⊙ ż_{l−1}     (HV)_l = u̇ᵀδ + uᵀδ̇

with turn = φ″/φ′ (Pearlmutter, Fast exact multiplication by the Hessian, 1994).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core.lane import Batch, LaneHyperparameters, ProgramFeatures
from cuesta.core.loss import loss_and_slope
from cuesta.core.net import Layer, forward, hidden_units, turn
from cuesta.core.products import backward_product, forward_product, outer_product
from cuesta.core.step import Pass
from cuesta.hyperparameters import Shape

Enter = Callable[[int, Array], Array]  # a layer's number and rows (rows, inputs): uẆ


class Curved(NamedTuple):
    """What a second derivative is taken of: J of a batch, at weights where a pass was made."""

    layers: list[Layer]
    seen: Pass
    shape: Shape
    hyperparameters: LaneHyperparameters
    batch: Batch
    features: ProgramFeatures


class Moves(NamedTuple):
    """Of each layer what it puts out moves by (ż), and what enters it (u̇; the rows do not move)."""

    out: list[Array]
    entering: list[Array]


def first_moves(at: Curved, along: list[Layer]) -> Array:
    """ż of the first layer, xẆ + ḃ: of no other is it known without the layers below."""
    return forward_product(at.batch[0], along[0].w, at.shape.precision) + along[0].b


def bend(at: Curved, along: list[Layer], first: Array) -> Array:
    """VᵀHV, the second derivative of J along V, whose `first_moves` are known."""
    precision = at.shape.precision
    return _bend(
        at,
        lambda depth, rows: forward_product(rows, along[depth].w, precision),
        [layer.b for layer in along],
        first,
    )


def bend_of_gradient(at: Curved) -> Array:
    """GᵀHG of the batch's own gradient, G_l = u_lᵀδ_l.

    A layer's uG is (u u_lᵀ) δ_l: with fewer rows than units that is less work, and G is not read.
    """
    precision = at.shape.precision
    biases = [layer.b for layer in at.seen.grads]
    rows = len(at.batch[0])

    def enter(depth: int, entering: Array) -> Array:
        units, delta = at.seen.tape.units[depth], at.seen.deltas[depth]
        if rows * (units.shape[1] + delta.shape[1]) < units.shape[1] * delta.shape[1]:
            return forward_product(backward_product(entering, units, precision), delta, precision)
        return forward_product(entering, at.seen.grads[depth].w, precision)

    return _bend(at, enter, biases, enter(0, at.batch[0]) + biases[0])


def _bend(at: Curved, enter: Enter, biases: list[Array], moved: Array) -> Array:
    """Σ żᵀH_ℓż + 2 Σ δ·(u̇Ẇ) + Σ δ·turn·ż².

    The second derivative of what the network puts out is met with δ layer by layer, so it is never
    sent through the layers above.
    """
    tape, deltas = at.seen.tape, at.seen.deltas
    rows = len(moved)
    twice = jnp.zeros((), moved.dtype)
    for depth in range(1, len(at.layers)):
        twice += jnp.sum(deltas[depth - 1] * _turn(at, depth - 1) * moved * moved)
        entering = tape.slopes[depth - 1] * moved
        # Rows and moves in one product: the weights are read once.
        both = enter(depth, jnp.concatenate([tape.units[depth], entering]))
        twice += 2.0 * jnp.sum(deltas[depth] * both[rows:])
        straight = forward_product(entering, at.layers[depth].w, at.shape.precision)
        moved = straight + both[:rows] + biases[depth]
    return twice + jnp.sum(moved * _of_loss(at, moved))


def loss_after(at: Curved, after: list[Layer], first: Array) -> Array:
    """J of the same batch, with the same units dropped, after a step of these `first_moves`.

    The first layer, most of the work, puts out what it put out and ż.
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


def hessian_product(at: Curved, along: list[Layer]) -> list[Layer]:
    """HV, without H: one pass forth and one back."""
    tape, deltas, precision = at.seen.tape, at.seen.deltas, at.shape.precision
    moves = _moves(at, along)
    turned = _of_loss(at, moves.out[-1])
    found: list[Layer] = []
    for depth in reversed(range(len(at.layers))):
        if depth:
            # u̇ᵀδ + uᵀδ̇ as one product of twice the rows.
            w = outer_product(
                jnp.concatenate([moves.entering[depth - 1], tape.units[depth]]),
                jnp.concatenate([deltas[depth], turned]),
                precision,
            )
        else:
            w = outer_product(tape.units[0], turned, precision)
        found.insert(0, Layer(w, turned.sum(axis=0)))
        if depth:
            back = backward_product(turned, at.layers[depth].w, precision)
            back += backward_product(deltas[depth], along[depth].w, precision)
            curve = deltas[depth - 1] * _turn(at, depth - 1) * moves.out[depth - 1]
            turned = back * tape.slopes[depth - 1] + curve
    return found


def _moves(at: Curved, along: list[Layer]) -> Moves:
    tape, precision = at.seen.tape, at.shape.precision
    out, entering = [first_moves(at, along)], []
    for depth in range(1, len(at.layers)):
        entering.append(tape.slopes[depth - 1] * out[-1])
        straight = forward_product(entering[-1], at.layers[depth].w, precision)
        turned = forward_product(tape.units[depth], along[depth].w, precision)
        out.append(straight + turned + along[depth].b)
    return Moves(out, entering)


def _of_loss(at: Curved, moved: Array) -> Array:
    """H_ℓ ż: how ∂J/∂outputs moves with the outputs."""
    _, y, shares, _ = at.batch

    def slope(outputs: Array) -> Array:
        return loss_and_slope(at.shape.loss, outputs, y, shares, at.hyperparameters.loss_number)[1]

    return jax.jvp(slope, (at.seen.tape.outputs,), (moved,))[1]


def _turn(at: Curved, depth: int) -> Array | float:
    if not at.features.bounded:
        return 0.0
    return turn(at.hyperparameters.activation, at.seen.tape.sums[depth])
