"""The models that a run made, and what the test rows say of them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from rich.table import Table

from cuesta._text import count, listed
from cuesta.report.console import shown
from cuesta.report.run.words import NAMES, number
from cuesta.search.calibration import less_cost
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
WINNER = "1 network: the winner, trained on all training rows"
EXPECTED = "expected   of new rows: corrected for having chosen the best of"
AS_CHOSEN = "as chosen  on the very rows that chose: too good"
UNCORRECTED = "no figure corrected for the choice: it is known of log-loss and of RMSE alone"
SURE = 1.1  # a temperature up to this, or down to its inverse, changes little


def describe_models(result: FitResult) -> list[str]:
    """A line for each model: its networks, its votes, its temperature and threshold."""
    chosen = result.delivery.chosen
    places = {score.index: place for place, score in enumerate(result.scores, start=1)}
    lines = []
    for name, each in result.delivery.models.items():
        calibration = each.model.calibration
        parts = [WINNER if name == "single" else describe_networks(each, places)]
        if calibration.temperature != 1:
            parts.append(_describe_temperature(calibration.temperature))
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
        f"compared by {NAMES[task.curve]}, epoch by epoch; among the best {few} the winner was "
        f"chosen by out-of-fold {task.measured.words}"
    ]


def describe_threshold(result: FitResult) -> list[str]:
    """What the threshold is for, and does to the second label out of fold beside 0.5.

    No line without one.
    """
    found = result.delivery.decided_at(result.delivery.chosen)
    if not found:
        return []
    half, own = found
    label = shown(str(result.task.target.labels[1]))
    cost = _mean_costs(result)
    spent = f", mean cost {number(cost[0])} → {number(cost[1])}" if cost else ""
    return [
        f"threshold  {label} from a probability of {number(own.threshold)} on, not 0.5"
        f"{_purpose(result)}",
        f"           out of fold: recall of {label} {number(half.recall)} → {number(own.recall)}, "
        f"precision {number(half.precision)} → {number(own.precision)}{spent}",
    ]


def _purpose(result: FitResult) -> str:
    """What the threshold was chosen for; nothing where the user gave it."""
    options = result.options
    if options.costs is not None:
        alarm, miss = options.costs
        return f": cheapest where a false alarm costs {alarm:g} and a miss {miss:g}"
    if options.threshold == "auto":
        return f": best {result.task.measured.words} of the decided labels"
    return ""


def _mean_costs(result: FitResult) -> tuple[float, ...]:
    """The mean cost of an out-of-fold row at 0.5 and at the threshold; nothing without costs."""
    if result.options.costs is None:
        return ()
    alarm, miss = result.options.costs
    entries, delivered = result.delivery.entries, result.delivery.delivered
    largest = max(alarm, miss)  # their sum may overflow
    score = less_cost([[0, alarm / largest], [miss / largest, 0]])
    share = delivered.decided[:, 1]
    at = (0.5, delivered.model.calibration.threshold)
    return tuple(-largest * score(entries.y, (share >= t).astype(np.int64)) for t in at)


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
    corrected = is_corrected(result)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(f"validation {result.task.measured.words}")
    if corrected:
        table.add_column("expected", justify="right", no_wrap=True)
        table.add_column("95 % interval", no_wrap=True)
    table.add_column("as chosen", justify="right", no_wrap=True)
    for name, each in result.delivery.models.items():
        value, low, high = each.promised
        style = "bold" if name == result.delivery.chosen else ""
        promised = (number(value), _interval(low, high)) if corrected else ()
        table.add_row(name, *promised, number(each.mean), style=style)
    for baseline in result.baselines.found:
        if baseline.folds:
            table.add_row(baseline.name, *[""] * (2 * corrected), number(baseline.cv_mean))
    return table


def is_corrected(result: FitResult) -> bool:
    """Whether a figure corrected for the choice is known."""
    return any(not math.isnan(each.promised[0]) for each in result.delivery.models.values())


def describe_validation(result: FitResult) -> list[str]:
    """What the columns of the validation table are, a line each."""
    if not is_corrected(result):
        return [AS_CHOSEN, UNCORRECTED]
    return [f"{EXPECTED} {len(result.scores):,}", AS_CHOSEN]


def describe_networks(each: Deliverable, places: Mapping[int, int]) -> str:
    """How many networks decide, of which places in the table of candidates, with what weights."""
    votes = sorted(each.votes.items(), key=lambda vote: (-vote[1], places[vote[0]]))
    shown = [f"{places[candidate]} ({weight:.0%})" for candidate, weight in votes]
    return (
        f"{count(each.networks, 'network')} of {count(len(votes), 'candidate')}, by place: "
        f"{listed(shown, SHOWN_VOTES)}"
    )


def _describe_temperature(temperature: float) -> str:
    told = f"temperature {temperature:.3g}"
    if 1 / SURE < temperature < SURE:
        return told
    return f"{told} (probabilities made {'less' if temperature > 1 else 'more'} sure)"


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
    table.add_column("")
    table.add_column(outcome.delivered, justify="right", no_wrap=True)
    table.add_column("95 % interval", no_wrap=True)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    chosen = result.task.metric
    for name in dict.fromkeys([chosen, *(name for name in SHOWN if name in outcome.metrics)]):
        table.add_row(
            result.task.measured.words if name == chosen else NAMES[name],
            _figure(name, outcome.metrics[name]),
            _interval(*outcome.intervals[name]) if name in outcome.intervals else "",
            *(_figure(name, metrics.get(name, math.nan)) for metrics in others.values()),
            style="bold" if name == chosen else "",
        )
    return table


def describe_rivals(result: FitResult, outcome: TestOutcome) -> list[str]:
    """What stands beside the networks in the table of the test, a line each."""
    classes = result.task.target.task == "classification"
    kinds = {
        "linear model": "logistic regression" if classes else "ridge regression",
        "boosted trees": "scikit-learn's at their defaults",
    }
    fitted = [f"{SHORT[name]}: {kinds[name]}" for name in kinds if name in outcome.baselines]
    knows = "the classes' shares" if classes else "the mean"
    lines = ["; ".join(fitted), f"baseline: {knows} in the training rows, whatever the inputs"]
    return [line for line in lines if line]


def _figure(name: str, value: float) -> str:
    """A metric's value; a calibration error's rounding is no figure."""
    return number(round(value, 9) if name == "calibration_error" else value)


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
