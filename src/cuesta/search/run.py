"""Running a search: candidates × folds become lanes, lanes chunks, chunks records."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from cuesta.search.feed import Feed
from cuesta.search.journal import Journal, LaneKeys, LaneRecord
from cuesta.search.lanes import Chunk, ChunkResult, Lane, compile_chunk, train_chunk
from cuesta.search.plan import chunk_width, l2_bytes
from cuesta.spec import Candidate, Shape, is_foreign

Progress = Callable[[int], None]


def thread_count() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shape_of(candidate: Candidate, inputs: int, outputs: int, loss: str) -> Shape:
    """The static shape of a candidate's network on this table."""
    foreign = candidate.optimizer if is_foreign(candidate.optimizer) else ""
    return Shape(inputs, candidate.hidden_layer_sizes, outputs, candidate.batch_size, loss, foreign)


def cut_chunks(
    lanes: Iterable[Lane],
    shape: Callable[[Candidate], Shape],
    epochs: int,
    threads: int,
    l2: int,
) -> list[Chunk]:
    """Lanes in chunks: those of one shape, fold, seed and normalization together.

    Lanes that drop units stand together, so that the others draw no noise; so do those of SGD,
    which keep no moments.
    """

    def group(lane: Lane) -> tuple[Any, ...]:
        s, c = shape(lane.candidate), lane.candidate
        return (
            *(s.sizes, s.batch_size, s.loss, s.foreign, lane.seed, c.normalize, lane.fold),
            *(c.dropout > 0, c.optimizer != "sgd"),
        )

    ordered = sorted(lanes, key=group)
    chunks = []
    for _, of_shape in groupby(ordered, key=lambda lane: group(lane)[:4]):
        same = list(of_shape)
        static = shape(same[0].candidate)
        width = chunk_width(static, len(same), threads, l2)
        for _, together in groupby(same, key=lambda lane: group(lane)[:7]):
            members = list(together)
            for start in range(0, len(members), width):
                part = tuple(members[start : start + width])
                chunks.append(Chunk(static, width, part, epochs, epochs))
    return chunks


@dataclass
class Search:
    """One run's way from candidates to records; all of it that lasts is in the journal."""

    feed: Feed
    shape: Callable[[Candidate], Shape]
    epochs: int
    seed: int
    journal: Journal
    threads: int

    def __post_init__(self) -> None:
        self.keys = LaneKeys(self.feed, self.shape, self.epochs)
        self._widths: dict[Shape, int] = {}

    def width(self, candidate: Candidate) -> int:
        """The width of the chunks of this candidate's shape: its program is compiled already."""
        shape = self.shape(candidate)
        return self._widths.get(shape) or chunk_width(shape, 1, self.threads, l2_bytes())

    def lanes(self, candidates: Iterable[Candidate]) -> list[Lane]:
        """Every candidate on every fold; the refit's fold is not among them."""
        folds = range(self.feed.refit)
        return [Lane(c, fold, self.seed) for c in candidates for fold in folds]

    def missing(self, lanes: Iterable[Lane]) -> list[Lane]:
        """The lanes that the journal does not know, or not as they should be, each once."""
        by_key = {self.keys.of(lane): lane for lane in lanes}
        return [lane for key, lane in by_key.items() if not self._known(key, lane)]

    def _known(self, key: str, lane: Lane) -> bool:
        record = self.journal.records.get(key)
        wanted = (self.epochs, 1 + self.shape(lane.candidate).scores)
        return record is not None and record.curves.shape == wanted

    def records(self, candidate: Candidate) -> list[LaneRecord]:
        """The candidate's records, fold by fold."""
        return [self.journal.records[self.keys.of(lane)] for lane in self.lanes([candidate])]

    def train(self, candidates: Iterable[Candidate], progress: Progress) -> None:
        """Train the lanes that are missing, in chunks on all threads; each is kept when done.

        `progress` is told of lane-epochs. On an interrupt the chunks at hand stop at their next
        span of epochs, and what is finished stays.
        """
        lanes = self.missing(self.lanes(candidates))
        chunks = cut_chunks(lanes, self.shape, self.epochs, self.threads, l2_bytes())
        self._widths.update({chunk.shape: chunk.width for chunk in chunks})
        self._run(ThreadPoolExecutor(self.threads, thread_name_prefix="chunk"), chunks, progress)

    def _run(self, executor: Executor, chunks: list[Chunk], progress: Progress) -> None:
        stop = threading.Event()
        # First the programs, in parallel; whichever thread is free then begins to train.
        first = {(chunk.shape, chunk.width): chunk for chunk in reversed(chunks)}
        compiling = [executor.submit(compile_chunk, c, self.feed) for c in first.values()]
        training: dict[Future[ChunkResult], Chunk] = {
            executor.submit(train_chunk, chunk, self.feed, progress, stop): chunk
            for chunk in chunks
        }
        try:
            while training:
                done, _ = wait(training, return_when=FIRST_COMPLETED)
                for future in done:
                    self._keep(training.pop(future), future)
            for program in compiling:
                program.result()
        finally:
            # On an interrupt chunks stop at their next span; what came to its end is kept.
            stop.set()
            executor.shutdown(wait=True, cancel_futures=True)
            for future, chunk in training.items():
                if not future.cancelled() and future.exception() is None:
                    self._keep(chunk, future)

    def _keep(self, chunk: Chunk, future: Future[ChunkResult]) -> None:
        self.journal.add([self.keys.of(lane) for lane in chunk.lanes], future.result())
