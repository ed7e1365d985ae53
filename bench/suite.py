"""A suite of tables with fixed test rows: cuesta's command beside the figures of its peers.

    python bench/suite.py FOLDER ... [--tables a,b] [--seeds 0 1 2] [--threads N] [-- OPTION ...]

A suite's FOLDER holds suite.json (of each table `target` and `task`) and NAME/train.csv,
NAME/test.csv; peers.json beside it, where there is one, has other systems' figures on these very
files. What follows `--` goes to `cuesta fit`. `--keep FOLDER` appends each run to FOLDER/runs.jsonl
and does not repeat what stands there with the same options (take a new folder for another version
of cuesta); `--from FILE` prints such runs, options by options, and runs nothing.

Ratios are a metric's mean over the seeds over the peer's: of log-loss for classes, of RMSE for
numbers; less is better. A log-loss below .02 counts as .02: below, a few rows decide. Seconds are
those of the whole command. Tables whose run fails are named at the end; the exit code then is 1.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from suite_promises import coverage, promises, show_promises

LEAST_LOG_LOSS = 0.02
FAR = 1.10  # times the best peer's figure
KEPT = "runs.jsonl"
PEERS_NAMES = {"log_loss": "logloss", "rmse": "rmse"}  # as peers.json calls them
OUR_OWN = "cuesta"  # a peer whose name begins so is an older version: no rival

Run = Mapping[str, Any]
Figures = Mapping[str, float]


@dataclass(frozen=True)
class Table:
    """A table of a suite, and what its peers reached."""

    suite: Path
    name: str
    target: str
    task: str
    peers: Figures

    @property
    def metric(self) -> str:
        """What is compared."""
        return "log_loss" if self.task == "classification" else "rmse"


def read_suite(folder: Path) -> list[Table]:
    """The tables of a folder, in the order of its suite.json."""
    about = json.loads((folder / "suite.json").read_text(encoding="utf-8"))
    path = folder / "peers.json"
    peers = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return [
        Table(folder, name, one["target"], one["task"], peers_of(peers, name, one["task"]))
        for name, one in about.items()
    ]


def peers_of(peers: Mapping[str, Any], name: str, task: str) -> dict[str, float]:
    """Each peer's figure on a table, of those that have one."""
    metric = PEERS_NAMES["log_loss" if task == "classification" else "rmse"]
    found = {peer: tables.get(name, {}).get(metric) for peer, tables in peers.items()}
    return {peer: value for peer, value in found.items() if value is not None}


def run(table: Table, seed: int, options: Sequence[str]) -> dict[str, Any]:
    """Run the command once, in a folder of its own. Raises RuntimeError where it fails."""
    files = table.suite / table.name
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cuesta", "fit", str(files / "train.csv")]
        command += ["--target", table.target, "--test", str(files / "test.csv"), "--json"]
        command += ["--seed", str(seed), "--out", f"{folder}/run", *options]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise RuntimeError(said[-1] if said else f"exit code {done.returncode}")
        found = json.loads(Path(folder, "run", "result.json").read_text(encoding="utf-8"))
        covered = coverage(Path(folder, "run"), files / "test.csv", table.target, table.task)
    if found["task"] != table.task:
        raise RuntimeError(f"taken for {found['task']}, where the suite says {table.task}")
    return {
        **key_of(table, seed, options),
        "metric": table.metric,
        "peers": dict(table.peers),
        "test_metrics": found["test_metrics"],
        "models": {name: one["test_metrics"] for name, one in (found.get("models") or {}).items()},
        "model": found.get("model"),
        "seconds": seconds,
        "coverage": covered,
        **promises(found),
    }


def key_of(table: Table, seed: int, options: Sequence[str]) -> dict[str, Any]:
    """What tells one run from another."""
    named = {"suite": table.suite.resolve().name, "table": table.name}
    return {**named, "seed": seed, "options": list(options)}


def read_runs(path: Path) -> list[dict[str, Any]]:
    """Runs that were kept; a last line that was cut short is left out."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            print(f"{path}: a line that is cut short is left out", file=sys.stderr)
    return found


def run_all(
    tables: Sequence[Table], seeds: Sequence[int], options: Sequence[str], keep: Path | None
) -> tuple[list[Run], dict[str, str]]:
    """All runs, those that were kept among them, and what failed."""
    kept = read_runs(keep) if keep else []
    runs: list[Run] = []
    failed: dict[str, str] = {}
    for table in tables:
        for seed in seeds:
            key = key_of(table, seed, options)
            found = next((one for one in kept if key.items() <= one.items()), None)
            try:
                runs.append(found or run(table, seed, options))
            except RuntimeError as problem:
                failed[f"{table.name}, seed {seed}"] = str(problem)
                continue
            finally:
                print(f"{table.name}, seed {seed}", file=sys.stderr, flush=True)
            if keep and not found:
                with keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(runs[-1]) + "\n")
    return runs, failed


@dataclass(frozen=True)
class Row:
    """A table's figures, means over its seeds; NaN where there is none."""

    suite: str
    name: str
    metric: str
    ours: float
    peers: Figures
    models: Figures
    accuracy: float
    calibration_error: float
    seconds: float
    chosen: str

    @property
    def rivals(self) -> dict[str, float]:
        """The peers that are not cuesta itself."""
        return {k: v for k, v in self.peers.items() if not k.startswith(OUR_OWN)}

    def floored(self, value: float) -> float:
        """The value that is compared."""
        return max(value, LEAST_LOG_LOSS) if self.metric == "log_loss" else value

    def ratio(self, other: float) -> float:
        """Ours to another's."""
        return self.floored(self.ours) / self.floored(other)

    @property
    def committee_to_single(self) -> float:
        """The committee's figure to the single network's, or NaN."""
        both = [self.models.get(name, math.nan) for name in ("committee", "single")]
        if any(math.isnan(value) for value in both):
            return math.nan
        return self.floored(both[0]) / self.floored(both[1])


def rows_of(runs: Iterable[Run]) -> list[Row]:
    """A row for each table, in the order of their first runs."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for one in runs:
        groups.setdefault((one["suite"], one["table"]), []).append(one)
    return [_row(suite, name, group) for (suite, name), group in groups.items()]


def _row(suite: str, name: str, runs: Sequence[Run]) -> Row:
    metric = runs[0]["metric"]
    each = [one["test_metrics"] for one in runs]
    models = {which for one in runs for which in one["models"]}
    chosen = [one["model"] for one in runs if one["model"]]
    return Row(
        suite,
        name,
        metric,
        mean_of(each, metric),
        runs[-1]["peers"],
        {m: mean_of([one["models"].get(m, {}) for one in runs], metric) for m in models},
        mean_of(each, "accuracy"),
        mean_of(each, "calibration_error"),
        fmean(one["seconds"] for one in runs),
        ", ".join(f"{chosen.count(m)} {m}" for m in dict.fromkeys(chosen)),
    )


def mean_of(figures: Iterable[Figures], name: str) -> float:
    """The mean of one figure over runs; NaN unless all of them have it."""
    values = [one.get(name) for one in figures]
    return fmean(math.nan if value is None else value for value in values)


def geometric_mean(values: Iterable[float]) -> float:
    """exp(mean log); NaN of none."""
    logs = [math.log(value) for value in values]
    return math.exp(fmean(logs)) if logs else math.nan


def mean_ranks(rows: Sequence[Row]) -> dict[str, float]:
    """Mean ranks of cuesta and the rivals with a figure on every table; ties share their mean."""
    everywhere = [p for p in rows[0].rivals if all(p in row.rivals for row in rows)]
    ranks: dict[str, list[float]] = {name: [] for name in (OUR_OWN, *everywhere)}
    for row in rows:
        values = {OUR_OWN: row.ours, **{peer: row.rivals[peer] for peer in everywhere}}
        figures = {name: row.floored(value) for name, value in values.items()}
        for name, own in figures.items():
            less = sum(value < own for value in figures.values())
            same = sum(value == own for value in figures.values())
            ranks[name].append(less + (same + 1) / 2)
    return {name: fmean(found) for name, found in ranks.items()}


def show(rows: Sequence[Row]) -> None:
    """Print the table, and below it what it comes to."""
    peers = list(dict.fromkeys(peer for row in rows for peer in row.peers))
    names = ["table", "metric", "cuesta", *(f"{peer} (ratio)" for peer in peers)]
    names += ["single", "committee", "accuracy", "calibration error", "seconds", "chosen"]
    print(f"| {' | '.join(names)} |")
    print("|---" * len(names) + "|")
    for row in rows:
        against = [_beside(row, peer) for peer in peers]
        models = [number(row.models.get(name, math.nan)) for name in ("single", "committee")]
        cells = [row.name, row.metric, number(row.ours), *against, *models, number(row.accuracy)]
        cells += [number(row.calibration_error), f"{row.seconds:.0f}", row.chosen]
        print(f"| {' | '.join(cells)} |")
    print()
    _show_peers(rows, peers)
    _show_ranks(rows)
    _show_models(rows)


def number(value: float) -> str:
    """Four digits; nothing for NaN."""
    if math.isnan(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def _beside(row: Row, peer: str) -> str:
    if peer not in row.peers:
        return ""
    return f"{number(row.peers[peer])} ({row.ratio(row.peers[peer]):.2f})"


def _show_peers(rows: Sequence[Row], peers: Sequence[str]) -> None:
    """Geometric means of the ratios by peer and kind of table, and wins."""
    if not peers:
        return
    print("| peer | all tables | log-loss | RMSE | wins of cuesta |")
    print("|---|---|---|---|---|")
    for peer in peers:
        theirs = [row for row in rows if peer in row.peers]
        parts = [theirs, *([r for r in theirs if r.metric == m] for m in ("log_loss", "rmse"))]
        means = [number(geometric_mean(r.ratio(r.peers[peer]) for r in part)) for part in parts]
        wins = sum(row.ratio(row.peers[peer]) < 1 for row in theirs)
        print(f"| {peer} | {' | '.join(means)} | {wins} of {len(theirs)} |")
    print("\nRatios cuesta/peer, geometric means; below 1 cuesta has the lower loss.")


def _show_ranks(rows: Sequence[Row]) -> None:
    """Mean ranks, and on how many tables the best rival is ahead, and far ahead."""
    told = [row for row in rows if row.rivals]
    if not told:
        return
    ranks = sorted(mean_ranks(told).items(), key=lambda one: one[1])
    print(f"Mean ranks: {', '.join(f'{name} {rank:.2f}' for name, rank in ranks)}.")
    ratios = {row.name: row.ratio(min(row.rivals.values())) for row in told}
    first = sum(ratio <= 1 for ratio in ratios.values())
    far = [f"{name} {ratio:.2f}" for name, ratio in ratios.items() if ratio > FAR]
    print(
        f"At least as good as the best peer on {first} of {len(told)} tables; above {FAR:.2f} "
        f"times its figure on {len(far)}{': ' if far else ''}{', '.join(far)}."
    )


def _show_models(rows: Sequence[Row]) -> None:
    """The committee to the single network."""
    told = [row for row in rows if not math.isnan(row.committee_to_single)]
    if not told:
        return
    classes = [row.committee_to_single for row in told if row.metric == "log_loss"]
    at_most = sum(row.committee_to_single <= 1 for row in told)
    print(
        f"Committee/single: {number(geometric_mean(classes)) or 'none'} on {len(classes)} tables "
        f"of classes (geometric mean); at most 1 on {at_most} of {len(told)} tables."
    )


def chosen_tables(folders: Sequence[Path], names: str | None) -> list[Table]:
    """The suites' tables, or those named. Raises ValueError for a name that none has."""
    tables = [table for folder in folders for table in read_suite(folder)]
    wanted = names.split(",") if names else [table.name for table in tables]
    unknown = set(wanted) - {table.name for table in tables}
    if unknown:
        raise ValueError(f"no suite has {', '.join(sorted(unknown))}")
    return [table for table in tables if table.name in wanted]


def kept_runs(path: Path, names: str | None) -> dict[tuple[str, ...], list[Run]]:
    """The runs of a file, or those of the tables named, by their options."""
    wanted = names.split(",") if names else None
    found: dict[tuple[str, ...], list[Run]] = {}
    for one in read_runs(path):
        if not wanted or one["table"] in wanted:
            found.setdefault(tuple(one["options"]), []).append(one)
    return found


def show_kept(path: Path, names: str | None) -> int:
    """Print the runs of a file; the exit code."""
    found = kept_runs(path, names)
    for options, runs in found.items():
        print(f"\nOptions: {' '.join(options) or 'none'}\n")
        show(rows_of(runs))
        show_promises(runs)
    return 0 if found else 1


def run_and_show(
    tables: Sequence[Table], seeds: Sequence[int], options: Sequence[str], keep: Path | None
) -> int:
    """Run what is not there yet, print all of it, name what failed; the exit code."""
    runs, failed = run_all(tables, seeds, options, keep)
    if runs:
        show(rows_of(runs))
        show_promises(runs)
    for name, problem in failed.items():
        print(f"FAILED {name}: {problem}")
    return 1 if failed else 0


def main(arguments: Sequence[str]) -> int:
    """Read the command line and do what it says; the exit code."""
    end = [*arguments, "--"].index("--")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--tables", help="names, with commas between")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int)
    parser.add_argument("--keep", type=Path, help="a folder for the raw figures")
    parser.add_argument("--from", dest="source", type=Path, help="raw figures to print")
    given = parser.parse_args(arguments[:end])
    if given.source:
        return show_kept(given.source, given.tables)
    try:
        tables = chosen_tables(given.folders, given.tables)
    except (ValueError, OSError) as problem:
        parser.error(str(problem))
    if not tables:
        parser.error("name a suite's folder, or raw figures by --from")
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
    threads = ["--threads", str(given.threads)] if given.threads else []
    options = [*threads, *arguments[end + 1 :]]
    return run_and_show(tables, given.seeds, options, given.keep and given.keep / KEPT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
