"""What the commands share: help texts, options, and how an error becomes a sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, ParamSpec

import typer

from cuesta.errors import CuestaError, on_command_line

INTERRUPTED = 130

TABLE_HELP = (
    "A CSV, TSV, Parquet or Arrow file, or a bundled data set: breast_cancer, digits, diabetes, "
    "iris, wine, linnerud."
)

Given = ParamSpec("Given")

# Options that several commands have.
Table = Annotated[str, typer.Argument(help=TABLE_HELP, metavar="TABLE")]
Target = Annotated[str | None, typer.Option(help="The column to predict.")]
Hidden = Annotated[str, typer.Option(help="Hidden layers, as 64,32.")]
Seed = Annotated[int, typer.Option(help="The seed of all that is random.")]
Header = Annotated[
    bool,
    typer.Option("--header/--no-header", help="Whether the first line names the columns."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(help="What a column is, as `cuesta fit` has it.", metavar="NAME=KIND"),
]


def guarded(
    interrupted: str = "Interrupted.",
) -> Callable[[Callable[Given, None]], Callable[Given, None]]:
    """A command whose errors of ours become a sentence and an exit code, never a traceback."""

    def guard(command: Callable[Given, None]) -> Callable[Given, None]:
        @wraps(command)
        def run(*args: Given.args, **kwargs: Given.kwargs) -> None:
            try:
                command(*args, **kwargs)
            except CuestaError as error:
                flag = on_command_line(error.parameter, error.value)
                typer.echo(f"cuesta: {error.told_with(flag)}", err=True)
                raise typer.Exit(error.exit_code) from None
            except MemoryError:
                typer.echo(
                    "cuesta: There is not enough memory for this; take smaller layers.", err=True
                )
                raise typer.Exit(CuestaError.exit_code) from None
            except KeyboardInterrupt:
                typer.echo(interrupted, err=True)
                raise typer.Exit(INTERRUPTED) from None
            except BrokenPipeError:
                # The reader of our output left: nothing more to say, and no complaint at exit.
                _silence()
                raise typer.Exit(1) from None
            except OSError as error:
                typer.echo(f"cuesta: The system refuses: {error.strerror or error}.", err=True)
                _silence()
                raise typer.Exit(CuestaError.exit_code) from None

        return run

    return guard


def print_json(figures: Any) -> None:
    """Figures for a machine; what is not a finite number has been made null before."""
    import json

    typer.echo(json.dumps(figures, allow_nan=False))


def _silence() -> None:
    """Point standard output nowhere, so that flushing it at exit cannot fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
