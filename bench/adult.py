"""Adult whole and digits by the command as it is, beside the figures that it must reach.

    python bench/adult.py [--tables FOLDER] [--seeds 0] [--threads N] [--only adult,digits]
        [-- OPTION ...]

FOLDER holds adult-train.csv and adult-test.csv: all 32,561 rows train, the 16,281 of the test file
are opened once a seed. Digits is bundled; a fifth of its rows are the test. What follows `--` goes
to `cuesta fit`. The exit code is 1 where a mean over the seeds does not reach its bar.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Case:
    """What is fitted, and what it must reach."""

    arguments: tuple[str, ...]
    at_least: Figures
    at_most: Figures

    def command(self, tables: Path) -> list[str]:
        """The arguments, files in their folder."""
        return [str(tables / one) if one.endswith(".csv") else one for one in self.arguments]

    def reached(self, figures: Figures) -> bool:
        """Whether the figures reach all bars."""
        high = all(figures[name] >= bar for name, bar in self.at_least.items())
        return high and all(figures[name] <= bar for name, bar in self.at_most.items())


CASES = {
    "adult": Case(
        ("adult-train.csv", "--no-header", "--target", "14", "--test", "adult-test.csv"),
        {"accuracy": 0.872},
        {"log_loss": 0.280},
    ),
    "digits": Case(("digits",), {"accuracy": 0.985}, {}),
}


def run(arguments: Sequence[str], seed: int) -> dict[str, float]:
    """The test metrics of one run of the command, and its seconds. Raises RuntimeError."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cuesta", "fit", *arguments]
        command += ["--seed", str(seed), "--out", f"{folder}/run", "--json"]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise RuntimeError(said[-1] if said else f"exit code {done.returncode}")
        found = json.loads(Path(folder, "run", "result.json").read_text(encoding="utf-8"))
    return {**found["test_metrics"], "seconds": seconds}


def show(name: str, case: Case, runs: Sequence[Figures]) -> bool:
    """Print a line of means over the seeds; whether they reach the bars."""
    means = {one: fmean(each[one] for each in runs) for one in runs[0]}
    reached = case.reached(means)
    bars = [f"{one} ≥ {bar:g}" for one, bar in case.at_least.items()]
    bars += [f"{one} ≤ {bar:g}" for one, bar in case.at_most.items()]
    cells = [
        name,
        f"{means['accuracy']:.4f}",
        f"{means['log_loss']:.4f}",
        f"{means['seconds']:.0f}",
    ]
    cells += [str(len(runs)), ", ".join(bars), "yes" if reached else "NO"]
    print(f"| {' | '.join(cells)} |", flush=True)
    return reached


def main(arguments: Sequence[str]) -> int:
    """Read the command line and do what it says; the exit code."""
    end = [*arguments, "--"].index("--")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=Path, default=Path())
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int)
    parser.add_argument("--only", default=",".join(CASES))
    given = parser.parse_args(arguments[:end])
    options = [*arguments[end + 1 :]]
    options += [] if given.threads is None else ["--threads", str(given.threads)]
    print("| table | accuracy | log-loss | seconds | seeds | bars | reached |")
    print("|---|---|---|---|---|---|---|", flush=True)
    reached = []
    for name in given.only.split(","):
        case = CASES[name]
        command = [*case.command(given.tables), *options]
        reached.append(show(name, case, [run(command, seed) for seed in given.seeds]))
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
