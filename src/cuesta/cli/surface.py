"""Map the loss of a network and the paths on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesta.cli.base import Columns, Header, Hidden, Seed, Table, Target, guarded


@guarded("Interrupted; nothing was written.")
def surface(
    table: Table,
    target: Target = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The page. [default: surface-TABLE.html]", metavar="PAGE.html"),
    ] = None,
    optimizers: Annotated[
        str,
        typer.Option(
            help="Whose paths: sgd, momentum, adagrad, rmsprop, adam; 'clipped' for SGD's."
        ),
    ] = "sgd,clipped,momentum,adagrad,rmsprop,adam",
    hidden: Hidden = "32",
    epochs: Annotated[int, typer.Option(help="Epochs of each path.")] = 20,
    seed: Seed = 0,
    header: Header = True,
    columns: Columns = None,
) -> None:
    """Map the loss J of a network for TABLE, and the paths of several optimizers on it.

    Writes one page that works offline: the plane that holds most of the paths, J on it, and what
    share of the paths is off it.

    For example:

      cuesta surface digits --hidden 32,32
    """
    from rich.console import Console

    from cuesta._util.checks import check_choice
    from cuesta._util.files import check_writable, write_text
    from cuesta.data.table import read_table
    from cuesta.diagnose.surface import WAYS, landscape
    from cuesta.report.surface.page import render
    from cuesta.tabular.single import single
    from cuesta.training.batching import Batching
    from cuesta.training.planner import this_machine

    named = [name.strip() for name in optimizers.split(",") if name.strip()]
    for name in named:
        check_choice("the optimizer", name, ("clipped", *(w for w in WAYS if "," not in w)))
    read = read_table(table, header=header)
    page = out or Path(f"surface-{read.name}.html")
    check_writable(page)
    made = single(read, target=target, columns=columns, hidden=hidden, epochs=epochs, seed=seed)
    ways = {n: WAYS[n] for n in ("sgd, clipped" if n == "clipped" else n for n in named)}
    seen = landscape(made.recipe, made.rows, ways, Batching(this_machine()))
    write_text(page, render(seen, read.name))
    console = Console()
    for path in seen.paths:
        lost = ", then lost" if path.diverged else ""
        console.print(
            f"{path.name:<13} J {path.heights[0]:.4g} → {path.heights[-1]:.4g}{lost} · "
            f"{path.off:.0%} of its variation off the plane",
            highlight=False,
        )
    console.print(
        f"{seen.off:.0%} of all variation is off the plane · written to {page}", highlight=False
    )
