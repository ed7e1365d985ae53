"""Two ways to a network's own variance, for all splits of a set at once (bench/uci.py)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import numpy as np

from cuesta.data.folds import Fold, make_folds
from cuesta.hyperparameters import Candidate, Shape
from cuesta.model import Network
from cuesta.search.committee import greedy_rmse
from cuesta.search.space import default_batch_size, make_candidate
from cuesta.tabular.prepare import Task
from cuesta.tabular.selection import _network
from cuesta.training.batching import Batching, shape_of
from cuesta.training.feed import Feed
from cuesta.training.lanes import Chunk, ChunkResult, Lane
from cuesta.training.planner import this_machine
from cuesta.training.run import Ended
from cuesta.training.workers import train_chunks
from uci_data import Split, UciSet

Values = Mapping[str, Any]

HELD_OUT = 0.2  # of the training rows, the last ones: by them dropout and τ are chosen
GRID_DRAWS = 200
FOLDS = 5
SPREADS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # by which the members' variance is multiplied
NOISES = np.geomspace(0.05, 1.5, 60)  # times the mean square of the out-of-fold residuals


class Figures(NamedTuple):
    """RMSE and mean log-likelihood of test rows, in the target's own units."""

    rmse: float
    log_likelihood: float


@dataclass(frozen=True)
class Trainer:
    """How lanes train: on how many threads, from which seed."""

    threads: int
    seed: int

    def networks(
        self, feed: Feed, wanted: Sequence[tuple[Candidate, int]]
    ) -> dict[tuple[Candidate, int], Network]:
        """The networks of candidates on folds, each after its candidate's own epochs.

        All train as lanes of the engine, those of one shape and fold together. Raises ValueError
        where one diverged.
        """
        machine = this_machine(self.threads)

        def shape(candidate: Candidate) -> Shape:
            return shape_of(candidate, feed.inputs, 1, "squared", feed.layout)

        lanes = [Lane(candidate, fold, self.seed) for candidate, fold in wanted]
        found: dict[tuple[Candidate, int], Network] = {}

        def keep(chunk: Chunk, feed: Feed, result: ChunkResult) -> None:
            for place, lane in enumerate(chunk.lanes):
                if result.diverged_at[place]:
                    raise ValueError(f"{lane.candidate} diverged")
                rows = cast(Task, SimpleNamespace(feed=feed))  # a network needs no more of a task
                ended = Ended(lane, chunk.epochs)
                found[lane.candidate, lane.fold] = _network(rows, ended, result.layers[place])

        chunks = Batching(machine).chunks(lanes, shape, lambda candidate: candidate.epochs or 1)
        work = [(chunk, feed) for chunk in chunks]
        train_chunks(work, machine, None, lambda _: None, keep, "run it again")
        return found


# -- Monte-Carlo dropout ---------------------------------------------------------------------------


def dropout_figures(
    one: UciSet, values: Values, trainer: Trainer, steps: int, draws: int
) -> Iterator[Figures]:
    """The figures of each split by Monte-Carlo dropout of one network (Gal and Ghahramani, 2016).

    Dropout and τ are those with the best log-likelihood on the last fifth of the split's training
    rows, of networks that trained on the others; then one network trains on all of them. No test
    row is in any fold. They train for the set's epochs, or the steps where these are more.
    """
    settings = {"hidden_layer_sizes": (one.hidden,), **values}
    batches = math.ceil(len(one.splits[0].train) / make_candidate(settings).batch_size)
    settings.setdefault("epochs", max(one.epochs, math.ceil(steps / batches)))
    grid = [make_candidate(settings | {"dropout": rate}) for rate in one.dropouts]
    folds = [fold for split in one.splits for fold in _grid_and_all(split)]
    feed = Feed(one.x, one.y, folds)
    wanted = [(each, 2 * place) for place in range(len(one.splits)) for each in grid]
    found = trainer.networks(feed, wanted)
    chosen: list[tuple[Candidate, float]] = []
    for place in range(len(one.splits)):
        rows = folds[2 * place].validation
        passed = [
            passes(found[each, 2 * place], one.x[rows], GRID_DRAWS, trainer.seed) for each in grid
        ]
        best = max(
            (mixture(drawn, one.y[rows, 0], tau), -index, tau)
            for index, drawn in enumerate(passed)
            for tau in one.taus
        )
        chosen.append((grid[-best[1]], best[2]))
    last = [(each, 2 * place + 1) for place, (each, _) in enumerate(chosen)]
    found = trainer.networks(feed, last)
    for place, (split, (each, tau)) in enumerate(zip(one.splits, chosen, strict=True)):
        network, y = found[each, 2 * place + 1], one.y[split.test, 0]
        drawn = passes(network, one.x[split.test], draws, trainer.seed)
        rmse = math.sqrt(np.mean((drawn.mean(axis=0) - y) ** 2))
        yield Figures(rmse, mixture(drawn, y, tau))


def _grid_and_all(split: Split) -> tuple[Fold, Fold]:
    """The first four fifths of the training rows with the last one, and all of them."""
    count = int((1 - HELD_OUT) * len(split.train))
    first = Fold(split.train[:count], split.train[count:])
    return first, Fold(split.train, np.arange(0))


def passes(network: Network, x: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """(draws, rows): what the network predicts with units dropped, anew in each draw."""
    each = (network.sample(x, "regression", 1, 10_000 * seed + draw)[0] for draw in range(draws))
    return np.stack([values[:, 0] for values in each])


def mixture(drawn: np.ndarray, y: np.ndarray, tau: float) -> float:
    """The mean log-likelihood of a mixture of normal distributions around each draw.

    log (1/T) Σ √(τ/2π) exp(−τ(y − ŷ_t)²/2), with logarithms of sums as the published code takes
    them.
    """
    exponents = -0.5 * tau * (y - drawn) ** 2
    most = exponents.max(axis=0)
    sums = most + np.log(np.exp(exponents - most).mean(axis=0))
    return float(sums.mean() + 0.5 * math.log(tau / (2 * math.pi)))


# -- A committee -----------------------------------------------------------------------------------


def committee_figures(
    one: UciSet, variants: Callable[[int], Sequence[Values]], trainer: Trainer, steps: int
) -> Iterator[Figures]:
    """The figures of each split by a committee of variants, each trained on five folds.

    Their weights come from what they predict out of fold (`search.committee`). A row's variance is
    a · (the mean over the folds of the variants' variance) + σ², a and σ² those with the best
    log-likelihood of the rows out of fold. No test row is in any fold.
    """
    folds = [_shifted(split, trainer.seed) for split in one.splits]
    feed = Feed(one.x, one.y, [fold for each in folds for fold in each])
    candidates = [
        _trained_for(make_candidate(values), len(split.train), steps)
        for split in one.splits[:1]  # all splits have as many rows
        for values in variants(len(split.train))
    ]
    wanted = [(each, fold) for fold in range(feed.refit) for each in candidates]
    found = trainer.networks(feed, wanted)
    for place, split in enumerate(one.splits):
        members = [
            [found[each, FOLDS * place + fold] for each in candidates] for fold in range(FOLDS)
        ]
        yield _of_committee(one, split, folds[place], members)


def _shifted(split: Split, seed: int) -> list[Fold]:
    """Folds of a split's training rows, by their numbers in the set."""
    inner = make_folds(
        np.zeros(len(split.train)), classes=False, k=FOLDS, protocol="kfold", groups=None, seed=seed
    )
    return [Fold(split.train[fold.train], split.train[fold.validation]) for fold in inner]


def _trained_for(candidate: Candidate, rows: int, steps: int) -> Candidate:
    """The candidate with as many epochs as make so many steps, unless it has its own."""
    batches = math.ceil(rows * (1 - 1 / FOLDS) / candidate.batch_size)
    return replace(candidate, epochs=candidate.epochs or math.ceil(steps / batches))


def _of_committee(
    one: UciSet, split: Split, folds: Sequence[Fold], members: Sequence[Sequence[Network]]
) -> Figures:
    """The figures of a split; `members` are the networks of each fold, one a variant."""
    held = [predictions(nets, one.x[f.validation]) for nets, f in zip(members, folds, strict=True)]
    known = np.concatenate(held, axis=1)
    y = np.concatenate([one.y[fold.validation, 0] for fold in folds])
    weights = greedy_rmse((known - y)[:, :, None])
    mean, spread = weighted(known, weights)
    factor, noise = fitted_variance(y - mean, spread)
    tested = [weighted(predictions(nets, one.x[split.test]), weights) for nets in members]
    mean, spread = (np.mean(each, axis=0) for each in zip(*tested, strict=True))
    y = one.y[split.test, 0]
    return Figures(math.sqrt(np.mean((y - mean) ** 2)), normal(y - mean, factor * spread + noise))


def predictions(networks: Sequence[Network], x: np.ndarray) -> np.ndarray:
    """(networks, rows)."""
    return np.stack([network.decide(x, "regression")[:, 0] for network in networks])


def weighted(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The weighted mean and variance over the first axis."""
    mean = weights @ values
    return mean, weights @ (values - mean) ** 2


def fitted_variance(residuals: np.ndarray, spread: np.ndarray) -> tuple[float, float]:
    """The a and σ² in a · spread + σ², a variance, with the residuals' best log-likelihood."""
    square = float(np.mean(residuals**2))
    return max(
        ((factor, float(share * square)) for factor in SPREADS for share in NOISES),
        key=lambda pair: normal(residuals, pair[0] * spread + pair[1]),
    )


def normal(residuals: np.ndarray, variance: np.ndarray | float) -> float:
    """The mean log-likelihood of residuals by normal distributions."""
    variance = np.asarray(variance, float)
    return float(-0.5 * np.mean(np.log(2 * math.pi * variance) + residuals**2 / variance))


def default_variants(values: Values, grid: Sequence[Values]) -> Callable[[int], list[Values]]:
    """For so many rows: the values with each of the grid's, and a batch size of the rows."""
    return lambda rows: [
        {"batch_size": default_batch_size(rows), **values, **each} for each in grid
    ]
