"""The winner, the few best candidates beside it, and the weights of all their networks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cuesta.core.net import Layer
from cuesta.errors import CuestaError
from cuesta.model import Network
from cuesta.search.select import Score, rank
from cuesta.tabular.listener import Listener
from cuesta.tabular.prepare import Task
from cuesta.training.run import Ended, Run

MOST_CANDIDATES = 8  # of which a committee is made: their networks are trained again for it


@dataclass(frozen=True)
class Shortlisted:
    """One of the best candidates: its score, and its network of each fold."""

    score: Score
    networks: tuple[Network, ...]


@dataclass(frozen=True)
class Selection:
    """The scores, best first; the winner, and its network of all training rows.

    `shortlist` are the best candidates, the `chosen` one among them; `skipped` those that would
    have won, had they not diverged on all training rows.
    """

    scores: list[Score]
    chosen: Shortlisted
    refit: Network
    shortlist: tuple[Shortlisted, ...]
    skipped: list[Score]

    @property
    def winner(self) -> Score:
        """The chosen candidate's score."""
        return self.chosen.score

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


Order = Callable[[Sequence[Shortlisted]], list[Shortlisted]]


def select(
    run: Run,
    task: Task,
    scores: Sequence[Score],
    listener: Listener,
    preferred: Order = list,
) -> Selection:
    """Rank the candidates, and train the best one on all training rows (N2).

    For the winner's number of epochs, in the same schedule. The networks of the best candidates
    are trained again for their weights, each to its candidate's number of epochs. The winner is
    the first of these in the `preferred` order that does not diverge on all training rows; where
    all do, the first of the others. Raises CuestaError where no candidate is left.
    """
    ranked = rank(list(scores))
    finite = [score for score in ranked if math.isfinite(score.loss)]
    for start in range(0, len(finite), MOST_CANDIDATES):
        few = finite[start : start + MOST_CANDIDATES]
        wanted = [Ended(lane, s.epochs) for s in few for lane in run.lanes([s.candidate])]
        wanted.append(_refit(run, few[0]))
        listener.added(sum(ended.epochs for ended in run.unknown(wanted)))
        found = run.networks(wanted, listener.progressed)
        shortlist = [_shortlisted(run, task, score, found) for score in few]
        skipped = finite[:start]
        for best in preferred(shortlist):
            last = _refit(run, best.score)
            layers = (found if last in wanted else run.networks([last])).get(last)
            if layers is not None:
                refit = _network(task, last, layers)
                return Selection(ranked, best, refit, tuple(shortlist), skipped)
            skipped = [*skipped, best.score]
    raise CuestaError(
        f"{_all(len(ranked))} diverged; use a space with lower learning rates, or with clip_norm.",
        parameter="space",
    )


def _refit(run: Run, score: Score) -> Ended:
    return Ended(run.refit(score.candidate), score.epochs)


def _shortlisted(
    run: Run, task: Task, score: Score, found: dict[Ended, list[Layer]]
) -> Shortlisted:
    ended = [Ended(lane, score.epochs) for lane in run.lanes([score.candidate])]
    return Shortlisted(score, tuple(_network(task, each, found[each]) for each in ended))


def _network(task: Task, ended: Ended, layers: list[Layer]) -> Network:
    """A trained lane as a network that predicts."""
    candidate = ended.lane.candidate
    inputs, targets = task.feed.scalings(ended.lane.fold, candidate.normalize)
    return Network(candidate, inputs, targets, tuple((layer.w, layer.b) for layer in layers))


def _all(candidates: int) -> str:
    return "The only candidate" if candidates == 1 else f"All {candidates} candidates"
