"""Scores candidates on the folds: ask for some, train their lanes, score them, tell the sampler."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cuesta.data.fold_means import held_out_ratio
from cuesta.hyperparameters import Candidate
from cuesta.search import halving
from cuesta.search.samplers import space_sampler
from cuesta.search.select import Score, score_candidate
from cuesta.search.space import default_space
from cuesta.tabular.listener import Listener
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import Task
from cuesta.training.run import Run

Numbered = dict[int, Candidate]  # candidates by their numbers in the run


def score_candidates(run: Run, task: Task, options: Options, listener: Listener) -> list[Score]:
    """Train every candidate on every fold, and score it by its mean over the folds (N2)."""
    space = (options.space or default_space(len(task.x))).with_precision(options.precision)
    sampler = space_sampler(space, options.sampler, options.candidates, options.seed)
    scoring = Scoring(run, task, options, listener)
    scores: list[Score] = []
    while candidates := sampler.ask():
        if not scores:
            scoring.announce(len(candidates))
        found = scoring.score(dict(enumerate(candidates, start=len(scores))))
        sampler.tell([score.loss for score in found])
        scores.extend(found)
    return scores


@dataclass
class Scoring:
    """How the candidates of a run are trained and scored."""

    run: Run
    task: Task
    options: Options
    listener: Listener

    @cached_property
    def rungs(self) -> list[int]:
        """The epochs after which candidates are compared; without halving, those of a lane."""
        epochs = self.options.epochs
        return halving.rungs(epochs) if self.options.halving else [epochs]

    def announce(self, first: int) -> None:
        """Tell how much work there is, from how many candidates were asked for `first`."""
        wanted = self.options.candidates
        count = wanted if self.options.sampler == "tpe" else first
        if count < wanted and self.options.sampler == "random":
            self.listener.said(f"the space has only {count} different candidates; all are tried")
        self.listener.started(halving.lane_epochs(count, self.rungs) * self.task.feed.refit)

    def score(self, numbered: Numbered) -> list[Score]:
        """The candidates' scores, each after as many epochs as it was trained for."""
        found: dict[int, Score] = {}
        for rung in self.rungs:
            scores = self._after(rung, numbered)
            found |= {score.index: score for score in scores}
            numbered = {score.index: score.candidate for score in halving.survivors(scores)}
        return list(found.values())

    def _after(self, epochs: int, numbered: Numbered) -> list[Score]:
        """Train the candidates' lanes for so many epochs, and score them."""
        lanes = self.run.lanes(numbered.values())
        self.listener.found((len(lanes) - len(self.run.missing(lanes, epochs))) * epochs)
        self.run.train(numbered.values(), self.listener.progressed, epochs)
        held_out = held_out_ratio(self.task.feed.folds[: self.task.feed.refit])
        return [
            score_candidate(
                candidate,
                index,
                [record.until(epochs) for record in self.run.records(candidate)],
                self.task.curve,
                self._units[candidate.normalize],
                held_out,
            )
            for index, candidate in numbered.items()
        ]

    @cached_property
    def _units(self) -> TargetUnits:
        return TargetUnits(self.task)


class TargetUnits(dict[str, np.ndarray]):
    """normalization → (folds, targets): the scale of each fold's targets; empty for classes."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self._task = task

    def __missing__(self, normalize: str) -> np.ndarray:
        feed = self._task.feed
        if feed.classes:
            units = np.empty((feed.refit, 0))
        else:
            scalings = [feed.target_scaling(fold, normalize) for fold in range(feed.refit)]
            units = np.stack([scaling.scale for scaling in scalings])
        self[normalize] = units
        return units
