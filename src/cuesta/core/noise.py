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


def noise_bits(key: Tensor, step: Scalar, count: int) -> Array:
    """(count,) uint16, uniform on 0…65,535, of a key (2,) of uint32 and a step."""
    places = jnp.arange(count // 2 + 1, dtype=jnp.uint32)
    of_step = mixed(jnp.asarray(step).astype(jnp.uint32) ^ key[1])
    words = mixed(mixed(places ^ key[0]) + of_step)
    return jax.lax.bitcast_convert_type(words, jnp.uint16).reshape(-1)[:count]


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
