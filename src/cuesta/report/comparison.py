"""Two optimizers side by side, as a table a person can read."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cuesta.lab.compare import Comparison, Suspect


def plain(found: Comparison) -> dict[str, Any]:
    """The comparison in plain values, for JSON."""
    values = asdict(found) | {"cause": found.cause}
    for suspect in values["suspects"]:
        suspect["gap"] = suspect["gap"] if math.isfinite(suspect["gap"]) else None
    return values


def show_comparison(console: Console, found: Comparison) -> None:
    """Where they part, and what each convention has to do with it."""
    names = f"[bold]{escape(found.one)}[/] and [bold]{escape(found.other)}[/]"
    where = f"{found.steps:,} steps on {found.stream} gradients, float64"
    if found.part:
        console.print(
            f"{names} part at step {found.part}, by {found.gap:.2g} of the path's largest value; "
            f"at the end by {found.final:.2g} ({where}).",
            highlight=False,
        )
        console.print(
            f"cause  [bold]{found.cause or 'none alone: several together'}[/]", highlight=False
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
    table.add_column(escape(found.one), justify="right")
    table.add_column(escape(found.other), justify="right")
    table.add_column("switched alone, they")
    for suspect in found.suspects:
        table.add_row(suspect.convention, suspect.one, suspect.other, _effect(suspect, found.part))
    return table


def _effect(suspect: Suspect, part: int) -> str:
    if not part:
        return "were the same anyway"
    if not suspect.part:
        return "never part"
    if suspect.part > part:
        return f"part at step {suspect.part:,} only"
    return f"still part; {100 * suspect.gap:.3g} % of the gap is left"
