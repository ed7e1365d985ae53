"""Losses and the sums from which metrics are made, over rows with weights."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

LEAST = 1e-30  # so that no weight at all gives 0, not 0/0


def cross_entropy(outputs: Array, labels: Array) -> Array:
    """−log softmax(outputs)[label], row by row: (rows, classes), (rows,) → (rows,)."""
    shifted, total = _shares(outputs)
    return jnp.log(total) - jnp.sum(jnp.where(_chosen(outputs, labels), shifted, 0.0), axis=1)


def cross_entropy_slope(outputs: Array, labels: Array) -> Array:
    """∂ℓ/∂o = softmax(o) − e_label, row by row: (rows, classes)."""
    shifted, total = _shares(outputs)
    return jnp.exp(shifted) / total[:, None] - _chosen(outputs, labels)


def _shares(outputs: Array) -> tuple[Array, Array]:
    """O − max o, so that no exponential overflows, and Σ exp of it."""
    shifted = outputs - jnp.max(outputs, axis=1, keepdims=True)
    return shifted, jnp.sum(jnp.exp(shifted), axis=1)


def _chosen(outputs: Array, labels: Array) -> Array:
    return labels[:, None] == jnp.arange(outputs.shape[1])


def squared(outputs: Array, targets: Array) -> Array:
    """½ Σ (ŷ − y)² over the targets, row by row: (rows, targets) twice → (rows,) (N3)."""
    return 0.5 * jnp.sum((outputs - targets) ** 2, axis=1)


def squared_slope(outputs: Array, targets: Array) -> Array:
    """∂ℓ/∂ŷ = ŷ − y, the residual (N3)."""
    return outputs - targets


# loss → each row's value, and its derivative by the outputs
LOSSES = {
    "cross_entropy": (cross_entropy, cross_entropy_slope),
    "squared": (squared, squared_slope),
}


def row_losses(loss: str, outputs: Array, targets: Array) -> Array:
    """The named loss of each row."""
    return LOSSES[loss][0](outputs, targets)


def loss_and_slope(
    loss: str, outputs: Array, targets: Array, weights: Array
) -> tuple[Array, Array]:
    """J = Σ wᵢ ℓᵢ / Σ wᵢ, and ∂J/∂outputs (rows, outputs); rows of weight zero do not count."""
    value, slope = LOSSES[loss]
    share = (weights / jnp.maximum(jnp.sum(weights), LEAST))[:, None]
    delta = jnp.where(share > 0, share * slope(outputs, targets), 0.0)
    return weighted_mean(value(outputs, targets), weights), delta


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
    return total / jnp.maximum(jnp.sum(weights), LEAST)
