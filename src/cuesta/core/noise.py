"""The noise of dropout (N1): a hash of key, step and place, cheap enough to be drawn at every step.

Integer hashes need no state and a dozen operations for two units; the library's generators cost
five times as much in time and a fifth of a program's compilation.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core.types import Scalar, Tensor

NOISE_LEVELS = 1 << 16


def mixed(word: Array) -> Array:
    """A bijection of 32-bit words whose every output bit hangs on every input bit.

    x ← x ⊕ (x ≫ 16), · 0x7feb352d, ⊕ (≫ 15), · 0x846ca68b, ⊕ (≫ 16) (Wellons, Prospecting for
    hash functions, 2018).
    """
    word = (word ^ (word >> 16)) * jnp.uint32(0x7FEB352D)
    word = (word ^ (word >> 15)) * jnp.uint32(0x846CA68B)
    return word ^ (word >> 16)


def hashed_places(key: Tensor, count: int) -> Array:
    """The part of `noise_bits` that no step enters, for so many values: computed once.

    The barrier keeps the compiler from computing it anew at each step.
    """
    places = jnp.arange(count // 2 + 1, dtype=jnp.uint32)
    hashed: Array = jax.lax.optimization_barrier(mixed(places ^ key[0]))  # type: ignore[no-untyped-call]
    return hashed


def noise_bits(key: Tensor, places: Array, step: Scalar, count: int) -> Array:
    """(count,) uint16, uniform on 0…65,535, of a key (2,) of uint32, its places, and a step.

    The barrier keeps the compiler from drawing it anew for each lane.
    """
    of_step = mixed(jnp.asarray(step).astype(jnp.uint32) ^ key[1])
    words = mixed(places + of_step)
    halves = jnp.concatenate([words & 0xFFFF, words >> 16]).astype(jnp.uint16)
    bits: Array = jax.lax.optimization_barrier(halves)[:count]  # type: ignore[no-untyped-call]
    return bits


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
