"""A table made ready for training: encoded, its test rows sealed, the rest in folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import polars as pl

from cuesta._util.checks import check_choice
from cuesta.core.foreign import check_optimizer
from cuesta.data.columns import Kind, convert_columns, find_column, read_kinds, tidy_target
from cuesta.data.encode import (
    Encoder,
    Target,
    encode_target,
    fit_encoder,
    fit_target,
    without_full_stops,
)
from cuesta.data.folds import PROTOCOLS, Sealed, check_groups, make_folds, split_test
from cuesta.data.table import Table
from cuesta.errors import SpecError, TableError
from cuesta.hyperparameters import INSTRUMENTS, PRECISIONS
from cuesta.search.samplers import SAMPLERS
from cuesta.search.select import METRICS
from cuesta.search.space import Space, check_grid
from cuesta.training.feed import Feed

TASKS = ("auto", "classification", "regression")
LARGEST_SEED = 2**32 - 1  # what scikit-learn's splitters take


@dataclass(frozen=True)
class Options:
    """What the user may set of a run; checked when made. Raises SpecError."""

    target: tuple[str, ...] = ()
    task: str = "auto"
    metric: str = "auto"
    folds: int = 5
    protocol: str = "kfold"
    groups: str | None = None
    drop: tuple[str, ...] = ()
    candidates: int = 64
    epochs: int = 50
    space: Space | None = None
    sampler: str = "random"
    test_size: float = 0.2
    seed: int = 0
    threads: int | None = None
    columns: Mapping[str, Kind] = field(default_factory=dict)
    halving: bool = False
    precision: str | None = None
    instruments: str = "economy"

    def __post_init__(self) -> None:
        check_choice("task", self.task, TASKS)
        check_choice("protocol", self.protocol, PROTOCOLS)
        check_choice("sampler", self.sampler, SAMPLERS)
        check_groups(self.protocol, self.groups is not None)
        if self.halving and self.sampler == "tpe":
            raise SpecError(
                "halving compares all candidates; it goes with random or grid, not tpe."
            )
        check_choice("instruments", self.instruments, INSTRUMENTS)
        if self.precision is not None:
            check_choice("precision", self.precision, PRECISIONS)
        if self.sampler == "grid":
            check_grid(self.space)
        for name in self.space.optimizers.values if self.space else ():
            check_optimizer(name)
        check_choice("metric", self.metric, ("auto", *METRICS["classification"], "rmse"))
        for name, least in (("candidates", 1), ("epochs", 1), ("folds", 2)):
            if getattr(self, name) < least:
                raise SpecError(f"{name} must be at least {least}, not {getattr(self, name)}.")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise SpecError(f"seed must be from 0 to {LARGEST_SEED}, not {self.seed}.")
        if not 0 < self.test_size < 1:
            raise SpecError(f"test_size must be between 0 and 1, not {self.test_size:g}.")
        if self.threads is not None and self.threads < 1:
            raise SpecError(f"threads must be at least 1, not {self.threads}.")


@dataclass(frozen=True)
class Task:
    """A prepared table: encoded training rows, the sealed test rows, the folds."""

    table: str
    encoder: Encoder
    target: Target
    metric: str
    x: np.ndarray
    y: np.ndarray
    feed: Feed
    sealed: Sealed[tuple[np.ndarray, np.ndarray]]
    test_rows: int
    notes: tuple[str, ...]
    kinds: Mapping[str, Kind] = field(default_factory=dict)


def prepare(table: Table, options: Options, test_table: Table | None = None) -> Task:
    """Read the target, seal the test rows, encode the training rows, make the folds.

    With a table of test rows, all others train and validate.
    """
    frame, names, kinds, notes = with_target(table, options)
    groups = None
    if options.groups is not None:
        groups = _groups(find_column(frame, options.groups, "The table"))
    target = fit_target(frame, names, options.task)
    metric = _metric(options.metric, target.task)
    y = encode_target(frame, target)
    classes = target.task == "classification"
    inputs = frame.drop(_aside(names, options))
    if test_table is None:
        train, test = split_test(
            y,
            classes=classes,
            share=options.test_size,
            protocol=options.protocol,
            groups=groups,
            seed=options.seed,
        )
    else:
        train, test = np.arange(len(y)), np.arange(0)
    encoder = fit_encoder(inputs[train], kinds)
    x = encoder.encode(inputs[train])
    folds = make_folds(
        y[train],
        classes=classes,
        k=options.folds,
        protocol=options.protocol,
        groups=None if groups is None else groups[train],
        seed=options.seed,
    )
    if classes:
        notes += _rare_classes(y[train], target, options)
    if test_table is None:
        sealed = Sealed(lambda: (encoder.encode(inputs[test]), y[test]))
        test_rows = len(test)
    else:
        test_x, test_y, more = _test_rows(test_table, options, names, kinds, encoder, target)
        sealed, test_rows, notes = Sealed(lambda: (test_x, test_y)), len(test_y), notes + more
    balanced = metric == "balanced_accuracy"
    return Task(
        table.name,
        encoder,
        target,
        metric,
        x,
        y[train],
        Feed(x, y[train], folds, balanced=balanced),
        sealed,
        test_rows,
        (*table.notes, *encoder.notes, *notes),
        kinds,
    )


def _aside(names: list[str], options: Options) -> list[str]:
    """The columns that are no inputs."""
    return [*names, *([options.groups] if options.groups else [])]


def _test_rows(
    table: Table,
    options: Options,
    names: list[str],
    kinds: Mapping[str, Kind],
    encoder: Encoder,
    target: Target,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The rows of a test table, encoded: read now, so that a fault in them is found first."""
    asked = replace(options, target=tuple(names), groups=None)
    where = f"The test table {table.name!r}"
    for name in (*encoder.columns, *names):
        find_column(table.frame, name, where)
    inputs = {name: kinds[name] for name in encoder.columns}
    frame = _settled(table.frame.select([*names, *inputs]), names, asked, inputs)
    frame, notes = _with_known_targets(frame, names)
    frame, dotted = without_full_stops(frame, target)
    if dotted:
        notes.append("labels end in a full stop, which is taken off")
    told = [f"{where.lower()}: {note}" for note in notes]
    return encoder.encode(frame), encode_target(frame, target), told


class Chosen(NamedTuple):
    """A table of which each column has a part: inputs as what they are, targets, groups."""

    frame: pl.DataFrame
    targets: list[str]
    kinds: Mapping[str, Kind]
    notes: list[str]


def with_target(table: Table, options: Options) -> Chosen:
    """The table without dropped columns and without rows that lack a target."""
    names = _targets(table, options)
    dropped = {name for name, kind in options.columns.items() if kind.name == "drop"}
    others = {name for name in table.targets if name not in names}
    frame = table.frame.drop({*options.drop, *dropped, *others})
    given = {name: kind for name, kind in options.columns.items() if name not in dropped}
    kinds = read_kinds(frame.drop(_aside(names, options)), given)
    frame = _settled(frame, names, options, kinds)
    for name in frame.columns:
        if frame[name].null_count() == frame.height:
            raise TableError(f"The column {name!r} has no value in any row; leave it out (--drop).")
    known, notes = _with_known_targets(frame, names)
    return Chosen(known, names, kinds, notes)


def _targets(table: Table, options: Options) -> list[str]:
    """The targets' names, once all names that the user gave are known to fit the table."""
    names = list(options.target or table.targets)
    if not names:
        columns = ", ".join(table.frame.columns[:12])
        raise SpecError(f"The column to predict is not named (--target); there are: {columns}.")
    for name in (*_aside(names, options), *options.drop, *options.columns):
        find_column(table.frame, name, "The table")
    for name in names:
        if names.count(name) > 1:
            raise SpecError(f"The target {name!r} is named twice.")
        if name in options.drop or name == options.groups:
            raise SpecError(f"The column {name!r} cannot be the target and be left out too.")
    for name in options.columns:
        if name in _aside(names, options):
            raise SpecError(f"--columns says what inputs are; {name!r} is none.")
    return names


def _settled(
    frame: pl.DataFrame, names: list[str], options: Options, kinds: Mapping[str, Kind]
) -> pl.DataFrame:
    """Each input as what it is; targets tidied, with their labels as they are; groups untouched."""
    kept = [tidy_target(frame[name]) for name in names]
    kept += [frame[options.groups]] if options.groups else []
    return convert_columns(frame.drop(_aside(names, options)), kinds).with_columns(kept)


def _with_known_targets(frame: pl.DataFrame, names: list[str]) -> tuple[pl.DataFrame, list[str]]:
    known = frame.drop_nulls(names)
    lost = frame.height - known.height
    if not known.height:
        raise TableError(f"No row has a value of every target: {', '.join(names)}.")
    return known, [f"{lost:,} rows without a target are left out"] if lost else []


def _groups(series: pl.Series) -> np.ndarray:
    """A number for each row's group."""
    if series.null_count():
        raise TableError(
            f"The column {series.name!r} of groups has no value in {series.null_count():,} rows."
        )
    return series.rank("dense").to_numpy()


def _metric(wanted: str, task: str) -> str:
    if wanted == "auto":
        return METRICS[task][0]
    if wanted not in METRICS[task]:
        fitting = " or ".join(METRICS[task])
        raise SpecError(f"The metric {wanted!r} does not suit {task}; take {fitting}.")
    return wanted


def _rare_classes(y: np.ndarray, target: Target, options: Options) -> list[str]:
    counts = np.bincount(y, minlength=len(target.labels))
    rare = [(label, n) for label, n in zip(target.labels, counts, strict=True) if n < options.folds]
    return [
        f"class {label!r} has {n} training rows for {options.folds} folds; some validate without it"
        for label, n in rare
    ]
