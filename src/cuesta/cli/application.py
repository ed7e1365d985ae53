"""The application: the commands, as `cuesta --help` lists them."""

from __future__ import annotations

from typing import Annotated

import typer

from cuesta.cli.compare import compare
from cuesta.cli.doctor import doctor
from cuesta.cli.fit import fit
from cuesta.cli.predict import predict
from cuesta.cli.race import race
from cuesta.cli.rate import rate
from cuesta.cli.surface import surface

app = typer.Typer(
    help="From a table to a tested neural network: every candidate trained on every fold at "
    "once, one honest test number at the end.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from cuesta import __version__

        typer.echo(f"cuesta {__version__}")
        raise typer.Exit


@app.callback()
def main_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before any command."""


for command in (fit, predict, doctor, rate, surface, compare, race):  # as --help lists them
    app.command()(command)
