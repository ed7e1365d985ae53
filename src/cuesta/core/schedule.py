"""The learning rate as a function of the step, counted from 0 (N12, and the usual others).

All but the straight line are waves, low + (high − low) ½(1 + cos πφ), that differ in φ; so lanes
with different schedules run in the same compiled call.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from cuesta.core.rounding import rounded
from cuesta.core.types import Scalar

RISE = 0.3  # the share of its steps in which a one-cycle schedule rises
FIRST = 25.0  # by what its highest rate is divided to give its first


class Decay(NamedTuple):
    """One schedule as flags, which can be batched and traced; none of them is N12's line."""

    waved: Scalar  # a cosine's wave
    cycle: Scalar  # that first rises
    log4: Scalar  # four times, in the logarithm of the step


DECAYS = {
    "linear": Decay(waved=False, cycle=False, log4=False),
    "cosine": Decay(waved=True, cycle=False, log4=False),
    "one_cycle": Decay(waved=True, cycle=True, log4=False),
    "coslog4": Decay(waved=True, cycle=False, log4=True),
}


def learning_rate(
    decay: Decay, warmup: Scalar, alpha_0: Scalar, alpha_t: Scalar, total: Scalar, step: Scalar
) -> Array:
    """α of a step: its schedule's, times `warming` by the share `warmup` of the steps.

    One cosine serves all waves, and N12's line passes by it as it is.
    """
    share = passed(total, step)
    rising = jnp.logical_and(decay.cycle, share < RISE)
    phase = jnp.where(decay.cycle, cycle_phase(share, step), share)
    phase = jnp.where(decay.log4, log4_phase(share, step), phase)
    waved = wave(alpha_0, jnp.where(rising, alpha_0 / FIRST, alpha_t), phase, step)
    straight = linear_decay(alpha_0, alpha_t, total, step)
    return jnp.where(decay.waved, waved, straight) * warming(warmup, total, step)


def passed(total: Scalar, step: Scalar) -> Array:
    """The share k/T of a schedule that has passed, at most 1; 1 where T is 0."""
    # Whole numbers divide in float32 even where float64 is on: let them be floats first.
    k, of = jnp.asarray(step, float), jnp.maximum(jnp.asarray(total, float), 1.0)
    return jnp.where(step >= total, 1.0, k / of)


def warming(warmup: Scalar, total: Scalar, step: Scalar) -> Array:
    """min(1, (k + 1)/(uT)), by what α is multiplied while a share u of T steps passes; 1 at u = 0.

    The first step has a rate above 0, and step uT the first whole one.
    """
    k, of = jnp.asarray(step, float), warmup * jnp.asarray(total, float)
    return jnp.minimum(1.0, (k + 1.0) / jnp.where(of > 0, of, 1.0))


def linear_decay(alpha_0: Scalar, alpha_t: Scalar, total: Scalar, step: Scalar) -> Array:
    """α_k = (1 − k/T) α₀ + (k/T) α_T, and α_T after T (N12).

    Written as α₀ + (k/T)(α_T − α₀), so that a constant rate is the same whatever T.
    """
    share = passed(total, step)
    gone = rounded(jnp.asarray(share * (alpha_t - alpha_0)), step)
    return jnp.where(share < 1.0, alpha_0 + gone, alpha_t)


def wave(high: Scalar, low: Scalar, phase: Array, step: Scalar) -> Array:
    """A wave, low + (high − low) ½(1 + cos πφ): `high` at even φ, `low` at odd."""
    share = 0.5 * (1.0 + jnp.cos(rounded(jnp.pi * phase, step)))
    return low + rounded(jnp.asarray((high - low) * share), step)


def cosine_decay(alpha_0: Scalar, alpha_t: Scalar, total: Scalar, step: Scalar) -> Array:
    """α_k = α_T + ½ (α₀ − α_T)(1 + cos(πk/T)), and α_T after T (Loshchilov and Hutter, 2017)."""
    return wave(alpha_0, alpha_t, passed(total, step), step)


def cycle_phase(share: Array, step: Scalar) -> Array:
    """φ of `one_cycle`: from 1 to 2 over the first 30 % of the steps, then from 0 to 1."""
    up = 1.0 + rounded(share / RISE, step)
    return jnp.where(share < RISE, up, (share - RISE) / (1.0 - RISE))


def one_cycle(alpha_0: Scalar, alpha_t: Scalar, total: Scalar, step: Scalar) -> Array:
    """From α₀/25 up to α₀ in the first 30 % of T steps, then down to α_T, each by half a cosine.

    With t = k/T: α₀/25 + ½ (24α₀/25)(1 − cos(πt/0.3)) for t < 0.3, then
    α_T + ½ (α₀ − α_T)(1 + cos(π(t − 0.3)/0.7)), and α_T after T (Smith and Topin, 2018).
    """
    share = passed(total, step)
    low = jnp.where(share < RISE, alpha_0 / FIRST, alpha_t)
    return wave(alpha_0, low, cycle_phase(share, step), step)


def log4_phase(share: Array, step: Scalar) -> Array:
    """φ of `coslog4`: 1 + 2 log₂(1 + 15t), from 1 to 9."""
    turns = jnp.log2(1.0 + rounded(15.0 * share, step))
    return 1.0 + rounded(2.0 * turns, step)


def coslog4(alpha_0: Scalar, alpha_t: Scalar, total: Scalar, step: Scalar) -> Array:
    """α_k = α_T + ½ (α₀ − α_T)(1 − cos(2π log₂(1 + 15k/T))), and α_T after T.

    It begins and ends at α_T, with four waves between, each longer than the last (Holzmüller,
    Grinsztajn and Steinwart, 2024, RealMLP).
    """
    return wave(alpha_0, alpha_t, log4_phase(passed(total, step), step), step)


def step_decay(alpha_0: Scalar, factor: Scalar, every: Scalar, step: Scalar) -> Array:
    """α_k = α₀ · factor^⌊k/every⌋."""
    return alpha_0 * factor ** jnp.floor_divide(step, every)
