"""Weights that a search passed: kept in memory as far as they fit, so that few are trained again.

What is not kept is had by training its lane anew, bit for bit (`Run.networks`); so what fits, and
what is let go, changes the time that a run takes and no result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from cuesta.core.layer import Layer
from cuesta.hyperparameters import Candidate
from cuesta.training.lanes import Lane

ROOM = 256 << 20  # bytes of weights

BEST = 3  # checkpoints of a candidate that stay until whole candidates must go


class Judged(NamedTuple):
    """How a candidate stands by the folds that are done: its loss, its checkpoints best first."""

    loss: float
    epochs: tuple[int, ...]


class SeenWeights:
    """Weights by lane and epochs, of at most `room` bytes.

    What goes first where there is no room: of each candidate all but its best checkpoints so far,
    then the worst candidates.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._room, self._bytes = room, 0
        self._of: dict[Candidate, dict[int, dict[Lane, list[Layer]]]] = {}
        self._judged: dict[Candidate, Judged] = {}

    def get(self, lane: Lane, epochs: int) -> list[Layer] | None:
        """The layers of the lane after these epochs, or None where they are not at hand."""
        return self._of.get(lane.candidate, {}).get(epochs, {}).get(lane)

    def add(self, lane: Lane, weights: Mapping[int, list[Layer]]) -> None:
        """Keep copies of a lane's layers, by epochs: they may be parts of larger arrays."""
        own = self._of.setdefault(lane.candidate, {})
        for epochs, layers in weights.items():
            known = own.setdefault(epochs, {})
            self._bytes -= _bytes(known.get(lane, []))
            known[lane] = [Layer(np.array(each.w), np.array(each.b)) for each in layers]
            self._bytes += _bytes(known[lane])

    def judge(self, candidate: Candidate, judged: Judged, *, done: bool) -> None:
        """Tell how the candidate stands; once it is `done` its best epoch alone is needed."""
        self._judged[candidate] = judged
        for epochs in [e for e in self._of.get(candidate, {}) if done and e != judged.epochs[0]]:
            self._let_go(candidate, epochs)

    def make_room(self) -> None:
        """Let go what has no room."""
        places = [(each, epochs) for each, own in self._of.items() for epochs in own]
        for place in sorted(places, key=self._worth, reverse=True):
            if self._bytes <= self._room:
                break
            self._let_go(*place)

    def _worth(self, place: tuple[Candidate, int]) -> tuple[int, float, int]:
        """The candidate's better checkpoints, beyond a few; its loss; those checkpoints again."""
        candidate, epochs = place
        judged = self._judged.get(candidate, Judged(math.inf, ()))
        better = judged.epochs.index(epochs) if epochs in judged.epochs else len(judged.epochs)
        return max(better, BEST - 1), judged.loss, better

    def _let_go(self, candidate: Candidate, epochs: int) -> None:
        for layers in self._of[candidate].pop(epochs).values():
            self._bytes -= _bytes(layers)
        if not self._of[candidate]:
            del self._of[candidate]


def _bytes(layers: list[Layer]) -> int:
    return sum(leaf.nbytes for layer in layers for leaf in layer)
