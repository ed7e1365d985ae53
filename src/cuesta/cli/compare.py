"""`cuesta compare`: at which step two optimizers begin to differ."""

from __future__ import annotations

import typer

from cuesta.cli import options
from cuesta.cli.base import guarded


@guarded()
def compare(
    one: options.OneOptimizer,
    other: options.OtherOptimizer,
    stream: options.Stream = "random",
    steps: options.CompareSteps = 1000,
    learning_rate: options.LearningRate = 0.01,
    final_learning_rate: options.FinalLearningRate = None,
    seed: options.Seed = 0,
    json_: options.Json = False,
) -> None:
    """Say at which step two optimizers part, by how much, and which convention is the cause.

    Optimizers: sgd, momentum, adagrad, rmsprop, adam. Dialects (whose form of
    the rule): notes, torch, optax, keras.

    For example:

      cuesta compare adam:torch adam:keras

      cuesta compare momentum:notes momentum:torch --final-learning-rate 0.0001
    """
    from cuesta.lab.compare import compare as run_compare
    from cuesta.report.comparison import plain, show_comparison
    from cuesta.report.console import SafeConsole

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
        show_comparison(SafeConsole(), found)
