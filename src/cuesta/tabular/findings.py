"""What the doctor finds in a whole run: beside its baselines, its validation, and its test."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from cuesta.data.fold_means import held_out_ratio, standard_error
from cuesta.diagnose.faults.confidence import unearned_confidence
from cuesta.diagnose.faults.leaks import single_input_tells
from cuesta.diagnose.faults.promise import far_from_validation, outside_promise
from cuesta.diagnose.faults.rivals import Figures, loses_to_baseline
from cuesta.diagnose.findings import WARNING, Finding
from cuesta.search.length import may_go_on
from cuesta.search.select import Score
from cuesta.tabular.baselines import Baselines
from cuesta.tabular.delivery import Delivery
from cuesta.tabular.prepare import Task
from cuesta.tabular.testing import TestOutcome

UNKNOWN = (math.nan, math.nan)


def findings_of_run(
    task: Task, delivery: Delivery, baselines: Baselines, outcome: TestOutcome | None, seed: int
) -> list[Finding]:
    """The findings of a run's rows, its confidence, its test and its baselines, in that order."""
    checked = _checks(task, delivery, baselines, outcome, seed)
    return [finding for finding in checked if finding is not None]


def trained_to_its_end(winner: Score, scores: Sequence[Score]) -> list[Finding]:
    """That the winner's validation still falls at its last epoch, and none tried it longer."""
    if not may_go_on(winner, scores):
        return []
    return [
        Finding(
            "trained to its last epoch",
            WARNING,
            f"the winner's validation still falls after {winner.epochs:,} epochs, all that it was "
            "given",
            "more epochs may help",
            f"epochs={2 * winner.schedule}",
            45,
        )
    ]


def _checks(
    task: Task, delivery: Delivery, baselines: Baselines, outcome: TestOutcome | None, seed: int
) -> Iterator[Finding | None]:
    delivered, entries = delivery.delivered, delivery.entries
    folds = task.feed.folds[: task.feed.refit]
    held_out = held_out_ratio(folds)
    yield single_input_tells(task.encoder, task.x, task.y, folds)
    if entries.classes:
        yield unearned_confidence(entries.y, delivered.decided, seed=seed)
    metric = task.measured
    name, higher = metric.name, metric.higher_is_better
    test, interval = math.nan, UNKNOWN
    if outcome is not None:
        test = outcome.metrics.get(name, math.nan)
        low, high = outcome.intervals.get(name, UNKNOWN)
        interval = low, high
        if any(map(math.isnan, delivered.promised)):
            known = [fold for fold in delivered.folds if not math.isnan(fold)]
            se = standard_error(np.array(known), held_out)
            yield far_from_validation(name, delivered.mean, se, test, interval, higher=higher)
        else:
            yield outside_promise(name, delivered.promised, test, interval, higher=higher)
    rivals = [
        Figures(each.name, each.folds, _tested(outcome, each.name, name))
        for each in baselines.found
    ]
    figures = Figures(delivery.chosen, delivered.folds, test)
    yield loses_to_baseline(name, figures, interval, rivals, held_out, higher=higher)


def _tested(outcome: TestOutcome | None, baseline: str, metric: str) -> float:
    if outcome is None or baseline not in outcome.baselines:
        return math.nan
    return outcome.baselines[baseline].get(metric, math.nan)
