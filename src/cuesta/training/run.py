"""Trains a run's candidates on all folds, and keeps their records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from cuesta.core.layer import Layer
from cuesta.hyperparameters import Candidate
from cuesta.training.batching import Batching, ShapeOf, groups_of
from cuesta.training.checkpoints import checkpoints
from cuesta.training.feed import Feed
from cuesta.training.journal import Journal, LaneKeys, LaneRecord
from cuesta.training.lanes import Chunk, ChunkResult, Lane
from cuesta.training.networks import NetworkStore
from cuesta.training.planner import Machine
from cuesta.training.seen import Judged, SeenWeights
from cuesta.training.workers import Progress, is_far, train_chunks

IF_LOST = "they are kept, and the same run goes on from there with workers that live"


Judge = Callable[[Candidate, Mapping[int, LaneRecord]], Judged]  # by the records of folds


class Ended(NamedTuple):
    """A lane, and the epochs after which it ends."""

    lane: Lane
    epochs: int


@dataclass
class Run:
    """The lanes of one run; all of it that lasts is in the journal.

    Chunks train on threads of our own, or on any executor that is given. Candidates without a
    number of `epochs` of their own have this one.
    """

    feed: Feed
    shape: ShapeOf
    epochs: int
    seed: int
    journal: Journal
    machine: Machine
    executor: Executor | None = None
    store: NetworkStore = field(default_factory=NetworkStore)
    seen: SeenWeights = field(default_factory=SeenWeights)

    def __post_init__(self) -> None:
        self.keys = LaneKeys(self.feed, self.shape, self.epochs)
        self._batching = Batching(self.machine)

    def lanes(self, candidates: Iterable[Candidate]) -> list[Lane]:
        """Every candidate on every fold; the refit's fold is not among them."""
        folds = range(self.feed.refit)
        return [Lane(c, fold, self.seed) for c in candidates for fold in folds]

    def schedule(self, candidate: Candidate) -> int:
        """The epochs over which the candidate's learning rate decays: all that it may train."""
        return candidate.epochs or self.epochs

    def missing(self, lanes: Iterable[Lane], share: int = 1) -> list[Lane]:
        """The lanes of whose epochs the journal does not know 1/`share`, each lane once."""
        by_key = {self.keys.of(lane): lane for lane in lanes}
        return [lane for key, lane in by_key.items() if not self._known(key, lane, share)]

    def _known(self, key: str, lane: Lane, share: int) -> bool:
        record = self.journal.records.get(key)
        if record is None or record.curves.shape[1] != 1 + self.shape(lane.candidate).scores:
            return False
        schedule = self.schedule(lane.candidate)
        return -(-schedule // share) <= len(record.curves) <= schedule

    def records(self, candidate: Candidate) -> list[LaneRecord]:
        """The candidate's records, fold by fold."""
        return [self.journal.records[self.keys.of(lane)] for lane in self.lanes([candidate])]

    def train(
        self,
        candidates: Iterable[Candidate],
        progress: Progress,
        share: int = 1,
        judge: Judge | None = None,
    ) -> None:
        """Train the lanes that are missing, in chunks on all threads; each is kept when done.

        Each trains 1/`share`, rounded up, of its schedule: a lane's beginning. Where a `judge`
        tells which are the better ones, weights are kept as they are passed. `progress` is told
        of lane-epochs. On an interrupt the chunks at hand stop at their next span of epochs, and
        what is finished stays. Raises WorkersError where the executor loses its workers.
        """
        lanes = self.missing(self.lanes(candidates), share)
        chunks = self._batching.chunks(lanes, self.shape, self.schedule, share)
        if judge is not None and not is_far(self.executor):
            chunks = [replace(chunk, checkpoints=_checkpoints(chunk)) for chunk in chunks]
        work = [(chunk, self.feed) for chunk in chunks]

        def keep(chunk: Chunk, _: Feed, result: ChunkResult) -> None:
            self.journal.add([self.keys.of(lane) for lane in chunk.lanes], result)
            if judge is not None:
                self._keep_weights(chunk, result, judge)

        train_chunks(work, self.machine, self.executor, progress, keep, IF_LOST)

    def _keep_weights(self, chunk: Chunk, result: ChunkResult, judge: Judge) -> None:
        """Keep what the lanes passed and what they ended with, as far as there is room."""
        for place, lane in enumerate(chunk.lanes):
            if result.diverged_at[place]:
                continue
            passed = {epochs: layers[place] for epochs, layers in result.seen.items()}
            self.seen.add(lane, {**passed, chunk.epochs: result.layers[place]})
        for candidate in dict.fromkeys(lane.candidate for lane in chunk.lanes):
            lanes = self.lanes([candidate])
            keys = [self.keys.of(lane) for lane in lanes]
            records = [self.journal.records.get(key) for key in keys]
            # Of fewer epochs than the chunk's are those of a part of the lane, by halving.
            known = {
                lane.fold: record.until(chunk.epochs)
                for lane, record in zip(lanes, records, strict=True)
                if record is not None and len(record.curves) >= chunk.epochs
            }
            self.seen.judge(candidate, judge(candidate, known), done=len(known) == len(lanes))
        self.seen.make_room()

    def refit(self, candidate: Candidate) -> Lane:
        """The lane that trains the candidate on all rows."""
        return Lane(candidate, self.feed.refit, self.seed)

    def networks(
        self, wanted: Sequence[Ended], progress: Progress = lambda lane_epochs: None
    ) -> dict[Ended, list[Layer]]:
        """The weights of lanes, each after its epochs of the whole schedule.

        They are trained for this, in chunks on all threads, unless they were seen, or the store
        knows them: they are the same, bit for bit. Those that diverge have no weights, and are left
        out. Raises as `train`.
        """
        found: dict[Ended, list[Layer]] = {}

        def keep(chunk: Chunk, _: Feed, result: ChunkResult) -> None:
            for place, (lane, epochs) in enumerate(zip(chunk.lanes, chunk.stops, strict=True)):
                layers = result.layers[place]
                if not result.diverged_at[place] and _is_finite(layers):
                    self.store.add(self.keys.of(lane), epochs, layers)
                    found[Ended(lane, epochs)] = layers

        missing = self.unknown(wanted)
        work = [(chunk, self.feed) for chunk in self._ending_chunks(missing)]
        train_chunks(work, self.machine, self.executor, progress, keep, IF_LOST)
        for ended in set(wanted).difference(missing):
            found[ended] = self._at_hand(ended) or []
            if self._stored(ended) is None:
                self.store.add(self.keys.of(ended.lane), ended.epochs, found[ended])
        return {ended: found[ended] for ended in wanted if ended in found}

    def unknown(self, wanted: Sequence[Ended]) -> list[Ended]:
        """Those whose weights are not at hand, each once."""
        return [ended for ended in dict.fromkeys(wanted) if self._at_hand(ended) is None]

    def lane_epochs(self, wanted: Sequence[Ended]) -> int:
        """How much `networks` has to train: the lanes of a chunk train until its last one ends."""
        chunks = self._ending_chunks(self.unknown(wanted))
        return sum(chunk.epochs * len(chunk.lanes) for chunk in chunks)

    def _stored(self, ended: Ended) -> list[Layer] | None:
        return self.store.get(self.keys.of(ended.lane), ended.epochs)

    def _at_hand(self, ended: Ended) -> list[Layer] | None:
        stored = self._stored(ended)
        if stored is not None:
            return stored
        seen = self.seen.get(*ended)
        return None if seen is None or not _is_finite(seen) else seen

    def _ending_chunks(self, wanted: Sequence[Ended]) -> list[Chunk]:
        """Lanes in chunks, those that end at about the same epoch together."""
        epochs = {ended.lane: ended.epochs for ended in wanted}
        groups = groups_of(sorted(epochs, key=epochs.__getitem__), self.shape)
        # Their lanes may all have been in the journal: then no program was planned for them.
        self._batching.plan([(group.shape, members) for group, members in groups.items()])
        chunks = []
        for group, members in groups.items():
            schedule = self.schedule(members[0].candidate)
            for part in self._batching.split(members, group.shape):
                stops = tuple(epochs[lane] for lane in part)
                wide = self._batching.chunk(group.shape, part, stops[-1], schedule)
                wide = replace(wide, stops=stops)
                chunks.append(self._batching.narrowed(wide, self.feed) if len(part) == 1 else wide)
        return sorted(chunks, key=lambda c: self._batching.seconds(c) * c.epochs, reverse=True)


def _checkpoints(chunk: Chunk) -> tuple[int, ...]:
    return tuple(checkpoints(chunk.schedule_epochs, chunk.epochs))


def _is_finite(layers: list[Layer]) -> bool:
    return all(np.isfinite(leaf).all() for layer in layers for leaf in layer)
