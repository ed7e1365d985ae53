"""What a run promised, beside its test rows: the expected figure, intervals, label sets.

Part of bench/suite.py.
"""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

LEVEL = 0.9
TRIVIAL_WIDTH = 2 * 1.6448536269514722  # standard deviations, of the normal's middle 90 %


def promises(found: Mapping[str, Any]) -> dict[str, Any]:
    """What result.json says of validation, and of the first candidate, for the runs' file."""
    chosen = (found.get("models") or {}).get(found.get("model"), {})
    return {
        "expected": chosen.get("expected"),
        "expected_interval": chosen.get("expected_interval"),
        "as_chosen": chosen.get("cv_mean"),
        "untuned": (found.get("untuned") or {}).get("test_metrics"),
        "baselines": {
            name: one["test_metrics"] for name, one in (found.get("baselines") or {}).items()
        },
        "test_interval": found.get("test_interval"),
    }


def coverage(folder: Path, test: Path, target: str, task: str) -> dict[str, float]:
    """How often the model's intervals or label sets hold the truth of the test rows.

    With the mean width of intervals, beside that of mean ± 1.645 standard deviations, or the mean
    size of sets. Empty where the command refuses.
    """
    option = "--sets" if task == "classification" else "--interval"
    command = [sys.executable, "-m", "cuesta", "predict", str(folder), str(test)]
    command += [option, str(LEVEL), "--keep", target]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {}
    rows = list(csv.DictReader(done.stdout.splitlines()))
    truth = f"given_{target}"
    if task == "classification":
        return _of_sets([row[truth] for row in rows], [row[f"{target}_set"] for row in rows])
    ends = [(float(row[f"{target}_lower"]), float(row[f"{target}_upper"])) for row in rows]
    return _of_intervals([float(row[truth]) for row in rows], ends)


def _of_sets(truth: Sequence[str], sets: Sequence[str]) -> dict[str, float]:
    inside = [y in labels.split(" | ") for y, labels in zip(truth, sets, strict=True)]
    return {"coverage": fmean(inside), "size": fmean(s.count(" | ") + 1 for s in sets)}


def _of_intervals(truth: Sequence[float], ends: Sequence[tuple[float, float]]) -> dict[str, float]:
    inside = [low <= y <= high for y, (low, high) in zip(truth, ends, strict=True)]
    mean = fmean(truth)
    deviation = math.sqrt(fmean((y - mean) ** 2 for y in truth))
    width = fmean(high - low for low, high in ends)
    return {"coverage": fmean(inside), "width": width / (TRIVIAL_WIDTH * deviation)}


def show_promises(runs: Sequence[Mapping[str, Any]]) -> None:
    """A line for each table: means over its seeds."""
    told = [one for one in runs if one.get("expected") is not None]
    if not told:
        return
    print(
        "\n| table | as chosen | expected | test | inside its interval | coverage at .9 | "
        "width/trivial, or labels | first candidate | better than it |"
    )
    print("|---" * 9 + "|")
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for one in told:
        groups.setdefault(one["table"], []).append(one)
    for name, group in groups.items():
        print(f"| {name} | {' | '.join(_cells(group))} |")
    inside, better = (
        [x for one in told if (x := of(one)) is not None] for of in (_inside, _better)
    )
    print(
        f"\nThe test is inside the interval of what validation expects in {sum(inside)} of "
        f"{len(inside)} runs, and better than the first candidate's in {sum(better)} of "
        f"{len(better)}."
    )


def _cells(group: Sequence[Mapping[str, Any]]) -> list[str]:
    metric = group[0]["metric"]
    tests = [one["test_metrics"][metric] for one in group]
    untuned = [(one.get("untuned") or {}).get(metric, math.nan) for one in group]
    covered = [one.get("coverage") or {} for one in group]
    size = [found.get("width", found.get("size", math.nan)) for found in covered]
    inside, better = (
        [x for one in group if (x := of(one)) is not None] for of in (_inside, _better)
    )
    return [
        f"{fmean(one['as_chosen'] for one in group):.4g}",
        f"{fmean(one['expected'] for one in group):.4g}",
        f"{fmean(tests):.4g}",
        f"{sum(inside)} of {len(inside)}",
        f"{fmean(found.get('coverage', math.nan) for found in covered):.3f}",
        f"{fmean(size):.3f}",
        f"{fmean(untuned):.4g}",
        f"{sum(better)} of {len(better)}",
    ]


def _inside(one: Mapping[str, Any]) -> bool | None:
    """Whether the test is inside the interval of the expected figure; None where there is none."""
    ends = one.get("expected_interval")
    if not ends or None in ends:
        return None
    return bool(ends[0] <= one["test_metrics"][one["metric"]] <= ends[1])


def _better(one: Mapping[str, Any]) -> bool | None:
    """Whether what was delivered is at least as good as the first candidate on the test rows."""
    untuned = (one.get("untuned") or {}).get(one["metric"])
    return None if untuned is None else bool(one["test_metrics"][one["metric"]] <= untuned)
