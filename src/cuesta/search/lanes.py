"""Lanes and chunks: the only place where the code for one network is batched and compiled."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cuesta.core.init import init_layers
from cuesta.core.net import Layer
from cuesta.core.numbers import lane_numbers
from cuesta.core.train import Company, FoldData, Span, State, initial_state, train_lane
from cuesta.search.feed import Feed
from cuesta.spec import Candidate, Shape

# Reductions by the compiler's own loops, products by its library: with the library's reductions
# the last bit of a lane's sums would depend on how many lanes stand beside it.
CPU_OPTIONS = {
    "xla_cpu_multi_thread_eigen": False,
    "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_DOT",
}

Tree = Any
Arguments = tuple[Any, ...]
Program = Callable[..., Any]


class StoppedError(Exception):
    """The run was told to stop; what is finished is kept."""


@dataclass(frozen=True)
class Lane:
    """One network in training: one candidate, one fold, one seed."""

    candidate: Candidate
    fold: int
    seed: int


@dataclass(frozen=True)
class Chunk:
    """Lanes of one shape, fold, seed and normalization, trained in one compiled call."""

    shape: Shape
    width: int
    lanes: tuple[Lane, ...]
    epochs: int
    schedule_epochs: int


@dataclass(frozen=True)
class ChunkResult:
    """A row for each lane: curves (epochs, 1 + scores), step of divergence (0: none), norm."""

    curves: np.ndarray
    diverged_at: np.ndarray
    norm: np.ndarray
    layers: list[list[Layer]]


def use_compilation_cache() -> None:
    """Keep compiled programs in the user's cache folder, unless JAX was told of another place."""
    if jax.config.values["jax_compilation_cache_dir"] is None:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        settings = {
            "jax_compilation_cache_dir": str(base / "cuesta" / "jax"),
            "jax_persistent_cache_min_compile_time_secs": 0.1,
            "jax_persistent_cache_min_entry_size_bytes": 0,
        }
        for name, value in settings.items():
            jax.config.update(name, value)  # type: ignore[no-untyped-call]


def stack(trees: Sequence[Tree]) -> Tree:
    """Trees of numbers or arrays, one a lane, as one tree with a leading lane axis."""
    return jax.tree.map(lambda *leaves: np.stack(leaves), *trees)


def _float32(tree: Tree) -> Tree:
    return jax.tree.map(np.float32, tree)


def noise_key(seed: int, fold: int) -> np.ndarray:
    """The words of the key of a fold's dropout noise; all its candidates share it."""
    return np.random.SeedSequence([2, seed, fold]).generate_state(2)


def _train_chunk(
    shape: Shape,
    state: State,
    numbers: Tree,
    offset: jax.Array,
    data: FoldData,
    span: Span,
    company: Company,
) -> tuple[State, jax.Array]:
    company = company._replace(key=jax.random.wrap_key_data(company.key))
    one_lane = partial(train_lane, shape)
    return jax.vmap(one_lane, in_axes=(0, 0, 0, None, None, None))(
        state, numbers, offset, data, span, company
    )


class Programs:
    """Compiled programs by their static facts, each compiled once, by whoever comes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._made: dict[Hashable, Program] = {}

    def get(self, shape: Shape, arguments: Arguments) -> Program:
        """The program for these arguments' shapes, compiled if it is new."""
        described = jax.tree.map(lambda leaf: (np.shape(leaf), jnp.result_type(leaf)), arguments)
        leaves, structure = jax.tree.flatten(described)
        key = (shape, structure, tuple(leaves))
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                options = CPU_OPTIONS if jax.default_backend() == "cpu" else {}
                function = jax.jit(partial(_train_chunk, shape), compiler_options=options)
                self._made[key] = function.lower(*arguments).compile()
            return self._made[key]

    def __len__(self) -> int:
        return len(self._made)


PROGRAMS = Programs()


def _arguments(chunk: Chunk, feed: Feed, state: State, numbers: Tree, start: int) -> Arguments:
    first = chunk.lanes[0]
    stop = min(start + feed.span, chunk.epochs)
    data = feed.span_data(first.fold, first.candidate.normalize, first.seed, start, stop)
    span = Span(np.int32(start), np.int32(stop), np.int32(chunk.schedule_epochs))
    offset = np.zeros(chunk.width, np.int32)
    candidates = [lane.candidate for lane in chunk.lanes]
    company = Company(
        noise_key(first.seed, first.fold),
        np.bool_(any(c.dropout > 0 for c in candidates)),
        np.bool_(any(c.optimizer != "sgd" for c in candidates)),
    )
    return state, numbers, offset, data, span, company


def _begin(chunk: Chunk) -> tuple[State, Tree]:
    """The stacked initial states and numbers; the last lane is repeated up to the width."""
    states, numbers = [], []
    for lane in chunk.lanes:
        values = lane_numbers(lane.candidate)
        layers = init_layers([0, lane.seed, lane.fold], chunk.shape.sizes, lane.candidate.init)
        states.append(initial_state(layers, _float32(values.rule), chunk.shape.foreign))
        numbers.append(_float32(values))
    spare = chunk.width - len(chunk.lanes)
    return stack(states + states[-1:] * spare), stack(numbers + numbers[-1:] * spare)


def compile_chunk(chunk: Chunk, feed: Feed) -> None:
    """Compile the chunk's program, if it is new, and train nothing."""
    state, numbers = _begin(chunk)
    PROGRAMS.get(chunk.shape, _arguments(chunk, feed, state, numbers, 0))


def train_chunk(
    chunk: Chunk,
    feed: Feed,
    progress: Callable[[int], None] = lambda lane_epochs: None,
    stop: threading.Event | None = None,
) -> ChunkResult:
    """Train the chunk's lanes to their end; `progress` is told of lane-epochs as they pass.

    Raises StoppedError, between spans of epochs, once `stop` is set.
    """
    state, numbers = _begin(chunk)
    pieces = []
    for start in range(0, chunk.epochs, feed.span):
        if stop is not None and stop.is_set():
            raise StoppedError
        arguments = _arguments(chunk, feed, state, numbers, start)
        program = PROGRAMS.get(chunk.shape, arguments)
        state, curves = program(*arguments)
        ended = min(feed.span, chunk.epochs - start)
        pieces.append(np.asarray(curves)[:, :ended])
        progress(ended * len(chunk.lanes))
    count = len(chunk.lanes)
    layers = jax.tree.map(np.asarray, state.layers)
    return ChunkResult(
        np.concatenate(pieces, axis=1)[:count],
        np.asarray(state.outcome.diverged_at)[:count],
        np.asarray(state.outcome.norm)[:count],
        [jax.tree.map(lambda leaf, i=i: leaf[i], layers) for i in range(count)],
    )
