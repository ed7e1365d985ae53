"""Diagnoses the winner's training; finds in which layer lanes diverged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cuesta.diagnose.checkup import Diagnosis, check_up
from cuesta.diagnose.divergence import locate_divergence
from cuesta.diagnose.findings import Finding, in_order
from cuesta.hyperparameters import is_foreign
from cuesta.search.select import Score
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import Task
from cuesta.tabular.selection import Selection
from cuesta.training.journal import LaneRecord
from cuesta.training.lanes import Lane, Training
from cuesta.training.run import Run

MOST_INSPECTED = 8  # lanes that diverged and are trained again to see in which layer


@dataclass(frozen=True)
class DivergedLane:
    """A lane that diverged: at which step (from 1), in which layer (from 1; 0 where not known).

    `norm` is the last finite norm of its gradient.
    """

    candidate: int
    optimizer: str
    learning_rate: float
    fold: int
    step: int
    layer: int
    norm: float


@dataclass(frozen=True)
class Inspection:
    """The diagnosis of the winner's last training, if there is one, and the diverged lanes."""

    diagnosis: Diagnosis | None
    diverged: tuple[DivergedLane, ...]

    def with_findings(self, more: Sequence[Finding]) -> Inspection:
        """The same with findings of the whole run, where the training was looked at."""
        if self.diagnosis is None:
            return self
        findings = in_order([*self.diagnosis.findings, *more])
        return replace(self, diagnosis=replace(self.diagnosis, findings=findings))


def inspect_training(run: Run, task: Task, options: Options, selection: Selection) -> Inspection:
    """Train the winner once more under the instruments; find where lanes diverged.

    The network that was fitted stays as it is; the one that is inspected is trained anew, and is
    equal to a rounding. Its validation is that of its lanes on the folds.
    """
    if options.instruments == "off":
        return Inspection(None, _diverged_lanes(run, selection.scores, inspected=0))
    diagnosis = None
    if not is_foreign(selection.winner.candidate.optimizer):
        diagnosis = _diagnosis(run, task, options, selection.winner)
    return Inspection(diagnosis, _diverged_lanes(run, selection.scores, MOST_INSPECTED))


def _diagnosis(run: Run, task: Task, options: Options, winner: Score) -> Diagnosis:
    candidate = winner.candidate
    records = [record.until(winner.epochs) for record in run.records(candidate)]
    lane = Lane(candidate, task.feed.refit, run.seed)
    return check_up(
        Training(lane, task.feed, run.shape(candidate), winner.epochs, run.schedule(candidate)),
        instruments=options.instruments,
        names=task.encoder.inputs,
        curves=np.mean([record.curves for record in records], axis=0),
    )


def _diverged_lanes(run: Run, scores: list[Score], inspected: int) -> tuple[DivergedLane, ...]:
    """Each lane that diverged; the first few are trained again to see in which layer."""
    found = []
    for score, lane, record in _records(run, scores):
        if not record.diverged_at:
            continue
        layer = 0
        if inspected and not is_foreign(lane.candidate.optimizer):
            inspected -= 1
            shape = run.shape(lane.candidate)
            epochs = run.schedule(lane.candidate)
            training = Training(lane, run.feed, shape, epochs, epochs)
            layer = locate_divergence(training, record.diverged_at)
        candidate = lane.candidate
        found.append(
            DivergedLane(
                score.index,
                candidate.optimizer,
                candidate.learning_rate,
                lane.fold,
                record.diverged_at,
                layer,
                record.norm,
            )
        )
    return tuple(found)


def _records(run: Run, scores: list[Score]) -> Iterator[tuple[Score, Lane, LaneRecord]]:
    """Every lane of the run with its record, the best candidates' first."""
    for score in scores:
        lanes = run.lanes([score.candidate])
        for lane, record in zip(lanes, run.records(score.candidate), strict=True):
            yield score, lane, record
