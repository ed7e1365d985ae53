"""Trains the networks of estimators, each on its own rows, alone or together.

A fit is a lane with the rows it trains on. Fits that can share chunks do; the result of each is
bit for bit what it would be alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from cuesta.core.average import own_state
from cuesta.core.lane import Best, State
from cuesta.core.layer import Layer
from cuesta.data.folds import Fold
from cuesta.data.layout import Layout
from cuesta.data.scale import Scaling
from cuesta.hyperparameters import Candidate, Shape
from cuesta.training.batching import Batching, shape_of
from cuesta.training.feed import Feed
from cuesta.training.journal import digest
from cuesta.training.lanes import Chunk, ChunkResult, Lane, lane_states, train_spans
from cuesta.training.workers import Progress, train_chunks

IF_LOST = "none is kept: fit again with workers that live"
DRAWS = 0  # every fit makes its draws as a first fold does


@dataclass(frozen=True)
class Rows:
    """Encoded rows with their targets and weights, as a feed takes them.

    `layout` says what their columns are, by which embeddings go; without it all are numbers.
    """

    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None
    layout: Layout | None = None

    def feed(self, folds: list[Fold], places: int = 0) -> Feed:
        """The feed of these rows, with room for so many that validate."""
        return Feed(
            self.x,
            self.y,
            folds,
            weights=self.weights,
            same_draws=DRAWS,
            least_places=places,
            layout=self.layout,
        )

    def at(self, places: np.ndarray) -> Rows:
        """Those at these places."""
        weights = None if self.weights is None else self.weights[places]
        return replace(self, x=self.x[places], y=self.y[places], weights=weights)

    @cached_property
    def digest(self) -> str:
        """A hash of the rows, to know them again."""
        parts = [repr(self.layout).encode()]
        for array in (self.x, self.y, self.weights):
            if array is not None:
                parts += [repr((array.shape, array.dtype.str)).encode(), array.tobytes()]
        return digest(*parts)


@dataclass(frozen=True)
class Recipe:
    """How a network is fitted to rows, whichever they are."""

    candidate: Candidate
    loss: str
    outputs: int
    epochs: int
    seed: int
    patience: int | None = None
    held_out: tuple[int, ...] = ()  # places among the rows that validate, where it stops early
    schedule_epochs: int | None = None  # over which the learning rate decays; else the epochs

    @property
    def schedule(self) -> int:
        """The epochs over which the learning rate decays."""
        return self.schedule_epochs or self.epochs

    def shape(self, layout: Layout) -> Shape:
        """The static shape of the network for inputs of this layout."""
        return shape_of(self.candidate, layout.width, self.outputs, self.loss, layout)


class Fitted(NamedTuple):
    """A trained network, its scalings, its curves (epochs, 1 + scores) and its outcome.

    `best` is the epoch, from 1, whose weights these are where it stopped early, else 0; `seconds`
    its share of the time that its chunk took.
    """

    layers: list[Layer]
    inputs: Scaling
    targets: Scaling | None
    curves: np.ndarray
    diverged_at: int
    norm: float
    best: int
    seconds: float


class Fit(NamedTuple):
    """One fit of many: a recipe, and a fold of a feed to which it is applied."""

    recipe: Recipe
    feed: Feed
    fold: int


def fit_many(
    fits: Sequence[Fit],
    batching: Batching,
    progress: Progress,
    done: Callable[[int, Fitted], None],
    executor: Executor | None = None,
) -> None:
    """Fit all, in as few and full chunks as may be; `done` is told of each by its place."""
    places: dict[tuple[Any, ...], list[int]] = {}
    for place, (recipe, feed, fold) in enumerate(fits):
        together = (
            recipe.shape(feed.layout),
            id(feed),
            fold,
            recipe.seed,
            recipe.candidate.normalize,
            recipe.candidate.target_transform,
            recipe.epochs,
            recipe.schedule,
            recipe.patience,
        )
        places.setdefault(together, []).append(place)

    def lane(place: int) -> Lane:
        recipe, _, fold = fits[place]
        return Lane(recipe.candidate, fold, recipe.seed)

    batching.plan([(key[0], [lane(p) for p in members]) for key, members in places.items()])
    work, of_chunk = [], {}
    for (shape, *_), members in places.items():
        recipe, feed, _ = fits[members[0]]
        for part in batching.split(members, shape):
            lanes = tuple(lane(place) for place in part)
            chunk = batching.chunk(shape, lanes, recipe.epochs, recipe.schedule, recipe.patience)
            of_chunk[id(chunk)] = part
            work.append((chunk, feed))
    work.sort(key=lambda one: batching.seconds(one[0]) * one[0].epochs, reverse=True)

    def keep(chunk: Chunk, feed: Feed, result: ChunkResult) -> None:
        for i, place in enumerate(of_chunk[id(chunk)]):
            done(place, _fitted(chunk, feed, result, i))

    train_chunks(work, batching.machine, executor, progress, keep, IF_LOST)


def _fitted(chunk: Chunk, feed: Feed, result: ChunkResult, place: int) -> Fitted:
    lane, patience = chunk.lanes[place], chunk.patience
    inputs, targets = feed.scalings_of(lane.fold, lane.candidate)
    best, curves = int(result.best[place]), result.curves[place]
    return Fitted(
        result.layers[place],
        inputs,
        targets,
        curves if patience is None else curves[: best + patience],
        int(result.diverged_at[place]),
        float(result.norm[place]),
        best,
        result.seconds / len(result.layers),
    )


class ResumePoint(NamedTuple):
    """From where a fit goes on: its state after some epochs and steps, its seed, its scalings."""

    state: State
    epochs: int
    steps: int
    seed: int
    inputs: Scaling
    targets: Scaling | None

    def stopped(self, patience: int | None) -> bool:
        """Whether so many epochs without a better score have ended it."""
        if patience is None or self.state.best is None:
            return False
        return self.epochs - self.state.best_epoch >= patience


def _resumed(resume: ResumePoint, recipe: Recipe) -> State:
    """A state to go on from: with a best epoch where the fit stops early, and else without.

    A fit that stopped early and now does not goes on from its chosen weights.
    """
    state = resume.state
    if not recipe.patience:
        return _without_best(state)
    none_yet = Best(np.int32(resume.epochs), np.float32(np.inf), state.judged)
    return state._replace(best=state.best or none_yet)


def _without_best(state: State) -> State:
    """The state that goes on from the weights of its best epoch, where it has one."""
    if state.best is None:
        return state
    average = None if state.average is None else state.best.layers
    return state._replace(layers=state.best.layers, best=None, average=average)


def _clock(recipe: Recipe, resume: ResumePoint, steps: int) -> tuple[int, int]:
    """At which epoch a fit goes on that takes so many steps an epoch, and its schedule's epochs.

    A program counts an optimizer's steps as epochs × steps: where earlier epochs had other numbers
    of steps, this is the epoch by which as many steps were taken; the schedule keeps its share.
    """
    start = -(-resume.steps // steps)
    if recipe.patience or start == resume.epochs:
        return resume.epochs, recipe.schedule
    return start, max(1, round(recipe.schedule * start / resume.epochs))


def fit_one(
    recipe: Recipe,
    rows: Rows,
    batching: Batching,
    resume: ResumePoint | None = None,
    places: int = 0,
) -> Iterator[tuple[ResumePoint, Fitted]]:
    """Fit one network, span by span: yields where it could go on, and what is fitted so far.

    From a beginning it trains on to the recipe's epochs, on whatever rows these are, or to the
    epoch at which its patience ends. `places` is the room for validation of programs that may be
    at hand.
    """
    held_out = np.array(recipe.held_out, np.int64)
    every = np.arange(len(rows.x))
    folds = [Fold(np.setdiff1d(every, held_out), held_out)] if len(held_out) else []
    feed = rows.feed(folds, places)
    if resume is not None:
        feed.keep_scalings(recipe.candidate.normalize, resume.inputs, resume.targets)
    lane = Lane(recipe.candidate, 0, recipe.seed)
    shape = recipe.shape(feed.layout)
    batching.plan([(shape, [lane])])
    done, more = (0, recipe.epochs) if resume is None else (
        resume.epochs, recipe.epochs - resume.epochs
    )  # fmt: skip
    steps = -(-len(feed.folds[0].train) // shape.batch_size)
    start, schedule = (0, recipe.schedule) if resume is None else _clock(recipe, resume, steps)
    wide = batching.chunk(shape, (lane,), start + more, schedule, recipe.patience)
    chunk = batching.narrowed(wide, feed)
    states = [] if resume is None else [_resumed(resume, recipe)]
    inputs, targets = feed.scalings_of(0, recipe.candidate)
    pieces, began = [], time.perf_counter()
    for reached, curves in _spans(chunk, feed, states, start):
        state = own_state(reached, averages=recipe.candidate.weight_average > 0)
        pieces.append(curves)
        epochs = sum(map(len, pieces))
        taken = (resume.steps if resume else 0) + epochs * steps
        yield (
            ResumePoint(state, done + epochs, taken, recipe.seed, inputs, targets),
            Fitted(
                state.chosen,
                inputs,
                targets,
                np.concatenate(pieces),
                int(state.outcome.diverged_at),
                float(state.outcome.norm),
                state.best_epoch,
                time.perf_counter() - began,
            ),
        )


def _spans(
    chunk: Chunk, feed: Feed, states: list[State], start: int
) -> Iterator[tuple[State, np.ndarray]]:
    """Train a chunk of one lane: its state and curves after each span.

    With patience a span ends where the patience would: so neither the curves nor the state go
    beyond the epoch at which the fit stops.
    """
    if chunk.patience is None:
        for stacked, curves, _ in train_spans(chunk, feed, states, start):
            yield lane_states(stacked, 1)[0], curves[0]
        return
    best = states[0].best_epoch if states else 0
    while start < (stop := min(chunk.epochs, start + feed.span, best + chunk.patience)):
        ((stacked, curves, _),) = train_spans(replace(chunk, epochs=stop), feed, states, start)
        (state,) = states = lane_states(stacked, 1)
        start, best = stop, state.best_epoch
        yield state, curves[0]
