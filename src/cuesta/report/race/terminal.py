"""A race on the terminal: a bar while it goes on, the table of results at its end."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from cuesta._text import count
from cuesta.report.race.words import limits_of

OWN = "the user's own"  # the source of a function whose lowest value is not known beforehand
STAGES = {
    "critical points": "finding critical points",
    "tuning": "tuning learning rates",
    "race": "racing",
    "basins": "finding where 10,000 starts end",
}

PLURALS = {
    "minimum": "minima",
    "maximum": "maxima",
    "saddle": "saddles",
    "kink": "kinks",
    "degenerate point": "degenerate points",
    "curve of critical points": "curves of critical points",
}


class RaceProgress:
    """A bar for the stage at hand, on a terminal; silent in a file."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} % · left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._bar: TaskID | None = None
        self._stage = ""

    def __enter__(self) -> RaceProgress:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def watch(self, stage: str, share: float) -> None:
        """Show the share of a stage that is done."""
        if stage != self._stage:
            if self._bar is not None:
                self._progress.remove_task(self._bar)
            self._stage = stage
            self._bar = self._progress.add_task(STAGES.get(stage, stage), total=1.0)
        if self._bar is not None:
            self._progress.update(self._bar, completed=share)


def show_race(console: Console, view: dict[str, Any], page: str) -> None:
    """The function, the terms of the race and the table of results."""
    function = view["function"]
    head = f"[bold]{escape(function['name'])}[/]  {escape(function['formula'])}"
    console.print(f"{head} · {escape(function['source'])}", highlight=False)
    console.print(terms_sentence(view), highlight=False)
    if view["function"]["source"] == OWN or view["function"]["lowest"] is None:
        for said in limits_of(view):
            console.print(said, highlight=False)
    console.print(_table(view))
    for result in view["results"]:
        for line in _lines(result, view["settings"]["seeds"]):
            console.print(line, highlight=False)
    if view["critical_points"]:
        console.print(f"critical points  {kinds_sentence(view)}", highlight=False)
    console.print(f"page  {escape(page)}", highlight=False)


def terms_sentence(view: dict[str, Any]) -> str:
    """The terms of the race in words."""
    terms = view["settings"]
    low, high = terms["rates"]
    parts = [
        f"{count(terms['steps'], 'step')} from {count(terms['seeds'], 'start')}",
        f"α the best of {terms['tries']} from {low:g} to {high:g}, "
        f"tuned on {terms['tuning_starts']} others",
        f"{terms['dialect']} dialect",
    ]
    if terms["noise"]:
        parts.append(f"noise of variance {terms['noise']:g}")
    if terms["clip_norm"] is not None:
        parts.append(f"‖G‖ clipped at {terms['clip_norm']:g}")
    if terms["clip_value"] is not None:
        parts.append(f"G clipped at ±{terms['clip_value']:g}")
    if terms["final_ratio"] is not None:
        parts.append(f"linear decay to {terms['final_ratio']:g} α")
    return " · ".join(parts)


def kinds_sentence(view: dict[str, Any]) -> str:
    """How many critical points there are of each kind."""
    kinds = [_kind(critical) for critical in view["critical_points"]]
    counted = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    return ", ".join(f"{n} {PLURALS[kind] if n > 1 else kind}" for kind, n in counted.items())


def _kind(critical: dict[str, Any]) -> str:
    if critical["members"] is not None:
        return "curve of critical points"
    return "degenerate point" if critical["kind"] == "degenerate" else str(critical["kind"])


def _table(view: dict[str, Any]) -> Table:
    seeds = view["settings"]["seeds"]
    table = Table(box=None, pad_edge=False)
    table.add_column("", justify="right")
    table.add_column("optimizer")
    least = "goal" if view["function"]["lowest"] is None else "lowest"
    for name in ("α", f"arrived of {seeds}", "steps", f"J − {least} at the end"):
        table.add_column(name, justify="right")
    shares = any(result["global_share"] is not None for result in view["results"])
    if shares:
        table.add_column("starts to the\nglobal minimum", justify="right")
    for place, result in enumerate(view["results"], start=1):
        row = [
            str(place),
            result["optimizer"],
            f"{result['learning_rate']:.3g}" + ("*" if result["edge"] else ""),
            str(result["reached"]),
            _spread(result["steps_to_goal"], ",.0f"),
            _spread(result["final"], ".2g"),
        ]
        if shares:
            row.append(f"{100 * result['global_share']:.1f} %")
        table.add_row(*row)
    if any(result["edge"] for result in view["results"]):
        table.caption = "* the lowest or the highest rate tried: a better one may lie beyond it"
    return table


def _spread(found: dict[str, float | None], form: str) -> str:
    """A median with its quartiles; nothing where half of the seeds have no number."""
    if found["median"] is None:
        return "–"
    low, high = ("–" if found[end] is None else format(found[end], form) for end in ("low", "high"))
    middle = format(found["median"], form)
    return middle if low == high == middle else f"{middle} [{low}, {high}]"


def _lines(result: dict[str, Any], seeds: int) -> list[str]:
    lines = [f"{result['optimizer']:<9} {escape(result['outcome'])}"]
    free = result["unclipped"]
    if free is not None:
        lines.append(
            f"{'':<9} [dim]without clipping: {escape(free['outcome'])}; "
            f"{free['reached']} of {seeds} arrive[/]"
        )
    return lines
