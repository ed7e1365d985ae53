"""`cuesta rate`: find a learning rate for a network."""

from __future__ import annotations

from cuesta.cli import options
from cuesta.cli.base import guarded, print_json, tell_notes


@guarded()
def rate(
    table: options.Table,
    target: options.Target = None,
    optimizer: options.Optimizer = "adam",
    hidden: options.Hidden = "32",
    batch_size: options.BatchSize = 32,
    epochs: options.RateEpochs = 40,
    seed: options.Seed = 0,
    header: options.Header = True,
    columns: options.Columns = None,
    json_: options.Json = False,
) -> None:
    """Find a learning rate for a network on TABLE: the one with the lowest loss on rows held out.

    Trains at 26 rates at once, the promising ones for longer, and the best to
    the end with several seeds. Beside it stands what the curvature says before
    the first step: α*, the rate that takes a step of gradient descent lowest,
    and 2/λmax, above which gradient descent climbs.

    For example:

      cuesta rate digits --optimizer momentum --hidden 64,32
    """
    from cuesta._util.progress import Bar
    from cuesta.data.folds import hold_out
    from cuesta.data.table import read_table
    from cuesta.diagnose.finder import find_rate, find_work
    from cuesta.report.console import SafeConsole
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
    tell_notes(rate, made.notes)
    feed = made.rows.feed([hold_out(made.rows.y, 0.2, seed)])
    with Bar(find_work(epochs), "lane-epochs", shown=not json_) as bar:
        found = find_rate(made.recipe, feed, 0, Batching(this_machine()), bar.advance)
    if json_:
        print_json(plain_rate(found))
    else:
        show_rate(SafeConsole(), found, optimizer)
