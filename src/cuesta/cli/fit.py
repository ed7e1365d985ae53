"""Choose, refit and test a network for a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesta.cli.base import Seed, Table, guarded


@guarded("Interrupted; finished chunks are kept: the same command goes on.")
def fit(
    table: Table,
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="The column to predict; again for a regression with several. Bundled data sets "
            "bring their own."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The run's folder. [default: TABLE's name + .cuesta]", metavar="DIR"),
    ] = None,
    task: Annotated[str, typer.Option(help="auto, classification or regression.")] = "auto",
    metric: Annotated[
        str,
        typer.Option(
            help="What selects: log_loss, accuracy or balanced_accuracy for classes (the last also "
            "weighs classes in training so that each counts the same), rmse for numbers. "
            "[default: log_loss, rmse]"
        ),
    ] = "auto",
    folds: Annotated[int, typer.Option(help="K of the K-fold cross-validation.")] = 5,
    candidates: Annotated[int, typer.Option(help="How many candidates to try.")] = 64,
    epochs: Annotated[
        int, typer.Option(help="At most so many epochs; how many are used is chosen too.")
    ] = 50,
    space: Annotated[
        Path | None,
        typer.Option(help="A search space to use instead of the default.", metavar="FILE.toml"),
    ] = None,
    sampler: Annotated[
        str,
        typer.Option(
            help="random (evenly spread), grid (every combination of a space's lists) or tpe "
            "(waves that learn from each other)."
        ),
    ] = "random",
    test_size: Annotated[float, typer.Option(help="The share of rows sealed for the test.")] = 0.2,
    test: Annotated[
        Path | None,
        typer.Option(
            help="A table of its own for the test, with the same columns; then all rows of TABLE "
            "train and validate.",
            metavar="TABLE",
        ),
    ] = None,
    header: Annotated[
        bool,
        typer.Option(
            "--header/--no-header",
            help="Whether the first line names the columns; else they are named 0, 1, 2, …",
        ),
    ] = True,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            help="What a column is, where the guess is wrong: NAME=number, boolean, category, date "
            "(or date:%d/%m/%Y), time or drop. May be given again.",
            metavar="NAME=KIND",
        ),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(
            help="kfold, repeated (three times), grouped (with --groups), ordered (rows stand in "
            "time order) or single (one split)."
        ),
    ] = "kfold",
    groups: Annotated[
        str | None,
        typer.Option(help="A column whose rows of one value stay together.", metavar="COLUMN"),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(help="A column to leave out; may be given again.", metavar="COLUMN"),
    ] = None,
    seed: Seed = 0,
    threads: Annotated[
        int | None, typer.Option(help="Threads that train. [default: one a core]")
    ] = None,
    halving: Annotated[
        bool,
        typer.Option(
            "--halving",
            help="Stop candidates that are behind: all train for a ninth of the epochs, the better "
            "third of them for a third, the better third of those to the end.",
        ),
    ] = False,
    precision: Annotated[
        str | None,
        typer.Option(
            help="float32, or bfloat16 for the products: quicker where the processor has units "
            "for it. [default: float32]"
        ),
    ] = None,
    instruments: Annotated[
        str,
        typer.Option(
            help="How closely the winner's last training is watched for `cuesta doctor`: off, "
            "economy or full (the Hessian too)."
        ),
    ] = "economy",
    json_: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")
    ] = False,
) -> None:
    """Choose a network for TABLE by cross-validation, refit it, and test it once.

    Writes model.safetensors, candidates.csv and result.json to the run's folder, and keeps each
    finished chunk there: after an interrupt the same command goes on where it stopped.

    Examples:
      cuesta fit breast_cancer

      cuesta fit houses.csv --target price --candidates 128 --out houses

      cuesta fit train.csv --no-header --target 14 --test test.csv --columns 3=category
    """
    from rich.console import Console

    from cuesta.data.columns import parse_kinds
    from cuesta.data.table import read_table
    from cuesta.report.run.terminal import TerminalListener, show_result
    from cuesta.search.space import read_space
    from cuesta.tabular.fit import fit as run_fit
    from cuesta.tabular.listener import Listener
    from cuesta.tabular.options import Options
    from cuesta.tabular.result import summary, to_json

    read = read_table(table, header=header)
    test_table = read_table(str(test), header=header) if test else None
    options = Options(
        target=tuple(target or ()),
        task=task,
        metric=metric,
        folds=folds,
        protocol=protocol,
        groups=groups,
        drop=tuple(drop or ()),
        candidates=candidates,
        epochs=epochs,
        space=read_space(str(space)) if space else None,
        sampler=sampler,
        test_size=test_size,
        seed=seed,
        threads=threads,
        columns=parse_kinds(columns or ()),
        halving=halving,
        precision=precision,
        instruments=instruments,
    )
    folder = out or Path(f"{read.name}.cuesta")
    console = Console()
    listener = Listener() if json_ else TerminalListener(console)
    try:
        result = run_fit(read, options, folder, listener, test=test_table)
    finally:
        listener.finished()
    if json_:
        typer.echo(to_json(summary(result, options)))
    else:
        show_result(console, result, str(folder))
