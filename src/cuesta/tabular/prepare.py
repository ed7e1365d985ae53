"""A table made ready for training: tidied, its test rows sealed, the rest encoded and in folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import polars as pl

from cuesta._text import count
from cuesta.data.columns import find_column, frame_of, without
from cuesta.data.copies import Copies, count_known, find_copies
from cuesta.data.encode import (
    Encoder,
    Target,
    encode_target,
    fit_encoder,
    fit_target,
    with_known_labels,
    without_full_stops,
)
from cuesta.data.folds import REPEATS, Fold, Sealed, make_folds, split_test
from cuesta.data.kinds import Kind
from cuesta.data.layout import Layout
from cuesta.data.table import Table
from cuesta.errors import SpecError, TableError
from cuesta.metrics import Metric, baseline, metric_of
from cuesta.tabular.options import Options
from cuesta.tabular.read import Tidied, tidied, tidied_test
from cuesta.training.feed import Feed

TestRows = tuple[np.ndarray, np.ndarray]  # encoded inputs, targets


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
    sealed: Sealed[TestRows] | None  # None where no rows are kept aside for a test
    test_rows: int
    notes: tuple[str, ...]
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    test_table: str = ""  # the table that the test rows are of
    test_numbers: tuple[int, ...] = ()  # and their numbers in it, from 0
    rounds: int = 1  # in how many rounds of folds each row validates
    # (rows,) numbers that are the same of rows that belong together: of a group, or copies.
    together: np.ndarray | None = None

    def without_value(self, rows: np.ndarray) -> np.ndarray:
        """Which of these training rows have no value, so that no network decides them."""
        return self.encoder.without_value(self.x[rows])

    @property
    def measured(self) -> Metric:
        """The metric that selects."""
        return metric_of(self.metric, self.target.task)

    @property
    def curve(self) -> str:
        """The metric of every epoch by which candidates are compared, and their epochs chosen.

        It is the metric that selects where training keeps its curve; else the loss.
        """
        return self.measured.curve


class TidiedRows(NamedTuple):
    """Tidied rows on one side of the seal: inputs (a frame), targets, groups where there are."""

    inputs: pl.DataFrame
    y: np.ndarray
    groups: np.ndarray | None
    numbers: np.ndarray  # of the rows in the table, from 0
    copies: Copies | None = None

    def at(self, places: np.ndarray) -> TidiedRows:
        """The rows at these places."""
        groups = None if self.groups is None else self.groups[places]
        copies = None if self.copies is None else self.copies.at(places)
        numbers = self.numbers[places]
        return TidiedRows(self.inputs[places], self.y[places], groups, numbers, copies)


def prepare(table: Table, options: Options, test_table: Table | None = None) -> Task:
    """Tidy the table, seal the test rows, encode the training rows, make the folds.

    With a table of test rows, all others train and validate. Raises SpecError or TableError.
    """
    read = tidied(table, options)
    target = fit_target(read.frame, read.targets, options.task)
    metric = _metric(options.metric, target)
    _check_decision(options, target)
    rows = tidied_rows(read, target, options)
    if test_table is None and not options.test_size:
        train, encoder = rows, fit_encoder(rows.inputs, read.kinds)
        seal = NO_SEAL
    elif test_table is None:
        train, test = _split(rows, target, options)
        encoder = fit_encoder(train.inputs, read.kinds)
        seal = _seal(test, encoder)
    else:
        train, encoder = rows, fit_encoder(rows.inputs, read.kinds)
        seal = _seal_table(test_table, read, train, encoder, target, options)
    target = replace(target, base=_base(train.y, target, metric))
    _check_metric(metric, target, train.y)
    x = encoder.encode_tidied(train.inputs)
    folds = _folds(train, target, options)
    return Task(
        table.name,
        encoder,
        target,
        metric,
        x,
        train.y,
        Feed(
            x,
            train.y,
            folds,
            balanced=metric == "balanced_accuracy",
            layout=Layout.of(encoder),
        ),
        seal.sealed,
        seal.size,
        (
            *table.notes,
            *encoder.notes,
            *read.notes,
            *_told_of_copies(rows, options),
            *_rare_classes(train.y, target, options),
            *seal.notes,
        ),
        read.kinds,
        (test_table or table).name,
        tuple(seal.numbers.tolist()),
        REPEATS if options.protocol == "repeated" else 1,
        _together(train),
    )


def _together(train: TidiedRows) -> np.ndarray | None:
    """Which training rows belong together, by groups or as copies; None where each is its own."""
    if train.groups is not None:
        return train.groups
    return None if train.copies is None else train.copies.first


def _base(y: np.ndarray, target: Target, metric: str) -> tuple[float, ...]:
    """What is predicted of a row without any value: the classes' shares, or the means."""
    if target.task == "regression":
        return tuple(y.mean(axis=0).tolist())
    if metric == "balanced_accuracy":  # then each class counts the same
        return (1 / target.outputs,) * target.outputs
    return tuple((np.bincount(y, minlength=target.outputs) / len(y)).tolist())


def tidied_rows(read: Tidied, target: Target, options: Options) -> TidiedRows:
    """The rows of a tidied table: inputs, targets, groups, and which are copies of others."""
    groups = None
    if options.groups is not None:
        groups = _groups(find_column(read.frame, options.groups, "The table", "groups"))
    inputs = without(read.frame, options.without_inputs(read.targets))
    y = encode_target(read.frame, target)
    return TidiedRows(inputs, y, groups, read.numbers, find_copies(inputs))


def _split(rows: TidiedRows, target: Target, options: Options) -> tuple[TidiedRows, TidiedRows]:
    """The rows that train and validate, and those of the test."""
    train, test = split_test(
        rows.y,
        classes=target.task == "classification",
        share=options.test_size,
        protocol=options.protocol,
        groups=rows.groups,
        seed=options.seed,
        first=None if rows.copies is None else rows.copies.first,
    )
    return rows.at(train), rows.at(test)


def _folds(train: TidiedRows, target: Target, options: Options) -> list[Fold]:
    return make_folds(
        train.y,
        classes=target.task == "classification",
        k=options.folds,
        protocol=options.protocol,
        groups=train.groups,
        seed=options.seed,
        first=None if train.copies is None else train.copies.first,
    )


def _told_of_copies(rows: TidiedRows, options: Options) -> list[str]:
    if rows.copies is None:
        return []
    kept = "copies stay on one side of every split"
    if options.protocol == "ordered":
        kept = "in order of time they stand on both sides of splits"
    what = "is a copy" if rows.copies.count == 1 else "are copies"
    return [f"{rows.copies.count:,} of {len(rows.y):,} rows {what} of another; {kept}"]


class Seal(NamedTuple):
    """The test rows behind their seal, how many there are, and what is to be said of them."""

    sealed: Sealed[TestRows] | None
    size: int
    notes: list[str]
    numbers: np.ndarray  # of the rows in their table


NO_SEAL = Seal(None, 0, [], np.arange(0))


def _seal(test: TidiedRows, encoder: Encoder) -> Seal:
    """Seal a share of the table."""
    sealed = Sealed(lambda: (encoder.encode_tidied(test.inputs), test.y))
    return Seal(sealed, len(test.y), [], test.numbers)


def _seal_table(
    table: Table,
    read: Tidied,
    train: TidiedRows,
    encoder: Encoder,
    target: Target,
    options: Options,
) -> Seal:
    """Seal a table of its own: read now, so that a fault in it is found before any training."""
    as_trained = replace(options, task=target.task)
    test = tidied_test(table, read.targets, encoder.columns, read.kinds, as_trained)
    frame, dotted = without_full_stops(test.frame, target)
    frame = with_known_labels(frame, target)
    notes = [
        *table.notes,
        *test.notes,
        *(["labels end in a full stop, which is taken off"] if dotted else []),
    ]
    x, y = encoder.encode_tidied(frame), encode_target(frame, target)
    known = count_known(_whole_rows(train.inputs, encoder, train.y), _whole_rows(frame, encoder, y))
    if known:
        what = "is a training row" if known == 1 else "are training rows"
        notes.append(f"{known:,} of its {count(len(y), 'row')} {what} too")
    said = [f"the test table {table.name!r}: {note}" for note in notes]
    return Seal(Sealed(lambda: (x, y)), len(y), said, test.numbers)


def _whole_rows(frame: pl.DataFrame, encoder: Encoder, y: np.ndarray) -> pl.DataFrame:
    """The columns that count, and the target after them."""
    inputs = [frame[name] for name in encoder.columns]
    targets = [pl.Series(column) for column in (y[:, None] if y.ndim == 1 else y).T]
    columns = [*inputs, *targets]
    return frame_of(column.alias(f"{place}") for place, column in enumerate(columns))


def _groups(series: pl.Series) -> np.ndarray:
    """A number for each row's group."""
    if series.null_count():
        raise TableError(
            f"The column {series.name!r} of groups has no value in "
            f"{count(series.null_count(), 'row')}."
        )
    return series.alias("one").rank("dense").to_numpy()


def _metric(wanted: str, target: Target) -> str:
    """The name of the metric that selects. Raises SpecError for one not for the target."""
    if wanted == "auto":
        return "log_loss" if target.task == "classification" else "rmse"
    return metric_of(wanted, target.task, len(target.labels)).name


def _check_metric(name: str, target: Target, y: np.ndarray) -> None:
    """Raise SpecError where a scorer refuses the targets, such as a logarithm those below 0."""
    if target.task == "regression":
        metric_of(name, target.task)(y, baseline(y, len(y), target.outputs))


def _check_decision(options: Options, target: Target) -> None:
    """Raise SpecError for a threshold or costs where there are not two classes to decide."""
    given = [name for name in ("threshold", "costs") if getattr(options, name) is not None]
    if not given or len(target.labels) == 2:
        return
    has = f"has {len(target.labels):,}" if target.labels else "holds numbers"
    what = "Costs are" if given == ["costs"] else "A threshold is"
    raise SpecError(
        f"{what} for two classes; the target {target.names[0]!r} {has}.", parameter=given[0]
    )


def _rare_classes(y: np.ndarray, target: Target, options: Options) -> list[str]:
    if target.task != "classification":
        return []
    counts = np.bincount(y, minlength=len(target.labels))
    rare = [(label, n) for label, n in zip(target.labels, counts, strict=True) if n < options.folds]
    return [
        f"class {label!r} has {count(n, 'training row')} for {options.folds} folds; some validate "
        "without it"
        for label, n in rare
    ]
