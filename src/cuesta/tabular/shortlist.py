"""The shortlist: a few of the best candidates, and what their networks predict out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cuesta.data.folds import Fold
from cuesta.model import Network
from cuesta.search.out_of_fold import OutOfFold
from cuesta.search.select import Score
from cuesta.tabular.prepare import Task


@dataclass(frozen=True)
class Shortlisted:
    """One of the best candidates: its score, and its network of each fold."""

    score: Score
    networks: tuple[Network, ...]


def out_of_fold(task: Task, shortlist: Sequence[Shortlisted]) -> OutOfFold:
    """Each validation row of each fold, with what each candidate's network of that fold predicts.

    The forward pass is the one that predicts new rows: in float64. A row without any value gets
    what `FittedModel.decide` gives it.
    """
    folds = task.feed.folds[: task.feed.refit]
    rows = np.concatenate([fold.validation for fold in folds])
    x = task.x[rows]
    sizes = [len(fold.validation) for fold in folds]
    starts = np.cumsum([0, *sizes])
    predictions = np.empty((len(shortlist), len(rows), task.target.outputs))
    for candidate, each in enumerate(shortlist):
        for network, start, size in zip(each.networks, starts, sizes, strict=False):
            part = slice(start, start + size)
            predictions[candidate, part] = network.decide(x[part], task.target.task)
    if task.target.base:
        predictions[:, task.encoder.without_value(x)] = task.target.base
    return OutOfFold(
        rows,
        np.repeat(np.arange(len(folds)), sizes),
        task.y[rows],
        _weights(task, folds),
        predictions,
    )


def _weights(task: Task, folds: Sequence[Fold]) -> np.ndarray:
    """By which entries count in the metric: each class the same where the feed is balanced."""
    of_folds = [task.feed.validation_weights(number) for number in range(len(folds))]
    weights = np.concatenate(of_folds)
    return weights / weights.mean()
