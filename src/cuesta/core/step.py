"""One step of ONE network: gradient (N11), clipping (N5), the optimizer's rule (N11 to N16)."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core.average import follow
from cuesta.core.backprop import deltas, gradient, gradient_before
from cuesta.core.clip import clip_by_norm, clip_by_value
from cuesta.core.foreign import factory_of
from cuesta.core.front import decaying_layers
from cuesta.core.lane import (
    ALL_FEATURES,
    Batch,
    LaneHyperparameters,
    Outcome,
    ProgramFeatures,
    State,
)
from cuesta.core.layer import Layer
from cuesta.core.loss import loss_and_slope
from cuesta.core.net import Tape, record
from cuesta.core.optim import apply_rule, descend
from cuesta.core.rounding import rounded
from cuesta.core.schedule import learning_rate
from cuesta.core.types import Params, Scalar
from cuesta.hyperparameters import Shape


class Pass(NamedTuple):
    """A forward and a backward pass over a batch: J, what the layers put out, their δ and G."""

    loss: Array
    tape: Tape
    deltas: list[Array]
    grads: list[Layer]


def forward_backward(
    layers: list[Layer],
    shape: Shape,
    hyperparameters: LaneHyperparameters,
    batch: Batch,
    features: ProgramFeatures = ALL_FEATURES,
) -> Pass:
    """J = (1/b) Σ ℓ(f(xᵢ, w), yᵢ) over the b rows of the batch, and G = ∇J (N11)."""
    x, y, shares, noise = batch
    tape = record(
        layers,
        x,
        hyperparameters.activation,
        noise,
        hyperparameters.keep_threshold,
        shape.precision,
        features.bounded,
        shape.front,
        shape.residual,
    )
    loss, delta = loss_and_slope(shape.loss, tape.outputs, y, shares, hyperparameters.loss_number)
    dense = layers[shape.front.depth :]
    found = deltas(dense, tape, delta, shape.precision)
    grads = gradient(tape, found, shape.precision)
    if shape.front.depth:
        before = gradient_before(shape.front, layers, tape, found[0], shape.precision)
        grads = [*before, *grads]
    return Pass(loss, tape, found, grads)


def loss_and_gradient(
    layers: list[Layer],
    shape: Shape,
    hyperparameters: LaneHyperparameters,
    batch: Batch,
    features: ProgramFeatures = ALL_FEATURES,
) -> tuple[Array, list[Layer]]:
    """J of the batch, and G = ∇J."""
    seen = forward_backward(layers, shape, hyperparameters, batch, features)
    return seen.loss, seen.grads


def take_step(
    state: State,
    shape: Shape,
    hyperparameters: LaneHyperparameters,
    total: Scalar,
    k: Array,
    batch: Batch,
    features: ProgramFeatures = ALL_FEATURES,
) -> tuple[State, Array]:
    """Gradient, clipping, rule, average: step k (from 0) of `total`, and the batch's loss."""
    loss, grads = loss_and_gradient(state.layers, shape, hyperparameters, batch, features)
    update = compute_update(state, shape, hyperparameters, total, k, grads, features)
    return follow(apply_update(state, k, loss, update), hyperparameters.least_share, k), loss


class Update(NamedTuple):
    """What a step adds to the weights: the rule's Δ and new moments, each layer's decay, and ‖G‖.

    A decay is αλ, or 0 for layers that do not decay.

    `norm` is ‖G‖ before clipping, and ∞ where the rule reads squares of G that overflow: such a
    second moment stays ∞, and its weight stays where it is.
    """

    delta: list[Layer]
    moments: Params
    decays: list[Scalar]
    norm: Array


def compute_update(
    state: State,
    shape: Shape,
    hyperparameters: LaneHyperparameters,
    total: Scalar,
    k: Array,
    grads: list[Layer],
    features: ProgramFeatures = ALL_FEATURES,
    squares: list[Layer] | None = None,
) -> Update:
    """Clipping and rule: the update of step k (from 0) of `total`, from its gradient.

    `squares` are the `sum_of_squares` of the gradient's leaves, where they are known already.
    """
    numbers = hyperparameters
    alpha = learning_rate(numbers.decay, numbers.warmup, numbers.alpha_0, numbers.alpha_t, total, k)
    grads, norm = clip_by_norm(grads, hyperparameters.clip_norm, squares)
    grads = clip_by_value(grads, hyperparameters.clip_value)
    if shape.foreign:
        opt = factory_of(shape)(learning_rate=alpha)
        delta, moments = opt.update(grads, state.moments, state.layers)
    elif features.memory:
        delta, moments = apply_rule(hyperparameters.rule, alpha, k + 1, grads, state.moments)
    else:
        delta, moments = descend(alpha, k, grads), state.moments
    if shape.foreign or features.memory:
        reads = shape.foreign != "" or hyperparameters.rule.d != 0
        norm = jnp.where(reads & _squares_overflow(norm, hyperparameters), jnp.inf, norm)
    decay = alpha * hyperparameters.weight_decay
    front = [decay if decaying else 0.0 for decaying in decaying_layers(shape.front)]
    dense = [decay] * (len(state.layers) - len(front))
    return Update(delta, moments, [*front, *dense], norm)


def _squares_overflow(norm: Array, hyperparameters: LaneHyperparameters) -> Array:
    """Whether the squares of a gradient of this norm are too large once it is clipped."""
    kept = jnp.minimum(norm, jnp.minimum(hyperparameters.clip_norm, hyperparameters.clip_value))
    return jnp.isinf(kept * kept)


def apply_update(state: State, k: Array, loss: Array, update: Update) -> State:
    """W ← w − αλw + Δ: the decay apart from the gradient (Loshchilov and Hutter, 2019).

    Biases do not decay, nor do a front's layers but for the linear maps of its embeddings.
    """
    kept = [
        Layer(rounded(w * (1.0 - decay), k), b)
        for (w, b), decay in zip(state.layers, update.decays, strict=True)
    ]
    layers = jax.tree.map(jnp.add, kept, update.delta)
    finite = jnp.isfinite(loss) & jnp.isfinite(update.norm)
    going = state.outcome.diverged_at == 0
    outcome = Outcome(
        jnp.where(going & ~finite, k + 1, state.outcome.diverged_at),
        jnp.where(going & finite, update.norm, state.outcome.norm),
    )
    return state._replace(layers=layers, moments=update.moments, outcome=outcome)


def whole_step(state: State, update: Update) -> list[Layer]:
    """Δ with the decay in it: what `apply_update` adds to the weights, but for roundings."""
    return [
        Layer(delta.w - decay * layer.w, delta.b)
        for delta, layer, decay in zip(update.delta, state.layers, update.decays, strict=True)
    ]
