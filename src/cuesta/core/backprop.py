"""The backward pass: ∂J/∂W as a product of factors, one for each layer (N4)."""

from __future__ import annotations

from jax import Array

from cuesta.core.net import Layer, Tape
from cuesta.core.products import backward_product, outer_product


def deltas(
    layers: list[Layer], tape: Tape, delta: Array, precision: str = "float32"
) -> list[Array]:
    """δ_l = ∂J/∂z_l of every layer, first layer first: δ_{l−1} = (δ_l W_lᵀ) ⊙ slope_{l−1} (N4).

    `delta` (rows, outputs) is the last layer's, the loss's own derivative by the outputs. Each
    step back multiplies by one layer's weights and slopes: with σ(·) the product tends to 0.
    """
    found = [delta]
    for depth in reversed(range(1, len(layers))):
        back = backward_product(found[0], layers[depth].w, precision)
        found.insert(0, back * tape.slopes[depth - 1])
    return found


def gradient(tape: Tape, found: list[Array], precision: str = "float32") -> list[Layer]:
    """G of every layer from its δ: ∂J/∂W_l = u_lᵀ δ_l, ∂J/∂b_l = Σ δ_l over the rows."""
    return [
        Layer(outer_product(units, delta, precision), delta.sum(axis=0))
        for units, delta in zip(tape.units, found, strict=True)
    ]
