"""The comparison of two optimizers on the terminal, and as plain values."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from cuesta._text import count
from cuesta.lab.compare import Comparison, Suspect
from cuesta.report.console import shown


def plain(found: Comparison) -> dict[str, Any]:
    """The comparison in plain values, for JSON."""
    values = asdict(found) | {"cause": found.cause}
    for suspect in values["suspects"]:
        suspect["gap"] = suspect["gap"] if math.isfinite(suspect["gap"]) else None
    return values


def show_comparison(console: Console, found: Comparison) -> None:
    """The step from which they differ, and what each convention has to do with it."""
    names = f"[bold]{shown(found.one)}[/] and [bold]{shown(found.other)}[/]"
    where = f"{count(found.steps, 'step')} on {shown(found.stream)} gradients, float64"
    if found.part:
        console.print(
            f"{names} differ from step {found.part} on, by {found.gap:.2g} of the path's largest "
            f"value; at the end by {found.final:.2g} ({where}).",
            highlight=False,
        )
        console.print(
            f"cause  [bold]{found.cause or 'no single convention: several together'}[/]",
            highlight=False,
        )
    else:
        console.print(
            f"{names} are the same: they never differ by more than {found.tolerance:.0e} of the "
            f"path's largest value ({where}).",
            highlight=False,
        )
    if found.suspects:
        console.print(_suspects(found))


def _suspects(found: Comparison) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("convention")
    table.add_column(shown(found.one), justify="right")
    table.add_column(shown(found.other), justify="right")
    table.add_column("with this one made equal, they")
    for suspect in found.suspects:
        table.add_row(suspect.convention, suspect.one, suspect.other, _effect(suspect, found.part))
    return table


def _effect(suspect: Suspect, part: int) -> str:
    if not part:
        return "are the same, as before"
    if not suspect.part:
        return "never differ"
    if suspect.part > part:
        return f"differ only from step {suspect.part:,} on"
    return f"still differ: {100 * suspect.gap:.3g} % of the gap is left"
