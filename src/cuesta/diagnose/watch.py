"""Trains ONE network as a lane does, and measures it at chosen steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core.average import follow
from cuesta.core.lane import (
    Batch,
    FoldData,
    LaneHyperparameters,
    ProgramFeatures,
    Span,
    State,
    needed,
)
from cuesta.core.layer import Layer
from cuesta.core.step import apply_update, compute_update, forward_backward, take_step, whole_step
from cuesta.core.train import NoiseSource, ceiling, draw_batch, validate
from cuesta.core.types import Scalar, Tensor
from cuesta.diagnose.gauges import Gauges, first_order_gauges, second_order_gauges, squares_of
from cuesta.diagnose.second_order import LocalLoss
from cuesta.diagnose.spectrum import EigenvalueProbe
from cuesta.hyperparameters import Shape


@dataclass(frozen=True)
class WatchProgram:
    """What a program is compiled for; `room` is how many recordings of a span it can hold."""

    shape: Shape
    features: ProgramFeatures
    room: int


class SpanInputs(NamedTuple):
    """What a span of epochs is trained with; each step whose number `every` divides is recorded."""

    hyperparameters: LaneHyperparameters
    data: FoldData
    span: Span
    every: Scalar
    noise_key: Tensor


class Trained(NamedTuple):
    """What every step changes: the network, the curves, the loss of the epoch so far."""

    state: State
    curves: Array
    loss_sum: Array


class Watched(NamedTuple):
    """Besides, what a recorded step changes; the `gauges` have a leading axis `room`."""

    trained: Trained
    probe: EigenvalueProbe | None
    gauges: Gauges


def watch_span(
    program: WatchProgram, state: State, probe: EigenvalueProbe | None, inputs: SpanInputs
) -> tuple[State, EigenvalueProbe | None, Gauges, Array]:
    """Train a network over a span of epochs and record its gauges.

    Also returns the curves (places of `data.order`, 1 + scores), as `train_lane` makes them.
    Between two recorded steps the others run in a loop of their own: no step asks which it is.
    """
    watch = SpanWatch.of(program, inputs)
    every, begin, end = inputs.every, watch.first_step, inputs.span.stop * watch.steps
    last = ceiling(end, every)

    def up_to_recording(number: Array, watched: Watched) -> Watched:
        previous = jnp.maximum(begin, (number - 1) * every + 1)
        return watch.recorded_step(number, watch.plain_steps(previous, number * every, watched))

    watched = jax.lax.fori_loop(
        watch.first_recording, last, up_to_recording, watch.start(state, probe)
    )
    rest = jnp.maximum(begin, (last - 1) * every + 1)
    trained, probe, gauges = watch.plain_steps(rest, end, watched)
    return trained.state, probe, gauges, trained.curves


@dataclass(frozen=True)
class SpanWatch:
    """The steps of one span: its program is static, all else is traced.

    `steps` are those of an epoch, `total` those of the whole schedule. Steps and recordings are
    numbered from 0 over the whole training.
    """

    program: WatchProgram
    inputs: SpanInputs
    source: NoiseSource
    steps: Array
    total: Array
    first_step: Array
    first_recording: Array

    @classmethod
    def of(cls, program: WatchProgram, inputs: SpanInputs) -> SpanWatch:
        """What follows from the inputs, computed once."""
        numbers = needed(inputs.hyperparameters, program.features)
        inputs = inputs._replace(hyperparameters=numbers)
        steps = ceiling(inputs.data.n_train, program.shape.batch_size)
        first = inputs.span.start * steps
        total = inputs.span.total * steps
        source = NoiseSource.of(inputs.noise_key, program.shape, program.features)
        return cls(program, inputs, source, steps, total, first, ceiling(first, inputs.every))

    def start(self, state: State, probe: EigenvalueProbe | None) -> Watched:
        """The state before the span, with room for what the span will bring."""
        program, number = self.program, jnp.int32(0)
        one = jax.eval_shape(lambda: self.observe(number, state, probe)[2])
        gauges = jax.tree.map(lambda leaf: jnp.zeros((program.room, *leaf.shape), leaf.dtype), one)
        curves = jnp.full((self.inputs.data.order.shape[0], 1 + program.shape.scores), jnp.nan)
        return Watched(Trained(state, curves, jnp.float32(0)), probe, gauges)

    def plain_steps(self, begin: Array, end: Array, watched: Watched) -> Watched:
        """The steps from begin to end, without gauges."""
        trained = jax.lax.fori_loop(begin, end, self._plain_step, watched.trained)
        return watched._replace(trained=trained)

    def _plain_step(self, k: Array, trained: Trained) -> Trained:
        batch, rows = self._batch(k)
        numbers, features = self.inputs.hyperparameters, self.program.features
        state, loss = take_step(
            trained.state, self.program.shape, numbers, self.total, k, batch, features
        )
        return self._after_step(k, trained, state, loss * rows)

    def recorded_step(self, number: Array, watched: Watched) -> Watched:
        """The step of recording `number`, with its gauges put in their place."""
        trained = watched.trained
        state, probe, one, rows = self.observe(number, trained.state, watched.probe)
        place = jnp.minimum(number - self.first_recording, self.program.room - 1)
        gauges = jax.tree.map(lambda room, value: room.at[place].set(value), watched.gauges, one)
        loss = one.economy.loss * rows
        trained = self._after_step(number * self.inputs.every, trained, state, loss)
        return Watched(trained, probe, gauges)

    def observe(
        self, number: Array, state: State, probe: EigenvalueProbe | None
    ) -> tuple[State, EigenvalueProbe | None, Gauges, Array]:
        """The step of recording `number` as `take_step` takes it; its gauges and number of rows.

        Gauges of second order are taken where there is a probe.
        """
        shape, features = self.program.shape, self.program.features
        numbers, k = self.inputs.hyperparameters, number * self.inputs.every
        batch, rows = self._batch(k)
        seen = forward_backward(state.layers, shape, numbers, batch, features)
        squares = squares_of(seen.grads)
        update = compute_update(state, shape, numbers, self.total, k, seen.grads, features, squares)
        after = follow(apply_update(state, k, seen.loss, update), numbers.least_share, k)
        economy = first_order_gauges(
            seen,
            squares,
            update.delta,
            after.layers,
            numbers,
            batch[2],
            bounded=features.bounded,
            front=shape.front.depth,
        )
        if probe is None:
            return after, None, Gauges(economy, None), rows
        at = LocalLoss(state.layers, seen, shape, numbers, batch, features)
        step = whole_step(state, update)
        full, moved = second_order_gauges(at, step, after.layers, probe, number)
        return after, moved, Gauges(economy, full), rows

    @property
    def _offset(self) -> Array:
        """Of row numbers: none, since only lanes that train side by side need one."""
        return jnp.int32(0)

    def _batch(self, k: Array) -> tuple[Batch, Array]:
        """The batch of step k, and how many rows it has."""
        inputs, epoch = self.inputs, jax.lax.div(k, self.steps)
        row, s = epoch - inputs.span.start, k - epoch * self.steps
        return draw_batch(
            self.program.shape, inputs.data, self._offset, row, s, k, self.source,
            self.program.features,
        )  # fmt: skip

    def _after_step(self, k: Array, before: Trained, state: State, loss: Array) -> Trained:
        """What step k leaves; at an epoch's end with the epoch's row of the curves."""
        epoch = jax.lax.div(k, self.steps)
        last = k - epoch * self.steps == self.steps - 1
        loss_sum = before.loss_sum + loss

        def with_epoch(layers: list[Layer]) -> Array:
            row = self._curve_row(layers, loss_sum)
            return before.curves.at[epoch - self.inputs.span.start].set(row)

        curves = jax.lax.cond(last, with_epoch, lambda _: before.curves, state.judged)
        return Trained(state, curves, jnp.where(last, 0.0, loss_sum))

    def _curve_row(self, layers: list[Layer], loss_sum: Array) -> Array:
        """(1 + scores,): the epoch's mean training loss, then the validation scores."""
        data, numbers = self.inputs.data, self.inputs.hyperparameters
        program = self.program
        scores, _ = validate(
            layers,
            program.shape,
            numbers.activation,
            data,
            self._offset,
            program.features,
            numbers.clamped,
        )
        return jnp.concatenate([(loss_sum / data.n_train)[None], scores])
