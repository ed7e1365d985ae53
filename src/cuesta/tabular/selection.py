"""The winner, the few best candidates beside it, and the weights of all their networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from cuesta.core.layer import Layer
from cuesta.data.fold_means import held_out_ratio, standard_error
from cuesta.errors import CuestaError
from cuesta.hyperparameters import Candidate
from cuesta.metrics import Metric, mean_of_known
from cuesta.model import Network
from cuesta.search.choice import choose
from cuesta.search.out_of_fold import OutOfFold
from cuesta.search.select import Score, rank
from cuesta.search.ties import tied_with
from cuesta.tabular.listener import Listener
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import Task
from cuesta.tabular.shortlist import Shortlisted, out_of_fold
from cuesta.training.run import Ended, Run

MOST_CANDIDATES = 8  # of which a committee is made: their networks are trained again for it


@dataclass(frozen=True)
class Selection:
    """The scores, best first; the winner, and its network of all training rows.

    `shortlist` are the best candidates, the `chosen` one among them, and `entries` what their
    networks predict out of fold; `skipped` those that would have won, had they not diverged on all
    training rows. `untuned` is the first candidate's network of all training rows, what a search
    must beat; None where it diverged.
    """

    scores: list[Score]
    chosen: Shortlisted
    refit: Network
    shortlist: tuple[Shortlisted, ...]
    entries: OutOfFold
    skipped: list[Score]
    untuned: Network | None

    @property
    def winner(self) -> Score:
        """The chosen candidate's score."""
        return self.chosen.score

    def tied(self, task: Task) -> set[int]:
        """The numbers of the candidates that the folds cannot tell from the winner."""
        held_out = held_out_ratio(task.feed.folds[: task.feed.refit])
        return {score.index for score in tied_with(self.winner, self.scores, held_out)}

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


def select(
    run: Run, task: Task, options: Options, scores: Sequence[Score], listener: Listener
) -> Selection:
    """Rank the candidates, and train the best one on all training rows (N2).

    For the winner's number of epochs, in the same schedule. The networks of the best candidates
    are trained again for their weights, each to its candidate's number of epochs. By a metric that
    has no curve the winner is chosen among these few by what they decide out of fold. One that
    diverges on all training rows gives way to the next, and so does one whose predictions are not
    finite. Raises CuestaError where no candidate is left.
    """
    ranked = rank(list(scores))
    finite = [score for score in ranked if math.isfinite(score.loss)]
    skipped: list[Score] = []
    weights_of = partial(_weights, run)
    while finite:
        first = choose(finite, options.choose, weights_of)
        few = _few(finite, first, 1 if _alone(task, options) else MOST_CANDIDATES)
        wanted = [ended for score in few for ended in _on_folds(run, score)]
        start = next((_refit(run, score) for score in finite if score.index == 0), None)
        wanted += [_refit(run, first), *([] if start is None else [start])]
        listener.added(run.lane_epochs(wanted))
        found = run.networks(wanted, listener.progressed)
        known = [score for score in few if found.keys() >= set(_on_folds(run, score))]
        shortlist = tuple(_shortlisted(run, task, score, found) for score in known)
        entries = out_of_fold(task, shortlist)
        lost = _lost(few, known, entries)
        if lost:
            skipped, finite = [*skipped, *lost], [s for s in finite if s not in lost]
            continue
        for best in _preferred(run, task, options.choose, first, shortlist, entries):
            last = _refit(run, best.score)
            layers = (found if last in wanted else run.networks([last])).get(last)
            if layers is not None:
                refit = _network(task, last, layers)
                untuned = _network(task, start, found[start]) if start in found else None
                return Selection(ranked, best, refit, shortlist, entries, skipped, untuned)
            skipped = [*skipped, best.score]
        finite = [score for score in finite if score not in skipped]
    raise CuestaError(
        f"{_all(len(ranked))} diverged; use a space with lower learning rates, or with clip_norm.",
        parameter="space",
    )


def _weights(run: Run, candidate: Candidate) -> int:
    """How many weights the candidate's networks have."""
    return run.shape(candidate).weights


def _lost(few: Sequence[Score], known: Sequence[Score], entries: OutOfFold) -> list[Score]:
    """Those whose weights left float32 when they were trained again, or predictions float64."""
    told = np.isfinite(entries.predictions).all(axis=(1, 2))
    kept = [score for score, is_finite in zip(known, told, strict=True) if is_finite]
    return [score for score in few if score not in kept]


def _alone(task: Task, options: Options) -> bool:
    """Whether no other candidate's networks are needed than the winner's."""
    return options.model == "single" and task.curve == task.metric


def _few(finite: Sequence[Score], first: Score, most: int) -> list[Score]:
    """The best candidates in their order, the first choice among them."""
    few = list(finite[:most])
    return few if first in few else [*few[:-1], first]


def _preferred(
    run: Run,
    task: Task,
    how: str,
    first: Score,
    shortlist: Sequence[Shortlisted],
    entries: OutOfFold,
) -> list[Shortlisted]:
    """The shortlist in the order in which each would win.

    By the curve's metric the first choice comes first; by another one that which is chosen by it
    out of fold, and then the others, best first.
    """
    if task.curve == task.metric:
        return sorted(shortlist, key=lambda each: each.score is not first)
    scores = [
        _by_metric(task, each.score, entries, decided)
        for each, decided in zip(shortlist, entries.predictions, strict=True)
    ]
    chosen = choose(scores, how, lambda candidate: _weights(run, candidate))
    of = {each.score.index: each for each in shortlist}
    return [of[s.index] for s in sorted(rank(scores), key=lambda score: score is not chosen)]


def _by_metric(task: Task, score: Score, entries: OutOfFold, decided: np.ndarray) -> Score:
    """The score by the metric that selects, of what its networks decide out of fold.

    Folds in which the metric is not known, such as ROC-AUC without a class, do not count.
    """
    metric = task.measured
    folds = fold_metrics(metric, entries, decided)
    known = np.array([value for value in folds if not math.isnan(value)])
    mean = mean_of_known(folds)
    loss = math.inf if math.isnan(mean) else -mean if metric.higher_is_better else mean
    se = standard_error(known, held_out_ratio(task.feed.folds[: task.feed.refit]))
    return replace(score, mean=mean, se=se, folds=folds, loss=loss)


def fold_metrics(
    metric: Metric, entries: OutOfFold, decided: np.ndarray, threshold: float | None = None
) -> tuple[float, ...]:
    """The metric of what is decided (entries, outputs) on each fold, perhaps by a threshold."""
    folds = (entries.folds == fold for fold in np.unique(entries.folds))
    return tuple(metric.of_model(entries.y[own], decided[own], threshold) for own in folds)


def _refit(run: Run, score: Score) -> Ended:
    return Ended(run.refit(score.candidate), score.epochs)


def _shortlisted(
    run: Run, task: Task, score: Score, found: dict[Ended, list[Layer]]
) -> Shortlisted:
    networks = (_network(task, each, found[each]) for each in _on_folds(run, score))
    return Shortlisted(score, tuple(networks))


def _on_folds(run: Run, score: Score) -> list[Ended]:
    return [Ended(lane, score.epochs) for lane in run.lanes([score.candidate])]


def _network(task: Task, ended: Ended, layers: list[Layer]) -> Network:
    """A trained lane as a network that predicts."""
    candidate = ended.lane.candidate
    inputs, targets = task.feed.scalings_of(ended.lane.fold, candidate)
    weights = tuple((layer.w, layer.b) for layer in layers)
    return Network(candidate, inputs, targets, weights, task.feed.layout)


def _all(candidates: int) -> str:
    return "The only candidate" if candidates == 1 else f"All {candidates} candidates"
