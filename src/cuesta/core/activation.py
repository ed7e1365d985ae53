"""Activations as rows of numbers, so that a few compiled forms serve them all.

A form is straight on both sides of 0, a tanh, or made of an exponential; each row says by flags
which one is its own.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from cuesta._util.checks import check_choice
from cuesta.core.rounding import rounded
from cuesta.core.types import Scalar
from cuesta.hyperparameters import ACTIVATIONS

# Of z, and of log n: below the first E is as good as 0, above the second a gate is 1, in float64
# too. So neither n nor z³ ever overflows.
LOWEST, HIGHEST = -100.0, 40.0


class Exponential(NamedTuple):
    """The numbers of a form made of E = exp(pace·z + cubic·z³).

    z ↦ z·n/(n + 1 + squared), n = E·(squared·E + 1 + squared), where gated: a gate from 0 to 1
    multiplies z. Else z ↦ scale·z if z > 0, reach·(E − 1) if not.
    """

    used: Scalar
    gated: Scalar
    pace: Scalar = 1.0
    cubic: Scalar = 0.0
    squared: Scalar = 0.0
    scale: Scalar = 0.0
    reach: Scalar = 0.0


UNUSED = Exponential(used=False, gated=False)


class Activation(NamedTuple):
    """An activation as numbers, so that lanes with different ones share a compiled call.

    z ↦ z·(1 if z > 0 else slope) where not bounded, else shift + height·tanh(pace·z); by its
    `exponential` where that is used. None stands for it in programs that need none.
    """

    bounded: Scalar
    slope: Scalar
    shift: Scalar
    height: Scalar
    pace: Scalar
    exponential: Exponential | None = UNUSED


def _straight(slope: float) -> Activation:
    return Activation(False, slope, 0.0, 0.0, 0.0)


def _gated(pace: float, cubic: float = 0.0, *, squared: float = 0.0) -> Activation:
    form = Exponential(used=True, gated=True, pace=pace, cubic=cubic, squared=squared)
    return Activation(False, 0.0, 0.0, 0.0, 0.0, form)


GELU_PACE = 2.0 * math.sqrt(2.0 / math.pi)
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772

ACTIVATION_ROWS = {
    "relu": _straight(0.0),
    "identity": _straight(1.0),
    "leaky_relu": _straight(0.01),  # Maas, Hannun and Ng, 2013
    "tanh": Activation(True, 0.0, 0.0, 1.0, 1.0),
    # σ(z) = ½ + ½ tanh(z/2) exactly, so one bounded form serves both.
    "sigmoid": Activation(True, 0.0, 0.5, 0.5, 0.5),
    "silu": _gated(1.0),  # z·σ(z): Elfwing, Uchibe and Doya, 2018
    # z·½(1 + tanh(√(2/π)(z + 0.044715z³))): the tanh form of Hendrycks and Gimpel, 2016; the gate
    # is σ of twice what the tanh is of.
    "gelu": _gated(GELU_PACE, 0.044715 * GELU_PACE),
    # z·tanh(log(1 + e^z)) (Misra, 2019), and tanh(log(1 + E)) = n/(n + 2) with n = E(E + 2)
    "mish": _gated(1.0, squared=1.0),
    # λ·(z if z > 0 else α(e^z − 1)): Klambauer, Unterthiner, Mayr and Hochreiter, 2017
    "selu": _straight(0.0)._replace(
        exponential=Exponential(
            used=True, gated=False, scale=SELU_SCALE, reach=SELU_SCALE * SELU_ALPHA
        )
    ),
}


def activation(name: str) -> Activation:
    """The numbers of an activation. Raises SpecError for an unknown name."""
    check_choice("activation", name, ACTIVATIONS)
    return ACTIVATION_ROWS[name]


def is_bounded(name: str) -> bool:
    """Whether the named activation is one of the bounded ones."""
    return bool(activation(name).bounded)


def is_exponential(name: str) -> bool:
    """Whether the named activation is one of those made of an exponential."""
    form = activation(name).exponential
    return form is not None and bool(form.used)


def activate(kind: Activation, z: Array, *, bounded: bool = True) -> tuple[Array, Array]:
    """The activation of z and its slope there, element by element.

    The slope is 1 or `slope` where not bounded (`slope` at 0), else height·pace·(1 − tanh²); for
    the exponential forms see `_exponential`.
    Without `bounded` no activation at hand is, and no tanh is computed.
    """
    # Chosen after the product: a residual layer adds to it, and one rounding must not become none.
    found = jnp.where(z > 0, z, kind.slope * z), jnp.where(z > 0, 1.0, kind.slope)
    if bounded:
        curve = jnp.tanh(kind.pace * z)
        # As 1 − tanh², some programs would round the square and others not.
        slope = kind.height * kind.pace * (1.0 - curve) * (1.0 + curve)
        found = _either(kind.bounded, (kind.shift + kind.height * curve, slope), found)
    if kind.exponential is not None:
        found = _either(kind.exponential.used, _exponential(kind.exponential, z), found)
    return found


def _either(first: Scalar, a: tuple[Array, Array], b: tuple[Array, Array]) -> tuple[Array, Array]:
    return jnp.where(first, a[0], b[0]), jnp.where(first, a[1], b[1])


def _exponential(form: Exponential, z: Array) -> tuple[Array, Array]:
    """The value at z and the slope there of a form made of E = exp t, t = pace·z + cubic·z³.

    With the gate g = n/(n + c), c = 1 + squared, n = E·(squared·E + c), the slope is
    g + z·t′·c·E·(2·squared·E + c)/(n + c)²; else scale, or reach·E.
    A product that enters a sum is rounded first, but where it is exact, by 1 or by 2.
    """
    inner = jnp.clip(z, LOWEST, HIGHEST)
    bent = rounded(form.cubic * inner * inner, form.pace)
    rate = form.pace + bent
    c = 1.0 + form.squared
    e = jnp.exp(jnp.minimum(inner * rate, HIGHEST / c))
    factor = form.squared * e + c
    n = e * factor
    share = 1.0 / (rounded(n, form.pace) + c)
    gate = n * share
    rise = (rate + 2.0 * bent) * (c * share) * (e * (factor + form.squared * e) * share)
    slope = gate + rounded(inner * rise, form.pace)
    below = form.reach * (e - 1.0), form.reach * e
    straight = _either(z > 0, (form.scale * z, jnp.broadcast_to(form.scale, z.shape)), below)
    return _either(form.gated, (z * gate, slope), straight)


def second_to_first_derivative(kind: Activation, z: Array) -> Array:
    """φ″/φ′ at z, element by element: −2·pace·tanh(pace·z) where bounded, else 0.

    Not for the exponential forms, whose φ′ may be 0 where φ″ is not.
    """
    return jnp.where(kind.bounded, -2.0 * kind.pace * jnp.tanh(kind.pace * z), 0.0)
