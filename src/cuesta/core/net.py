"""The network: layers of weights, an activation that is a row of numbers, and its forward pass."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from cuesta._util.checks import check_choice
from cuesta.core.noise import NOISE_LEVELS, drop
from cuesta.core.products import forward_product
from cuesta.core.types import Scalar, Tensor
from cuesta.hyperparameters import ACTIVATIONS


class Layer(NamedTuple):
    """One affine layer: `w` (inputs, outputs) and `b` (outputs,)."""

    w: Tensor
    b: Tensor


class Activation(NamedTuple):
    """An activation as numbers, so that lanes with different ones share a compiled call.

    z ↦ z·(1 if z > 0 else slope) where not bounded, else shift + height·tanh(pace·z).
    """

    bounded: Scalar
    slope: Scalar
    shift: Scalar
    height: Scalar
    pace: Scalar


# σ(z) = ½ + ½ tanh(z/2) exactly, so one bounded form serves both.
ACTIVATION_ROWS = {
    "relu": Activation(False, 0.0, 0.0, 0.0, 0.0),
    "identity": Activation(False, 1.0, 0.0, 0.0, 0.0),
    "tanh": Activation(True, 0.0, 0.0, 1.0, 1.0),
    "sigmoid": Activation(True, 0.0, 0.5, 0.5, 0.5),
}


def activation(name: str) -> Activation:
    """The numbers of an activation. Raises SpecError for an unknown name."""
    check_choice("activation", name, ACTIVATIONS)
    return ACTIVATION_ROWS[name]


def is_bounded(name: str) -> bool:
    """Whether the named activation is one of the bounded ones."""
    return bool(activation(name).bounded)


def activate(kind: Activation, z: Array, *, bounded: bool = True) -> tuple[Array, Array]:
    """The activation of z and its slope there, element by element.

    The slope is 1 or `slope` where not bounded (`slope` at 0), else height·pace·(1 − tanh²).
    Without `bounded` no activation at hand is, and no tanh is computed.
    """
    straight_slope = jnp.where(z > 0, 1.0, kind.slope)
    if not bounded:
        return z * straight_slope, straight_slope
    curve = jnp.tanh(kind.pace * z)
    units = jnp.where(kind.bounded, kind.shift + kind.height * curve, z * straight_slope)
    # As 1 − tanh², some programs would round the square and others not.
    bounded_slope = kind.height * kind.pace * (1.0 - curve) * (1.0 + curve)
    return units, jnp.where(kind.bounded, bounded_slope, straight_slope)


def second_to_first_derivative(kind: Activation, z: Array) -> Array:
    """φ″/φ′ at z, element by element: −2·pace·tanh(pace·z) where bounded, else 0."""
    return jnp.where(kind.bounded, -2.0 * kind.pace * jnp.tanh(kind.pace * z), 0.0)


class Tape(NamedTuple):
    """What a forward pass leaves for the backward one.

    `units[l]` (rows, inputs of layer l) enters layer l, so `units[0]` is x; `sums[l]` is what
    hidden layer l put out before its activation, and `slopes[l]` the derivative of `units[l + 1]`
    by it, dropout's factor in it; `outputs` (rows, outputs) come before the loss's own link.
    """

    units: list[Array]
    sums: list[Array]
    slopes: list[Array]
    outputs: Array


def record(
    layers: list[Layer],
    x: Array,
    kind: Activation,
    noise: list[Array] | None = None,
    threshold: Scalar = float(NOISE_LEVELS),
    precision: str = "float32",
    bounded: bool = True,
) -> Tape:
    """The forward pass of rows x (rows, inputs), layer by layer.

    With `noise`, one (rows, units) array per hidden layer, units are dropped (N1). Without
    `bounded` the activation is known not to be.
    """
    units, sums, slopes = [x], [], []
    for depth, layer in enumerate(layers[:-1]):
        z = forward_product(units[-1], layer.w, precision) + layer.b
        dropped = None if noise is None else noise[depth]
        unit, slope = hidden_units(kind, z, dropped, threshold, bounded=bounded)
        units.append(unit)
        sums.append(z)
        slopes.append(slope)
    last = layers[-1]
    return Tape(units, sums, slopes, forward_product(units[-1], last.w, precision) + last.b)


def hidden_units(
    kind: Activation, z: Array, noise: Array | None, threshold: Scalar, *, bounded: bool = True
) -> tuple[Array, Array]:
    """What a hidden layer hands on of its sums z, and its slope there, dropout in both."""
    unit, slope = activate(kind, z, bounded=bounded)
    if noise is None:
        return unit, slope
    return drop(unit, noise, threshold), drop(slope, noise, threshold)


def forward(
    layers: list[Layer],
    x: Array,
    kind: Activation,
    noise: list[Array] | None = None,
    threshold: Scalar = float(NOISE_LEVELS),
    precision: str = "float32",
    bounded: bool = True,
) -> Array:
    """The network's output before the loss's own link: (rows, inputs) → (rows, outputs)."""
    return record(layers, x, kind, noise, threshold, precision, bounded).outputs
