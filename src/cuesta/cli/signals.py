"""Signals that end a command: it says so in one line, as it does when interrupted."""

from __future__ import annotations

import signal
from types import FrameType

ENDING = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # not every system has all


class EndedError(KeyboardInterrupt):
    """The process was told to end by a signal."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def listen() -> None:
    """From now on the first signal that ends the process raises EndedError.

    More of them change nothing, so that what is at hand is kept: a closed terminal sends several.
    A signal that is ignored, as by `nohup`, stays so.
    """
    for number in ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, _: FrameType | None) -> None:
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)
    raise EndedError(number)


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """128 and the signal's number, as shells count."""
    number = interrupt.number if isinstance(interrupt, EndedError) else signal.SIGINT
    return 128 + number
