"""How configurations are judged, and which of them make the default portfolio.

    python bench/portfolio.py SUITE --configs FILE [--tables a,b] [--seconds S] [--threads 1]
        [--parts 2] [--epochs 100] [--cache FOLDER] [--show] [--most 12] [--cost 0.002]
        [--first a,b] [--only a,b]

On a suite's training files alone: test files are never opened. Every configuration of FILE trains
on the K folds of every table, as `cuesta fit` would; what its networks predict of their validation
rows is kept in the cache's folder, a file for each lane, so that a rerun does only what is new.
Several processes may share the folder: a fold that one is at, the others pass by. `--seconds`
begins no more work after so long, `--show` none at all; both print what is whole by then.
`--parts` trains only the first folds of each table: it goes through all tables fold by fold.

FILE is TOML (or JSON): a section for each configuration, with a candidate's hyper-parameters,
`final_ratio`, and `steps` in place of epochs; the section `defaults` is of what all have. A Python
file has them in CONFIGS: name → values, or a Candidate; either, or a value, may be a function of
the table's size (`rows`, `columns`, `task`). `--configs portfolio` takes the package's own. Without
a batch size it is that of the table's size.

    [defaults]
    activation = "silu"
    steps = 6000
    [plr]
    hidden_layer_sizes = [256, 256]
    numeric_embedding = "plr"

It prints each configuration's loss over the table's best one (log-loss, floored at .02; RMSE) with
geometric means; how often its best checkpoint is the last; its seconds (the processor's, with one
thread), a chunk's shared evenly among its lanes. Then a portfolio in the order in which a greedy
choice takes its configurations, each the one with which the committees' geometric mean is least.
With `--cost C` another one must lower the logarithm of that mean by C times its seconds, in those
of the table's median configuration.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cuesta._util.caches import cache_folder
from cuesta.baselines.threads import one_thread
from portfolio_choice import (
    Judged,
    committee_ratio,
    forward_choice,
    judge,
    relative_losses,
    relative_seconds,
)
from portfolio_entries import Entry, read_entries
from portfolio_lanes import Settings, Trainer, TrainingTable, sources, training_tables
from suite import number

DEFAULT_CACHE = cache_folder() / "bench-portfolio"
ROWS = 2500  # of a table, by which committees are compared


def whole_entries(
    tables: Sequence[TrainingTable], entries: Sequence[Entry], settings: Settings
) -> tuple[list[Entry], dict[str, str]]:
    """The entries of which every lane is there; of the others, how many are."""
    whole, others = [], {}
    for entry in entries:
        files = [
            table.file(entry, fold, settings) for table in tables for fold in range(settings.parts)
        ]
        there = sum(path.exists() for path in files)
        if there == len(files):
            whole.append(entry)
        else:
            others[entry.name] = f"{there} of {len(files)}"
    return whole, others


def show_losses(
    tables: Sequence[TrainingTable], entries: Sequence[Entry], judged: Sequence[Judged]
) -> None:
    """Print each entry's loss over the table's best, best geometric mean first."""
    ratios = relative_losses(judged)
    with np.errstate(over="ignore"):
        means = np.exp(np.log(ratios).mean(axis=1))
    seconds = sum(each.seconds for each in judged)
    last = sum(each.epochs == each.trained for each in judged)
    firsts = (ratios == 1).sum(axis=1)
    names = ["configuration", "mean", "best on", "ends at the last", "seconds", "relative"]
    print(f"| {' | '.join([*names, *(table.name for table in tables)])} |")
    print("|---" * (len(names) + len(tables)) + "|")
    relative = relative_seconds(judged)
    for place in np.argsort(means, kind="stable"):
        cells = [entries[place].name, f"{means[place]:.4f}", str(firsts[place])]
        cells += [f"{last[place]}", f"{seconds[place]:.0f}", f"{relative[place]:.2f}"]
        cells += [f"{ratio:.3f}" for ratio in ratios[place]]
        print(f"| {' | '.join(cells)} |")
    best = [number(each.losses.min()) for each in judged]
    print(f"| the best's loss |{' |' * (len(names) - 1)} {' | '.join(best)} |")


def show_choice(
    tables: Sequence[TrainingTable],
    entries: Sequence[Entry],
    judged: Sequence[Judged],
    order: Sequence[tuple[int, float]],
) -> None:
    """Print the portfolio, one entry more a line."""
    relative = relative_seconds(judged)
    print(f"\n| | joins | committees' mean | seconds | {' | '.join(t.name for t in tables)} |")
    print("|---" * (4 + len(tables)) + "|")
    chosen: list[int] = []
    for entry, mean in order:
        chosen.append(entry)
        each = [float(one.floored(one.committee(chosen))) / one.least for one in judged]
        cells = [str(len(chosen)), entries[entry].name, f"{mean:.4f}"]
        cells += [f"{relative[chosen].sum():.1f}", *(f"{ratio:.3f}" for ratio in each)]
        print(f"| {' | '.join(cells)} |")
    everyone = committee_ratio(judged, range(len(entries)))
    print(
        f"\nOf all {len(entries)} the committees' mean is {everyone:.4f}. Means are geometric, of "
        "log-loss or RMSE over that of the table's best single configuration; a committee's "
        "weights come from the other folds. Seconds are in those of the median configuration."
    )


def show_ages(
    tables: Sequence[TrainingTable], entries: Sequence[Entry], settings: Settings
) -> None:
    """Say how many lanes were trained by other sources than those at hand."""
    now, old, count = sources(), 0, 0
    for table in tables:
        for entry in entries:
            for fold in range(settings.parts):
                with np.load(table.file(entry, fold, settings)) as kept:
                    old += str(kept["sources"]) != now
                    count += 1
    if old:
        print(f"\n{old} of {count} lanes were trained by other sources than those at hand.")


def places_of(names: str | None, entries: Sequence[Entry]) -> list[int]:
    """The places of the entries named. Raises ValueError for one that is not there."""
    of = {entry.name: place for place, entry in enumerate(entries)}
    wanted = names.split(",") if names else []
    if unknown := set(wanted) - set(of):
        raise ValueError(f"no whole configuration is named {', '.join(sorted(unknown))}")
    return [of[name] for name in wanted]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options by which lanes are trained, and committees compared."""
    parser.add_argument("suite", type=Path)
    parser.add_argument("--tables", help="names, with commas between")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--epochs", type=int, default=Settings.epochs)
    parser.add_argument("--folds", type=int, default=Settings.folds)
    parser.add_argument("--parts", type=int, help="of the folds, how many are trained")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--show", action="store_true", help="train nothing")
    parser.add_argument("--rows", type=int, default=ROWS)


def settings_of(given: argparse.Namespace) -> Settings:
    """What the options say of how all entries are judged."""
    parts = min(given.parts or given.folds, given.folds)
    return Settings(given.cache, given.epochs, given.folds, parts, given.seed)


def train(
    given: argparse.Namespace, tables: Sequence[TrainingTable], entries: Sequence[Entry]
) -> None:
    """Train what is missing, as the options say."""
    if given.show:
        return

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    with one_thread():  # of the matrix library, beside the lanes' own
        Trainer(tables, entries, settings_of(given), given.threads, given.seconds, say).train()


def main(arguments: Sequence[str]) -> int:
    """Read the command line and do what it says; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    parser.add_argument("--configs", required=True, help="a file, or `portfolio`")
    parser.add_argument("--only", help="names of the file's configurations, with commas between")
    parser.add_argument("--most", type=int, default=12)
    parser.add_argument("--cost", type=float, default=0.0)
    parser.add_argument("--first", help="names with which the portfolio begins")
    given = parser.parse_args(arguments)
    tables = training_tables(given.suite, given.tables)
    entries = read_entries(given.configs)
    if given.only:
        entries = [entries[place] for place in places_of(given.only, entries)]
    train(given, tables, entries)
    settings = settings_of(given)
    whole, others = whole_entries(tables, entries, settings)
    for name, there in others.items():
        print(f"left out: {name}, of whose lanes {there} are there")
    if not whole:
        return 1
    judged = [judge(table, whole, settings) for table in tables]
    show_losses(tables, whole, judged)
    thin = [each.thinned(given.rows) for each in judged]
    order = forward_choice(thin, given.most, given.cost, places_of(given.first, whole))
    show_choice(tables, whole, thin, order)
    show_ages(tables, whole, settings)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
