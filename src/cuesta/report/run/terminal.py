"""What `cuesta fit` prints while a run goes on, and at its end."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from cuesta._text import count, cut, listed
from cuesta._util.notes import Note
from cuesta._util.progress import Bar
from cuesta.errors import in_python
from cuesta.report.console import SafeConsole, print_hanging, sentence, shown
from cuesta.report.diagnosis import show_findings
from cuesta.report.run.candidates import SHOWN, best_table, describe, varied
from cuesta.report.run.outcome import (
    describe_curve,
    describe_models,
    describe_outer,
    describe_rivals,
    describe_threshold,
    describe_validation,
    notes_of_test,
    test_table,
    test_title,
    validation_table,
)
from cuesta.report.run.words import NAMES, number
from cuesta.tabular.inspection import DivergedLane
from cuesta.tabular.listener import Listener
from cuesta.tabular.prepare import Task
from cuesta.tabular.result import FitResult
from cuesta.tabular.run_folder import MODEL
from cuesta.tabular.testing import TestOutcome

PLURALS = {"category": "categories"}
SHOWN_COLUMNS = 12
SHOWN_NOTES = 20


class ErrorListener(Listener):
    """Shows nothing of a run but warnings and decisions, on standard error."""

    def said(self, text: str) -> None:
        """Print a warning or a decision."""
        SafeConsole(stderr=True).print(f"note {sentence(text)}", highlight=False, soft_wrap=True)


class TerminalListener(Listener):
    """Reports a run: a moving bar on a terminal, a few lines in a file.

    `name_parameter` (parameter, value) tells how the reader sets a parameter that a note names.
    """

    def __init__(
        self, console: Console, name_parameter: Callable[[str, str], str] = in_python
    ) -> None:
        self._console = console
        self._name_parameter = name_parameter
        self._bar: Bar | None = None

    def said(self, text: str) -> None:
        """Print a warning or a decision."""
        print_hanging(self._console, f"[yellow]note[/] {sentence(text)}", 5)

    def prepared(self, task: Task) -> None:
        """Print what the table is."""
        for line in describe_task(task):
            print_hanging(self._console, line, 8)
        for line in describe_columns(task):
            print_hanging(self._console, line, 14)
        for note in task.notes[:SHOWN_NOTES]:
            self.said(self._with_hint(note))
        if (more := len(task.notes) - SHOWN_NOTES) > 0:
            self.said(f"and {count(more, 'more note')}: the result holds all of them")

    def _with_hint(self, note: str) -> str:
        """A note, and the parameter that would change what it tells, where there is one."""
        if not isinstance(note, Note):
            return note
        hint = self._name_parameter(note.parameter, note.value)
        return f"{note} ({hint})" if hint else note

    def started(self, lane_epochs: int) -> None:
        """Show the bar."""
        if not self._console.is_terminal:
            self._console.print("training starts: compiling the first programs", highlight=False)
        self._bar = Bar(lane_epochs, "epochs of all networks", console=self._console)
        self._bar.start()

    def found(self, lane_epochs: int) -> None:
        """Shorten the bar by what the folder holds already, and say so."""
        if lane_epochs:
            done = count(lane_epochs, "epoch")
            self.said(f"the run's folder holds {done} of training already, not done again")
            if self._bar is not None:
                self._bar.lessen(lane_epochs)

    def added(self, lane_epochs: int) -> None:
        """Lengthen the bar."""
        if self._bar is not None:
            self._bar.lessen(-lane_epochs)

    def progressed(self, lane_epochs: int) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.advance(lane_epochs)

    def finished(self) -> None:
        """Take the bar away; a second call is silent."""
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.stop()
            if bar.done:
                done = count(bar.done, "epoch")
                self._console.print(
                    f"trained {done}, all networks together, in {bar.seconds:.1f} s",
                    highlight=False,
                )


def describe_task(task: Task) -> list[str]:
    """The table, the target and the split, in three lines."""
    kinds = Counter(feature.kind for feature in task.encoder.features)
    missing = sum(feature.missing for feature in task.encoder.features)
    columns = ", ".join(count(n, kind, PLURALS.get(kind, "")) for kind, n in kinds.items())
    gaps = f", {missing} with missing values" if missing else ""
    target = "regression"
    if task.target.task == "classification":
        labels = sentence(listed(task.target.labels, SHOWN))
        target = f"classification, {count(len(task.target.labels), 'class', 'classes')} ({labels})"
    return [
        f"[bold]{shown(task.table)}[/]  {count(len(task.x) + task.test_rows, 'row')} · "
        f"{columns}{gaps} → {count(task.encoder.width, 'input')}",
        f"target  {sentence(listed(task.target.names))} · {target} · selected by "
        f"{task.measured.words}",
        f"rows    {len(task.x):,} to train and validate ({count(task.feed.refit, 'fold')}) · "
        f"{f'{task.test_rows:,} sealed' if task.test_rows else 'none kept aside'} for the test",
    ]


def describe_columns(task: Task) -> list[str]:
    """What each column was taken for, kind by kind; a category with how many it has."""
    of_kind: dict[str, list[str]] = {}
    for feature in task.encoder.features:
        many = f" ({len(feature.categories) + feature.other})"
        text = cut(feature.name) + (many if feature.kind == "category" else "")
        of_kind.setdefault(feature.kind, []).append(text + ("?" if feature.missing else ""))
    gaps = any(feature.missing for feature in task.encoder.features)
    lines = []
    for kind, names in of_kind.items():
        many = PLURALS.get(kind, kind + "s")
        lines.append(f"  [dim]{many:<11}[/] {sentence(listed(names, SHOWN_COLUMNS))}")
    if gaps:
        lines.append(
            "  [dim]?           has missing values; --columns NAME=KIND sets another kind[/]"
        )
    return lines


def show_result(
    console: Console,
    result: FitResult,
    folder: str | None,
    name_parameter: Callable[[str, str], str] = in_python,
) -> None:
    """The best candidates, the diverged lanes, the winner, the test.

    `name_parameter` (parameter, value) tells how the reader sets a parameter.
    """
    console.print()
    _show_search(console, result)
    for line in (*describe_curve(result), *describe_models(result), *describe_threshold(result)):
        print_hanging(console, line, 11)
    console.print(validation_table(result))
    for line in describe_validation(result):
        console.print(f"[dim]{line}[/]", highlight=False)
    if result.outcome is not None:
        _show_test(console, result, result.outcome)
    if result.diagnosis is not None:
        show_findings(console, result.diagnosis, name_parameter)
    where = f" · written to {sentence(folder)}{_size(folder)}" if folder else ""
    print_hanging(console, f"{result.seconds:.1f} s{where}", 0)
    if folder:
        hint = f"predict new rows: cuesta predict {sentence(shlex.quote(folder))} TABLE"
        print_hanging(console, hint, 0)


def _show_search(console: Console, result: FitResult) -> None:
    """The best candidates, those that diverged, and the winner."""
    task, winner = result.task, result.winner
    tied = result.selection.tied(task) - {winner.index}
    console.print(best_table(result.scores, task.curve, winner.index, tied))
    if tied:
        near = count(len(tied), "candidate")
        console.print(
            f"≈         {near} that the folds cannot tell from the winner (*)", highlight=False
        )
    for line in (describe_diverged(result), *describe_lost(result)):
        print_hanging(console, line, 10)
    chosen = sentence(describe(winner.candidate, varied(result.scores)))
    simplest = ""
    if result.options.choose == "one-se":
        simplest = ", the simplest within one standard error of the best"
    line = f"winner  [bold]{chosen}[/], {count(winner.epochs, 'epoch')}{simplest}"
    print_hanging(console, line, 8)
    print_hanging(
        console,
        f"        validation {NAMES[task.curve]} {number(winner.mean)} ± {number(winner.se)} "
        f"(mean ± s.e. over {count(len(winner.folds), 'fold')}, at its best epoch)",
        8,
    )


def _show_test(console: Console, result: FitResult, outcome: TestOutcome) -> None:
    """The table of the test, and what its figures are."""
    print_hanging(console, f"[italic]{test_title(outcome)}[/]", 0)
    console.print(test_table(result, outcome))
    for line in (*describe_rivals(result, outcome), *notes_of_test(outcome)):
        print_hanging(console, f"[dim]{line}[/]", 0)
    for line in describe_outer(outcome):
        print_hanging(console, line, 0)


def _size(folder: str) -> str:
    """How large the model's file is; nothing where it cannot be seen."""
    try:
        size = (Path(folder) / MODEL).stat().st_size
    except OSError:
        return ""
    return f" (the model: {size / 1e6:.2g} MB)"


def describe_diverged(result: FitResult) -> str:
    """How many lanes diverged, and with which optimizer."""
    lanes, counts = result.selection.lanes, result.selection.diverged_by_optimizer()
    bad = {of: lost for of, (lost, _) in counts.items() if lost}
    if not bad:
        return f"diverged  none of {count(lanes, 'network')}"
    each = listed(f"{of} {n} of {counts[of][1]}" for of, n in sorted(bad.items()))
    return f"diverged  {sum(bad.values()):,} of {count(lanes, 'network')}: {sentence(each)}"


def describe_lost(result: FitResult) -> list[str]:
    """A line for each candidate that diverged: where the first of its lanes broke."""
    first: dict[int, DivergedLane] = {}
    for lane in result.inspection.diverged:
        first.setdefault(lane.candidate, lane)
    lines = []
    for lane in list(first.values())[:SHOWN]:
        layer = f", first in layer {lane.layer}" if lane.layer else ""
        lines.append(
            f"          {shown(lane.optimizer)} lr={lane.learning_rate:.3g}: not finite from step "
            f"{lane.step:,} on{layer}; ‖G‖ was {lane.norm:.3g}"
        )
    if len(first) > SHOWN:
        more = count(len(first) - SHOWN, "more candidate")
        lines.append(f"          and {more} (result.json has all)")
    return lines
