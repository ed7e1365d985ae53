"""Nested cross-validation: the whole search is tested on folds that it never saw.

Each outer fold's rows are the test of a search on all other rows, whose own folds are the inner
ones (Varma and Simon, 2006). So every row is tested once, none is lost, and what is estimated is
the search itself; the model that is delivered is of all rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from cuesta._text import count
from cuesta.data.encode import Target, fit_target
from cuesta.data.folds import Fold, make_folds
from cuesta.data.table import Table
from cuesta.errors import TableError
from cuesta.tabular.baselines import run_baselines
from cuesta.tabular.find import Means, find
from cuesta.tabular.listener import Listener
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import prepare, tidied_rows
from cuesta.tabular.read import tidied


@dataclass(frozen=True)
class OuterFold:
    """One outer fold: its rows' targets, and what each model and each baseline decides of them."""

    y: np.ndarray
    decided: Mapping[str, np.ndarray]
    baselines: Mapping[str, np.ndarray]


def inner(options: Options) -> Options:
    """The options of one search: on folds, without a test of its own."""
    protocol = "grouped" if options.groups else "kfold"
    return replace(options, protocol=protocol, test_size=0)


def outer_folds(table: Table, options: Options) -> list[Fold]:
    """The outer folds, of the table's rows as given: stratified, whole groups, no copies apart.

    Raises SpecError or TableError.
    """
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
    return [Fold(rows.numbers[fold.train], rows.numbers[fold.validation]) for fold in folds]


def test_outer_folds(
    table: Table, options: Options, target: Target, means: Means, listener: Listener
) -> list[OuterFold]:
    """Search on all but each outer fold, and decide its rows. Raises CuestaError."""
    folds = outer_folds(table, options)
    found = []
    for place, fold in enumerate(folds, start=1):
        listener.said(
            f"outer fold {place} of {len(folds)}: {count(len(fold.train), 'row')} to train and "
            f"validate, {len(fold.validation):,} for its test"
        )
        found.append(_tested(table, fold, options, target, means, listener))
    return found


def _tested(
    table: Table, fold: Fold, options: Options, target: Target, means: Means, listener: Listener
) -> OuterFold:
    train, held = (
        replace(table, frame=table.frame[rows], notes=()) for rows in (fold.train, fold.validation)
    )
    own = replace(inner(options), task=target.task)
    task = prepare(train, own, held)
    if task.sealed is None:
        raise TableError("An outer fold has no rows for its test.")
    _, delivery = find(means.run(task, own), task, own, listener)
    x, y = task.sealed.open()
    decided = {
        name: _in_the_order_of(target, task.target, each.model.decide(x))
        for name, each in delivery.models.items()
    }
    others = {
        each.name: _in_the_order_of(target, task.target, each.decide(x))
        for each in run_baselines(task, own).found
    }
    return OuterFold(_numbered_by(target, task.target, y), decided, others)


def _places(whole: Target, part: Target) -> list[int]:
    """Where the labels of a part of the rows stand among those of all rows."""
    return [whole.labels.index(label) for label in part.labels]


def _in_the_order_of(whole: Target, part: Target, decided: np.ndarray) -> np.ndarray:
    """Shares of all classes, where a part of the rows may lack one; values as they are."""
    if whole.task != "classification":
        return decided
    shares = np.zeros((len(decided), len(whole.labels)))
    shares[:, _places(whole, part)] = decided
    return shares


def _numbered_by(whole: Target, part: Target, y: np.ndarray) -> np.ndarray:
    """Class numbers of a part's labels as those of all rows; values as they are."""
    return np.array(_places(whole, part))[y] if whole.task == "classification" else y
