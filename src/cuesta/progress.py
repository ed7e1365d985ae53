"""How far long work is, on a terminal or in a notebook as a bar, in a log file as a few lines."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Any, Self

LOG_STEPS = 10  # lines that a log file gets instead of a moving bar


class Bar:
    """A bar with the time that is left; `total` units of work, one name for them.

    Where nothing moves (a file, a pipe) it prints a line for each tenth of the work instead. It
    writes to standard error. May be told of progress from any thread.
    """

    def __init__(self, total: int, unit: str, *, shown: bool = True) -> None:
        self._total, self._unit, self._shown = max(total, 1), unit, shown
        self._done = self._logged = 0
        self._bar: Any = None
        self._lock = threading.Lock()
        self._began = time.perf_counter()

    def __enter__(self) -> Self:
        if self._shown:
            from rich.console import Console

            self._console = Console(stderr=True)
            if self._console.is_terminal or self._console.is_jupyter:
                self._start()
        return self

    def _start(self) -> None:
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
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("training", total=self._total)
        self._bar.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def advance(self, count: int) -> None:
        """So many more units are done."""
        with self._lock:
            self._tell(self._done + count)

    def advance_to(self, done: int) -> None:
        """So many units are done in all."""
        with self._lock:
            self._tell(done)

    def _tell(self, done: int) -> None:
        self._done = done
        if not self._shown:
            return
        if self._bar is not None:
            self._bar.update(self._task, completed=done)
            return
        tenth = LOG_STEPS * done // self._total
        if tenth > self._logged:
            self._logged = tenth
            spent = time.perf_counter() - self._began
            left = spent * (self._total - done) / done
            text = (
                f"training {100 * done // self._total} % · {spent:.0f} s · about {left:.0f} s left"
            )
            print(text, file=sys.stderr, flush=True)
