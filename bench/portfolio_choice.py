"""What lanes that were kept come to: losses, committees of configurations, a portfolio."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np

from cuesta.search.committee import greedy_log_loss, greedy_rmse
from cuesta.tabular.selection import MOST_CANDIDATES
from portfolio_entries import Entry
from portfolio_lanes import Settings, TrainingTable
from suite import LEAST_LOG_LOSS


@dataclass(frozen=True)
class Judged:
    """Entries on one table, each at the checkpoint where its mean over the folds is best.

    Parameters
    ----------
    classes : bool
        Whether `outcomes` are the shares of the true class; else errors of the values.
    losses, seconds, epochs, trained : arrays (entries,)
        Log-loss or RMSE, the mean over the folds; the time of all folds; the best checkpoint, and
        the epochs of the whole training.
    outcomes : array (entries, rows) or (entries, rows, targets)
    folds : array (rows,)
    """

    classes: bool
    losses: np.ndarray
    seconds: np.ndarray
    epochs: np.ndarray
    trained: np.ndarray
    outcomes: np.ndarray
    folds: np.ndarray
    known: dict[tuple[int, ...], float] = field(default_factory=dict)

    @property
    def least(self) -> float:
        """The loss of the best entry, floored."""
        return float(self.floored(self.losses.min()))

    def floored(self, loss: np.ndarray | float) -> np.ndarray:
        """Losses as they are compared: below a floor, a few rows decide."""
        return np.maximum(loss, LEAST_LOG_LOSS if self.classes else 0.0)

    def committee(self, entries: Iterable[int]) -> float:
        """The loss of a committee of these entries.

        As in a run, its weights are chosen among the few best by themselves; but by the other
        folds, for each in turn (of a single fold by the other half of its rows).
        """
        finite = [entry for entry in sorted(entries) if np.isfinite(self.losses[entry])]
        few = tuple(sorted(finite, key=lambda entry: self.losses[entry])[:MOST_CANDIDATES])
        if few not in self.known:
            self.known[few] = self._committee(few)
        return self.known[few]

    def _committee(self, few: tuple[int, ...]) -> float:
        if not few:
            return math.inf
        table = self.outcomes[list(few)]
        if len(few) == 1:
            return self._mean_loss(table[0])
        parts = self.folds
        if len(np.unique(parts)) == 1:
            parts = np.arange(len(parts)) % 2
        mixed = np.empty_like(table[0])
        for part in np.unique(parts):
            own = parts == part
            choose = greedy_log_loss if self.classes else greedy_rmse
            mixed[own] = np.tensordot(choose(table[:, ~own]), table[:, own], 1)
        return self._mean_loss(mixed)

    def _mean_loss(self, outcomes: np.ndarray) -> float:
        """The mean over the folds."""
        each = (outcomes[self.folds == fold] for fold in np.unique(self.folds))
        return fmean(loss_of(one, self.classes) for one in each)

    def thinned(self, rows: int) -> Judged:
        """With at most about so many rows, evenly spaced."""
        step = -(-len(self.folds) // rows)
        return Judged(
            self.classes,
            self.losses,
            self.seconds,
            self.epochs,
            self.trained,
            self.outcomes[:, ::step],
            self.folds[::step],
        )


def loss_of(outcomes: np.ndarray, classes: bool) -> float:
    """Log-loss of the true classes' shares (rows,), or RMSE of errors (rows, targets)."""
    if classes:
        return float(-np.log(outcomes).mean())
    return float(np.sqrt((outcomes**2).mean(axis=0)).mean())


def judge(table: TrainingTable, entries: Sequence[Entry], settings: Settings) -> Judged:
    """The entries on a table, all of whose lanes must be there."""
    found = [_at_best(table, entry, settings) for entry in entries]
    columns = list(zip(*found, strict=True))
    sizes = columns[5][0]
    return Judged(
        table.classes,
        *(np.array(column, float) for column in columns[:4]),
        np.stack(columns[4]),
        np.repeat(np.arange(len(sizes)), sizes),
    )


def _at_best(
    table: TrainingTable, entry: Entry, settings: Settings
) -> tuple[float, float, int, int, np.ndarray, list[int]]:
    """Loss, seconds, epoch, epochs, outcomes, sizes of folds."""
    outcomes, seconds, epochs = [], 0.0, np.arange(0)
    for fold in range(settings.parts):
        with np.load(table.file(entry, fold, settings)) as kept:
            outcomes.append(kept["outcomes"].astype(np.float64))
            seconds += float(kept["seconds"])
            epochs = kept["epochs"]
    losses = np.array([[loss_of(one, table.classes) for one in fold] for fold in outcomes])
    with np.errstate(invalid="ignore"):
        mean = np.nan_to_num(losses.mean(axis=0), nan=np.inf)
    best = int(np.argmin(mean))
    whole = np.concatenate([fold[best] for fold in outcomes])
    sizes = [len(fold[best]) for fold in outcomes]
    return float(mean[best]), seconds, int(epochs[best]), int(epochs[-1]), whole, sizes


def relative_losses(judged: Sequence[Judged]) -> np.ndarray:
    """(entries, tables): each entry's loss over that of the table's best."""
    return np.stack([each.floored(each.losses) / each.least for each in judged], axis=1)


def relative_seconds(judged: Sequence[Judged]) -> np.ndarray:
    """(entries,): the geometric mean of the seconds over the table's median entry's."""
    logs = [np.log(each.seconds / np.median(each.seconds)) for each in judged]
    return np.exp(np.mean(logs, axis=0))


def committee_ratio(judged: Sequence[Judged], entries: Iterable[int]) -> float:
    """The geometric mean of the committee's loss over that of the table's best entry."""
    chosen = tuple(entries)
    logs = [np.log(each.floored(each.committee(chosen)) / each.least) for each in judged]
    return float(np.exp(np.mean(logs)))


def forward_choice(
    judged: Sequence[Judged], most: int, cost: float, first: Sequence[int] = ()
) -> list[tuple[int, float]]:
    """Entries in the order in which they join, each with the committees' geometric mean then.

    Each time the one joins with which mean log loss + cost · Σ relative seconds is least; with a
    cost it ends where none lowers that. `first` are those that the order begins with.
    """
    seconds = relative_seconds(judged)
    chosen: list[int] = []
    found: list[tuple[int, float]] = []

    def total(entries: Sequence[int]) -> float:
        return math.log(committee_ratio(judged, entries)) + cost * seconds[list(entries)].sum()

    least = math.inf
    for place in range(min(most, len(seconds))):
        left = [entry for entry in range(len(seconds)) if entry not in chosen]
        if place < len(first):
            left = [first[place]]
        totals = [total([*chosen, entry]) for entry in left]
        best = int(np.argmin(totals))
        if cost and totals[best] >= least and place >= len(first):
            break
        least = totals[best]
        chosen.append(left[best])
        found.append((left[best], committee_ratio(judged, chosen)))
    return found
