"""What is delivered: a committee or the single network, calibrated on rows that they did not see.

All of it is decided before the test opens.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cuesta.data.fold_means import held_out_ratio
from cuesta.metrics import Metric, mean_of_known
from cuesta.model import Calibration, FittedModel, FoldResiduals, Member, sharpened
from cuesta.search.calibration import (
    Decided,
    best_threshold,
    decided_at,
    fit_temperature,
    less_cost,
)
from cuesta.search.out_of_fold import OutOfFold
from cuesta.search.ties import beyond_chance
from cuesta.search.votes import committee_weights, losses, with_weights_of_others
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import Task
from cuesta.tabular.promise import UNKNOWN, Promise, Promises, with_unseen_mistakes
from cuesta.tabular.selection import Selection, fold_metrics
from cuesta.tabular.shortlist import Shortlisted


@dataclass(frozen=True)
class Deliverable:
    """A model that may be delivered, and what it predicts of rows that it did not see.

    `votes` are the weights of its candidates, by their numbers; `decided` (entries, outputs) are
    its out-of-fold predictions, after calibration; `folds` the metric on each fold; `promised` that
    of new rows, corrected for the choice, and the ends of its 95 % interval.
    """

    model: FittedModel
    votes: Mapping[int, float]
    decided: np.ndarray
    folds: tuple[float, ...]
    promised: tuple[float, float, float]

    @property
    def mean(self) -> float:
        """The metric's mean over the folds, as it chose."""
        return mean_of_known(self.folds)

    @property
    def networks(self) -> int:
        """How many networks decide."""
        return sum(member.weight > 0 for member in self.model.members)


@dataclass(frozen=True)
class Delivery:
    """The models, the one that is delivered ("committee" or "single"), and the rows that chose it.

    `untuned` is the first candidate, trained on all training rows: what the search must beat.
    """

    chosen: str
    models: Mapping[str, Deliverable]
    entries: OutOfFold
    untuned: FittedModel | None = None

    @property
    def delivered(self) -> Deliverable:
        """The chosen one."""
        return self.models[self.chosen]

    def decided_at(self, name: str) -> tuple[Decided, ...]:
        """What 0.5 and a model's threshold do to the second label out of fold.

        Nothing where the model has no threshold.
        """
        model, y = self.models[name], self.entries.y
        threshold = model.model.calibration.threshold
        if threshold is None:
            return ()
        return tuple(decided_at(y, model.decided[:, 1], at) for at in (0.5, threshold))


def deliver(task: Task, options: Options, selection: Selection, promises: Promises) -> Delivery:
    """Make the committee and the single network, calibrate both, and choose.

    The committee, unless the single network is better by more than the noise: the weights that are
    compared were chosen without the fold at hand. In order of time it is the single network: a fold
    is validated by what trained on the rows before it, and no figure tells of the mean of that and
    of networks that saw the oldest rows alone.
    """
    entries = selection.entries
    maker = _Maker(task, options, selection, entries, task.measured, promises)
    models = {"single": maker.single()}
    if options.model != "single":
        models["committee"] = maker.committee()
    chosen = _choose(task, options, entries, maker)
    return Delivery(chosen, models, entries, maker.untuned())


def _choose(task: Task, options: Options, entries: OutOfFold, maker: _Maker) -> str:
    """The name of the model to deliver."""
    if options.model != "auto":
        return options.model
    if options.protocol == "ordered":  # networks of early folds know the oldest rows alone
        return "single"
    single, committee = (
        losses(entries, decided) for decided in (maker.alone(), with_weights_of_others(entries))
    )
    folds = task.feed.folds[: task.feed.refit]
    by_fold = [entries.folds == fold for fold in range(len(folds))]
    gains = [np.average((committee - single)[own], weights=entries.weights[own]) for own in by_fold]
    better = beyond_chance(np.array(gains), held_out_ratio(folds))
    return "single" if better else "committee"


@dataclass(frozen=True)
class _Maker:
    """Makes models from what a selection found."""

    task: Task
    options: Options
    selection: Selection
    entries: OutOfFold
    metric: Metric
    promises: Promises

    @property
    def winner(self) -> int:
        """The place of the winner in the shortlist."""
        return self.selection.shortlist.index(self.selection.chosen)

    def alone(self) -> np.ndarray:
        """The winner's out-of-fold predictions."""
        return self.entries.predictions[self.winner]

    def untuned(self) -> FittedModel | None:
        """The first candidate's network of all training rows, as it is."""
        network = self.selection.untuned
        if network is None:
            return None
        return FittedModel(self.task.encoder, self.task.target, (Member(network),))

    def single(self) -> Deliverable:
        """The winner, trained on all training rows; its fold networks serve its intervals."""
        share = 1 / self.task.feed.refit
        folds = [
            Member(network, 0.0, fold, share)
            for fold, network in enumerate(self.selection.chosen.networks)
        ]
        votes = {self.selection.winner.index: 1.0}
        found = self._deliverable([Member(self.selection.refit), *folds], votes, self.alone())
        promised = self.promises.of_choice(self.selection.winner, found.mean)
        return self._promising(found, promised)

    def committee(self) -> Deliverable:
        """The candidates' fold networks by the weights of their candidates."""
        weights = committee_weights(self.entries)
        members, votes = [], {}
        for weight, each in zip(weights.tolist(), self.selection.shortlist, strict=True):
            if weight > 0:
                votes[each.score.index] = weight
                members += _members(each, weight)
        found = self._deliverable(members, votes, self.entries.mixed(weights))
        temperature = found.model.calibration.temperature
        numbers = [each.score.index for each in self.selection.shortlist]
        promised = self.promises.of_committee(self.entries, numbers, temperature)
        return self._promising(found, promised)

    def _promising(self, found: Deliverable, promised: Promise) -> Deliverable:
        """The same with what is promised of it."""
        if self.metric.name == "log_loss" and not math.isnan(promised[0]):
            promised = with_unseen_mistakes(promised, self.entries, found.decided)
        return replace(found, promised=promised)

    def _deliverable(
        self, members: Sequence[Member], votes: Mapping[int, float], decided: np.ndarray
    ) -> Deliverable:
        entries, classes = self.entries, self.entries.classes
        temperature = 1.0
        if classes:
            known = ~self.task.without_value(entries.rows)
            temperature = fit_temperature(decided[known], entries.y[known], entries.weights[known])
            # As the model decides: rows without any value keep the classes' shares.
            decided = np.where(known[:, None], sharpened(decided, temperature), decided)
        threshold = self._threshold(decided)
        calibration = Calibration(temperature, threshold, tuple(_residuals(entries, decided)))
        model = FittedModel(self.task.encoder, self.task.target, tuple(members), calibration)
        folds = fold_metrics(self.metric, entries, decided, threshold)
        return Deliverable(model, votes, decided, folds, UNKNOWN)

    def _threshold(self, decided: np.ndarray) -> float | None:
        """From which share on the second of two classes is decided; None: the likelier one is."""
        wanted, y = self.options.threshold, self.entries.y
        if self.options.costs is not None:
            # In a unit of which no sum overflows; of a power of two, which keeps their digits.
            alarm, miss = np.ldexp(self.options.costs, -np.frexp(max(self.options.costs))[1])
            return best_threshold(y, decided[:, 1], less_cost([[0, alarm], [miss, 0]]))
        if not isinstance(wanted, str):
            return wanted
        sign = 1.0 if self.metric.higher_is_better else -1.0

        def score(truth: np.ndarray, labels: np.ndarray) -> float:
            return sign * self.metric.of_model(truth, np.eye(2)[labels])

        return best_threshold(y, decided[:, 1], score)


def _members(each: Shortlisted, weight: float) -> list[Member]:
    """A candidate's fold networks, which share its weight."""
    part = weight / len(each.networks)
    return [
        Member(network, part, fold, part)  # beside others of its fold it counts by the same part
        for fold, network in enumerate(each.networks)
    ]


def _residuals(entries: OutOfFold, decided: np.ndarray) -> list[FoldResiduals]:
    """How far off the out-of-fold predictions were, fold by fold."""
    if entries.classes:
        found = 1.0 - decided[np.arange(len(decided)), entries.y][:, None]
    else:
        found = np.abs(decided - entries.y)
    return [
        FoldResiduals.of(int(fold), found[entries.folds == fold])
        for fold in np.unique(entries.folds)
    ]
