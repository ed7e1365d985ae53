"""The test rows are opened, once, and every model and baseline is measured on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cuesta import metrics
from cuesta.data.folds import Sealed
from cuesta.metrics import Interval
from cuesta.tabular.delivery import Delivery
from cuesta.tabular.nested import OuterFold
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import Task, TestRows


@dataclass(frozen=True)
class Measured:
    """Metrics on the test rows, and the 95 % intervals of those that have one."""

    metrics: Mapping[str, float]
    intervals: Mapping[str, Interval]


@dataclass(frozen=True)
class TestOutcome:
    """What the test rows say of each model by its name, of what is delivered, and of baselines.

    `openings` are the times at which the test rows were opened in this folder, this time last;
    `outer` the number of outer folds, where every row was a test row of one.
    """

    __test__ = False  # no class of tests, whatever its name

    delivered: str
    models: Mapping[str, Measured]
    baseline: Mapping[str, float]
    rows: int
    openings: tuple[str, ...]
    outer: int = 0

    @property
    def metrics(self) -> Mapping[str, float]:
        """The metrics of what is delivered."""
        return self.models[self.delivered].metrics

    @property
    def intervals(self) -> Mapping[str, Interval]:
        """Their intervals."""
        return self.models[self.delivered].intervals


def open_test(
    task: Task,
    sealed: Sealed[TestRows],
    delivery: Delivery,
    options: Options,
    openings: list[str],
) -> TestOutcome:
    """Open the test rows, once, and measure; the openings are those before and this one."""
    x, y = sealed.open()
    models = {
        name: measured(task, y, each.model.decide(x), options.seed)
        for name, each in delivery.models.items()
    }
    baseline = metrics.baseline(task.y, len(y), task.target.outputs)
    trivial = _measure(task, y, baseline)
    return TestOutcome(delivery.chosen, models, trivial, len(y), tuple(openings))


def outer_outcome(
    task: Task,
    outer: Sequence[OuterFold],
    delivery: Delivery,
    options: Options,
    openings: list[str],
) -> TestOutcome:
    """What the outer folds say of the search: each metric is the mean over them.

    The intervals are those of all rows together, around that mean. The
    baseline knows the targets of all rows.
    """
    y = np.concatenate([fold.y for fold in outer])
    models = {}
    for name in delivery.models:
        decided = np.concatenate([fold.decided[name] for fold in outer])
        models[name] = _mean_over(task, outer, name, measured(task, y, decided, options.seed))
    baseline = metrics.baseline(task.y, len(y), task.target.outputs)
    whole = _measure(task, y, baseline)
    return TestOutcome(delivery.chosen, models, whole, len(y), tuple(openings), len(outer))


def _mean_over(task: Task, outer: Sequence[OuterFold], name: str, whole: Measured) -> Measured:
    found = [_measure(task, fold.y, fold.decided[name]) for fold in outer]
    means = {metric: float(np.mean([one[metric] for one in found])) for metric in whole.metrics}
    return Measured(means, whole.intervals)


def measured(task: Task, y: np.ndarray, decided: np.ndarray, seed: int) -> Measured:
    """All metrics of what is decided, with the intervals that hold."""
    found = _measure(task, y, decided)
    intervals = {
        name: metrics.Interval(*metrics.interval(name, y, decided, seed))
        for name in found
        if name in (task.metric, "accuracy")
    }
    return Measured(found, intervals)


def _measure(task: Task, y: np.ndarray, decided: np.ndarray) -> dict[str, float]:
    classes = task.feed.classes
    return (metrics.classification_metrics if classes else metrics.regression_metrics)(y, decided)
