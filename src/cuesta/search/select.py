"""Scores candidates by their mean over the folds, and ranks them (N2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cuesta.data.fold_means import standard_error
from cuesta.hyperparameters import Candidate
from cuesta.metrics import METRICS
from cuesta.search.falling import still_falls
from cuesta.training.checkpoints import checkpoints
from cuesta.training.journal import LaneRecord


@dataclass(frozen=True)
class Score:
    """A candidate's validation: the best epoch of its mean curve, its mean and standard error.

    `loss` orders candidates: the mean, negated where higher is better; ∞ if a lane diverged.
    `trained` of its `schedule` epochs were seen, 1/`share`: fewer where halving stopped it.
    `falls`: its mean curve still falls at its end. One that is another candidate with more epochs
    was `lengthened_from` that one.
    """

    candidate: Candidate
    index: int
    mean: float
    se: float
    epochs: int
    folds: tuple[float, ...]
    diverged: tuple[int, ...]  # of each fold, the step of divergence, or 0
    loss: float
    trained: int
    schedule: int
    share: int = 1
    falls: bool = False
    lengthened_from: int | None = None


def fold_curves(records: list[LaneRecord], metric: str, units: np.ndarray) -> np.ndarray:
    """(folds, epochs): the validation metric of each epoch.

    `units` (folds, targets) holds the scale of each fold's targets, so that an RMSE is in the
    target's own units; over several targets it is the mean of theirs. For classes it is empty.
    """
    scores = np.stack([record.curves[:, 1:] for record in records]).astype(np.float64)
    if metric == "rmse":
        return (np.sqrt(scores) * units[:, None, :]).mean(axis=2)
    return scores[:, :, 0 if metric == "log_loss" else 1]


def mean_losses(curves: np.ndarray, metric: str) -> np.ndarray:
    """(epochs,): the mean over the folds, negated where higher is better; ∞ where not finite."""
    sign = -1.0 if METRICS[metric].higher_is_better else 1.0
    with np.errstate(invalid="ignore", over="ignore"):
        mean = curves.mean(axis=0)
        return np.where(np.isfinite(mean), sign * mean, np.inf)


def checkpoints_in_order(losses: np.ndarray, schedule: int) -> list[int]:
    """The checkpoints among the epochs of these losses, best first, of equals the earlier."""
    seen = np.array(checkpoints(schedule, len(losses)))
    return [int(epoch) for epoch in seen[np.argsort(losses[seen - 1], kind="stable")]]


def score_candidate(
    candidate: Candidate,
    index: int,
    records: list[LaneRecord],
    metric: str,
    units: np.ndarray,
    held_out: float,
    schedule: int | None = None,
    share: int = 1,
) -> Score:
    """Metric = (1/k) Σ metricᵢ over the folds (N2), at the epoch where that mean is best.

    `held_out` is the ratio of a fold's validation rows to its training rows, which the standard
    error takes into account. The records are of 1/`share` of the `schedule`, by default all of it.
    Only `checkpoints` are looked at, and of equally good ones the earliest is taken. A candidate
    with a diverged lane never wins.
    """
    curves = fold_curves(records, metric, units)
    diverged = tuple(record.diverged_at for record in records)
    schedule = schedule or curves.shape[1]
    losses = mean_losses(curves, metric)
    best = checkpoints_in_order(losses, schedule)[0] - 1
    at_best = curves[:, best]
    failed = any(diverged) or not np.isfinite(losses[best])
    return Score(
        candidate,
        index,
        float(curves[:, best].mean()),
        standard_error(at_best, held_out),
        best + 1,
        tuple(at_best.tolist()),
        diverged,
        np.inf if failed else float(losses[best]),
        curves.shape[1],
        schedule,
        share,
        falls=share == 1 and not failed and still_falls(losses, best + 1),
    )


def rank(scores: list[Score]) -> list[Score]:
    """Best first; of equals the earlier candidate; those stopped early after all others.

    Diverged ones come last.
    """

    def place(score: Score) -> tuple[bool, int, float, int]:
        return not np.isfinite(score.loss), score.share, score.loss, score.index

    return sorted(scores, key=place)
