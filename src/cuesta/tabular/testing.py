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
from cuesta.tabular.nested import OuterFold, Part
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import Task, TestRows

POOLED = "calibration_error"  # of few rows it is too large, and a mean over folds would be, too
EACH = "auto"  # the name of what each outer fold's search delivers, where they differ


@dataclass(frozen=True)
class Measured:
    """Metrics on the test rows, and the 95 % intervals of those that have one."""

    metrics: Mapping[str, float]
    intervals: Mapping[str, Interval]


@dataclass(frozen=True)
class OuterFigure:
    """How many rows an outer fold has, which model its search delivers, and the metric of it."""

    rows: int
    delivered: str
    value: float


@dataclass(frozen=True)
class TestOutcome:
    """What the test rows say of each model by its name, of what is delivered, and of baselines.

    `baseline` knows no inputs; `baselines` are other models, by name.
    `openings` are the times at which the test rows were opened in this folder, this time last;
    `outer` the outer folds, where every row was a test row of one.
    """

    __test__ = False  # no class of tests, whatever its name

    delivered: str
    models: Mapping[str, Measured]
    baseline: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]
    rows: int
    openings: tuple[str, ...]
    outer: tuple[OuterFigure, ...] = ()
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

    The calibration error alone is that of all rows. Where their searches deliver different models,
    that mixture counts, by the name "auto". The intervals are those of all rows together. The
    baseline knows the targets of all rows.
    """
    parts = {name: [fold.part(name) for fold in outer] for name in delivery.models}
    delivered = delivery.chosen
    own = [fold.part(fold.delivered) for fold in outer]
    if any(fold.delivered != delivered for fold in outer):
        delivered = EACH
        parts[EACH] = own
    models = {name: _measured_over(task, part, options.seed) for name, part in parts.items()}
    figures = tuple(
        OuterFigure(len(fold.y), fold.delivered, _measure(task, *part)[task.metric])
        for fold, part in zip(outer, own, strict=True)
    )
    rows = sum(len(fold.y) for fold in outer)
    trivial = metrics.baseline(task.y, rows, task.target.outputs)
    whole = _measure(task, np.concatenate([fold.y for fold in outer]), trivial)
    names = set.intersection(*(set(fold.baselines) for fold in outer))
    others = {
        name: _mean_over(task, [(fold.y, fold.baselines[name], None) for fold in outer])
        for name in sorted(names)
    }
    return TestOutcome(delivered, models, whole, others, rows, tuple(openings), figures)


def _measured_over(task: Task, parts: Sequence[Part], seed: int) -> Measured:
    """The mean of each metric over the parts, and its interval of all their rows.

    A metric of decided classes has those that each part decides by its own threshold.
    """
    y, decided = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    hard = decided
    if task.feed.classes:
        labels = [metrics.decided_classes(shares, threshold) for _, shares, threshold in parts]
        hard = np.eye(task.target.outputs)[np.concatenate(labels)]
    intervals = {}
    means = _mean_over(task, parts)
    for name in means:
        metric = metrics.METRICS.get(name, task.measured)
        intervals[name] = metrics.interval(name, y, hard if metric.threshold else decided, seed)
    return Measured(means, intervals)


def _mean_over(task: Task, parts: Sequence[Part]) -> dict[str, float]:
    found = [_measure(task, *part) for part in parts]
    means = {name: metrics.mean_of_known(one[name] for one in found) for name in found[0]}
    if POOLED in means:
        y, shares = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
        means[POOLED] = metrics.calibration_error(y, shares)
    return means


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
    if task.metric not in found:
        found[task.metric] = task.measured.of_model(y, decided, threshold)
    return found
