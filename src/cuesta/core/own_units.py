"""Validation of numbers in the targets' own units, whatever the scale in which they are learned."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from cuesta.core.rounding import rounded
from cuesta.core.types import Scalar, Tensor


class OwnUnits(NamedTuple):
    """The way from a transformed target back to its own units, which are standardized.

    `y` (rows, targets) are the targets in own units; `knots` (targets, knots) those of the map, in
    own units, whose places in the learned scale are evenly spaced: from `start` (targets,) on,
    `rate` (targets,) of them in a unit.
    """

    y: Array
    knots: Tensor
    start: Tensor
    rate: Tensor


def in_own_units(outputs: Array, own: OwnUnits, nothing: Scalar) -> Array:
    """Outputs (rows, targets) through the straight lines between the knots, and on beyond the ends.

    Knots that are evenly spaced need no search: which two are next to an output is arithmetic.
    `nothing` is a number of at least 0, as `rounded` wants one.
    """
    targets, count = own.knots.shape
    where = rounded((outputs - own.start[None]) * own.rate[None], nothing)
    known = jnp.where(where > 0, where, 0.0)  # 0 for NaN, too
    left = jnp.minimum(jnp.floor(known), count - 2.0)
    flat = own.knots.reshape(-1)
    at = left.astype(jnp.int32) + (count * jnp.arange(targets, dtype=jnp.int32))[None]
    low, high = flat[at], flat[at + 1]
    return low + rounded((where - left) * (high - low), nothing)


def held(values: Array, bounds: Tensor, clamped: Scalar) -> Array:
    """Values (rows, targets) within the bounds (2, targets), for a lane that clamps."""
    low, high = (
        jnp.where(clamped, bound, end)
        for bound, end in zip(bounds, (-jnp.inf, jnp.inf), strict=True)
    )
    return jnp.clip(values, low[None], high[None])
