"""The models that a run made, and what the test rows say of them."""

from __future__ import annotations

import math

from rich.table import Table

from cuesta._text import count, listed
from cuesta.report.console import shown
from cuesta.report.run.words import NAMES, number
from cuesta.tabular.delivery import Deliverable
from cuesta.tabular.result import FitResult
from cuesta.tabular.testing import TestOutcome

SHOWN_VOTES = 5
SHOWN_FOLDS = 10
# Of the metrics on test rows, those that are printed; result.json has all.
SHOWN = (
    "log_loss",
    "accuracy",
    "roc_auc",
    "balanced_accuracy",
    "calibration_error",
    "rmse",
    "mae",
    "median_absolute_error",
    "r2",
)
SHORT = {"linear model": "linear", "boosted trees": "trees"}
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


def describe_curve(result: FitResult) -> list[str]:
    """By what candidates were compared, where that is not the metric that selects."""
    task = result.task
    if task.curve == task.metric:
        return []
    few = len(result.selection.shortlist)
    return [
        f"compared by {NAMES[task.curve]}, epoch by epoch; of the best {few} the winner has the "
        f"best {task.measured.words} out of fold"
    ]


def describe_threshold(result: FitResult) -> list[str]:
    """What the threshold does to the second label out of fold, beside 0.5; no line without one."""
    found = result.delivery.decided_at(result.delivery.chosen)
    if not found:
        return []
    half, own = found
    label = shown(str(result.task.target.labels[1]))
    return [
        f"threshold  {label} from a share of {number(own.threshold)} on, where 0.5 is usual: "
        f"recall {number(half.recall)} → {number(own.recall)}, "
        f"precision {number(half.precision)} → {number(own.precision)} out of fold"
    ]


def describe_outer(outcome: TestOutcome) -> list[str]:
    """The figure of each outer fold, and of which rows the final model is; no line without them."""
    if not outcome.outer:
        return []
    figures = listed([number(fold.value) for fold in outcome.outer], SHOWN_FOLDS)
    return [
        f"of the outer folds: {figures}",
        "these are figures of the search; the model that is delivered is trained on all rows",
    ]


def validation_table(result: FitResult) -> Table:
    """What the folds say of each model, as it chose and corrected, and of the baselines.

    The corrected figure is what to expect of new rows; the other is of the rows that chose.
    """
    metric = result.task.metric
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(f"validation {NAMES.get(metric, metric)}", no_wrap=True)
    table.add_column("expected", justify="right")
    table.add_column("95 % interval", no_wrap=True)
    table.add_column("as chosen", justify="right")
    for name, each in result.delivery.models.items():
        value, low, high = each.promised
        style = "bold" if name == result.delivery.chosen else ""
        row = name, number(value), _interval(low, high), number(each.mean)
        table.add_row(*row, style=style)
    for baseline in result.baselines.found:
        if baseline.folds:
            table.add_row(baseline.name, "", "", number(baseline.cv_mean))
    return table


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


def test_title(outcome: TestOutcome) -> str:
    """How many rows tested, and how often they were opened."""
    times = len(outcome.openings)
    often = (
        "once" if times == 1 else f"{times} times in this folder: do not choose between runs by it"
    )
    if outcome.outer:
        return (
            f"nested test: each of {count(outcome.rows, 'row')} once, by "
            f"{count(len(outcome.outer), 'search', 'searches')} on the other rows; opened {often}"
        )
    return f"test, {count(outcome.rows, 'row')}, opened {often}"


def test_table(result: FitResult, outcome: TestOutcome) -> Table:
    """The metrics on the test rows: what is delivered, its intervals, and all else beside it."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    others = {n: each.metrics for n, each in outcome.models.items() if n != outcome.delivered}
    others |= {SHORT.get(name, name): found for name, found in outcome.baselines.items()}
    others |= {"baseline": outcome.baseline}
    table.add_column("", no_wrap=True)
    table.add_column(outcome.delivered, justify="right")
    table.add_column("95 % interval", no_wrap=True)
    for name in others:
        table.add_column(name, justify="right")
    chosen = result.task.metric
    for name in dict.fromkeys([chosen, *(name for name in SHOWN if name in outcome.metrics)]):
        table.add_row(
            NAMES.get(name, name),
            number(outcome.metrics[name]),
            _interval(*outcome.intervals[name]) if name in outcome.intervals else "",
            *(number(metrics.get(name, math.nan)) for metrics in others.values()),
            style="bold" if name == chosen else "",
        )
    return table


def _interval(low: float, high: float) -> str:
    """The ends with three digits each; nothing where they are not known."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"{_short(low)} to {_short(high)}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def notes_of_test(outcome: TestOutcome) -> list[str]:
    """What is to be said of the intervals that are shown, each once."""
    notes = (getattr(found, "note", "") for name, found in outcome.intervals.items()
             if name in SHOWN and name != "calibration_error")  # fmt: skip
    return [note for note in dict.fromkeys(notes) if note]
