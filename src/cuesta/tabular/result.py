"""The result of a run, also for JSON and CSV."""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import polars as pl

from cuesta.baselines.problem import Baseline
from cuesta.diagnose.checkup import Diagnosis
from cuesta.model import FittedModel
from cuesta.search.length import may_go_on
from cuesta.search.select import Score
from cuesta.tabular.baselines import Baselines
from cuesta.tabular.delivery import Delivery
from cuesta.tabular.inspection import Inspection
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import Task
from cuesta.tabular.selection import Selection
from cuesta.tabular.testing import Measured, TestOutcome

MOST_NUMBERS = 1000  # of rows, that a result lists
# What may differ between two runs that find the same.
PASSING = frozenset({"seconds", "test_openings", "versions", "notes"})


@dataclass(frozen=True)
class FitResult:
    """What a run found."""

    task: Task
    selection: Selection
    delivery: Delivery
    baselines: Baselines
    outcome: TestOutcome | None  # None where no rows were kept aside for a test
    inspection: Inspection
    seconds: float
    options: Options

    @property
    def scores(self) -> list[Score]:
        """All candidates' scores, best first."""
        return self.selection.scores

    @property
    def winner(self) -> Score:
        """The chosen candidate's score."""
        return self.selection.winner

    @property
    def model(self) -> FittedModel:
        """What is delivered."""
        return self.delivery.delivered.model

    @property
    def test(self) -> Mapping[str, float]:
        """The metrics of what is delivered on the test rows; none where there are no such rows."""
        return self.outcome.metrics if self.outcome else {}

    @property
    def diagnosis(self) -> Diagnosis | None:
        """The diagnosis of the winner's last training."""
        return self.inspection.diagnosis

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of the table and of the choice."""
        skipped = [
            f"candidate {score.index} diverged when trained again; the next one was taken"
            for score in self.selection.skipped
        ]
        return (*self.task.notes, *skipped, *self.baselines.notes)


def candidates_table(result: FitResult) -> pl.DataFrame:
    """A row a candidate, best first: its scores fold by fold, and its hyper-parameters."""
    rows = []
    tied = result.selection.tied(result.task)
    for place, score in enumerate(result.scores, start=1):
        folds = {f"fold_{i}": value for i, value in enumerate(score.folds)}
        steps = ";".join(str(step) for step in score.diverged) if any(score.diverged) else ""
        plain = score.candidate.to_dict()
        del plain["epochs"]
        plain["hidden_layer_sizes"] = " ".join(map(str, score.candidate.hidden_layer_sizes))
        rows.append(
            {
                "rank": place,
                "candidate": score.index,
                "metric": result.task.curve,  # that of these scores
                "mean": score.mean,
                "se": score.se,
                "tied": score.index in tied,
                "epochs": score.epochs,
                "max_epochs": score.schedule,
                "lengthened_from": score.lengthened_from,
                "diverged_at": steps,
                **folds,
                **plain,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def summary(result: FitResult, options: Options) -> dict[str, Any]:
    """The run's result in plain values: what result.json holds."""
    task, winner = result.task, result.winner
    by_optimizer = result.selection.diverged_by_optimizer()
    return {
        "table": task.table,
        "task": task.target.task,
        "target": list(task.target.names),
        "rows": {"training": len(task.x), "test": task.test_rows},
        "metric": task.metric,
        "curve": task.curve,  # the metric of cv_mean, cv_se and candidates.csv
        "cv_mean": _finite(winner.mean),
        "cv_se": _finite(winner.se),
        **_of_test(task, result.outcome),
        "model": result.delivery.chosen,
        "models": {name: _model(result, name) for name in result.delivery.models},
        "baselines": {each.name: _baseline(result, each) for each in result.baselines.found},
        "untuned": _untuned(result),
        "winner": winner.candidate.to_dict(),
        "winner_candidate": winner.index,
        "epochs": winner.epochs,
        "lengthened_from": winner.lengthened_from,
        "trained_to_last_epoch": may_go_on(winner, result.scores),
        "lengthened": {
            str(score.index): score.lengthened_from
            for score in sorted(result.scores, key=lambda score: score.index)
            if score.lengthened_from is not None
        },
        "candidates": len(result.scores),
        "folds": task.feed.refit,
        "protocol": options.protocol,
        "choose": options.choose,
        "costs": None if options.costs is None else list(options.costs),
        "sampler": options.sampler,
        "seed": options.seed,
        "max_epochs": options.epochs,
        "lanes": result.selection.lanes,
        "diverged": sum(bad for bad, _ in by_optimizer.values()),
        "diverged_by_optimizer": {name: bad for name, (bad, _) in by_optimizer.items()},
        "diverged_lanes": [
            asdict(lane) | {"norm": _finite(lane.norm)} for lane in result.inspection.diverged
        ],
        "findings": None
        if result.diagnosis is None
        else [asdict(finding) for finding in result.diagnosis.findings],
        "notes": list(result.notes),
        "seconds": round(result.seconds, 3),
        "versions": versions(),
    }


def _model(result: FitResult, name: str) -> dict[str, Any]:
    """What is known of one of the models: its votes, its calibration, its validation, its test."""
    about = result.delivery.models[name]
    calibration = about.model.calibration
    of_test: dict[str, Any] = {}
    if result.outcome is not None:
        of_test = _measured(result.outcome.models[name])
    return {
        "networks": about.networks,
        "votes": {str(number): weight for number, weight in about.votes.items()},
        "temperature": calibration.temperature,
        "threshold": calibration.threshold,
        "second_label": [
            {name: _finite(value) for name, value in asdict(decided).items()}
            for decided in result.delivery.decided_at(name)
        ],
        "cv_mean": _finite(about.mean),
        "expected": _finite(about.promised[0]),
        "expected_interval": [_finite(end) for end in about.promised[1:]],
        **of_test,
    }


def _untuned(result: FitResult) -> dict[str, Any]:
    """What the first candidate would have given."""
    (mean,) = [score.mean for score in result.scores if score.index == 0]
    found = {} if result.outcome is None else result.outcome.untuned or {}
    return {
        "cv_mean": _finite(mean),
        "test_metrics": {name: _finite(value) for name, value in found.items()},
    }


def _baseline(result: FitResult, each: Baseline) -> dict[str, Any]:
    """What is known of a baseline."""
    tested = result.outcome.baselines.get(each.name, {}) if result.outcome else {}
    return {
        "detail": each.detail,
        "cv_mean": _finite(each.cv_mean),
        "cv_se": _finite(each.cv_se),
        "test_metrics": {name: _finite(value) for name, value in tested.items()},
    }


def _measured(measured: Measured) -> dict[str, Any]:
    return {
        "test_metrics": {name: _finite(value) for name, value in measured.metrics.items()},
        "test_intervals": {
            name: [_finite(end) for end in found[:2]] for name, found in measured.intervals.items()
        },
    }


def _of_test(task: Task, outcome: TestOutcome | None) -> dict[str, Any]:
    """What the test rows said; null where none were kept aside."""
    if outcome is None:
        names = ("test", "test_interval", "test_metrics", "trivial_metrics")
        return {**dict.fromkeys(names), "test_openings": [], "test_rows": None, "outer": []}
    return {
        "test": _finite(outcome.metrics[task.metric]),
        "test_interval": [_finite(end) for end in outcome.intervals[task.metric][:2]],
        "test_metrics": {name: _finite(value) for name, value in outcome.metrics.items()},
        "trivial_metrics": {name: _finite(value) for name, value in outcome.baseline.items()},
        "test_openings": list(outcome.openings),
        "test_rows": None if outcome.outer else _test_rows(task),
        "outer": [
            {"rows": fold.rows, "model": fold.delivered, "test": _finite(fold.value)}
            for fold in outcome.outer
        ],
    }


def _test_rows(task: Task) -> dict[str, Any]:
    """Which rows of which table were sealed: their numbers, from 0, and a checksum of these.

    Of many rows there is the checksum alone: SHA-256 of the numbers in order, a line each.
    """
    numbers = sorted(task.test_numbers)
    lines = "".join(f"{number}\n" for number in numbers)
    return {
        "table": task.test_table,
        "numbers": numbers if len(numbers) <= MOST_NUMBERS else None,
        "sha256": hashlib.sha256(lines.encode()).hexdigest(),
    }


def same_result(found: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Whether two results, in plain values, are of the same run as far as both tell."""
    return all(found[key] == told[key] for key in found.keys() & told.keys() - PASSING)


def _finite(value: float) -> float | None:
    """The value, or null: JSON knows neither NaN nor infinity."""
    return value if math.isfinite(value) else None


def to_json(values: dict[str, Any]) -> str:
    """Plain values as JSON, which has neither NaN nor infinity."""
    return json.dumps(values, indent=2, allow_nan=False)


def versions() -> dict[str, str]:
    """The versions that a result depends on."""
    names = ("cuesta", "jax", "jaxlib", "numpy", "polars", "scikit-learn")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
