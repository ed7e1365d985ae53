"""What each ingredient of the default portfolio is worth: the portfolio without it.

    python bench/ingredients.py SUITE [--configs portfolio] [--tables a,b] [--only embedding,clamp]
        [--seconds S] [--threads 1] [--parts 2] [--epochs 100] [--cache FOLDER] [--show]

On a suite's training files alone. One ingredient after the other is switched off in all entries of
the portfolio (or of a file of configurations), and the entries that this changes train anew on the
folds of every table: lanes and cache are those of bench/portfolio.py, so that a rerun, or another
process beside this one, does only what is new.

It prints, for each ingredient, how many entries use it, and the geometric mean over the tables of
the committee's out-of-fold loss without it, over the whole portfolio's: above 1 it helps. The
worst and best table stand beside it, and on how many tables it helps. "All off" has none of them.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cuesta.hyperparameters import Candidate
from portfolio import add_options, settings_of, train, whole_entries
from portfolio_choice import judge
from portfolio_entries import PORTFOLIO, Entry, TableSize, read_entries
from portfolio_lanes import Settings, TrainingTable, training_tables

ALL = "all off"
SMOOTH = ("silu", "gelu", "mish", "selu")

# What a candidate has in place of each ingredient.
OFF: Mapping[str, Mapping[str, Any]] = {
    "embedding": {"numeric_embedding": "none"},
    "quantile or robust inputs": {"normalize": "standard"},
    "smooth activations": {"activation": "relu"},
    "schedule": {"schedule": "linear", "warmup": 0.0},
    "input scale": {"input_scale": False},
    "weight decay": {"weight_decay": 0.0},
    "dropout": {"dropout": 0.0},
    "learned categories": {"category_embedding": "one-hot"},
    "residual blocks": {"architecture": "mlp"},
    "label smoothing": {"label_smoothing": 0.0},
    "target transform": {"target_transform": "none"},
    "clamp": {"clamp": False},
    "weight average": {"weight_average": 0.0},
}
LENGTH = "length"  # the steps of the portfolio: its epochs divided
SHARE = 3  # by so many, without it


def without(candidate: Candidate, ingredient: str) -> Candidate:
    """The candidate without an ingredient; itself where it has none of it.

    Without smooth activations only these become ReLU, and without other inputs only those of
    quantiles and robust scales the standard ones.
    """
    if ingredient == ALL:
        for name in OFF:
            candidate = without(candidate, name)
        return candidate
    if ingredient == LENGTH:
        return dataclasses.replace(candidate, epochs=-(-(candidate.epochs or 1) // SHARE))
    if ingredient == "smooth activations" and candidate.activation not in SMOOTH:
        return candidate
    if ingredient.startswith("quantile") and candidate.normalize not in ("quantile", "robust"):
        return candidate
    return dataclasses.replace(candidate, **OFF[ingredient])


def variant(entry: Entry, ingredient: str, settings: Settings) -> Entry:
    """The entry without an ingredient."""

    def made(size: TableSize) -> Candidate:
        return without(entry.on(size, settings.epochs, settings.folds), ingredient)

    return Entry(f"{entry.name} without {ingredient}", made)


def uses(
    entries: Sequence[Entry],
    tables: Sequence[TrainingTable],
    ingredient: str,
    settings: Settings,
) -> int:
    """How many entries have the ingredient on any of the tables."""

    def has(entry: Entry) -> bool:
        made = (entry.on(table.size, settings.epochs, settings.folds) for table in tables)
        return any(without(candidate, ingredient) != candidate for candidate in made)

    return sum(has(entry) for entry in entries)


def committee_losses(
    tables: Sequence[TrainingTable], entries: Sequence[Entry], settings: Settings, rows: int
) -> np.ndarray:
    """(tables,): the loss of the committee of these entries, floored."""
    judged = [judge(table, entries, settings).thinned(rows) for table in tables]
    return np.array([float(one.floored(one.committee(range(len(entries))))) for one in judged])


def row_of(
    name: str, count: int, tables: Sequence[TrainingTable], ratios: np.ndarray, shown: bool
) -> str:
    """A line of the table: what the portfolio without an ingredient has over the whole one."""
    worst, best = int(np.argmax(ratios)), int(np.argmin(ratios))
    cells = [name, str(count), f"{np.exp(np.log(ratios).mean()):.4f}"]
    cells.append(f"{(ratios > 1).sum()} of {len(ratios)}")
    cells += [f"{tables[at].name} {ratios[at]:.3f}" for at in (worst, best)]
    cells += [f"{ratio:.3f}" for ratio in ratios] if shown else []
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str]) -> int:
    """Read the command line and do what it says; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    parser.add_argument("--configs", default=PORTFOLIO, help="a file, or `portfolio`")
    parser.add_argument("--only", help="ingredients, with commas between")
    parser.add_argument("--each", action="store_true", help="a column for each table")
    given = parser.parse_args(arguments)
    settings = settings_of(given)
    tables = training_tables(given.suite, given.tables)
    entries = read_entries(given.configs)
    wanted = given.only.split(",") if given.only else [*OFF, LENGTH, ALL]
    if unknown := set(wanted) - {*OFF, LENGTH, ALL}:
        raise ValueError(f"no ingredient is named {', '.join(sorted(unknown))}")
    counts = {name: uses(entries, tables, name, settings) for name in wanted}
    variants = {
        name: [variant(entry, name, settings) for entry in entries]
        for name in wanted
        if counts[name]
    }
    train(given, tables, [*entries, *(each for group in variants.values() for each in group)])
    if len(whole_entries(tables, entries, settings)[0]) < len(entries):
        print("the portfolio itself is not whole yet")
        return 1
    full = committee_losses(tables, entries, settings, given.rows)
    names = ["without", "entries that have it", "mean", "helps on", "most", "least"]
    names += [table.name for table in tables] if given.each else []
    print(f"| {' | '.join(names)} |")
    print("|---" * len(names) + "|")
    for name, group in variants.items():
        if len(whole_entries(tables, group, settings)[0]) < len(group):
            print(f"| {name} | {counts[name]} | not whole yet |")
            continue
        ratios = committee_losses(tables, group, settings, given.rows) / full
        print(row_of(name, counts[name], tables, ratios, given.each), flush=True)
    unused = [name for name in wanted if not counts[name]]
    print(
        f"\nGeometric means over {len(tables)} tables of the committee's loss (log-loss, floored, "
        "or RMSE) without an ingredient over that of the whole portfolio; above 1 it helps."
    )
    if unused:
        print(f"No entry has: {', '.join(unused)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
