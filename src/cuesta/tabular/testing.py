"""The test rows are opened, once, and every model and baseline is measured on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cuesta import metrics
from cuesta.data.folds import Sealed
from cuesta.metrics import Interval
from cuesta.tabular.baselines import Baselines
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

    `baseline` knows no inputs; `baselines` are other models, by name.
    `openings` are the times at which the test rows were opened in this folder, this time last;
    `outer` the number of outer folds, where every row was a test row of one.
    """

    __test__ = False  # no class of tests, whatever its name

    delivered: str
    models: Mapping[str, Measured]
    baseline: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]
    rows: int
    openings: tuple[str, ...]
    outer: int = 0
    untuned: Mapping[str, float] | None = None  # of the first candidate

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
    baselines: Baselines,
    options: Options,
    openings: list[str],
) -> TestOutcome:
    """Open the test rows, once, and measure; the openings are those before and this one."""
    x, y = sealed.open()
    models = {
        name: measured(
            task, y, each.model.decide(x), options.seed, each.model.calibration.threshold
        )
        for name, each in delivery.models.items()
    }
    baseline = metrics.baseline(task.y, len(y), task.target.outputs)
    trivial = _measure(task, y, baseline)
    others = {each.name: _measure(task, y, each.decide(x)) for each in baselines.found}
    untuned = _measure(task, y, delivery.untuned.decide(x)) if delivery.untuned else None
    times = tuple(openings)
    return TestOutcome(delivery.chosen, models, trivial, others, len(y), times, untuned=untuned)


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
        means = _mean_over(task, [(fold.y, fold.decided[name]) for fold in outer])
        models[name] = Measured(means, measured(task, y, decided, options.seed).intervals)
    baseline = metrics.baseline(task.y, len(y), task.target.outputs)
    whole = _measure(task, y, baseline)
    names = set.intersection(*(set(fold.baselines) for fold in outer))
    others = {
        name: _mean_over(task, [(fold.y, fold.baselines[name]) for fold in outer])
        for name in sorted(names)
    }
    return TestOutcome(delivery.chosen, models, whole, others, len(y), tuple(openings), len(outer))


def _mean_over(task: Task, folds: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    found = [_measure(task, y, decided) for y, decided in folds]
    return {metric: float(np.mean([one[metric] for one in found])) for metric in found[0]}


def measured(
    task: Task, y: np.ndarray, decided: np.ndarray, seed: int, threshold: float | None = None
) -> Measured:
    """All metrics of what is decided, with their intervals."""
    found = _measure(task, y, decided, threshold)
    intervals = {name: metrics.interval(name, y, decided, seed, threshold) for name in found}
    return Measured(found, intervals)


def _measure(
    task: Task, y: np.ndarray, decided: np.ndarray, threshold: float | None = None
) -> dict[str, float]:
    """The metrics that are reported, and the one that selects."""
    if task.feed.classes:
        found = metrics.classification_metrics(y, decided, threshold)
    else:
        found = metrics.regression_metrics(y, decided)
    return found if task.metric in found else found | {task.metric: task.measured(y, decided)}
