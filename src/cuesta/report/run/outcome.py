"""The models that a run made, and what the test rows say of them."""

from __future__ import annotations

from rich.table import Table

from cuesta._text import count, listed
from cuesta.report.run.words import NAMES, number
from cuesta.tabular.delivery import Deliverable
from cuesta.tabular.result import FitResult
from cuesta.tabular.testing import TestOutcome

SHOWN_VOTES = 5
WHAT = {
    "committee": "the best candidates' networks of all folds, a weighted mean",
    "single": "the winner, trained on all training rows",
}


def describe_models(result: FitResult) -> list[str]:
    """A line for each model: its networks, its votes, its temperature and threshold."""
    chosen = result.delivery.chosen
    lines = []
    for name, each in result.delivery.models.items():
        calibration = each.model.calibration
        parts = [describe_networks(each)]
        if calibration.temperature != 1:
            parts.append(f"temperature {calibration.temperature:.3g}")
        if calibration.threshold is not None:
            parts.append(f"threshold {calibration.threshold:.3g}")
        mark = "[bold]delivered[/] · " if name == chosen else ""
        lines.append(f"{name:<10} {mark}{' · '.join(parts)}")
    return lines


def describe_networks(each: Deliverable) -> str:
    """How many networks of which candidates decide: `15 networks of candidates 3 (60 %), …`."""
    if len(each.votes) == 1:
        (candidate,) = each.votes
        return f"{count(each.networks, 'network')} of candidate {candidate}"
    votes = sorted(each.votes.items(), key=lambda vote: (-vote[1], vote[0]))
    shown = [f"{candidate} ({weight:.0%})" for candidate, weight in votes]
    return (
        f"{count(each.networks, 'network')} of {count(len(votes), 'candidate')}: "
        f"{listed(shown, SHOWN_VOTES)}"
    )


def test_table(result: FitResult, outcome: TestOutcome) -> Table:
    """The metrics on the test rows: what is delivered, its intervals, and all else beside it."""
    times = len(outcome.openings)
    often = (
        "once" if times == 1 else f"{times} times in this folder: do not choose between runs by it"
    )
    title = f"test, {count(outcome.rows, 'row')}, opened {often}"
    if outcome.outer:
        title = (
            f"nested test: each of {count(outcome.rows, 'row')} once, by "
            f"{count(outcome.outer, 'search', 'searches')} on the other rows; opened {often}"
        )
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    others = {n: each.metrics for n, each in outcome.models.items() if n != outcome.delivered}
    others |= outcome.baselines | {"baseline": outcome.baseline}
    table.add_column("")
    table.add_column(outcome.delivered, justify="right")
    table.add_column("95 % interval")
    for name in others:
        table.add_column(name, justify="right")
    for name in sorted(outcome.metrics, key=lambda name: name != result.task.metric):
        low, high = outcome.intervals[name][:2] if name in outcome.intervals else (None, None)
        table.add_row(
            NAMES[name],
            number(outcome.metrics[name]),
            "" if low is None or high is None else f"{number(low)} to {number(high)}",
            *(number(metrics[name]) for metrics in others.values()),
            style="bold" if name == result.task.metric else "",
        )
    return table
