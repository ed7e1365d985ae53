"""What a run found, and how it is told in plain values."""

from __future__ import annotations

import json
import math
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

import polars as pl

from cuesta.diagnose.checkup import Diagnosis
from cuesta.model import FittedModel
from cuesta.search.select import Score
from cuesta.tabular.prepare import Options, Task


@dataclass(frozen=True)
class FitResult:
    """What a run found."""

    task: Task
    scores: list[Score]  # best first
    winner: Score
    model: FittedModel
    test: dict[str, float]
    test_interval: tuple[float, float]
    trivial: dict[str, float]
    openings: tuple[str, ...]  # when the test rows were opened in this folder, this time last
    lanes: int
    diverged: dict[str, tuple[int, int]]  # optimizer → diverged lanes, all lanes
    seconds: float
    notes: tuple[str, ...] = field(default=())
    diagnosis: Diagnosis | None = None  # of the winner's last training
    lost: tuple[LostLane, ...] = ()  # the lanes that diverged


@dataclass(frozen=True)
class LostLane:
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


def candidates_table(result: FitResult) -> pl.DataFrame:
    """A row a candidate, best first: its scores fold by fold, and its hyper-parameters."""
    rows = []
    for place, score in enumerate(result.scores, start=1):
        folds = {f"fold_{i}": value for i, value in enumerate(score.folds)}
        steps = ";".join(str(step) for step in score.diverged) if any(score.diverged) else ""
        plain = score.candidate.to_dict()
        plain["hidden_layer_sizes"] = " ".join(map(str, score.candidate.hidden_layer_sizes))
        rows.append(
            {
                "rank": place,
                "candidate": score.index,
                "mean": score.mean,
                "se": score.se,
                "epochs": score.epochs,
                "diverged_at": steps,
                **folds,
                **plain,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def summary(result: FitResult, options: Options) -> dict[str, Any]:
    """The run's result in plain values: what result.json holds."""
    task, winner = result.task, result.winner
    return {
        "table": task.table,
        "task": task.target.task,
        "target": list(task.target.names),
        "rows": {"training": len(task.x), "test": task.test_rows},
        "metric": task.metric,
        "cv_mean": _finite(winner.mean),
        "cv_se": _finite(winner.se),
        "test": _finite(result.test[task.metric]),
        "test_interval": [_finite(end) for end in result.test_interval],
        "test_metrics": {name: _finite(value) for name, value in result.test.items()},
        "trivial_metrics": {name: _finite(value) for name, value in result.trivial.items()},
        "test_openings": list(result.openings),
        "winner": winner.candidate.to_dict(),
        "epochs": winner.epochs,
        "candidates": len(result.scores),
        "folds": task.feed.refit,
        "protocol": options.protocol,
        "sampler": options.sampler,
        "seed": options.seed,
        "max_epochs": options.epochs,
        "lanes": result.lanes,
        "diverged": sum(bad for bad, _ in result.diverged.values()),
        "diverged_by_optimizer": {name: bad for name, (bad, _) in result.diverged.items()},
        "diverged_lanes": [asdict(lane) | {"norm": _finite(lane.norm)} for lane in result.lost],
        "findings": None
        if result.diagnosis is None
        else [asdict(finding) for finding in result.diagnosis.findings],
        "notes": list(result.notes),
        "seconds": round(result.seconds, 3),
        "versions": versions(),
    }


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
