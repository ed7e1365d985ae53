"""Groups lanes into chunks: which share one, how many, and what its program can do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from cuesta.core.lane import ProgramFeatures
from cuesta.core.lane_hyperparameters import features_for
from cuesta.data.layout import Layout
from cuesta.hyperparameters import Candidate, Shape, is_foreign
from cuesta.training.feed import Feed
from cuesta.training.lanes import Chunk, Lane, is_compiled
from cuesta.training.planner import Machine, chunk_width, step_seconds, widths

T = TypeVar("T")
ShapeOf = Callable[[Candidate], Shape]
EpochsOf = Callable[[Candidate], int]
COMPILATION = 2.0  # seconds that a program about takes to compile


def shape_of(
    candidate: Candidate, inputs: int, outputs: int, loss: str, layout: Layout | None = None
) -> Shape:
    """The static shape of a candidate's network on this table; without a layout all are numbers."""
    layout = layout or Layout(inputs, tuple(range(inputs)))
    return Shape(
        inputs,
        candidate.hidden_layer_sizes,
        outputs,
        candidate.batch_size,
        loss,
        candidate.optimizer if is_foreign(candidate.optimizer) else "",
        candidate.precision,
        candidate.factory,
        layout.front(candidate),
        candidate.architecture == "resnet",
        candidate.target_transform != "none",
    )


class LaneGroup(NamedTuple):
    """What the lanes of a chunk have in common; `epochs` is their own number of them, if any."""

    shape: Shape
    fold: int
    seed: int
    normalize: str
    target_transform: str
    epochs: int | None


def groups_of(lanes: Iterable[Lane], shape: ShapeOf) -> dict[LaneGroup, list[Lane]]:
    """Lanes by what those of a chunk have in common."""
    groups: dict[LaneGroup, list[Lane]] = {}
    for lane in lanes:
        c = lane.candidate
        group = LaneGroup(shape(c), lane.fold, lane.seed, c.normalize, c.target_transform, c.epochs)
        groups.setdefault(group, []).append(lane)
    return groups


@dataclass
class Batching:
    """The width and the program features of each shape, chosen when the shape is first met.

    So a program that was compiled for some candidates serves those that come later.
    """

    machine: Machine
    widths: dict[Shape, int] = field(default_factory=dict)
    features: dict[Shape, ProgramFeatures] = field(default_factory=dict)

    def chunks(
        self, lanes: Iterable[Lane], shape: ShapeOf, schedule: EpochsOf, share: int = 1
    ) -> list[Chunk]:
        """Lanes in chunks, those that take longest first, so that no thread ends late.

        Each trains 1/`share`, rounded up, of its `schedule`: the epochs over which its rate decays.
        """
        groups = groups_of(lanes, shape)
        self.plan([(group.shape, members) for group, members in groups.items()])
        chunks = [
            self.chunk(group.shape, part, -(-epochs // share), epochs)
            for group, members in groups.items()
            for epochs in [schedule(members[0].candidate)]
            for part in self.split(members, group.shape)
        ]
        return sorted(chunks, key=lambda c: self.seconds(c) * c.epochs, reverse=True)

    def split(self, lanes: Sequence[T], shape: Shape) -> list[tuple[T, ...]]:
        """Lanes that may share a chunk, in parts of the width of their shape."""
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
        width, features = self.widths[shape], self.features[shape]
        return Chunk(shape, width, lanes, epochs, schedule_epochs, features, patience)

    def plan(self, groups: Iterable[tuple[Shape, list[Lane]]]) -> None:
        """Choose width and features of new shapes, from all lanes that may share chunks."""
        of_shape: dict[Shape, list[list[Lane]]] = {}
        for shape, members in groups:
            of_shape.setdefault(shape, []).append(members)
        for shape, members_of_groups in of_shape.items():
            if shape not in self.widths:
                sizes = [len(members) for members in members_of_groups]
                self.widths[shape] = chunk_width(shape, sizes, self.machine)
            needed = features_for({lane.candidate for lanes in members_of_groups for lane in lanes})
            before = self.features.get(shape, needed)
            either = (a or b for a, b in zip(before, needed, strict=True))
            self.features[shape] = ProgramFeatures(*either)

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
