"""The network: layers of weights, an activation that is a row of numbers, and dropout (N1)."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from cuesta.core.types import Scalar, Tensor
from cuesta.spec import ACTIVATIONS, check_choice


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
    "relu": Activation(0.0, 0.0, 0.0, 0.0, 0.0),
    "identity": Activation(0.0, 1.0, 0.0, 0.0, 0.0),
    "tanh": Activation(1.0, 0.0, 0.0, 1.0, 1.0),
    "sigmoid": Activation(1.0, 0.0, 0.5, 0.5, 0.5),
}


def activation(name: str) -> Activation:
    """The numbers of an activation. Raises SpecError for an unknown name."""
    check_choice("activation", name, ACTIVATIONS)
    return ACTIVATION_ROWS[name]


def activate(kind: Activation, z: Array) -> Array:
    """The activation of z, element by element."""
    straight = z * jnp.where(z > 0, 1.0, kind.slope)
    bounded = kind.shift + kind.height * jnp.tanh(kind.pace * z)
    return jnp.where(kind.bounded > 0, bounded, straight)


NOISE_LEVELS = 1 << 16


def keep_threshold(keep: float) -> float:
    """The number of the 65,536 noise values for which a unit is kept, nearest to keep.

    As a float: 65,536 itself does not fit the noise's 16 bits.
    """
    return float(round(keep * NOISE_LEVELS))


def drop(units: Array, noise: Array, threshold: Scalar) -> Array:
    """Dropout: M = L/p where the unit's Bernoulli(p) draw is 1, else 0 (N1).

    `noise` is uniform on 0…65,535, one value per unit and example; p = threshold/65,536, the
    keep-probability. The division by p keeps the expectation, so prediction needs no scaling
    (the notes' form leaves L alone and multiplies by p at prediction: equal in the mean).
    p = 1 changes nothing; p = 0 gives zeros.
    """
    scale = jnp.where(threshold > 0, NOISE_LEVELS / jnp.maximum(threshold, 1.0), 0.0)
    return jnp.where(noise < threshold, units * scale, 0.0)


def forward(
    layers: list[Layer],
    x: Array,
    kind: Activation,
    noise: list[Array] | None = None,
    threshold: Scalar = float(NOISE_LEVELS),
) -> Array:
    """The network's output before the loss's own link: (rows, inputs) → (rows, outputs).

    With `noise`, one (rows, units) array per hidden layer, units are dropped (N1).
    """
    units = x
    for depth, layer in enumerate(layers):
        units = units @ layer.w + layer.b
        if depth < len(layers) - 1:
            units = activate(kind, units)
            if noise is not None:
                units = drop(units, noise[depth], threshold)
    return units
