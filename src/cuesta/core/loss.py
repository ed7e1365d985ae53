"""Losses and the sums from which metrics are made, over rows with weights."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array


def cross_entropy(outputs: Array, labels: Array) -> Array:
    """−log softmax(outputs)[label], row by row: (rows, classes), (rows,) → (rows,)."""
    log_p = jax.nn.log_softmax(outputs)
    chosen = labels[:, None] == jnp.arange(outputs.shape[1])
    return -jnp.sum(jnp.where(chosen, log_p, 0.0), axis=1)


def squared(outputs: Array, targets: Array) -> Array:
    """½ Σ (ŷ − y)² over the targets, row by row: (rows, targets) twice → (rows,) (N3)."""
    return 0.5 * jnp.sum((outputs - targets) ** 2, axis=1)


def row_losses(loss: str, outputs: Array, targets: Array) -> Array:
    """The named loss of each row."""
    return cross_entropy(outputs, targets) if loss == "cross_entropy" else squared(outputs, targets)


def row_scores(loss: str, outputs: Array, targets: Array) -> Array:
    """What validation keeps of each row: (log-loss, hit) for classes, (ŷ − y)² per target."""
    if loss == "cross_entropy":
        hit = jnp.argmax(outputs, axis=1) == targets
        return jnp.stack([cross_entropy(outputs, targets), hit.astype(outputs.dtype)], axis=1)
    return (outputs - targets) ** 2


def weighted_mean(values: Array, weights: Array) -> Array:
    """Σ wᵢ vᵢ / Σ wᵢ over the rows; rows of weight zero (padding) do not count, even if NaN."""
    counted = weights.reshape(weights.shape + (1,) * (values.ndim - 1))
    total = jnp.sum(jnp.where(counted > 0, counted * values, 0.0), axis=0)
    return total / jnp.maximum(jnp.sum(weights), 1e-30)
