"""The network: layers of weights, and its forward pass."""

from __future__ import annotations

from typing import Any, NamedTuple

from jax import Array

from cuesta.core.activation import Activation, activate
from cuesta.core.front import enter
from cuesta.core.layer import Layer
from cuesta.core.noise import NOISE_LEVELS, drop
from cuesta.core.products import forward_product
from cuesta.core.residual import normalized
from cuesta.core.rounding import rounded
from cuesta.core.types import Scalar
from cuesta.hyperparameters import NO_FRONT, Front


class Tape(NamedTuple):
    """What a forward pass leaves for the backward one.

    `units[l]` (rows, inputs of dense layer l) enters layer l, so `units[0]` is x, or what the front
    made of it; `sums[l]` is what hidden layer l put out before its activation, and `slopes[l]` the
    derivative of `units[l + 1]` by it, dropout's factor in it; `outputs` (rows, outputs) come
    before the loss's own link. `spreads[l]` (rows, 1) is by what the units of residual layer l were
    divided, None of others; by `step` the way back is `rounded`.
    """

    units: list[Array]
    sums: list[Array]
    slopes: list[Array]
    outputs: Array
    front: Any = None
    spreads: tuple[Array | None, ...] = ()
    step: Scalar = 0.0


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
            units[depth], spread = normalized(stream, kind.slope)
        z = forward_product(units[depth], layer.w, precision) + layer.b
        dropped = None if noise is None else noise[depth]
        unit, slope = hidden_units(kind, z, dropped, threshold, bounded=bounded)
        stream = stream + rounded(unit, kind.slope) if adds else unit
        units.append(stream)
        sums.append(z)
        slopes.append(slope)
        spreads.append(spread)
    last = layers[-1]
    outputs = forward_product(stream, last.w, precision) + last.b
    return Tape(units, sums, slopes, outputs, entered, tuple(spreads), kind.slope)


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
