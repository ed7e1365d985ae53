"""`cuesta surface`: a network's loss as a surface, with the paths of optimizers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cuesta.cli import options
from cuesta.cli.arguments import PAGES, check_output, split_names
from cuesta.cli.base import guarded, tell_notes

if TYPE_CHECKING:
    from cuesta.diagnose.surface import Landscape


@guarded("Interrupted; nothing was written.")
def surface(
    table: options.Table,
    target: options.Target = None,
    out: options.SurfacePage = None,
    optimizers: options.PathOptimizers = "sgd,clipped,momentum,adagrad,rmsprop,adam",
    hidden: options.Hidden = "32",
    epochs: options.PathEpochs = 20,
    seed: options.Seed = 0,
    header: options.Header = True,
    columns: options.Columns = None,
) -> None:
    """Map the loss J of a network for TABLE, and the paths of several optimizers on it.

    Writes one page that works offline: J on the plane that lies closest to the
    paths, and how much of each path is off that plane.

    For example:

      cuesta surface digits --hidden 32,32
    """
    from cuesta._util.files import write_text
    from cuesta.data.table import read_table
    from cuesta.diagnose.surface import landscape
    from cuesta.report.surface.page import render
    from cuesta.tabular.single import single
    from cuesta.training.batching import Batching
    from cuesta.training.planner import this_machine

    ways = _ways(optimizers)
    read = read_table(table, header=header)
    page = out or Path(f"surface-{read.name}.html")
    check_output("out", page, PAGES)
    made = single(read, target=target, columns=columns, hidden=hidden, epochs=epochs, seed=seed)
    tell_notes(surface, made.notes)
    seen = landscape(made.recipe, made.rows, ways, Batching(this_machine()))
    write_text(page, render(seen, read.name))
    _show(seen, page)


def _ways(optimizers: str) -> dict[str, dict[str, object]]:
    """What each named optimizer changes of the candidate. Raises SpecError."""
    from cuesta._util.checks import check_choice
    from cuesta.diagnose.surface import WAYS
    from cuesta.errors import SpecError

    named = {name.rpartition(", ")[2]: name for name in WAYS}  # "sgd, clipped" is `clipped` here
    chosen = split_names(optimizers)
    if not chosen:
        raise SpecError("A map needs the path of at least one optimizer.", parameter="optimizers")
    for name in chosen:
        check_choice("optimizer", name, named)
    return {named[name]: WAYS[named[name]] for name in chosen}


def _show(seen: Landscape, page: Path) -> None:
    from cuesta.report.console import SafeConsole, sentence, shown

    console = SafeConsole(highlight=False)
    for path in seen.paths:
        diverged = ", then diverged" if path.diverged else ""
        console.print(
            f"{shown(path.name):<13} J {path.heights[0]:.4g} → {path.heights[-1]:.4g}{diverged} · "
            f"{path.off:.0%} of its variation off the plane"
        )
    console.print(
        f"{seen.off:.0%} of all variation is off the plane · written to {sentence(str(page))}"
    )
