"""Running a search: candidates × folds become lanes, lanes chunks, chunks records."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from cuesta.core.lane_hyperparameters import parts_for
from cuesta.core.train import Parts
from cuesta.hyperparameters import Candidate, Shape, is_foreign
from cuesta.training.feed import Feed
from cuesta.training.journal import Journal, LaneKeys, LaneRecord
from cuesta.training.lanes import Chunk, ChunkResult, Lane, is_compiled, train_chunk
from cuesta.training.planner import Machine, chunk_width, step_seconds, widths
from cuesta.training.workers import Progress, train_chunks

T = TypeVar("T")
ShapeOf = Callable[[Candidate], Shape]
COMPILATION = 2.0  # seconds that a program about takes to compile


def shape_of(candidate: Candidate, inputs: int, outputs: int, loss: str) -> Shape:
    """The static shape of a candidate's network on this table."""
    foreign = candidate.optimizer if is_foreign(candidate.optimizer) else ""
    return Shape(
        inputs,
        candidate.hidden_layer_sizes,
        outputs,
        candidate.batch_size,
        loss,
        foreign,
        candidate.precision,
    )


class Together(NamedTuple):
    """What the lanes of a chunk have in common."""

    shape: Shape
    fold: int
    seed: int
    normalize: str


def groups_of(lanes: Iterable[Lane], shape: ShapeOf) -> dict[Together, list[Lane]]:
    """Lanes by what those of a chunk have in common."""
    groups: dict[Together, list[Lane]] = {}
    for lane in lanes:
        c = lane.candidate
        together = Together(shape(c), lane.fold, lane.seed, c.normalize)
        groups.setdefault(together, []).append(lane)
    return groups


@dataclass
class Cut:
    """How lanes of each shape are cut into chunks: settled when a shape is first met.

    So a program that one wave of candidates compiled serves the next.
    """

    machine: Machine
    widths: dict[Shape, int] = field(default_factory=dict)
    parts: dict[Shape, Parts] = field(default_factory=dict)

    def chunks(
        self, lanes: Iterable[Lane], shape: ShapeOf, epochs: int, schedule_epochs: int
    ) -> list[Chunk]:
        """Lanes in chunks, those of the largest networks first, so that no thread ends late."""
        groups = groups_of(lanes, shape)
        self.settle([(together.shape, members) for together, members in groups.items()])
        chunks = [
            self.chunk(together.shape, part, epochs, schedule_epochs)
            for together, members in groups.items()
            for part in self.parts_of(members, together.shape)
        ]
        return sorted(chunks, key=self.seconds, reverse=True)

    def parts_of(self, lanes: Sequence[T], shape: Shape) -> list[tuple[T, ...]]:
        """Lanes that may share a chunk, cut to the width of their shape."""
        width = self.widths[shape]
        return [tuple(lanes[start : start + width]) for start in range(0, len(lanes), width)]

    def chunk(
        self,
        shape: Shape,
        lanes: tuple[Lane, ...],
        epochs: int,
        schedule_epochs: int,
        patience: int | None = None,
    ) -> Chunk:
        """One chunk of the shape's own width."""
        width, parts = self.widths[shape], self.parts[shape]
        return Chunk(shape, width, lanes, epochs, schedule_epochs, parts, patience)

    def settle(self, groups: Iterable[tuple[Shape, list[Lane]]]) -> None:
        """Choose width and parts of new shapes, from all lanes that may share chunks."""
        of_shape: dict[Shape, list[list[Lane]]] = {}
        for shape, members in groups:
            of_shape.setdefault(shape, []).append(members)
        for shape, groups_of_shape in of_shape.items():
            if shape not in self.widths:
                sizes = [len(members) for members in groups_of_shape]
                self.widths[shape] = chunk_width(shape, sizes, self.machine)
            needed = parts_for({lane.candidate for lanes in groups_of_shape for lane in lanes})
            before = self.parts.get(shape, needed)
            self.parts[shape] = Parts(*(a or b for a, b in zip(before, needed, strict=True)))

    def narrowed(self, wide: Chunk, feed: Feed) -> Chunk:
        """The chunk without empty places, where a program for that is at hand or worth making."""
        narrow = dataclasses.replace(wide, width=widths(wide.shape, self.machine)[0])
        steps = wide.epochs * -(-len(feed.folds[-1].train) // wide.shape.batch_size)
        took, takes = (steps * step_seconds(c.shape, c.width, self.machine) for c in (wide, narrow))
        if took - takes > COMPILATION or is_compiled(narrow, feed):
            return narrow
        return wide

    def seconds(self, chunk: Chunk) -> float:
        """What an epoch of the chunk takes, but for the number of rows that all share."""
        return step_seconds(chunk.shape, chunk.width, self.machine) / chunk.shape.batch_size


@dataclass
class Search:
    """One run's way from candidates to records; all of it that lasts is in the journal.

    Chunks run on threads of our own, or on any executor that is given.
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
        self._cut = Cut(self.machine)

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
        and what is finished stays.
        """
        epochs = epochs or self.epochs
        lanes = self.missing(self.lanes(candidates), epochs)
        chunks = self._cut.chunks(lanes, self.shape, epochs, self.epochs)
        work = [(chunk, self.feed) for chunk in chunks]
        train_chunks(work, self.machine, self.executor, progress, self._keep)

    def refit(self, candidate: Candidate, epochs: int) -> ChunkResult:
        """Train the candidate on all rows for these epochs of the whole schedule."""
        lane = Lane(candidate, self.feed.refit, self.seed)
        if self.shape(candidate) not in self._cut.widths:  # all of the search was in the journal
            self._cut.chunks([lane], self.shape, epochs, self.epochs)
        wide = self._cut.chunk(self.shape(candidate), (lane,), epochs, self.epochs)
        return train_chunk(self._cut.narrowed(wide, self.feed), self.feed)

    def _keep(self, chunk: Chunk, _: Feed, result: ChunkResult) -> None:
        self.journal.add([self.keys.of(lane) for lane in chunk.lanes], result)
