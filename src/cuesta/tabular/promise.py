"""What validation promises of new rows, corrected for the choice among candidates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cuesta.metrics import LEAST
from cuesta.model import sharpened
from cuesta.search.committee import greedy_log_loss, greedy_rmse
from cuesta.search.correction import (
    Corrected,
    correct_choice,
    correct_committee,
    unit_losses,
    with_preselection,
)
from cuesta.search.out_of_fold import OutOfFold
from cuesta.search.select import Score, rank
from cuesta.tabular.candidates import TargetUnits
from cuesta.tabular.prepare import Task
from cuesta.training.checkpoints import checkpoints
from cuesta.training.run import Run

Promise = tuple[float, float, float]  # the figure, and the ends of its 95 % interval
RULE_OF_THREE = 3.0  # −log .05: so many expected events are seen not once with a chance of 5 %
UNKNOWN: Promise = (np.nan, np.nan, np.nan)


class Promises:
    """The corrected figures of a run's models (Tsamardinos et al., 2018).

    For log-loss and RMSE (of one target); other metrics have no loss of each row whose mean they
    are, or no curve of it: then nothing is promised.
    """

    def __init__(self, run: Run, task: Task, scores: list[Score], seed: int) -> None:
        self._task, self._seed = task, seed
        self._known = task.metric == "log_loss" or (
            task.metric == "rmse" and task.target.outputs == 1
        )
        if not self._known:
            return
        longest = min(score.share for score in scores)
        whole = [score for score in scores if score.share == longest and not any(score.diverged)]
        self._numbers = [score.index for score in whole]
        self._first = rank(scores)[0]
        if not whole:  # all that were trained to the end diverged
            self._known = False
            return
        self._epochs = [checkpoints(score.schedule, score.trained) for score in whole]
        records = [
            [record.at(epochs) for record in run.records(score.candidate)]
            for score, epochs in zip(whole, self._epochs, strict=True)
        ]
        scales = None
        self._unit = 1.0
        if not task.feed.classes:
            units = TargetUnits(task)
            scales = np.stack([units[score.candidate.normalize][:, 0] for score in whole])
            # So that no square overflows; of a power of two, which leaves the digits as they are.
            self._unit = float(2.0 ** np.frexp(scales.max())[1])
            scales = scales / self._unit
        folds = range(task.feed.refit)
        weights = np.stack([task.feed.unit_weights(fold) for fold in folds])
        self._losses = unit_losses(records, weights, scales)

    def of_choice(self, winner: Score, calibrated: float) -> Promise:
        """Of the winner: the best (candidate, epoch) of all.

        The distance of a winner that is not the best to the best one is added to it, and so is what
        its mean over the folds, `calibrated`, has more than before the temperature; one that has
        less lowers all by as much.
        """
        if not self._known or winner.index not in self._numbers:
            return UNKNOWN
        found = correct_choice(self._losses, seed=self._seed, rounds=self._task.rounds)
        own = self._loss(winner)
        found = found.moved(max(own - self._loss(self._first), 0.0))
        if not self._task.feed.classes:
            return self._told(found)
        if calibrated < own:
            return self._told(found.times(calibrated / own))
        return self._told(found.moved(calibrated - own))

    def _loss(self, score: Score) -> float:
        """The loss of a candidate at its epoch, over all units."""
        place = self._numbers.index(score.index)
        sums = self._losses.sums[place, self._epochs[place].index(score.epochs)]
        return float(sums.sum(dtype=np.float64) / self._losses.weights.sum())

    def of_committee(
        self, entries: OutOfFold, candidates: Sequence[int], temperature: float
    ) -> Promise:
        """Of a committee of these candidates: each sample of rows chooses its weights anew.

        A row is drawn with all its rounds, and with the rows that belong together with it.
        """
        kept = []
        if self._known:
            kept = [place for place, number in enumerate(self._numbers) if number in candidates]
        if not kept:
            return UNKNOWN
        of = (
            _ClassRows(entries, temperature, self._task.without_value(entries.rows))
            if entries.classes
            else _ValueRows(entries, self._unit)
        )
        together = self._task.together
        clusters = Clusters(entries.rows if together is None else together[entries.rows])
        found = correct_committee(
            len(clusters),
            lambda numbers: of.choose(clusters.entries(numbers)),
            lambda weights, numbers: of.loss(weights, clusters.entries(numbers)),
            seed=self._seed,
        )
        found = with_preselection(found, self._losses, kept, seed=self._seed)
        return self._told(found)

    def _told(self, found: Corrected) -> Promise:
        figure = found if self._task.feed.classes else found.root()
        value, low, high = (end * self._unit for end in figure[:3])
        return value, low, high


def with_unseen_mistakes(promise: Promise, entries: OutOfFold, decided: np.ndarray) -> Promise:
    """The promise of a log-loss, its upper end at least the value and 3L/n.

    Of n rows without a grave mistake the truth may still have as many as 3 in n (the rule of three:
    Hanley and Lippman-Hand, 1983). What one costs, L, is the mean loss of the rows if each were of
    another class: −log((1 − p of its own)/(classes − 1)).
    """
    value, low, high = promise
    rows = len(np.unique(entries.rows))
    others = (1 - decided[np.arange(len(decided)), entries.y]) / (decided.shape[1] - 1)
    cost = float(-np.log(np.clip(others, LEAST, 1.0)).mean())
    return value, low, max(high, value + RULE_OF_THREE * cost / rows)


class Clusters:
    """Entries that are drawn together: a row in all rounds, the rows of a group, copies of a row.

    Drawn one by one they would count for more than they tell. `of` (entries,) has the same number
    for those of one cluster; clusters are numbered from 0, in the order of their first entries.
    """

    def __init__(self, of: np.ndarray) -> None:
        _, first, places = np.unique(of, return_index=True, return_inverse=True)
        numbers = np.argsort(np.argsort(first))[places.ravel()]
        self._order = np.argsort(numbers, kind="stable")
        self._sizes = np.bincount(numbers)
        self._starts = np.cumsum(self._sizes) - self._sizes

    def __len__(self) -> int:
        """How many clusters there are."""
        return len(self._sizes)

    def entries(self, numbers: np.ndarray) -> np.ndarray:
        """The places of the entries of these clusters, one cluster after the other."""
        sizes = self._sizes[numbers]
        ends = np.cumsum(sizes)
        shifts = np.repeat(self._starts[numbers] - (ends - sizes), sizes)
        return np.asarray(self._order[shifts + np.arange(len(shifts))])


class _ClassRows:
    """Out-of-fold shares: what chooses a committee by some rows, and its log-loss of others."""

    def __init__(self, entries: OutOfFold, temperature: float, unknown: np.ndarray) -> None:
        self._entries, self._temperature, self._unknown = entries, temperature, unknown
        # Of the true classes: all that the choice needs.
        self._told = entries.predictions[:, np.arange(len(entries.y)), entries.y]

    def choose(self, rows: np.ndarray) -> np.ndarray:
        return greedy_log_loss(self._told[:, rows])

    def loss(self, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
        if self._temperature == 1:
            told = weights @ self._told[:, rows]
        else:
            (used,) = np.nonzero(weights)
            shares = np.tensordot(weights[used], self._entries.predictions[used][:, rows], 1)
            y = self._entries.y[rows]
            shares = np.where(
                self._unknown[rows, None], shares, sharpened(shares, self._temperature)
            )
            told = shares[np.arange(len(rows)), y]
        return -np.log(np.clip(told, LEAST, 1.0))


class _ValueRows:
    """Out-of-fold errors, in a unit: what chooses a committee, and its squares of other rows."""

    def __init__(self, entries: OutOfFold, unit: float) -> None:
        self._errors = (entries.predictions - entries.y) / unit

    def choose(self, rows: np.ndarray) -> np.ndarray:
        return greedy_rmse(self._errors[:, rows])

    def loss(self, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.asarray((np.tensordot(weights, self._errors[:, rows], 1) ** 2).mean(axis=1))
