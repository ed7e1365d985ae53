"""The main job of `cuesta fit`, in the order in which it happens.

Read → tidy → seal → encode → folds → candidates (ask) → lanes → scores (tell) → select → refit →
test.
"""

from __future__ import annotations

import time
from concurrent.futures import Executor
from datetime import UTC, datetime
from pathlib import Path

from cuesta import metrics
from cuesta.data.folds import Sealed
from cuesta.data.table import Table
from cuesta.hyperparameters import Candidate, Shape, loss_of
from cuesta.model import FittedModel
from cuesta.tabular.candidates import score_candidates
from cuesta.tabular.inspection import compare_with_test, inspect_training
from cuesta.tabular.listener import Listener
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import Task, TestRows, prepare
from cuesta.tabular.read import named_targets
from cuesta.tabular.result import FitResult, TestOutcome
from cuesta.tabular.run_folder import (
    check_folder,
    earlier_openings,
    open_folder,
    record_opening,
    write_run,
)
from cuesta.tabular.selection import select
from cuesta.training.batching import shape_of
from cuesta.training.journal import Journal
from cuesta.training.memory import rows_too_large
from cuesta.training.planner import this_machine
from cuesta.training.run import Run


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
    table, or all of a table of their own. With a folder, finished chunks are kept there and taken
    from there, and the result is written to it. Raises CuestaError with one sentence that names
    the culprit.
    """
    began = time.perf_counter()
    listener = listener or Listener()
    names = named_targets(table, options)  # a wrong name is told before what the folder holds
    if folder is not None:
        check_folder(folder, table, names)
    try:
        task = prepare(table, options, test)
    except MemoryError as error:
        raise rows_too_large(*table.frame.shape) from error
    listener.prepared(task)
    if folder is None:
        return _fit(task, options, listener, _run(task, options, Journal(), executor), began)
    with open_folder(folder, table, names) as chunks:
        journal = Journal(chunks)
        for name in journal.damaged:
            listener.said(f"The chunk file {name} is damaged; its lanes are trained again.")
        run = _run(task, options, journal, executor)
        result = _fit(task, options, listener, run, began, folder)
        kept = write_run(folder, result, options)
    if kept is not None:
        listener.said(f"The folder held another result, which is kept in {kept}.")
    return result


def _fit(
    task: Task,
    options: Options,
    listener: Listener,
    run: Run,
    began: float,
    folder: Path | None = None,
) -> FitResult:
    selection = select(run, score_candidates(run, task, options, listener))
    model = selection.model(task)
    inspection = inspect_training(run, task, options, selection)
    outcome = None
    if task.sealed is not None:
        openings = [*(earlier_openings(folder) if folder else []), _now()]
        if folder is not None:
            record_opening(folder, openings)  # before the rows are read: it counts in any case
        outcome = open_test(task, task.sealed, model, options, openings)
        inspection = compare_with_test(inspection, task.metric, selection.winner, outcome)
    seconds = time.perf_counter() - began
    return FitResult(task, selection, model, outcome, inspection, seconds)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _run(task: Task, options: Options, journal: Journal, executor: Executor | None) -> Run:
    def shape(candidate: Candidate) -> Shape:
        loss = loss_of(candidate, task.target.task)
        return shape_of(candidate, task.encoder.width, task.target.outputs, loss)

    return Run(
        feed=task.feed,
        shape=shape,
        epochs=options.epochs,
        seed=options.seed,
        journal=journal,
        machine=this_machine(options.threads),
        executor=executor,
    )


def open_test(
    task: Task,
    sealed: Sealed[TestRows],
    model: FittedModel,
    options: Options,
    openings: list[str],
) -> TestOutcome:
    """Open the test rows, once, and measure; the openings are those before and this one."""
    x, y = sealed.open()
    decided = model.decide(x)
    baseline = metrics.baseline(task.y, len(y), task.target.outputs)
    classes = task.feed.classes
    measure = metrics.classification_metrics if classes else metrics.regression_metrics
    return TestOutcome(
        metrics=measure(y, decided),
        interval=metrics.interval(task.metric, y, decided, options.seed),
        baseline=measure(y, baseline),
        openings=tuple(openings),
    )
