"""Activations as rows of numbers, so that one compiled form serves them all."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from cuesta._util.checks import check_choice
from cuesta.core.types import Scalar
from cuesta.hyperparameters import ACTIVATIONS


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
