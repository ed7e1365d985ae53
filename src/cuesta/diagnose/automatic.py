"""Second derivatives of ONE network's loss along directions, by automatic differentiation.

For networks whose derivatives `second_order` does not write out. The gradient is a black box here:
HV is its derivative along V, d/dt G(w + tV) at t = 0.
"""

from __future__ import annotations

import jax
from jax import Array

from cuesta.core.layer import Layer
from cuesta.core.step import loss_and_gradient
from cuesta.diagnose.second_order import LocalLoss


def hessian_product(at: LocalLoss, direction: list[Layer]) -> list[Layer]:
    """HV without H: the derivative of the gradient along V (Pearlmutter, 1994).

    V must be 0 in weights that are never learned, such as the edges of bins.
    """

    def gradient(layers: list[Layer]) -> list[Layer]:
        return _loss_and_gradient(at, layers)[1]

    product: list[Layer] = jax.jvp(gradient, (at.layers,), (direction,))[1]
    return product


def loss_after(at: LocalLoss, after: list[Layer]) -> Array:
    """J of the same batch, the same units dropped, at other weights."""
    return _loss_and_gradient(at, after)[0]


def _loss_and_gradient(at: LocalLoss, layers: list[Layer]) -> tuple[Array, list[Layer]]:
    return loss_and_gradient(layers, at.shape, at.hyperparameters, at.batch, at.features)
