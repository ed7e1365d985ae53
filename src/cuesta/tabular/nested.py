"""Nested cross-validation: the whole search is tested on folds that it never saw.

Each outer fold's rows are the test of a search on all other rows, whose own folds are the inner
ones (Varma and Simon, 2006). So every row is tested once, none is lost, and what is estimated is
the search itself; the model that is delivered is of all rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from cuesta._text import count
from cuesta.data.columns import with_columns
from cuesta.data.encode import Target, fit_target
from cuesta.data.folds import Sealed, make_folds
from cuesta.data.table import Table
from cuesta.errors import TableError
from cuesta.tabular.baselines import Baselines, run_baselines
from cuesta.tabular.delivery import Delivery
from cuesta.tabular.find import Means, find
from cuesta.tabular.listener import Listener
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import TestRows, prepare, tidied_rows
from cuesta.tabular.read import tidied

Part = tuple[np.ndarray, np.ndarray, float | None]  # targets, what is decided, the threshold


@dataclass(frozen=True)
class OuterFold:
    """An opened outer fold: its rows' targets, and what models and baselines decide of them.

    `delivered` is the model that this fold's search would deliver, and `thresholds` are those of
    its models.
    """

    y: np.ndarray
    delivered: str
    decided: Mapping[str, np.ndarray]
    thresholds: Mapping[str, float | None]
    baselines: Mapping[str, np.ndarray]

    def part(self, model: str) -> Part:
        """What a model decides of the rows."""
        return self.y, self.decided[model], self.thresholds[model]


@dataclass(frozen=True)
class OuterRows:
    """The rows of an outer fold: those that are searched on, and those of its test.

    `y` are the targets of the test, with class numbers of the whole table.
    """

    train: Table
    test: pl.DataFrame
    y: np.ndarray


@dataclass(frozen=True)
class Searched:
    """What the search without an outer fold's rows found; these rows are still sealed."""

    target: Target  # of the rows that were searched on, which may lack a class
    delivery: Delivery
    baselines: Baselines
    sealed: Sealed[TestRows]

    def open(self, whole: Target) -> OuterFold:
        """Decide the rows; `whole` is the whole table's target. Raises SealError, TableError."""
        x, y = self.sealed.open()
        models, own = self.delivery.models, self.target
        return OuterFold(
            y,
            self.delivery.chosen,
            {n: _in_the_order_of(whole, own, each.model.decide(x)) for n, each in models.items()},
            {n: each.model.calibration.threshold for n, each in models.items()},
            {b.name: _in_the_order_of(whole, own, b.decide(x)) for b in self.baselines.found},
        )


def inner(options: Options) -> Options:
    """The options of one search: on folds, without a test of its own."""
    protocol = "grouped" if options.groups else "kfold"
    return replace(options, protocol=protocol, test_size=0, outer=Options.outer)


def outer_rows(table: Table, options: Options) -> list[OuterRows]:
    """The outer folds: stratified, whole groups, no copies apart. Raises SpecError, TableError."""
    read = tidied(table, options)
    target = fit_target(read.frame, read.targets, options.task)
    rows = tidied_rows(read, target, options)
    folds = make_folds(
        rows.y,
        classes=target.task == "classification",
        k=options.outer,
        protocol=inner(options).protocol,
        groups=rows.groups,
        seed=options.seed,
        first=None if rows.copies is None else rows.copies.first,
    )
    # Labels as they are read in the whole table: a part of it might read them otherwise.
    labels = [read.frame[name] for name in read.targets if read.frame[name].dtype == pl.String]
    frame = with_columns(table.frame[rows.numbers], labels)
    return [
        OuterRows(
            replace(table, frame=frame[fold.train], notes=()),
            frame[fold.validation],
            rows.y[fold.validation],
        )
        for fold in folds
    ]


def search_outer_folds(
    table: Table, options: Options, means: Means, listener: Listener
) -> list[Searched]:
    """Search on all rows but those of each outer fold. Raises CuestaError."""
    folds = outer_rows(table, options)
    found = []
    for place, fold in enumerate(folds, start=1):
        listener.said(
            f"outer fold {place} of {len(folds)}: {count(fold.train.frame.height, 'row')} to train "
            f"and validate, {len(fold.y):,} for its test"
        )
        found.append(_searched(fold, options, means, listener))
    return found


def _searched(fold: OuterRows, options: Options, means: Means, listener: Listener) -> Searched:
    task_type = "regression" if fold.y.ndim == 2 else "classification"
    own = replace(inner(options), task=task_type)
    task = prepare(fold.train, own)
    _, delivery = find(means.run(task, own), task, own, listener)
    encoder = task.encoder  # without the task, whose rows and folds are needed no more
    sealed = Sealed(lambda: (encoder.encode(fold.test), fold.y))
    return Searched(task.target, delivery, run_baselines(task, own), sealed)


def _in_the_order_of(whole: Target, part: Target, decided: np.ndarray) -> np.ndarray:
    """Shares of all classes, where a part of the rows may lack one; values as they are."""
    if whole.task != "classification":
        return decided
    strange = [label for label in part.labels if label not in whole.labels]
    if strange:
        raise TableError(
            f"The label {strange[0]!r} is read otherwise without the rows of an outer fold; write "
            "labels so that each can be read alone."
        )
    shares = np.zeros((len(decided), len(whole.labels)))
    shares[:, [whole.labels.index(label) for label in part.labels]] = decided
    return shares
