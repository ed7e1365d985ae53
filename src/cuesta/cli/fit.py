"""`cuesta fit`: choose, refit and test a network for a table."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import typer

from cuesta.cli import options
from cuesta.cli.arguments import count_or_auto, make_settings, number_or_word, pair_of_numbers
from cuesta.cli.base import flag, guarded


@guarded("Interrupted; finished work is kept: the same command goes on from there.")
def fit(
    table: options.Table,
    target: options.Targets = None,
    out: options.RunFolder = None,
    task: options.Task = "auto",
    metric: options.Metric = "auto",
    model: options.Delivered = "auto",
    choose: options.Choose = "best",
    threshold: options.Threshold = None,
    costs: options.Costs = None,
    folds: options.Folds = 5,
    candidates: options.Candidates = "auto",
    epochs: options.Epochs = "auto",
    space: options.SearchSpace = None,
    sampler: options.Sampler = "random",
    test_size: options.TestSize = 0.2,
    test: options.TestTable = None,
    header: options.Header = True,
    encoding: options.Encoding = None,
    columns: options.Columns = None,
    decimal: options.Decimal = "auto",
    missing: options.Missing = None,
    protocol: options.Protocol = "kfold",
    outer: options.Outer = 5,
    groups: options.Groups = None,
    drop: options.Drop = None,
    seed: options.Seed = 0,
    threads: options.Threads = None,
    halving: options.Halving = False,
    precision: options.Precision = None,
    baselines: options.Baselines = True,
    instruments: options.Instruments = "economy",
    json_: options.Json = False,
) -> None:
    """Choose a network, or a committee, for TABLE by cross-validation, and test it once.

    Writes model.safetensors, candidates.csv and result.json to the run's
    folder. Finished work is kept there: after an interrupt the same command
    goes on where it stopped. What each figure means: docs/validation.md.

    For example:

      cuesta fit breast_cancer

      cuesta fit houses.csv --target price --candidates 128 --out houses

      cuesta fit train.csv --no-header --target 14 --test test.csv --columns 3=category
    """
    given = locals()
    from cuesta.data.kinds import parse_kinds
    from cuesta.data.table import read_table
    from cuesta.report.console import SafeConsole
    from cuesta.report.run.terminal import ErrorListener, TerminalListener, show_result
    from cuesta.search.portfolio import SPACES
    from cuesta.search.space import read_space
    from cuesta.tabular.fit import fit as run_fit
    from cuesta.tabular.options import Options
    from cuesta.tabular.result import summary, to_json

    rows = read_table(table, header=header, encoding=encoding)
    test_rows = read_table(str(test), header=header, encoding=encoding) if test else None
    settings = make_settings(
        Options,
        given,
        target=tuple(target or ()),
        drop=tuple(drop or ()),
        columns=parse_kinds(columns or ()),
        missing=tuple(missing or ()),
        space=space if space in SPACES or space is None else read_space(space),
        candidates=count_or_auto("candidates", candidates),
        epochs=count_or_auto("epochs", epochs),
        threshold=number_or_word("threshold", threshold),
        costs=pair_of_numbers("costs", costs),
    )
    folder = out or Path(f"{rows.name}.cuesta")
    console = SafeConsole()
    as_flag = partial(flag, fit)
    listener = ErrorListener() if json_ else TerminalListener(console, as_flag)
    try:
        result = run_fit(rows, settings, folder, listener, test=test_rows)
    finally:
        listener.finished()
    if json_:
        typer.echo(to_json(summary(result, settings)))
    else:
        show_result(console, result, str(folder), as_flag)
