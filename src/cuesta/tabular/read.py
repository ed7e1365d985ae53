"""Cleans a table's columns, decides their kinds and converts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from cuesta._text import count, listed
from cuesta._util.notes import Note
from cuesta.data.columns import (
    convert_columns,
    find_column,
    frame_of,
    read_columns,
    read_target,
    tidy_frame,
    with_columns,
    without,
)
from cuesta.data.kinds import Kind
from cuesta.data.readings import decimal_of
from cuesta.data.table import Table
from cuesta.errors import SpecError, TableError
from cuesta.tabular.options import Options


@dataclass(frozen=True)
class Tidied:
    """A tidied table: inputs of their kinds, targets as numbers or labels, groups as they were.

    Its rows have a value of every target.
    """

    frame: pl.DataFrame
    targets: list[str]
    kinds: Mapping[str, Kind]
    notes: list[str]
    numbers: np.ndarray  # of its rows in the table that was given, from 0


def tidied(table: Table, options: Options) -> Tidied:
    """The table without the columns and rows that have no part in the run.

    Raises SpecError for a name that does not fit the table, TableError for a column that cannot
    be used.
    """
    names = named_targets(table, options)
    left_out = {name for name, kind in options.columns.items() if kind.name == "drop"}
    other_targets = {name for name in table.targets if name not in names}
    frame = without(table.frame, {*options.drop, *left_out, *other_targets})
    given = {name: kind for name, kind in options.columns.items() if name not in left_out}
    inputs, kinds = read_columns(
        without(frame, options.without_inputs(names)),
        given,
        decimal=options.decimal,
        missing=options.missing,
    )
    if not inputs.width:
        raise TableError("No column is left to learn from.")
    mark = decimal_of(kinds) if options.decimal == "auto" else options.decimal
    targets, told = _read_targets(frame, names, options, mark)
    groups = [frame[options.groups]] if options.groups else []
    whole = with_columns(inputs, [*targets, *groups])
    known, notes, numbers = _with_known_targets(whole, names)
    return Tidied(known, names, kinds, [*told, *notes], numbers)


def _read_targets(
    frame: pl.DataFrame, names: list[str], options: Options, decimal: str
) -> tuple[list[pl.Series], list[Note]]:
    read = [read_target(frame[name], options.task, decimal, options.missing) for name in names]
    return [series for series, _ in read], [note for _, notes in read for note in notes]


def tidied_test(
    table: Table,
    targets: list[str],
    columns: list[str],
    kinds: Mapping[str, Kind],
    options: Options,
) -> Tidied:
    """A test table's targets, and those of its columns that were inputs in training.

    Raises TableError for a column that is missing, or that is not of its kind.
    """
    where = f"The test table {table.name!r}"
    for name in (*columns, *targets):
        find_column(table.frame, name, where)
    known = {name: kinds[name] for name in columns}
    inputs = convert_columns(tidy_frame(frame_of(table.frame[name] for name in columns)), known)
    kept, _ = _read_targets(table.frame, targets, options, decimal_of(dict(kinds)))
    frame, notes, numbers = _with_known_targets(with_columns(inputs, kept), targets)
    return Tidied(frame, targets, known, notes, numbers)


def named_targets(table: Table, options: Options) -> list[str]:
    """The targets' names, once all names that the user gave are known to fit the table.

    Raises SpecError or TableError for a name that does not.
    """
    names = list(options.target or table.targets)
    if not names:
        columns = listed(table.frame.columns)
        raise SpecError(
            f"The column to predict is not named; there are: {columns}.", parameter="target"
        )
    aside = options.without_inputs(names)
    groups = (options.groups,) if options.groups else ()
    given = {"target": names, "groups": groups, "drop": options.drop, "columns": options.columns}
    for parameter, named in given.items():
        for name in named:
            find_column(table.frame, name, "The table", parameter)
    for name in names:
        if names.count(name) > 1:
            raise SpecError(f"The target {name!r} is named twice.")
        if name in options.drop or name == options.groups:
            raise SpecError(f"The column {name!r} cannot be the target and be left out too.")
    for name in options.columns:
        if name in aside:
            raise SpecError(f"columns tells what inputs are; {name!r} is no input.")
    return names


def _with_known_targets(
    frame: pl.DataFrame, names: list[str]
) -> tuple[pl.DataFrame, list[str], np.ndarray]:
    """The rows that have a value of every target, what is to be said of it, and their numbers."""
    for name in names:
        if frame[name].null_count() == frame.height:
            raise TableError(f"The target {name!r} has no value in any row.")
    absent = [frame[name].alias("one").is_null().to_numpy() for name in names]
    has_all = ~np.any(absent, axis=0)
    numbers = np.flatnonzero(has_all)
    lost = frame.height - len(numbers)
    if not len(numbers):
        raise TableError(f"No row has a value of every target: {', '.join(names)}.")
    known = frame.filter(has_all) if lost else frame
    told = f"{count(lost, 'row')} without a target {'is' if lost == 1 else 'are'} left out"
    return known, [told] if lost else [], numbers
