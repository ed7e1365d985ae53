"""Scores candidates on the folds: ask for some, train their lanes, score them, tell the sampler."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cuesta.data.fold_means import held_out_ratio
from cuesta.hyperparameters import Candidate
from cuesta.search import halving
from cuesta.search.length import DOUBLINGS, lengthened, to_lengthen, with_length
from cuesta.search.portfolio import TableSize, candidates_on, space_on
from cuesta.search.samplers import space_sampler
from cuesta.search.select import (
    Score,
    checkpoints_in_order,
    fold_curves,
    mean_losses,
    score_candidate,
)
from cuesta.tabular.listener import Listener
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import Task
from cuesta.training.journal import LaneRecord
from cuesta.training.run import Run
from cuesta.training.seen import Judged

Numbered = dict[int, Candidate]  # candidates by their numbers in the run


def score_candidates(run: Run, task: Task, options: Options, listener: Listener) -> list[Score]:
    """Train every candidate on every fold, and score it by its mean over the folds (N2)."""
    rows, columns = task.x.shape
    space = space_on(options.space, TableSize(rows, columns, task.target.task))
    space = space.with_precision(options.precision)
    count = candidates_on(options.candidates, options.space, rows)
    sampler = space_sampler(space, options.sampler, count, options.seed)
    scoring = Scoring(run, task, options, listener)
    scores: list[Score] = []
    while candidates := sampler.ask():
        if options.epochs == "auto":
            trained = len(task.feed.folds[0].train)
            candidates = [with_length(candidate, trained) for candidate in candidates]
        if not scores:
            scoring.announce(candidates, count)
        found = scoring.score(dict(enumerate(candidates, start=len(scores))))
        sampler.tell([score.loss for score in found])
        scores.extend(found)
    return scoring.lengthened(scores) if options.epochs == "auto" else scores


@dataclass
class Scoring:
    """How the candidates of a run are trained and scored."""

    run: Run
    task: Task
    options: Options
    listener: Listener

    def announce(self, first: Sequence[Candidate], wanted: int) -> None:
        """Tell how much work there is, from the candidates that were asked for `first`."""
        count = wanted if self.options.sampler == "tpe" else len(first)
        if count < wanted and self.options.sampler == "random":
            self.listener.said(f"the space has only {count} different candidates; all are tried")
        each = math.ceil(sum(map(self.run.schedule, first)) / len(first))
        rungs = halving.rungs(each) if self.options.halving else [each]
        self.listener.started(halving.lane_epochs(count, rungs) * self.task.feed.refit)

    def score(self, numbered: Numbered) -> list[Score]:
        """The candidates' scores, each after as many epochs as it was trained for."""
        found: dict[int, Score] = {}
        shortest = min(map(self.run.schedule, numbered.values()))
        for share in halving.shares(shortest) if self.options.halving else [1]:
            scores = self._after(share, numbered)
            found |= {score.index: score for score in scores}
            numbered = {score.index: score.candidate for score in halving.survivors(scores)}
        return list(found.values())

    def lengthened(self, scores: list[Score]) -> list[Score]:
        """All scores, and those of the better candidates with more epochs (`search.length`)."""
        newest = scores
        for _ in range(DOUBLINGS):
            chosen = to_lengthen(newest, scores)
            if not chosen:
                break
            longer = {len(scores) + i: lengthened(score) for i, score in enumerate(chosen)}
            epochs = sum(map(self.run.schedule, longer.values()))
            self.listener.added(epochs * self.task.feed.refit)
            newest = [
                replace(score, lengthened_from=origin.index)
                for score, origin in zip(self._after(1, longer), chosen, strict=True)
            ]
            scores = [*scores, *newest]
        return scores

    def _after(self, share: int, numbered: Numbered) -> list[Score]:
        """Train the candidates' lanes for 1/`share` of their epochs, and score them."""
        lanes = self.run.lanes(numbered.values())
        known = set(lanes).difference(self.run.missing(lanes, share))
        self.listener.found(sum(self._epochs(lane.candidate, share) for lane in known))
        self.run.train(numbered.values(), self.listener.progressed, share, self._judge)
        return [self._score(number, each, share) for number, each in numbered.items()]

    def _judge(self, candidate: Candidate, records: Mapping[int, LaneRecord]) -> Judged:
        """How the candidate stands by the folds that are done."""
        units = self._units[candidate.normalize][list(records)]
        losses = mean_losses(
            fold_curves([*records.values()], self.task.curve, units), self.task.curve
        )
        order = checkpoints_in_order(losses, self.run.schedule(candidate))
        lost = any(record.diverged_at for record in records.values())
        return Judged(math.inf if lost else float(losses[order[0] - 1]), tuple(order))

    def _epochs(self, candidate: Candidate, share: int) -> int:
        """1/`share` of the candidate's epochs."""
        return halving.part(self.run.schedule(candidate), share)

    def _score(self, number: int, candidate: Candidate, share: int) -> Score:
        epochs = self._epochs(candidate, share)
        return score_candidate(
            candidate,
            number,
            [record.until(epochs) for record in self.run.records(candidate)],
            self.task.curve,
            self._units[candidate.normalize],
            held_out_ratio(self.task.feed.folds[: self.task.feed.refit]),
            schedule=self.run.schedule(candidate),
            share=share,
        )

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
