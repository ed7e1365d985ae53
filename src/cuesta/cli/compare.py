"""Say where two optimizers part."""

from __future__ import annotations

from typing import Annotated

import typer

from cuesta.cli.base import guarded


@guarded()
def compare(
    one: Annotated[
        str, typer.Argument(help="An optimizer and its dialect, as adam:torch.", metavar="ONE")
    ],
    other: Annotated[str, typer.Argument(help="Another, as adam:keras.", metavar="OTHER")],
    stream: Annotated[
        str,
        typer.Option(help="The gradients: random, sparse, zeros, or a function that `race` knows."),
    ] = "random",
    steps: Annotated[int, typer.Option(help="How many steps to take.")] = 1000,
    learning_rate: Annotated[float, typer.Option(help="α of the first step.")] = 0.01,
    final_learning_rate: Annotated[
        float | None, typer.Option(help="α of the last step. [default: constant]")
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of random gradients.")] = 0,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the comparison as JSON, and nothing else.")
    ] = False,
) -> None:
    """Say where two optimizers part, by how much, and which convention is the cause.

    Optimizers: sgd, momentum, adagrad, rmsprop, adam. Dialects: notes, torch, optax, keras.

    For example:

      cuesta compare adam:torch adam:keras

      cuesta compare momentum:notes momentum:torch --final-learning-rate 0.0001
    """
    from rich.console import Console

    from cuesta.lab.compare import compare as run_compare
    from cuesta.report.comparison import plain, show_comparison

    found = run_compare(
        one,
        other,
        stream,
        steps=steps,
        learning_rate=learning_rate,
        final_learning_rate=final_learning_rate,
        seed=seed,
    )
    if json_:
        import json

        typer.echo(json.dumps(plain(found), indent=2))
    else:
        show_comparison(Console(), found)
