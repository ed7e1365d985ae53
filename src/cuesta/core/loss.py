"""The losses, and the sums from which metrics are computed; rows may have weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core.types import Scalar


def cross_entropy(outputs: Array, labels: Array, _: Scalar = 0.0) -> Array:
    """−log softmax(outputs)[label], row by row: (rows, classes), (rows,) → (rows,)."""
    shifted, total = _shares(outputs)
    return jnp.log(total) - jnp.sum(jnp.where(_chosen(outputs, labels), shifted, 0.0), axis=1)


def cross_entropy_slope(outputs: Array, labels: Array, _: Scalar = 0.0) -> Array:
    """∂ℓ/∂o = softmax(o) − e_label, row by row: (rows, classes)."""
    shifted, total = _shares(outputs)
    return jnp.exp(shifted) / total[:, None] - _chosen(outputs, labels)


def smoothed(outputs: Array, labels: Array, smoothing: Scalar) -> Array:
    """Cross-entropy of (1 − s)·e_label + s/classes, in place of e_label (Szegedy et al., 2016)."""
    shifted, total = _shares(outputs)
    everywhere = jnp.log(total) - jnp.mean(shifted, axis=1)
    return (1.0 - smoothing) * cross_entropy(outputs, labels) + smoothing * everywhere


def smoothed_slope(outputs: Array, labels: Array, smoothing: Scalar) -> Array:
    """∂ℓ/∂o = softmax(o) − (1 − s)·e_label − s/classes."""
    classes = outputs.shape[1]
    chosen = _chosen(outputs, labels)
    return cross_entropy_slope(outputs, labels) + smoothing * (chosen - 1.0 / classes)


def _shares(outputs: Array) -> tuple[Array, Array]:
    """O − max o, so that no exponential overflows, and Σ exp of it."""
    shifted = outputs - jnp.max(outputs, axis=1, keepdims=True)
    return shifted, jnp.sum(jnp.exp(shifted), axis=1)


def _chosen(outputs: Array, labels: Array) -> Array:
    return labels[:, None] == jnp.arange(outputs.shape[1])


def logistic(outputs: Array, labels: Array, _: Scalar = 0.0) -> Array:
    """Σ over labels of −log of the share σ(o) that the label got: several may hold at once."""
    # log(1 + eᵒ) − yo, without overflow.
    return jnp.sum(jax.nn.softplus(outputs) - labels * outputs, axis=1)


def logistic_slope(outputs: Array, labels: Array, _: Scalar = 0.0) -> Array:
    """∂ℓ/∂o = σ(o) − y."""
    return jax.nn.sigmoid(outputs) - labels


def squared(outputs: Array, targets: Array, _: Scalar = 0.0) -> Array:
    """½ Σ (ŷ − y)² over the targets, row by row: (rows, targets) twice → (rows,) (N3)."""
    return 0.5 * jnp.sum((outputs - targets) ** 2, axis=1)


def squared_slope(outputs: Array, targets: Array, _: Scalar = 0.0) -> Array:
    """∂ℓ/∂ŷ = ŷ − y, the residual (N3)."""
    return outputs - targets


def absolute(outputs: Array, targets: Array, _: Scalar = 0.0) -> Array:
    """Σ |ŷ − y| over the targets; its minimum is the median."""
    return jnp.sum(jnp.abs(outputs - targets), axis=1)


def absolute_slope(outputs: Array, targets: Array, _: Scalar = 0.0) -> Array:
    """∂ℓ/∂ŷ = sign(ŷ − y)."""
    return jnp.sign(outputs - targets)


def huber(outputs: Array, targets: Array, delta: Scalar) -> Array:
    """Σ ½r² where |r| ≤ δ, δ|r| − ½δ² beyond, with r = ŷ − y (Huber, 1964)."""
    size = jnp.abs(outputs - targets)
    near = jnp.minimum(size, delta)
    return jnp.sum(near * (size - 0.5 * near), axis=1)


def huber_slope(outputs: Array, targets: Array, delta: Scalar) -> Array:
    """∂ℓ/∂ŷ = ŷ − y, held within ±δ."""
    return jnp.clip(outputs - targets, -delta, delta)


class Loss(NamedTuple):
    """Each row's value, and its derivative by the outputs; both take a number, the loss's own."""

    value: Callable[[Array, Array, Scalar], Array]
    slope: Callable[[Array, Array, Scalar], Array]


LOSSES = {
    "cross_entropy": Loss(cross_entropy, cross_entropy_slope),
    "smoothed": Loss(smoothed, smoothed_slope),
    "logistic": Loss(logistic, logistic_slope),
    "squared": Loss(squared, squared_slope),
    "absolute": Loss(absolute, absolute_slope),
    "huber": Loss(huber, huber_slope),
}


def loss_and_slope(
    loss: str, outputs: Array, targets: Array, shares: Array, number: Scalar
) -> tuple[Array, Array]:
    """J = Σ sᵢ ℓᵢ, and ∂J/∂outputs (rows, outputs); rows with no share (padding) do not count.

    A row's share is 1/b in a batch of b rows, times its weight where rows have weights. `number`
    is the loss's own: δ of `huber`, s of `smoothed`; others ignore it.
    """
    value, slope = LOSSES[loss]
    counted = shares > 0
    spread = shares[:, None]
    delta = jnp.where(counted[:, None], spread * slope(outputs, targets, number), 0.0)
    return jnp.sum(jnp.where(counted, shares * value(outputs, targets, number), 0.0)), delta


def row_scores(loss: str, outputs: Array, targets: Array) -> Array:
    """What validation keeps of each row, whatever the loss: (log-loss, hit), (ŷ − y)² per target.

    With several labels the log-loss is their sum, and a hit has all of them right.
    """
    if loss in ("cross_entropy", "smoothed"):
        hit = jnp.argmax(outputs, axis=1) == targets
        return jnp.stack([cross_entropy(outputs, targets), hit.astype(outputs.dtype)], axis=1)
    if loss == "logistic":
        hit = jnp.all((outputs > 0) == (targets > 0), axis=1)
        return jnp.stack([logistic(outputs, targets), hit.astype(outputs.dtype)], axis=1)
    return (outputs - targets) ** 2
