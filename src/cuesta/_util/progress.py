"""Shows progress: a bar on a terminal or in a notebook, a few lines in a log file."""

from __future__ import annotations

import threading
import time
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.console import Console

LOG_STEPS = 10  # lines that a log file gets instead of a moving bar
SHORTEST = 0.05  # seconds between two reports that are kept, to know the pace


class Bar:
    """A bar with the time that is left; `total` units of work, one name for them.

    Where nothing moves (a file, a pipe) it prints a line for each tenth of the work instead. It
    writes to the console, by default standard error. May be told of progress from any thread.
    """

    def __init__(
        self, total: int, unit: str, *, shown: bool = True, console: Console | None = None
    ) -> None:
        self.done = 0
        self._total, self._unit, self._shown, self._console = total, unit, shown, console
        self._logged = 0
        self._reports: deque[tuple[float, int]] = deque()
        self._bar: Any = None
        self._lock = threading.Lock()
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """The time since the work began."""
        return time.perf_counter() - self._began

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Show the bar, where it can move."""
        if not self._shown:
            return
        if self._console is None:
            from rich.console import Console

            self._console = Console(stderr=True)
        if not (self._console.is_terminal or self._console.is_jupyter):
            return
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(f"{self._unit} ·"),
            TimeElapsedColumn(),
            TextColumn("· left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[said]}"),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("training", total=self._total, said="")
        self._bar.start()

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def lessen(self, count: int) -> None:
        """So many units need not be done."""
        self._total -= count
        if self._bar is not None:
            self._bar.update(self._task, total=self._total)

    def advance(self, count: int) -> None:
        """So many more units are done."""
        with self._lock:
            self._tell(self.done + count, "")

    def advance_to(self, done: int, said: str = "") -> None:
        """So many units are done in all; `said` stands beside them, a loss for instance."""
        with self._lock:
            self._tell(done, said)

    def _tell(self, done: int, said: str) -> None:
        self.done = done
        self._keep_report(self.seconds, done)
        said = f"· {said}" if said else ""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, said=said)
            return
        total = max(self._total, 1)
        tenth = LOG_STEPS * done // total
        if tenth > self._logged and self._console is not None:
            self._logged = tenth
            line = f"training {100 * done // total} % · {self.seconds:.0f} s {self._left()}{said}"
            self._console.print(line.rstrip(), highlight=False, soft_wrap=True)

    def _keep_report(self, now: float, done: int) -> None:
        """Keep the reports of the later half of the time, and the one before them."""
        reports = self._reports
        if len(reports) > 1 and now - reports[-1][0] < SHORTEST:
            reports.pop()
        reports.append((now, done))
        while len(reports) > 2 and reports[1][0] < now / 2:
            reports.popleft()

    def _left(self) -> str:
        """The time that is left, by the pace of late; nothing while that is not known.

        The time of the first report went into compiling, too.
        """
        (began, before), (now, done) = self._reports[0], self._reports[-1]
        if done <= before:
            return ""
        left = (now - began) * (self._total - done) / (done - before)
        return f"· about {max(left, 0):.0f} s left "
