"""The main job of `cuesta fit`, in the order in which it happens.

Read → tidy → seal → encode → folds → candidates (ask) → lanes → scores (tell) → select → committee
and refit → calibrate → test.
"""

from __future__ import annotations

import time
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cuesta.data.table import Table
from cuesta.errors import SpecError
from cuesta.tabular.baselines import run_baselines
from cuesta.tabular.find import Means, find
from cuesta.tabular.findings import findings_of_run, trained_to_its_end
from cuesta.tabular.inspection import inspect_training
from cuesta.tabular.listener import Listener
from cuesta.tabular.nested import inner, search_outer_folds
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import Task, prepare
from cuesta.tabular.read import named_targets
from cuesta.tabular.result import FitResult
from cuesta.tabular.run_folder import (
    NETWORKS,
    check_folder,
    earlier_openings,
    open_folder,
    record_opening,
    write_run,
)
from cuesta.tabular.testing import open_test, outer_outcome
from cuesta.training.journal import Journal
from cuesta.training.memory import rows_too_large
from cuesta.training.networks import NetworkStore


def fit(
    table: Table,
    options: Options,
    folder: Path | None = None,
    listener: Listener | None = None,
    executor: Executor | None = None,
    test: Table | None = None,
) -> FitResult:
    """From a table to a tested network.

    Chunks train on threads of this machine, or on the executor. The test rows are a share of the
    table, or all of a table of their own; by the nested protocol every row is tested once. With a
    folder, finished chunks are kept there and taken from there, and the result is written to it.
    Raises CuestaError with one sentence that names the culprit.
    """
    began = time.perf_counter()
    listener = listener or Listener()
    names = named_targets(table, options)  # a wrong name is told before what the folder holds
    if folder is not None:
        check_folder(folder, table, names)
    nested = options.protocol == "nested"
    if nested and test is not None:
        raise SpecError(
            "The nested protocol tests every row; it takes no table of test rows.", parameter="test"
        )
    try:
        task = prepare(table, inner(options) if nested else options, test)
    except MemoryError as error:
        raise rows_too_large(*table.frame.shape) from error
    listener.prepared(task)
    job = _Job(table, task, options, listener, began, folder)
    if folder is None:
        return job.done(Means(executor))
    with open_folder(folder, table, names) as chunks:
        journal = Journal(chunks)
        for name in journal.damaged:
            listener.said(f"the chunk file {name} is damaged; its networks are trained again")
        result = job.done(Means(executor, journal, NetworkStore(folder / NETWORKS)))
        kept = write_run(folder, result, options)
    if kept is not None:
        listener.said(f"the folder held another result, which is kept in {kept}")
    return result


@dataclass(frozen=True)
class _Job:
    """A prepared table, and what is to be done with it."""

    table: Table
    task: Task
    options: Options
    listener: Listener
    began: float
    folder: Path | None

    def done(self, means: Means) -> FitResult:
        """Find the models, look into the training, open the test."""
        task, options = self.task, self.options
        outer = []
        if options.protocol == "nested":
            outer = search_outer_folds(self.table, options, means, self.listener)
        run = means.run(task, options)
        selection, delivery = find(run, task, options, self.listener)
        baselines = run_baselines(task, options)
        inspection = inspect_training(run, task, options, selection)
        outcome = None
        if outer:
            openings = self._opened()
            folds = [each.open(task.target) for each in outer]
            outcome = outer_outcome(task, folds, delivery, options, openings)
        elif task.sealed is not None:
            outcome = open_test(task, task.sealed, delivery, baselines, options, self._opened())
        found = findings_of_run(task, delivery, baselines, outcome, options.seed)
        found += trained_to_its_end(selection.winner, selection.scores)
        inspection = inspection.with_findings(found)
        seconds = time.perf_counter() - self.began
        return FitResult(
            task, selection, delivery, baselines, outcome, inspection, seconds, options
        )

    def _opened(self) -> list[str]:
        """The times at which the test rows were opened, this time last.

        With a folder it is written down before the rows are read: it counts, whatever follows.
        """
        openings = [*(earlier_openings(self.folder) if self.folder else []), _now()]
        if self.folder is not None:
            record_opening(self.folder, openings)
        return openings


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
