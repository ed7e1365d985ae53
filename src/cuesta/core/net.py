"""The network: layers of weights, an activation that is a row of numbers, and its forward pass."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from cuesta._util.checks import check_choice
from cuesta.core.front import enter
from cuesta.core.layer import Layer
from cuesta.core.noise import NOISE_LEVELS, drop
from cuesta.core.products import forward_product
from cuesta.core.residual import normalized
from cuesta.core.types import Scalar
from cuesta.hyperparameters import ACTIVATIONS, NO_FRONT, Front


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

    `units[l]` (rows, inputs of dense layer l) enters layer l, so `units[0]` is x, or what the front
    made of it; `sums[l]` is what hidden layer l put out before its activation, and `slopes[l]` the
    derivative of `units[l + 1]` by it, dropout's factor in it; `outputs` (rows, outputs) come
    before the loss's own link. `spreads[l]` (rows, 1) is by what the units of residual layer l were
    divided, None of others.
    """

    units: list[Array]
    sums: list[Array]
    slopes: list[Array]
    outputs: Array
    front: Any = None
    spreads: tuple[Array | None, ...] = ()


def record(
    layers: list[Layer],
    x: Array,
    kind: Activation,
    noise: list[Array] | None = None,
    threshold: Scalar = float(NOISE_LEVELS),
    precision: str = "float32",
    bounded: bool = True,
    front: Front = NO_FRONT,
    residual: bool = False,
) -> Tape:
    """The forward pass of rows x (rows, inputs), layer by layer.

    With `noise`, one (rows, units) array per hidden layer, units are dropped (N1). Without
    `bounded` the activation is known not to be. The layers of a `front` come first in the list.
    With `residual` a hidden layer between layers of one size adds: u + φ(N(u)W + b).
    """
    entered = None
    if front.depth:
        x, entered = enter(front, layers[: front.depth], x)
        layers = layers[front.depth :]
    stream, units, sums, slopes, spreads = x, [x], [], [], []
    for depth, layer in enumerate(layers[:-1]):
        adds = residual and is_residual(layers, depth)
        spread = None
        if adds:
            units[depth], spread = normalized(stream)
        z = forward_product(units[depth], layer.w, precision) + layer.b
        dropped = None if noise is None else noise[depth]
        unit, slope = hidden_units(kind, z, dropped, threshold, bounded=bounded)
        stream = stream + unit if adds else unit
        units.append(stream)
        sums.append(z)
        slopes.append(slope)
        spreads.append(spread)
    last = layers[-1]
    outputs = forward_product(stream, last.w, precision) + last.b
    return Tape(units, sums, slopes, outputs, entered, tuple(spreads))


def is_residual(layers: list[Layer], depth: int) -> bool:
    """Whether a dense layer of a residual network adds to what enters it."""
    rows, columns = layers[depth].w.shape
    return 0 < depth < len(layers) - 1 and rows == columns


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
    front: Front = NO_FRONT,
    residual: bool = False,
) -> Array:
    """The network's output before the loss's own link: (rows, inputs) → (rows, outputs)."""
    tape = record(layers, x, kind, noise, threshold, precision, bounded, front, residual)
    return tape.outputs
