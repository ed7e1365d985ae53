"""The learning rate as a function of the step (N12)."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from cuesta.core.types import Scalar


def linear_decay(alpha_0: Scalar, alpha_t: Scalar, total: Scalar, step: Scalar) -> Array:
    """α_k = (1 − k/T) α₀ + (k/T) α_T, and α_T after T (N12); k counts steps from 0."""
    share = jnp.minimum(step / jnp.maximum(total, 1), 1.0)
    return (1.0 - share) * alpha_0 + share * alpha_t
