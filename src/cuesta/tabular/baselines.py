"""The baselines of a run: the linear model and boosted trees, on the networks' rows and folds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cuesta._text import one_line
from cuesta.baselines.logistic import LOGISTIC
from cuesta.baselines.problem import Baseline, Measure, Problem
from cuesta.baselines.ridge import RIDGE
from cuesta.baselines.trees import MOST_AT_ALL, MOST_FOR_FOLDS, TREES, is_quick
from cuesta.baselines.validate import fitted_only, validated
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import Task


class Baselines(NamedTuple):
    """The baselines that could be fitted, and what is to be said of the others."""

    found: tuple[Baseline, ...]
    notes: tuple[str, ...]


NONE = Baselines((), ())


def run_baselines(task: Task, options: Options) -> Baselines:
    """The baselines of a run, by its metric; none where they are not wanted."""
    if not options.baselines:
        return NONE
    return fit_baselines(task, options.seed)


def fit_baselines(
    task: Task, seed: int, measure: Measure | None = None, *, higher: bool | None = None
) -> Baselines:
    """The linear model and scikit-learn's boosted trees, validated on the task's own folds.

    The linear model is ridge regression (N6), or multinomial logistic regression, with its penalty
    chosen by the folds. A baseline that cannot be fitted, or would be too much work for the
    table's size, is left out, and a note says so. `measure` is the metric (y, decided) of a fold,
    and `higher` says that a higher one is better; by default they are those of the task's metric.
    Nothing of it reads the test rows.
    """
    problem = problem_of(task, seed)
    measure = measure or task.measured.of_model
    higher = task.measured.higher_is_better if higher is None else higher
    found: list[Baseline] = []
    notes: list[str] = []

    def attempt(name: str, fit: Callable[[], Baseline]) -> None:
        try:
            found.append(fit())
        except (ValueError, ArithmeticError, MemoryError) as error:
            notes.append(f"the baseline {name} is left out: {one_line(str(error) or 'no memory')}")

    linear = LOGISTIC if problem.classes else RIDGE
    attempt(linear.name, lambda: validated(problem, linear, measure, higher=higher))
    if is_quick(problem, MOST_FOR_FOLDS):
        attempt(TREES.name, lambda: validated(problem, TREES, measure, higher=higher))
    elif is_quick(problem, MOST_AT_ALL):
        attempt(TREES.name, lambda: fitted_only(problem, TREES))
        notes.append(f"{_slow(problem)}: they are tested and not validated")
    else:
        notes.append(f"{_slow(problem)}: they are left out")
    return Baselines(tuple(found), tuple(notes))


def problem_of(task: Task, seed: int) -> Problem:
    """The task's training rows and folds as the baselines take them."""
    classes = task.target.outputs if task.feed.classes else 0
    balanced = task.metric == "balanced_accuracy"
    return Problem(task.x, task.y, task.feed.folds[:-1], classes, balanced, seed)


def _slow(problem: Problem) -> str:
    size = f"{problem.x.shape[1]:,} columns"
    if problem.classes > 2:
        size += f" and {problem.classes:,} classes"
    return f"the baseline of boosted trees takes long for {size}"
