"""Mini-batch training of ONE network (N11), with its validation curve and its outcome."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core.activation import Activation
from cuesta.core.lane import (
    ALL_FEATURES,
    Batch,
    Best,
    FoldData,
    LaneHyperparameters,
    ProgramFeatures,
    Span,
    State,
    needed,
)
from cuesta.core.layer import Layer
from cuesta.core.loss import row_scores
from cuesta.core.net import forward
from cuesta.core.noise import hashed_places, noise_bits
from cuesta.core.own_units import held, in_own_units
from cuesta.core.step import take_step
from cuesta.core.types import Scalar, Tensor
from cuesta.hyperparameters import Shape, is_classes

# Rows validated at once: they bound the activations held. Small tables take small blocks, so that
# the last one is not mostly empty.
SMALL_BLOCK, LARGE_BLOCK, MANY_ROWS = 64, 256, 1024
UNITS = 64  # parts of a fold's validation rows whose losses are summed apart; it divides a block


class NoiseSource(NamedTuple):
    """From what the steps of a lane draw their noise: its key, and the places' hashes."""

    key: Tensor
    places: Array | None

    @classmethod
    def of(cls, key: Tensor, shape: Shape, features: ProgramFeatures) -> NoiseSource:
        """The source of a network of this shape; without places where nothing is dropped."""
        count = shape.batch_size * sum(shape.hidden)
        return cls(key, hashed_places(key, count) if features.dropout else None)


def draw_noise(source: NoiseSource, step: Array, shape: Shape) -> list[Array] | None:
    """Uniform 16-bit noise (rows, units) for each hidden layer, of this step (N1)."""
    rows, start, pieces = shape.batch_size, 0, []
    if source.places is None:
        return None
    flat = noise_bits(source.key, source.places, step, rows * sum(shape.hidden))
    for units in shape.hidden:
        pieces.append(flat[start : start + rows * units].reshape(rows, units))
        start += rows * units
    return pieces


def ceiling(count: Scalar, size: Scalar) -> Array:
    """⌈count/size⌉ of whole numbers that are not negative, which spares the compiler the signs."""
    return jax.lax.div(count + jnp.int32(size - 1), jnp.int32(size))


def keep_best(state: State, shape: Shape, scores: Array, epoch: Array, patience: Scalar) -> State:
    """Early stopping: the weights of the best epoch, until `patience` epochs brought no better.

    The score is the log-loss, or the sum of squared errors over the targets. What comes after a
    lane has stopped changes nothing.
    """
    if state.best is None:
        return state
    score = scores[0] if is_classes(shape.loss) else jnp.sum(scores)
    going = epoch - state.best.epoch < patience
    better = going & (score < state.best.score)
    now = Best(epoch + 1, score, state.judged)
    return state._replace(best=jax.tree.map(partial(jnp.where, better), now, state.best))


def validate(
    layers: list[Layer],
    shape: Shape,
    kind: Activation,
    data: FoldData,
    offset: Array,
    features: ProgramFeatures = ALL_FEATURES,
    clamped: Scalar = False,
) -> tuple[Array, Array]:
    """The mean scores over the fold's validation rows, and the units' sums of losses (UNITS,).

    Unit i sums the rows whose place among those that validate is i modulo UNITS: of each its
    log-loss, or the mean over the targets of its squared errors, in normalized units: those of
    targets that are not transformed, whatever the scale in which they are learned. Block by block;
    without rows the means are NaN and the sums 0. Rows count by their weights, where rows have
    such.
    """
    places = data.validation.shape[0]
    block = SMALL_BLOCK if places <= MANY_ROWS else LARGE_BLOCK

    def add(i: Array, sums: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        total, weight, units = sums
        place = i * block + jnp.arange(block)
        rows = offset + data.validation[jnp.minimum(place, places - 1)]
        outputs = forward(
            layers,
            data.x[rows],
            kind,
            precision=shape.precision,
            bounded=features.bounded,
            front=shape.front,
            residual=shape.residual,
        )
        outputs, y = _comparable(outputs, shape, data, features, clamped)
        scores = row_scores(shape.loss, outputs, y[rows])
        counted = jnp.where(place < data.n_validation, data.weights[rows], 0.0)
        if not features.weighted:
            counted = (place < data.n_validation).astype(jnp.float32)
        spread = jnp.where(counted[:, None] > 0, counted[:, None] * scores, 0.0)
        losses = spread[:, 0] if is_classes(shape.loss) else jnp.mean(spread, axis=1)
        units = units + jnp.sum(losses.reshape(-1, UNITS), axis=0)
        return total + jnp.sum(spread, 0), weight + jnp.sum(counted), units

    blocks = ceiling(data.n_validation, block)
    nothing = jnp.zeros(shape.scores), jnp.float32(0), jnp.zeros(UNITS)
    total, weight, units = jax.lax.fori_loop(0, blocks, add, nothing)
    return total / weight, units


def _comparable(
    outputs: Array, shape: Shape, data: FoldData, features: ProgramFeatures, clamped: Scalar
) -> tuple[Array, Array]:
    """What is predicted, and all rows' truths, in units that all lanes of a fold share."""
    if data.own is not None and shape.transformed:
        outputs = in_own_units(outputs, data.own, data.n_validation)
    if data.bounds is not None and features.clamped:
        outputs = held(outputs, data.bounds, clamped)
    return outputs, data.y if data.own is None else data.own.y


def draw_batch(
    shape: Shape,
    data: FoldData,
    offset: Array,
    row: Array,
    s: Array,
    k: Array,
    source: NoiseSource,
    features: ProgramFeatures = ALL_FEATURES,
) -> tuple[Batch, Array]:
    """Batch s of the order's row `row`, with the noise of step k; and how many rows it has."""
    place = s * shape.batch_size + jnp.arange(shape.batch_size)
    rows = offset + data.order[row, jnp.minimum(place, data.order.shape[1] - 1)]
    present = place < data.n_train
    count = jnp.sum(present.astype(jnp.float32))
    weights = data.weights[rows] if features.weighted else 1.0
    shares = jnp.where(present, weights / count, 0.0)
    return (data.x[rows], data.y[rows], shares, draw_noise(source, k, shape)), count


def train_lane(
    shape: Shape,
    state: State,
    hyperparameters: LaneHyperparameters,
    offset: Array,
    data: FoldData,
    span: Span,
    noise_key: Tensor,
    features: ProgramFeatures = ALL_FEATURES,
) -> tuple[State, Array, Array]:
    """Train one network over a span of epochs, every training row once an epoch (N11).

    The last batch of an epoch may be short: its loss is the mean over the rows it has. A row's
    weight multiplies its part of that mean; divided by the rows and not by the batch's weights, the
    gradient of a batch has that of all rows as its expectation.
    Returns the state, curves (places of `data.order`, 1 + scores): the mean training loss, then
    the mean validation scores; and units (places of `data.order`, UNITS), as `validate` sums them.
    Both are NaN for epochs beyond the span.

    `offset` is zero and is added to every row number. Given once a lane, it makes each lane
    gather its own copy of a batch: were the batch shared, the compiler would merge the lanes'
    first products into one whose blocking, and so whose rounding, depends on their number.
    `noise_key` (2,) uint32 words draw the dropout noise; lanes that share it share their noise.
    """
    steps = ceiling(data.n_train, shape.batch_size)
    hyperparameters = needed(hyperparameters, features)
    source = NoiseSource.of(noise_key, shape, features)

    def one_step(s: Array, carry: tuple[State, Array], epoch: Array) -> tuple[State, Array]:
        state, loss_sum = carry
        k = epoch * steps + s
        batch, count = draw_batch(shape, data, offset, epoch - span.start, s, k, source, features)
        state, loss = take_step(
            state, shape, hyperparameters, span.total * steps, k, batch, features
        )
        return state, loss_sum + loss * count

    def one_epoch(epoch: Array, carry: tuple[State, Array, Array]) -> tuple[State, Array, Array]:
        state, curves, units = carry
        state, loss_sum = jax.lax.fori_loop(
            0, steps, lambda s, c: one_step(s, c, epoch), (state, jnp.float32(0))
        )
        scores, sums = validate(
            state.judged,
            shape,
            hyperparameters.activation,
            data,
            offset,
            features,
            hyperparameters.clamped,
        )
        state = keep_best(state, shape, scores, epoch, span.patience)
        row = jnp.concatenate([(loss_sum / data.n_train)[None], scores])
        place = epoch - span.start
        return (
            state,
            jax.lax.dynamic_update_index_in_dim(curves, row, place, 0),
            jax.lax.dynamic_update_index_in_dim(units, sums, place, 0),
        )

    epochs = data.order.shape[0]
    curves, units = (jnp.full((epochs, width), jnp.nan) for width in (1 + shape.scores, UNITS))
    return jax.lax.fori_loop(span.start, span.stop, one_epoch, (state, curves, units))
