"""The command line: arguments, printing, exit codes. Heavy imports wait until a command runs.

Nothing is imported here that takes time: an interrupt would come before `main` could answer it.
"""

from __future__ import annotations

import io
import sys
from typing import Any

from cuesta.cli.signals import exit_code, listen


def main() -> None:
    """The entry point of the `cuesta` command."""
    listen()
    try:
        from cuesta.cli.application import app

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a terminal without Greek letters shows all
        app()
    except KeyboardInterrupt as interrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(exit_code(interrupt))


def __getattr__(name: str) -> Any:
    if name == "app":
        from cuesta.cli.application import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
