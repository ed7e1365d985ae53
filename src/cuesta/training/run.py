"""Trains a run's candidates on all folds, and keeps their records."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass

from cuesta.hyperparameters import Candidate
from cuesta.training.batching import Batching, ShapeOf
from cuesta.training.feed import Feed
from cuesta.training.journal import Journal, LaneKeys, LaneRecord
from cuesta.training.lanes import Chunk, ChunkResult, Lane, train_chunk
from cuesta.training.planner import Machine
from cuesta.training.workers import Progress, train_chunks

IF_LOST = "they are kept, and the same run goes on from there with workers that live"


@dataclass
class Run:
    """The lanes of one run; all of it that lasts is in the journal.

    Chunks train on threads of our own, or on any executor that is given.
    """

    feed: Feed
    shape: ShapeOf
    epochs: int
    seed: int
    journal: Journal
    machine: Machine
    executor: Executor | None = None

    def __post_init__(self) -> None:
        self.keys = LaneKeys(self.feed, self.shape, self.epochs)
        self._batching = Batching(self.machine)

    def lanes(self, candidates: Iterable[Candidate]) -> list[Lane]:
        """Every candidate on every fold; the refit's fold is not among them."""
        folds = range(self.feed.refit)
        return [Lane(c, fold, self.seed) for c in candidates for fold in folds]

    def missing(self, lanes: Iterable[Lane], epochs: int) -> list[Lane]:
        """The lanes of which the journal does not know so many epochs, each lane once."""
        by_key = {self.keys.of(lane): lane for lane in lanes}
        return [lane for key, lane in by_key.items() if not self._known(key, lane, epochs)]

    def _known(self, key: str, lane: Lane, epochs: int) -> bool:
        record = self.journal.records.get(key)
        if record is None or record.curves.shape[1] != 1 + self.shape(lane.candidate).scores:
            return False
        return epochs <= len(record.curves) <= self.epochs

    def records(self, candidate: Candidate) -> list[LaneRecord]:
        """The candidate's records, fold by fold."""
        return [self.journal.records[self.keys.of(lane)] for lane in self.lanes([candidate])]

    def train(
        self, candidates: Iterable[Candidate], progress: Progress, epochs: int | None = None
    ) -> None:
        """Train the lanes that are missing, in chunks on all threads; each is kept when done.

        `epochs` are those of the whole schedule, or fewer: a lane's beginning. `progress` is
        told of lane-epochs. On an interrupt the chunks at hand stop at their next span of epochs,
        and what is finished stays. Raises WorkersError where the executor loses its workers.
        """
        epochs = epochs or self.epochs
        lanes = self.missing(self.lanes(candidates), epochs)
        chunks = self._batching.chunks(lanes, self.shape, epochs, self.epochs)
        work = [(chunk, self.feed) for chunk in chunks]
        train_chunks(work, self.machine, self.executor, progress, self._keep, IF_LOST)

    def refit(self, candidate: Candidate, epochs: int) -> ChunkResult:
        """Train the candidate on all rows for these epochs of the whole schedule."""
        lane, shape = Lane(candidate, self.feed.refit, self.seed), self.shape(candidate)
        # Its lanes may all have been in the journal: then no program was planned for it.
        self._batching.plan([(shape, [lane])])
        wide = self._batching.chunk(shape, (lane,), epochs, self.epochs)
        return train_chunk(self._batching.narrowed(wide, self.feed), self.feed)

    def _keep(self, chunk: Chunk, _: Feed, result: ChunkResult) -> None:
        self.journal.add([self.keys.of(lane) for lane in chunk.lanes], result)
