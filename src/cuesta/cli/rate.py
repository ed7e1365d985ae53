"""Find a learning rate for a network."""

from __future__ import annotations

from typing import Annotated

import typer

from cuesta.cli.base import Columns, Header, Hidden, Seed, Table, Target, guarded, print_json


@guarded()
def rate(
    table: Table,
    target: Target = None,
    optimizer: Annotated[
        str, typer.Option(help="sgd, momentum, adagrad, rmsprop or adam.")
    ] = "adam",
    hidden: Hidden = "32",
    batch_size: Annotated[int, typer.Option(help="Rows of a step.")] = 32,
    epochs: Annotated[int, typer.Option(help="Epochs of the training that is meant.")] = 40,
    seed: Seed = 0,
    header: Header = True,
    columns: Columns = None,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON, and nothing else.")
    ] = False,
) -> None:
    """Find a learning rate for a network on TABLE: the one that ends lowest on rows held out.

    Trains at 26 rates at once, follows the promising ones for longer and the best to the end
    with several seeds. Beside it stands what the curvature says before the first step: α*, at
    which a step of gradient descent is lowest, and 2/λmax, beyond which it climbs.

    For example:

      cuesta rate digits --optimizer momentum --hidden 64,32
    """
    from rich.console import Console

    from cuesta._util.progress import Bar
    from cuesta.data.folds import hold_out
    from cuesta.data.table import read_table
    from cuesta.diagnose.finder import find_rate, find_work
    from cuesta.report.rate import plain_rate, show_rate
    from cuesta.tabular.single import single
    from cuesta.training.batching import Batching
    from cuesta.training.planner import this_machine

    made = single(
        read_table(table, header=header),
        target=target,
        columns=columns,
        hidden=hidden,
        epochs=epochs,
        seed=seed,
        optimizer=optimizer,
        batch_size=batch_size,
    )
    fold = hold_out(made.rows.y, 0.2, seed)
    with Bar(find_work(epochs), "lane-epochs", shown=not json_) as bar:
        found = find_rate(
            made.recipe, made.rows.feed([fold]), 0, Batching(this_machine()), bar.advance
        )
    if json_:
        print_json(plain_rate(found))
    else:
        show_rate(Console(), found, optimizer)
