"""How often the 95 % intervals of metrics hold the truth, on simulated tables.

    python bench/coverage.py [--tables 1000] [--seed 0] [--rows 60 1000]

A case is a distribution of rows and a fixed predictor, which knows the signal but is too sure of
it. The truth of a metric is its value on a million rows of the same distribution. Of each table of
test rows it is asked whether the interval holds the truth; `low` and `high` are the shares of
tables whose interval lies wholly below or above it. `flagged` is the share of tables where the
errors are said to have heavy tails, and `others` the coverage on all others.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from cuesta.metrics import METRICS, interval

TRUTH = 1_000_000  # rows: as many as make the truth 30 times as sharp as a table of 1,000 rows
Rows = tuple[np.ndarray, np.ndarray]
WANTED = (0.93, 0.97)


@dataclass(frozen=True)
class Case:
    """A name, its task, and how n rows are drawn: what is true, and what is predicted."""

    name: str
    task: str
    draw: Callable[[int, np.random.Generator], Rows]


def drawn_classes(classes: int, signal: float, rare: float = 0.0) -> Callable[..., Rows]:
    """Classes by a softmax of normal inputs; the predictor has 1.4 times the logits, and noise."""

    def draw(n: int, rng: np.random.Generator) -> Rows:
        x = rng.normal(size=(n, classes))
        logits = signal * x
        if classes == 2:
            logits = np.column_stack([np.full(n, rare), logits[:, 0]])
        y = (rng.random((n, 1)) > softmax(logits).cumsum(axis=1)[:, :-1]).sum(axis=1)
        return y, softmax(1.4 * logits + (0.3 if signal else 0.5) * x[:, ::-1])

    return draw


def softmax(logits: np.ndarray) -> np.ndarray:
    """exp(oᵢ)/Σ exp(oⱼ), row by row."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def drawn_values(
    quantile: Callable[[np.ndarray], np.ndarray], signal: float
) -> Callable[..., Rows]:
    """Values of a linear function with errors of this quantile function.

    The predictor has nine tenths of the slope, and noise. For the truth the errors are the
    quantiles themselves: the mean of their squares would otherwise hang on the largest.
    """

    def draw(n: int, rng: np.random.Generator) -> Rows:
        x, noise = rng.normal(size=(2, n))
        even = rng.permutation((np.arange(n) + 0.5) / n)
        errors = quantile(even if n == TRUTH else rng.random(n))
        return (signal * x + errors)[:, None], (0.9 * signal * x + 0.2 * noise)[:, None]

    return draw


def exponential(u: np.ndarray) -> np.ndarray:
    """Quantiles of a skewed error with mean 0: an exponential one, less 1."""
    return -np.log1p(-u) - 1


def student_3(u: np.ndarray) -> np.ndarray:
    """Quantiles of Student's t with 3 degrees of freedom: its squares have no variance."""
    return stats.t.ppf(u, 3)


CASES = (
    Case("two classes, noise", "classification", drawn_classes(2, 0.0)),
    Case("two classes, signal", "classification", drawn_classes(2, 2.0)),
    Case("two classes, one rare", "classification", drawn_classes(2, 2.0, rare=2.5)),
    Case("five classes, noise", "classification", drawn_classes(5, 0.0)),
    Case("five classes, signal", "classification", drawn_classes(5, 2.0)),
    Case("normal errors, noise", "regression", drawn_values(stats.norm.ppf, 0.0)),
    Case("normal errors, signal", "regression", drawn_values(stats.norm.ppf, 2.0)),
    Case("skewed errors, noise", "regression", drawn_values(exponential, 0.0)),
    Case("skewed errors, signal", "regression", drawn_values(exponential, 2.0)),
    Case("t3 errors, noise", "regression", drawn_values(student_3, 0.0)),
    Case("t3 errors, signal", "regression", drawn_values(student_3, 2.0)),
)


def main() -> None:
    """Print a row for each case, number of rows and metric."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, nargs="+", default=[60, 1000])
    given = parser.parse_args()
    began = time.perf_counter()
    print("| case | rows | metric | coverage | low | high | flagged | others |")
    print("|---|---|---|---|---|---|---|---|")
    cells = []
    for number, case in enumerate(CASES):
        truth = true_values(case, np.random.default_rng([1, given.seed, number]))
        for rows in given.rows:
            rng = np.random.default_rng([2, given.seed, number, rows])
            found = covered(case, truth, rows, given.tables, rng)
            for name, (held, low, high, flagged, others) in found.items():
                print(
                    f"| {case.name} | {rows} | {name} | {held:.3f} | {low:.3f} | {high:.3f} | "
                    f"{flagged:.3f} | {others:.3f} |",
                    flush=True,
                )
                cells.append(held)
    inside = sum(WANTED[0] <= held <= WANTED[1] for held in cells)
    error = math.sqrt(0.95 * 0.05 / given.tables)
    print(
        f"\n{inside} of {len(cells)} between {WANTED[0]:.0%} and {WANTED[1]:.0%}; one standard "
        f"error of a coverage of 95 % is {error:.3f}; {time.perf_counter() - began:.0f} s"
    )


def true_values(case: Case, rng: np.random.Generator) -> dict[str, float]:
    """Each metric, on very many rows."""
    y, decided = case.draw(TRUTH, rng)
    return {m.name: m(y, decided) for m in METRICS.values() if m.task == case.task}


def covered(
    case: Case, truth: dict[str, float], rows: int, tables: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Of each metric: coverage, below, above, flagged, and the coverage where it is not flagged."""
    told: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in truth}
    for _ in range(tables):
        y, decided = case.draw(rows, rng)
        for name in truth:
            found = interval(name, y, decided, seed=0)
            if not math.isnan(found[0]):  # rows that lack a class have none
                told[name].append((*found, bool(found.note)))
    return {name: shares(np.array(told[name]), truth[name]) for name in truth}


def shares(told: np.ndarray, truth: float) -> np.ndarray:
    """Of intervals (tables, [low, high, flagged]): the five shares of a row of the table."""
    low, high, flagged = told.T
    held = (low <= truth) & (truth <= high)
    others = held[flagged == 0].mean() if (flagged == 0).any() else math.nan
    return np.array(
        [held.mean(), (high < truth).mean(), (low > truth).mean(), flagged.mean(), others]
    )


if __name__ == "__main__":
    main()
