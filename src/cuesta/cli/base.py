"""What the commands share: how an error becomes a sentence, and how JSON is printed."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any, ParamSpec, get_type_hints

import typer
from typer.models import OptionInfo

from cuesta._text import count, one_line
from cuesta.cli.signals import exit_code
from cuesta.errors import CuestaError

EXHAUSTED = "RESOURCE_EXHAUSTED"  # how compiled code says that memory is lacking
MOST_NOTES = 30  # that are printed of one table

Arguments = ParamSpec("Arguments")


def guarded(
    interrupted: str = "Interrupted.",
) -> Callable[[Callable[Arguments, None]], Callable[Arguments, None]]:
    """A command whose expected errors become one sentence and an exit code, never a traceback."""

    def guard(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
        @wraps(command)
        def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
            try:
                command(*args, **kwargs)
            except CuestaError as error:
                hint = flag(command, error.parameter, error.value)
                told = _with_flag(command, error.told_with(hint))
                raise _refusal(told, error.exit_code) from None
            except MemoryError as error:
                wanted = f": {error}" if str(error) else ""  # NumPy says how much, and for what
                raise _refusal(f"There is not enough memory{wanted}.") from None
            except RuntimeError as error:
                if EXHAUSTED not in str(error):
                    raise
                raise _refusal("There is not enough memory.") from None
            except KeyboardInterrupt as interrupt:
                with suppress(OSError):  # of a terminal that is gone
                    typer.echo(interrupted, err=True)
                raise typer.Exit(exit_code(interrupt)) from None
            except BrokenPipeError:
                # The reader of our output left: nothing more to say, and no complaint at exit.
                _silence()
                raise typer.Exit(1) from None
            except OSError as error:
                _silence()
                raise _refusal(f"The system refuses: {error.strerror or error}.") from None

        return run

    return guard


def flag(command: Callable[..., None], parameter: str, value: str = "") -> str:
    """How a Python parameter is set on the command line: `--drop x`, for `drop` with value x.

    Commands without --drop leave a column out by --columns. Empty where the command has no such
    option.
    """
    named = option_names(command)
    if parameter == "drop" and parameter not in named and value:
        parameter, value = "columns", f"{value}=drop"
    if parameter not in named:
        return ""
    return f"{named[parameter]} {shlex.quote(value)}" if value else named[parameter]


def _with_flag(command: Callable[..., None], sentence: str) -> str:
    """A sentence that begins with a parameter's name, with its flag there: `--folds must be …`."""
    first, space, rest = sentence.partition(" ")
    return option_names(command).get(first, first) + space + rest


def option_names(command: Callable[..., None]) -> dict[str, str]:
    """A command's parameters that are options, each with its name on the command line."""
    names = {}
    for parameter, hint in get_type_hints(command, include_extras=True).items():
        for info in getattr(hint, "__metadata__", ()):
            if isinstance(info, OptionInfo):
                # In `Annotated`, typer takes the first name for a default until it is used.
                declared = info.default if isinstance(info.default, str) else ""
                usual = f"--{parameter.replace('_', '-')}"
                names[parameter] = declared.partition("/")[0] or usual
    return names


def tell_notes(command: Callable[..., None], notes: Sequence[str]) -> None:
    """What is to be said of a table, on standard error, with the options that change it."""
    from cuesta._util.notes import Note

    for note in notes[:MOST_NOTES]:
        hint = flag(command, note.parameter, note.value) if isinstance(note, Note) else ""
        typer.echo(f"note: {one_line(f'{note} ({hint})' if hint else note)}", err=True)
    if len(notes) > MOST_NOTES:
        typer.echo(f"note: and {count(len(notes) - MOST_NOTES, 'more note')}", err=True)


def print_json(figures: Any) -> None:
    """Figures for a machine; what is not a finite number has been made null before."""
    import json

    typer.echo(json.dumps(figures, allow_nan=False))


def _refusal(sentence: str, code: int = CuestaError.exit_code) -> typer.Exit:
    """Say why the command ends here; the exit to raise."""
    typer.echo(f"cuesta: {one_line(sentence)}", err=True)
    return typer.Exit(code)


def _silence() -> None:
    """Point standard output nowhere, so that flushing it at exit cannot fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
