"""The backward pass: ∂J/∂W as a product of factors, one for each layer (N4)."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from cuesta.core.front import front_gradient
from cuesta.core.layer import Layer
from cuesta.core.net import Tape
from cuesta.core.products import backward_product, outer_product
from cuesta.core.residual import normalized_back
from cuesta.hyperparameters import Front


def deltas(
    layers: list[Layer], tape: Tape, delta: Array, precision: str = "float32"
) -> list[Array]:
    """δ_l = ∂J/∂z_l of every dense layer, first layer first: δ_{l−1} = (δ_l W_lᵀ) ⊙ slope_{l−1}.

    `delta` (rows, outputs) is the last layer's, the loss's own derivative by the outputs. Each
    step back multiplies by one layer's weights and slopes: with σ(·) the product tends to 0 (N4).
    A residual layer hands on what it gets beside that.
    """
    found = [delta]
    above = jnp.zeros_like(delta)  # ∂J/∂units above a layer
    for depth in reversed(range(1, len(layers))):
        back = backward_product(found[0], layers[depth].w, precision)
        spread = tape.spreads[depth] if depth < len(tape.spreads) else None
        if spread is not None:
            back = above + normalized_back(back, tape.units[depth], spread, tape.step)
        above = back
        found.insert(0, back * tape.slopes[depth - 1])
    return found


def gradient(tape: Tape, found: list[Array], precision: str = "float32") -> list[Layer]:
    """G of every dense layer from its δ: ∂J/∂W_l = u_lᵀ δ_l, ∂J/∂b_l = Σ δ_l over the rows."""
    return [
        Layer(outer_product(units, delta, precision), delta.sum(axis=0))
        for units, delta in zip(tape.units, found, strict=True)
    ]


def gradient_before(
    front: Front, layers: list[Layer], tape: Tape, delta: Array, precision: str = "float32"
) -> list[Layer]:
    """G of the front's layers, from the first dense layer's δ."""
    first = layers[front.depth].w
    back = backward_product(delta, first, precision)
    return front_gradient(front, layers[: front.depth], tape.front, back)
