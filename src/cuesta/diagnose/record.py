"""Training one network under watch: the same steps, with gauges at chosen ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cuesta.core.lane import (
    FoldData,
    LaneHyperparameters,
    ProgramFeatures,
    Span,
    State,
    initial_state,
)
from cuesta.core.lane_hyperparameters import features_for, lane_hyperparameters
from cuesta.core.net import Layer
from cuesta.core.step import apply_update, compute_update, forward_backward, take_step, whole_step
from cuesta.core.train import ceiling, draw_batch, validate
from cuesta.core.types import Tensor
from cuesta.diagnose.gauges import Economy, Full, Probe, economy, full, squares_of, unit
from cuesta.diagnose.second_order import Curved
from cuesta.errors import SpecError
from cuesta.hyperparameters import Shape
from cuesta.training.feed import Feed
from cuesta.training.lanes import PROGRAMS, Lane, compiler_options, first_layers, float32, noise_key

LEAST_ROOM, LARGEST_ROOM = 512, 1 << 14  # recordings of one span of epochs
MOST = 400  # recordings of a whole training, unless asked for more


@dataclass(frozen=True)
class Recording:
    """Gauges of the recorded steps: each an array (recordings, ...) as `Economy` and `Full` say.

    `steps` are the steps' numbers from 1; `total` is how many the training has; `outcome` the step
    (from 1) of the first number that was not finite, or 0; `curves` (epochs, 1 + scores) the mean
    training loss and the validation scores, NaN where no rows validate.
    """

    steps: np.ndarray
    total: int
    steps_an_epoch: int
    economy: Economy
    full: Full | None
    outcome: int
    curves: np.ndarray


def observe(
    state: State,
    probe: Probe | None,
    shape: Shape,
    hyperparameters: LaneHyperparameters,
    total: Array,
    k: Array,
    batch: Any,
    turn: Array,
    features: ProgramFeatures,
) -> tuple[State, Probe | None, Economy, Full | None]:
    """One step as `take_step` takes it, and its gauges; the dear ones where there is a probe."""
    seen = forward_backward(state.layers, shape, hyperparameters, batch, features)
    squares = squares_of(seen.grads)
    asked = compute_update(state, shape, hyperparameters, total, k, seen.grads, features, squares)
    after = apply_update(state, k, seen.loss, asked)
    cheap = economy(
        seen,
        squares,
        asked.delta,
        after.layers,
        hyperparameters,
        batch[2],
        bounded=features.bounded,
    )
    if probe is None:
        return after, None, cheap, None
    at = Curved(state.layers, seen, shape, hyperparameters, batch, features)
    dear, moved = full(at, whole_step(state, asked), after.layers, probe, turn)
    return after, moved, cheap, dear


def watch_span(
    shape: Shape,
    features: ProgramFeatures,
    room: int,
    state: State,
    probe: Probe | None,
    hyperparameters: LaneHyperparameters,
    data: FoldData,
    span: Span,
    every: Array,
    key: Tensor,
) -> tuple[State, Probe | None, Economy, Full | None, Array]:
    """Train ONE network over a span of epochs with gauges at each step that `every` divides.

    Also the curves, as `train_lane` makes them.
    """
    steps = ceiling(data.n_train, shape.batch_size)
    offset = jnp.int32(0)
    first = ceiling(span.start * steps, every)

    def batch_of(k: Array) -> Any:
        epoch = jax.lax.div(k, steps)
        turn = epoch - span.start
        return draw_batch(shape, data, offset, turn, k - epoch * steps, k, key, features)

    def closed(k: Array, state: State, curves: Array, losses: Array) -> tuple[Array, Array]:
        """At an epoch's end: its row of the curves."""
        epoch = jax.lax.div(k, steps)
        last = k - epoch * steps == steps - 1

        def row(layers: list[Layer]) -> Array:
            scores = validate(layers, shape, hyperparameters.activation, data, offset, features)
            kept = jnp.concatenate([(losses / data.n_train)[None], scores])
            return curves.at[epoch - span.start].set(kept)

        curves = jax.lax.cond(last, row, lambda _: curves, state.layers)
        return curves, jnp.where(last, 0.0, losses)

    def watched(at: Array, carry: Any) -> Any:
        state, probe, buffers, curves, losses = carry
        k = at * every
        batch, count = batch_of(k)
        state, probe, cheap, dear = observe(
            state, probe, shape, hyperparameters, span.total * steps, k, batch, at, features
        )
        place = jnp.minimum(at - first, room - 1)
        buffers = jax.tree.map(
            lambda buffer, value: buffer.at[place].set(value), buffers, [cheap, dear]
        )
        return state, probe, buffers, *closed(k, state, curves, losses + cheap.loss * count)

    def plain(k: Array, carry: Any) -> Any:
        state, curves, losses = carry
        batch, count = batch_of(k)
        state, loss = take_step(
            state, shape, hyperparameters, span.total * steps, k, batch, features
        )
        return state, *closed(k, state, curves, losses + loss * count)

    def unwatched(begin: Array, end: Array, carry: Any) -> Any:
        state, probe, buffers, *rest = carry
        state, *rest = jax.lax.fori_loop(begin, end, plain, (state, *rest))
        return state, probe, buffers, *rest

    def one(at: Array, carry: Any) -> Any:
        """The steps since the one before, and one under watch: no step asks which it is."""
        return watched(at, unwatched(jnp.maximum(begin, (at - 1) * every + 1), at * every, carry))

    begin, end = span.start * steps, span.stop * steps
    last = ceiling(end, every)
    like = jax.eval_shape(
        lambda: observe(
            state,
            probe,
            shape,
            hyperparameters,
            span.total,
            jnp.int32(0),
            batch_of(jnp.int32(0))[0],
            jnp.int32(0),
            features,
        )[2:]
    )
    buffers = jax.tree.map(lambda leaf: jnp.zeros((room, *leaf.shape), leaf.dtype), list(like))
    curves = jnp.full((data.order.shape[0], 1 + shape.scores), jnp.nan)
    carry = (state, probe, buffers, curves, jnp.float32(0))
    carry = jax.lax.fori_loop(first, last, one, carry)
    begin = jnp.maximum(begin, (last - 1) * every + 1)
    state, probe, (cheap, dear), curves, _ = unwatched(begin, end, carry)
    return state, probe, cheap, dear, curves


def first_probe(layers: list[Layer], seed: int) -> Probe:
    """Two random directions, the same for a seed."""
    rng = np.random.default_rng([5, seed])

    def draw() -> list[Layer]:
        made = [
            Layer(*(rng.standard_normal(leaf.shape, np.float32) for leaf in layer))
            for layer in layers
        ]
        return jax.tree.map(np.asarray, unit(made))

    return Probe(draw(), draw(), np.bool_(True), np.float32(0), np.float32(0))


def record(
    lane: Lane,
    feed: Feed,
    shape: Shape,
    epochs: int,
    *,
    instruments: str = "economy",
    schedule_epochs: int | None = None,
    every: int | None = None,
    layers: list[Layer] | None = None,
) -> Recording:
    """Train the lane under watch.

    Gauges are taken `every` so many steps, by default so that there are about 400 of them. Other
    initial `layers` may be given. Raises SpecError for an optimizer that is not of our table.
    """
    if shape.foreign:
        raise SpecError(f"The instruments read our own optimizers, not {shape.foreign}.")
    candidate = lane.candidate
    fold = feed.folds[lane.fold]
    steps = -(-len(fold.train) // shape.batch_size)
    total = steps * epochs
    every = every or max(1, total // MOST)
    longest = steps * min(feed.span, epochs)  # steps of a span
    every = max(every, -(-longest // LARGEST_ROOM))
    room = max(LEAST_ROOM, 1 << (-(-longest // every) - 1).bit_length())
    hyperparameters = float32(lane_hyperparameters(candidate))
    if layers is None:
        layers = first_layers(lane, shape, feed)
    state = initial_state(layers, hyperparameters.rule, shape)
    probe = first_probe(layers, lane.seed) if instruments == "full" else None
    features = features_for([candidate])._replace(weighted=feed.weighted)
    pieces, curves = [], []
    for start in range(0, epochs, feed.span):
        stop = min(start + feed.span, epochs)
        data = feed.span_data(lane.fold, candidate.normalize, lane.seed, start, stop)
        span = Span(
            np.int32(start), np.int32(stop), np.int32(schedule_epochs or epochs), np.int32(0)
        )
        key = noise_key(lane.seed, feed.draws(lane.fold))
        arguments = (state, probe, hyperparameters, data, span, np.int32(every), key)
        program = PROGRAMS.get(
            ("watch", shape, features, room),
            partial(watch_span, shape, features, room),
            arguments,
            like=(
                state,
                probe,
                Economy(*[0] * len(Economy._fields)),
                None if probe is None else Full(*[0] * len(Full._fields)),
                0,
            ),
            options=compiler_options(shape),
        )
        state, probe, *gauges, curve = program(*arguments)
        curves.append(np.asarray(curve)[: stop - start])
        first, last = (-(-k // every) for k in (start * steps, stop * steps))
        pieces.append(jax.tree.map(lambda leaf, n=last - first: np.asarray(leaf)[:n], gauges))
    cheap, dear = jax.tree.map(lambda *leaves: np.concatenate(leaves), *pieces)
    return Recording(
        np.arange(0, total, every) + 1,
        total,
        steps,
        cheap,
        dear,
        int(state.outcome.diverged_at),
        np.concatenate(curves),
    )


def as_arrays(recording: Recording) -> dict[str, np.ndarray]:
    """The recording as named arrays, for a file."""
    found = {"steps": recording.steps}
    about = [recording.total, recording.steps_an_epoch, recording.outcome]
    found["curves"] = recording.curves
    found["about"] = np.array(about, np.int64)
    for kind, gauges in (("economy", recording.economy), ("full", recording.full)):
        if gauges is not None:
            found |= {f"{kind}.{name}": value for name, value in gauges._asdict().items()}
    return {name: np.ascontiguousarray(value) for name, value in found.items()}


def from_arrays(arrays: dict[str, np.ndarray]) -> Recording:
    """The recording that `as_arrays` wrote. Raises KeyError or ValueError for another's."""
    total, steps, outcome = (int(value) for value in arrays["about"])
    cheap = Economy(*(arrays[f"economy.{name}"] for name in Economy._fields))
    dear = None
    if "full.actual" in arrays:
        dear = Full(*(arrays[f"full.{name}"] for name in Full._fields))
    return Recording(arrays["steps"], total, steps, cheap, dear, outcome, arrays["curves"])
