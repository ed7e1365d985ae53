"""Lanes and chunks: the only place where the code for one network is batched and compiled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import numpy as np

from cuesta._util.caches import cache_folder
from cuesta.core.average import room_for_average
from cuesta.core.init import init_front, init_layers
from cuesta.core.lane import ALL_FEATURES, FoldData, ProgramFeatures, Span, State, initial_state
from cuesta.core.lane_hyperparameters import lane_hyperparameters
from cuesta.core.layer import Layer
from cuesta.core.train import train_lane
from cuesta.hyperparameters import PIECEWISE, Candidate, Shape
from cuesta.training.code_digest import code_digest
from cuesta.training.feed import Feed
from cuesta.training.memory import shortage_told
from cuesta.training.planner import step_flops
from cuesta.training.programs import Arguments, Program, Programs, Tree

# Reductions by the compiler's own loops, products by its library: with the library's reductions
# the last bit of a lane's sums would depend on how many lanes stand beside it.
CPU_OPTIONS = {
    "xla_cpu_multi_thread_eigen": False,
    "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_DOT",
}


# A step of so few operations is hardly quicker for the compiler's full effort, which takes twice as
# long as half of it.
SHORT_STEP = 2_000_000


class StoppedError(Exception):
    """The run was told to stop; what is finished is kept."""


@dataclass(frozen=True)
class Lane:
    """One network in training: one candidate, one fold, one seed."""

    candidate: Candidate
    fold: int
    seed: int


@dataclass(frozen=True)
class Training:
    """All that one network's training takes: its lane, what feeds it, its shape, its epochs.

    The learning rate decays over `schedule_epochs`, where these are more than the epochs trained.
    """

    lane: Lane
    feed: Feed
    shape: Shape
    epochs: int
    schedule_epochs: int

    def first_layers(self) -> list[Layer]:
        """The initial weights."""
        return first_layers(self.lane, self.shape, self.feed)


@dataclass(frozen=True)
class Chunk:
    """Lanes of one shape, fold, seed and scales, trained in one compiled call.

    `features` are what any lane of this shape in the run needs of a program. Lanes that stop early
    keep the weights of their best epoch, once `patience` epochs have brought no better score.
    `stops`, where given, are the epochs after which each lane ends; lanes that end before others
    of the chunk are what they would be alone. `checkpoints` are epochs after which the weights of
    all lanes are kept for the result.
    """

    shape: Shape
    width: int
    lanes: tuple[Lane, ...]
    epochs: int
    schedule_epochs: int
    features: ProgramFeatures = ALL_FEATURES
    patience: int | None = None
    stops: tuple[int, ...] = ()
    checkpoints: tuple[int, ...] = ()

    def next_stop(self, epoch: int) -> int:
        """The first epoch after this one at which a lane ends, or its weights are kept."""
        stops = (*self.stops, *self.checkpoints)
        return min((stop for stop in stops if stop > epoch), default=self.epochs)


@dataclass(frozen=True)
class ChunkResult:
    """A row for each lane: curves (epochs, 1 + scores), units, step of divergence (0: none), norm.

    `units` (epochs, UNITS) are the sums of validation losses of `core.train.validate`.
    `layers` are the weights at the end, or after the best epoch where lanes stop early; `best` is
    that epoch, from 1, and else 0. `seconds` is the time that the whole chunk took. `seen` are the
    weights of all lanes after the epochs of the chunk's checkpoints.
    """

    curves: np.ndarray
    units: np.ndarray
    diverged_at: np.ndarray
    norm: np.ndarray
    layers: list[list[Layer]]
    best: np.ndarray
    seconds: float
    seen: Mapping[int, list[list[Layer]]] = field(default_factory=dict)


def stack(trees: Sequence[Tree]) -> Tree:
    """Trees of numbers or arrays, one a lane, as one tree with a leading lane axis."""
    return jax.tree.map(lambda *leaves: np.stack(leaves), *trees)


def float32(tree: Tree) -> Tree:
    """Numbers in float32; flags stay flags."""
    return jax.tree.map(lambda x: np.bool_(x) if isinstance(x, bool) else np.float32(x), tree)


def noise_key(seed: int, fold: int) -> np.ndarray:
    """The words of the key of a fold's dropout noise; all its candidates share it."""
    return np.random.SeedSequence([2, seed, fold]).generate_state(2)


def _train_chunk(
    shape: Shape,
    features: ProgramFeatures,
    state: State,
    hyperparameters: Tree,
    offset: jax.Array,
    data: FoldData,
    span: Span,
    key: jax.Array,
) -> tuple[State, jax.Array, jax.Array]:
    one_lane = partial(train_lane, shape, features=features)
    return jax.vmap(one_lane, in_axes=(0, 0, 0, None, None, None))(
        state, hyperparameters, offset, data, span, key
    )


PROGRAMS = Programs(cache_folder() / "programs")


def compiler_options(shape: Shape) -> dict[str, Any]:
    """How the compiler is asked to work."""
    if jax.default_backend() != "cpu":
        return {}
    quick = {"xla_backend_optimization_level": 1} if step_flops(shape) < SHORT_STEP else {}
    return CPU_OPTIONS | quick


def _static(chunk: Chunk, feed: Feed) -> tuple[Shape, ProgramFeatures]:
    """All that a chunk's program is made for, but for the shapes of its arguments."""
    return chunk.shape, chunk.features._replace(weighted=feed.weighted)


def _known_by(chunk: Chunk, feed: Feed) -> Hashable:
    """What tells its program from others: the code of a factory may change, and it stay itself."""
    factory = chunk.shape.factory
    return (*_static(chunk, feed), None if factory is None else code_digest(factory))


def _program(chunk: Chunk, feed: Feed, arguments: Arguments) -> Program:
    """The chunk's compiled program."""
    return PROGRAMS.get(
        _known_by(chunk, feed),
        partial(_train_chunk, *_static(chunk, feed)),
        arguments,
        like=(arguments[0], 0, 0),  # the state, curves, and units
        options=compiler_options(chunk.shape),
        on_disk=_can_be_kept(chunk),
    )


def _can_be_kept(chunk: Chunk) -> bool:
    """Whether the program's key tells all of it: not the code of a factory of the user's own."""
    return chunk.shape.factory is None


def _arguments(
    chunk: Chunk, feed: Feed, state: State, hyperparameters: Tree, start: int
) -> Arguments:
    first = chunk.lanes[0]
    candidate = first.candidate
    stop = min(start + feed.span, chunk.next_stop(start))
    data = feed.span_data(
        first.fold,
        candidate.normalize,
        first.seed,
        start,
        stop,
        chunk.shape.front,
        candidate.target_transform,
    )
    patience = np.int32(chunk.patience or 0)
    span = Span(np.int32(start), np.int32(stop), np.int32(chunk.schedule_epochs), patience)
    offset = np.zeros(chunk.width, np.int32)
    return state, hyperparameters, offset, data, span, noise_key(first.seed, feed.draws(first.fold))


def first_layers(lane: Lane, shape: Shape, feed: Feed) -> list[Layer]:
    """A lane's initial weights."""
    draws, candidate = [0, lane.seed, feed.draws(lane.fold)], lane.candidate
    dense = init_layers(draws, shape.sizes, candidate.init)
    if not shape.front.depth:
        return dense
    bins = None
    if shape.front.embedding in PIECEWISE:
        bins = feed.bins(lane.fold, candidate.normalize, shape.front)
    front = init_front(draws, shape.front, shape.inputs, candidate.embedding_sigma, bins)
    return [*front, *dense]


def _first_state(lane: Lane, chunk: Chunk, feed: Feed) -> State:
    """A lane's state before its first step."""
    layers = first_layers(lane, chunk.shape, feed)
    rule = float32(lane_hyperparameters(lane.candidate).rule)
    early, averaged = chunk.patience is not None, chunk.features.averaged
    return initial_state(layers, rule, chunk.shape, early=early, averaged=averaged)


def _begin(chunk: Chunk, feed: Feed, states: Sequence[State] = ()) -> tuple[State, Tree]:
    """The stacked states and numbers; the last lane is repeated up to the width."""
    states = [room_for_average(state, averaged=chunk.features.averaged) for state in states]
    states = states or [_first_state(lane, chunk, feed) for lane in chunk.lanes]
    hyperparameters = [float32(lane_hyperparameters(lane.candidate)) for lane in chunk.lanes]
    spare = chunk.width - len(chunk.lanes)
    return stack(states + states[-1:] * spare), stack(
        hyperparameters + hyperparameters[-1:] * spare
    )


def compile_chunk(chunk: Chunk, feed: Feed) -> None:
    """Compile the chunk's program, if it is new, and train nothing."""
    with _shortage_told(chunk, feed):
        _program(chunk, feed, _arguments(chunk, feed, *_begin(chunk, feed), 0))


def _shortage_told(chunk: Chunk, feed: Feed) -> AbstractContextManager[None]:
    """Say it in a sentence where the chunk does not fit the memory."""
    return shortage_told(chunk.shape, chunk.width, feed.rows)


def is_compiled(chunk: Chunk, feed: Feed) -> bool:
    """Whether the chunk's program is at hand."""
    arguments = _arguments(chunk, feed, *_begin(chunk, feed), 0)
    return PROGRAMS.ready(_known_by(chunk, feed), arguments, on_disk=_can_be_kept(chunk))


def train_spans(
    chunk: Chunk, feed: Feed, states: Sequence[State] = (), start: int = 0
) -> Iterator[tuple[State, np.ndarray, np.ndarray]]:
    """Train the chunk's lanes span by span, from the start or from the states after `start` epochs.

    Yields after each span the stacked state, spare places too, and the lanes' curves (lanes,
    epochs of the span, 1 + scores) and units (lanes, epochs of the span, UNITS).
    """
    count = len(chunk.lanes)
    with _shortage_told(chunk, feed):
        state, hyperparameters = _begin(chunk, feed, states)
        while start < chunk.epochs:
            arguments = _arguments(chunk, feed, state, hyperparameters, start)
            state, curves, units = _program(chunk, feed, arguments)(*arguments)
            epochs = min(feed.span, chunk.next_stop(start) - start)
            start += epochs
            yield state, np.asarray(curves)[:count, :epochs], np.asarray(units)[:count, :epochs]


def lane_states(state: State, count: int) -> list[State]:
    """The stacked state's first lanes, one by one, in NumPy."""
    return unstacked(state, count)


def unstacked(tree: Tree, count: int) -> list[Tree]:
    """The first lanes of a stacked tree, one by one, in NumPy: `stack` the other way round."""
    whole = jax.tree.map(np.asarray, tree)
    return [jax.tree.map(lambda leaf, i=i: leaf[i], whole) for i in range(count)]


def _all_stopped(state: State, chunk: Chunk, ended: int) -> bool:
    """Whether the patience of each lane is at its end, so that no epoch more changes a result."""
    if chunk.patience is None or state.best is None:
        return False
    best = np.asarray(state.best.epoch)[: len(chunk.lanes)]
    return bool((ended - best >= chunk.patience).all())


def train_chunk(
    chunk: Chunk,
    feed: Feed,
    progress: Callable[[int], None] = lambda lane_epochs: None,
    stop: threading.Event | None = None,
) -> ChunkResult:
    """Train the chunk's lanes to their end; `progress` is told of lane-epochs as they pass.

    Raises StoppedError, between spans of epochs, once `stop` is set.
    """
    began = time.perf_counter()
    pieces: list[tuple[np.ndarray, np.ndarray]] = []
    spans = train_spans(chunk, feed)
    states: dict[int, State] = {}  # of lanes that have ended
    seen: dict[int, list[list[Layer]]] = {}
    ended = 0
    while ended < chunk.epochs:
        if stop is not None and stop.is_set():
            raise StoppedError
        state, curves, units = next(spans)
        pieces.append((curves, units))
        ended += curves.shape[1]
        told = chunk.epochs - ended if _all_stopped(state, chunk, ended) else 0
        progress(len(curves) * (curves.shape[1] + told))
        if told:
            break
        if ended in chunk.stops:
            states |= _ending(chunk, state, ended)
        if ended in chunk.checkpoints:
            seen[ended] = unstacked(state.chosen, len(chunk.lanes))
    found = list((dict(enumerate(lane_states(state, len(chunk.lanes)))) | states).values())
    curves, units = (np.concatenate(each, axis=1) for each in zip(*pieces, strict=True))
    return ChunkResult(
        curves,
        units,
        np.array([state.outcome.diverged_at for state in found]),
        np.array([state.outcome.norm for state in found]),
        [state.chosen for state in found],
        np.array([state.best_epoch for state in found]),
        time.perf_counter() - began,
        seen,
    )


def _ending(chunk: Chunk, state: State, epoch: int) -> dict[int, State]:
    """The states of the lanes that end at this epoch, by their places."""
    states = lane_states(state, len(chunk.lanes))
    return {place: states[place] for place, stop in enumerate(chunk.stops) if stop == epoch}
