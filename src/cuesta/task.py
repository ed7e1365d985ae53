"""A table made ready for training: encoded, its test rows sealed, the rest in folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from cuesta.core.foreign import check_optimizer
from cuesta.data.columns import find_column, settle, tidy_target
from cuesta.data.encode import Encoder, Target, encode_target, fit_encoder, fit_target
from cuesta.data.folds import PROTOCOLS, Sealed, check_groups, make_folds, split_test
from cuesta.data.table import Table
from cuesta.errors import SpecError, TableError
from cuesta.search.feed import Feed
from cuesta.search.propose import SAMPLERS
from cuesta.search.select import METRICS
from cuesta.search.space import Space, check_grid
from cuesta.spec import PRECISIONS, check_choice

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
    halving: bool = False
    precision: str | None = None

    def __post_init__(self) -> None:
        check_choice("task", self.task, TASKS)
        check_choice("protocol", self.protocol, PROTOCOLS)
        check_choice("sampler", self.sampler, SAMPLERS)
        check_groups(self.protocol, self.groups is not None)
        if self.halving and self.sampler == "tpe":
            raise SpecError(
                "halving compares all candidates; it goes with random or grid, not tpe."
            )
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


def prepare(table: Table, options: Options) -> Task:
    """Read the target, seal the test rows, encode the training rows, make the folds."""
    frame, names, notes = with_target(table, options)
    groups = None
    if options.groups is not None:
        groups = _groups(find_column(frame, options.groups, "The table"))
    target = fit_target(frame, names, options.task)
    metric = _metric(options.metric, target.task)
    y = encode_target(frame, target)
    classes = target.task == "classification"
    inputs = frame.drop([*names, *([options.groups] if options.groups else [])])
    train, test = split_test(
        y,
        classes=classes,
        share=options.test_size,
        protocol=options.protocol,
        groups=groups,
        seed=options.seed,
    )
    encoder = fit_encoder(inputs[train])
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
    sealed = Sealed(lambda: (encoder.encode(inputs[test]), y[test]))
    return Task(
        table.name,
        encoder,
        target,
        metric,
        x,
        y[train],
        Feed(x, y[train], folds),
        sealed,
        len(test),
        (*table.notes, *encoder.notes, *notes),
    )


def with_target(table: Table, options: Options) -> tuple[pl.DataFrame, list[str], list[str]]:
    """The table without dropped columns and without rows that lack a target; targets; notes."""
    names = list(options.target or table.targets)
    if not names:
        columns = ", ".join(table.frame.columns[:12])
        raise SpecError(f"The column to predict is not named (--target); there are: {columns}.")
    frame = table.frame
    for name in (*names, *options.drop, *([options.groups] if options.groups else [])):
        find_column(frame, name, "The table")
    for name in names:
        if names.count(name) > 1:
            raise SpecError(f"The target {name!r} is named twice.")
        if name in options.drop or name == options.groups:
            raise SpecError(f"The column {name!r} cannot be the target and be left out too.")
    others = [name for name in table.targets if name not in names]
    frame = frame.drop([*options.drop, *others])
    kept = {name: tidy_target(frame[name]) for name in names}  # labels stay as they are
    if options.groups:
        kept[options.groups] = frame[options.groups]
    frame = settle(frame.drop(kept)).with_columns(kept.values())
    for name in frame.columns:
        if frame[name].null_count() == frame.height:
            raise TableError(f"The column {name!r} has no value in any row; leave it out (--drop).")
    known = frame.drop_nulls(names)
    lost = frame.height - known.height
    if not known.height:
        raise TableError(f"No row has a value of every target: {', '.join(names)}.")
    notes = [f"{lost:,} rows without a target are left out"] if lost else []
    return known, names, notes


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
