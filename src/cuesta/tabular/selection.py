"""The winner: the best candidate that trains on all training rows without diverging."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cuesta.errors import CuestaError
from cuesta.model import FittedModel
from cuesta.search.select import Score, rank
from cuesta.tabular.prepare import Task
from cuesta.training.lanes import ChunkResult
from cuesta.training.run import Run

Layers = tuple[tuple[np.ndarray, np.ndarray], ...]


@dataclass(frozen=True)
class Selection:
    """The scores, best first; the winner and its weights; those passed over in its favour."""

    scores: list[Score]
    winner: Score
    layers: Layers
    skipped: list[Score]

    @property
    def lanes(self) -> int:
        """How many lanes were trained on the folds."""
        return sum(len(score.diverged) for score in self.scores)

    def diverged_by_optimizer(self) -> dict[str, tuple[int, int]]:
        """Optimizer → how many of its lanes diverged, and how many it had."""
        counts: dict[str, tuple[int, int]] = {}
        for score in self.scores:
            bad, all_ = counts.get(score.candidate.optimizer, (0, 0))
            bad += sum(step > 0 for step in score.diverged)
            counts[score.candidate.optimizer] = bad, all_ + len(score.diverged)
        return counts

    def model(self, task: Task) -> FittedModel:
        """The winner as a model."""
        candidate = self.winner.candidate
        arrays = task.feed.arrays(task.feed.refit, candidate.normalize)
        return FittedModel.single(
            task.encoder, task.target, candidate, arrays.inputs, arrays.targets, self.layers
        )


def select(run: Run, scores: list[Score]) -> Selection:
    """Rank the candidates, and train the best one on all training rows (N2).

    For the winner's number of epochs, in the same schedule. Should that diverge, the next
    candidate takes its place. Raises CuestaError where no candidate is left.
    """
    ranked = rank(scores)
    skipped: list[Score] = []
    for score in ranked:
        if not math.isfinite(score.loss):
            break
        result = run.refit(score.candidate, score.epochs)
        if _is_finite(result):
            layers = tuple((layer.w, layer.b) for layer in result.layers[0])
            return Selection(ranked, score, layers, skipped)
        skipped.append(score)
    raise CuestaError(
        f"{_all(len(ranked))} diverged; use a space with lower learning rates, or with clip_norm.",
        parameter="space",
    )


def _all(candidates: int) -> str:
    return "The only candidate" if candidates == 1 else f"All {candidates} candidates"


def _is_finite(result: ChunkResult) -> bool:
    weights = (leaf for layer in result.layers[0] for leaf in layer)
    return not result.diverged_at[0] and all(np.isfinite(leaf).all() for leaf in weights)
