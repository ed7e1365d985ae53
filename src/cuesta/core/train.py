"""Mini-batch training of ONE network (N11), with its validation curve and its outcome."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cuesta.core.backprop import deltas, gradient
from cuesta.core.clip import clip_by_norm, clip_by_value
from cuesta.core.foreign import factory
from cuesta.core.loss import loss_and_slope, row_scores
from cuesta.core.net import Activation, Layer, Tape, forward, record
from cuesta.core.noise import noise_bits
from cuesta.core.optim import Rule, descend, init_moments, update
from cuesta.core.rounding import rounded
from cuesta.core.schedule import linear_decay
from cuesta.core.types import Params, Scalar, Tensor
from cuesta.hyperparameters import Shape, is_classes

# Rows validated at once: they bound the activations held. Small tables take small blocks, so that
# the last one is not mostly empty.
SMALL_BLOCK, LARGE_BLOCK, MANY_ROWS = 64, 256, 1024

Batch = tuple[Array, Array, Array, list[Array] | None]  # x, y, shares of the loss, noise


class Numbers(NamedTuple):
    """The numbers of one lane: its candidate's hyper-parameters, ready to be batched."""

    rule: Rule
    activation: Activation
    alpha_0: Scalar
    alpha_t: Scalar
    keep_threshold: Scalar
    clip_norm: Scalar
    clip_value: Scalar
    weight_decay: Scalar
    loss_number: Scalar


class Parts(NamedTuple):
    """What a program can do; a part that no lane of a run needs can be left out.

    That changes no bit of any lane: `memory` keeps the moments of all but SGD, `bounded` computes
    tanh and σ, `dropout` draws noise. `weighted` reads the rows' weights, where rows have such.
    """

    memory: bool = True
    bounded: bool = True
    dropout: bool = True
    weighted: bool = True


EVERYTHING = Parts()


class FoldData(NamedTuple):
    """One fold: normalized rows, and the order in which they train.

    `x` (rows, inputs) float32; `y` (rows,) class numbers, or (rows, targets) normalized values or
    labels; `weights` (rows,), their mean over the training rows 1;
    `order` (epochs, places): row numbers, a shuffle per epoch, of which the first `n_train`
    count; `validation` (places,): row numbers, of which the first `n_validation` count.
    """

    x: Array
    y: Array
    weights: Array
    order: Tensor
    n_train: Scalar
    validation: Array
    n_validation: Scalar


class Span(NamedTuple):
    """Epochs from `start` (counted from 0) to `stop`; the learning rate decays over `total`.

    `patience`: a lane that stops early does so when so many epochs brought no better score.
    """

    start: Scalar
    stop: Scalar
    total: Scalar
    patience: Scalar


class Outcome(NamedTuple):
    """How a lane goes: the step (from 1) with the first non-finite loss or gradient, or 0.

    `norm` is the last finite gradient norm before clipping.
    """

    diverged_at: Scalar
    norm: Scalar


class Best(NamedTuple):
    """Of a lane that stops early: the best epoch (from 1) so far, its score and its weights."""

    epoch: Scalar
    score: Scalar
    layers: list[Layer]


class State(NamedTuple):
    """What the next step needs; `best` where the lane stops early."""

    layers: list[Layer]
    moments: Params  # our Moments, or a foreign optimizer's own state
    outcome: Outcome
    best: Best | None = None

    @property
    def chosen(self) -> list[Layer]:
        """The weights that a fit keeps: those of the best epoch, where the lane stops early."""
        return self.layers if self.best is None else self.best.layers

    @property
    def best_epoch(self) -> int:
        """The epoch (from 1) of the chosen weights where the lane stops early, else 0."""
        return 0 if self.best is None else int(self.best.epoch)


def initial_state(
    layers: list[Layer], rule: Rule, foreign: str = "", *, early: bool = False
) -> State:
    """The state before the first step, in NumPy: nothing is compiled for our own optimizers."""
    moments = init_moments(rule, layers)
    if foreign:
        state = factory(foreign)(learning_rate=1.0).init(layers)  # which no rate enters
        moments = jax.tree.map(np.asarray, state)
    best = Best(np.int32(0), np.float32(np.inf), layers) if early else None
    return State(layers, moments, Outcome(np.int32(0), np.float32(0)), best)


def draw_noise(key: Tensor, step: Array, shape: Shape) -> list[Array]:
    """Uniform 16-bit noise (rows, units) for each hidden layer, of this step (N1)."""
    rows, start, pieces = shape.batch_size, 0, []
    flat = noise_bits(key, step, rows * sum(shape.hidden))
    for units in shape.hidden:
        pieces.append(flat[start : start + rows * units].reshape(rows, units))
        start += rows * units
    return pieces


class Pass(NamedTuple):
    """A pass forth and back over a batch: J, what the layers put out, their δ and G."""

    loss: Array
    tape: Tape
    deltas: list[Array]
    grads: list[Layer]


def forth_and_back(
    layers: list[Layer], shape: Shape, numbers: Numbers, batch: Batch, parts: Parts = EVERYTHING
) -> Pass:
    """J = (1/b) Σ ℓ(f(xᵢ, w), yᵢ) over the b rows of the batch, and G = ∇J (N11)."""
    x, y, shares, noise = batch
    tape = record(
        layers,
        x,
        numbers.activation,
        noise,
        numbers.keep_threshold,
        shape.precision,
        parts.bounded,
    )
    loss, delta = loss_and_slope(shape.loss, tape.outputs, y, shares, numbers.loss_number)
    found = deltas(layers, tape, delta, shape.precision)
    return Pass(loss, tape, found, gradient(tape, found, shape.precision))


def loss_and_gradient(
    layers: list[Layer], shape: Shape, numbers: Numbers, batch: Batch, parts: Parts = EVERYTHING
) -> tuple[Array, list[Layer]]:
    """J of the batch, and G = ∇J."""
    seen = forth_and_back(layers, shape, numbers, batch, parts)
    return seen.loss, seen.grads


def ceiling(count: Scalar, size: Scalar) -> Array:
    """⌈count/size⌉ of whole numbers that are not negative, which spares the compiler the signs."""
    return jax.lax.div(count + jnp.int32(size - 1), jnp.int32(size))


def take_step(
    state: State,
    shape: Shape,
    numbers: Numbers,
    total: Scalar,
    k: Array,
    batch: Batch,
    parts: Parts = EVERYTHING,
) -> tuple[State, Array]:
    """Gradient, clipping, rule: step k (from 0) of `total`, and the batch's loss."""
    loss, grads = loss_and_gradient(state.layers, shape, numbers, batch, parts)
    return follow(state, k, loss, ask(state, shape, numbers, total, k, grads, parts)), loss


class Asked(NamedTuple):
    """What a step is to do: the rule's Δ and its new moments, αλ of the decay, and ‖G‖."""

    delta: list[Layer]
    moments: Params
    decay: Array
    norm: Array


def ask(
    state: State,
    shape: Shape,
    numbers: Numbers,
    total: Scalar,
    k: Array,
    grads: list[Layer],
    parts: Parts = EVERYTHING,
    squares: list[Layer] | None = None,
) -> Asked:
    """Clipping and rule: what step k of `total` asks for, given its gradient.

    `squares` are the `sum_of_squares` of the gradient's leaves, where they are known already.
    """
    alpha = linear_decay(numbers.alpha_0, numbers.alpha_t, total, k)
    grads, norm = clip_by_norm(grads, numbers.clip_norm, squares)
    grads = clip_by_value(grads, numbers.clip_value)
    if shape.foreign:
        opt = factory(shape.foreign)(learning_rate=alpha)
        delta, moments = opt.update(grads, state.moments, state.layers)
    elif parts.memory:
        delta, moments = update(numbers.rule, alpha, k + 1, grads, state.moments)
    else:
        delta, moments = descend(alpha, k, grads), state.moments
    return Asked(delta, moments, alpha * numbers.weight_decay, norm)


def follow(state: State, k: Array, loss: Array, asked: Asked) -> State:
    """W ← w − αλw + Δ: the decay apart from the gradient (Loshchilov and Hutter, 2019).

    Biases do not decay.
    """
    kept = [Layer(rounded(w * (1.0 - asked.decay), k), b) for w, b in state.layers]
    layers = jax.tree.map(jnp.add, kept, asked.delta)
    finite = jnp.isfinite(loss) & jnp.isfinite(asked.norm)
    going = state.outcome.diverged_at == 0
    outcome = Outcome(
        jnp.where(going & ~finite, k + 1, state.outcome.diverged_at),
        jnp.where(going & finite, asked.norm, state.outcome.norm),
    )
    return State(layers, asked.moments, outcome, state.best)


def whole_step(state: State, asked: Asked) -> list[Layer]:
    """Δ with the decay in it: what `follow` adds to the weights, but for roundings."""
    return [
        Layer(delta.w - asked.decay * layer.w, delta.b)
        for delta, layer in zip(asked.delta, state.layers, strict=True)
    ]


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
    now = Best(epoch + 1, score, state.layers)
    return state._replace(best=jax.tree.map(partial(jnp.where, better), now, state.best))


def validate(
    layers: list[Layer],
    shape: Shape,
    kind: Activation,
    data: FoldData,
    offset: Array,
    parts: Parts = EVERYTHING,
) -> Array:
    """The mean scores over the fold's validation rows, block by block; NaN where there are none.

    Rows count by their weights, where rows have such.
    """
    places = data.validation.shape[0]
    block = SMALL_BLOCK if places <= MANY_ROWS else LARGE_BLOCK

    def add(i: Array, sums: tuple[Array, Array]) -> tuple[Array, Array]:
        total, weight = sums
        place = i * block + jnp.arange(block)
        rows = offset + data.validation[jnp.minimum(place, places - 1)]
        outputs = forward(
            layers, data.x[rows], kind, precision=shape.precision, bounded=parts.bounded
        )
        scores = row_scores(shape.loss, outputs, data.y[rows])
        counted = jnp.where(place < data.n_validation, data.weights[rows], 0.0)
        if not parts.weighted:
            counted = (place < data.n_validation).astype(jnp.float32)
        spread = jnp.where(counted[:, None] > 0, counted[:, None] * scores, 0.0)
        return total + jnp.sum(spread, 0), weight + jnp.sum(counted)

    blocks = ceiling(data.n_validation, block)
    total, weight = jax.lax.fori_loop(0, blocks, add, (jnp.zeros(shape.scores), jnp.float32(0)))
    return total / weight


def draw_batch(
    shape: Shape,
    data: FoldData,
    offset: Array,
    turn: Array,
    s: Array,
    k: Array,
    noise_key: Tensor,
    parts: Parts = EVERYTHING,
) -> tuple[Batch, Array]:
    """Batch s of the order's row `turn`, with the noise of step k; and how many rows it has."""
    place = s * shape.batch_size + jnp.arange(shape.batch_size)
    rows = offset + data.order[turn, jnp.minimum(place, data.order.shape[1] - 1)]
    present = place < data.n_train
    count = jnp.sum(present.astype(jnp.float32))
    weights = data.weights[rows] if parts.weighted else 1.0
    shares = jnp.where(present, weights / count, 0.0)
    noise = draw_noise(noise_key, k, shape) if parts.dropout else None
    return (data.x[rows], data.y[rows], shares, noise), count


def train_lane(
    shape: Shape,
    state: State,
    numbers: Numbers,
    offset: Array,
    data: FoldData,
    span: Span,
    noise_key: Tensor,
    parts: Parts = EVERYTHING,
) -> tuple[State, Array]:
    """Train one network over a span of epochs, every training row once an epoch (N11).

    The last batch of an epoch may be short: its loss is the mean over the rows it has. A row's
    weight multiplies its part of that mean; divided by the rows and not by the batch's weights, the
    gradient of a batch has that of all rows as its expectation.
    Returns the state, and curves (places of `data.order`, 1 + scores): the mean training loss,
    then the mean validation scores; NaN for epochs beyond the span.

    `offset` is zero and is added to every row number. Given once a lane, it makes each lane
    gather its own copy of a batch: were the batch shared, the compiler would merge the lanes'
    first products into one whose blocking, and so whose rounding, depends on their number.
    `noise_key` (2,) uint32 words draw the dropout noise; lanes that share it share their noise.
    """
    steps = ceiling(data.n_train, shape.batch_size)

    def one_step(s: Array, carry: tuple[State, Array], epoch: Array) -> tuple[State, Array]:
        state, loss_sum = carry
        k = epoch * steps + s
        batch, count = draw_batch(shape, data, offset, epoch - span.start, s, k, noise_key, parts)
        state, loss = take_step(state, shape, numbers, span.total * steps, k, batch, parts)
        return state, loss_sum + loss * count

    def one_epoch(epoch: Array, carry: tuple[State, Array]) -> tuple[State, Array]:
        state, curves = carry
        state, loss_sum = jax.lax.fori_loop(
            0, steps, lambda s, c: one_step(s, c, epoch), (state, jnp.float32(0))
        )
        scores = validate(state.layers, shape, numbers.activation, data, offset, parts)
        state = keep_best(state, shape, scores, epoch, span.patience)
        row = jnp.concatenate([(loss_sum / data.n_train)[None], scores])
        return state, jax.lax.dynamic_update_index_in_dim(curves, row, epoch - span.start, 0)

    curves = jnp.full((data.order.shape[0], 1 + shape.scores), jnp.nan)
    return jax.lax.fori_loop(span.start, span.stop, one_epoch, (state, curves))
