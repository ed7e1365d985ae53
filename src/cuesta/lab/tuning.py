"""A learning rate for each optimizer, each chosen with the same budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import numpy as np

from cuesta.lab.descent import NEVER, Bulk, Course, End, crossed, stack
from cuesta.lab.functions import NEAR

TINY = 1e-300  # a height of 0 has no logarithm


class Tuned(NamedTuple):
    """The rate of each course, and the lowest J that a path of the tuning ended at.

    `lost` is the step and the point at which a path met a J that is not finite, where all did.
    """

    rates: list[float]
    lowest: float
    lost: tuple[int, np.ndarray] | None


def tune(
    bulk: Bulk,
    courses: Sequence[Course],
    rates: np.ndarray,
    starts: np.ndarray,
    seeds: np.ndarray,
    steps: int,
    *,
    lowest: float | None,
    goal: float | None,
    advanced: Callable[[int], None] = lambda lanes: None,
) -> Tuned:
    """The best of `rates` for each course, over all of the starts (m, n) with their seeds (m,).

    A course's own α_T/α₀ is kept. The best loses no start if another loses none; then has the
    least mean of log₁₀ of J above its lowest, heights below the goal counting as the goal; then
    arrives soonest. Where the lowest J is not known, it is the least that was met.
    """
    lanes = [with_rate(course, rate) for course in courses for rate in rates]
    end = bulk.run(*crossed(stack(lanes), starts, seeds), steps, goal, advanced=advanced)
    finite = end.j[np.isfinite(end.j) & (end.lost == NEVER)]
    met = float(finite.min()) if len(finite) else np.inf
    base, clamp = heights(lowest, goal, met)
    shape = len(courses), len(rates), len(starts)
    shaped = jax.tree.map(lambda a: a.reshape(*shape, *a.shape[1:]), end)
    if not len(finite):
        return Tuned([float(rates[0])] * len(courses), met, (int(end.lost[0]), end.w[0]))
    best = [_best(shaped, i, base, clamp, steps) for i in range(len(courses))]
    return Tuned([float(rates[i]) for i in best], met, None)


def heights(lowest: float | None, goal: float | None, met: float) -> tuple[float, float]:
    """The height from which J is counted, and how far above it a path has arrived.

    Where J falls forever it is counted from the goal, which is far enough; where its lowest value
    is not known, from the lowest that was met.
    """
    if lowest is None:
        return met, NEAR * max(1.0, abs(met))
    if not np.isfinite(lowest):
        return float(goal if goal is not None else 0.0), NEAR
    return lowest, (goal - lowest) if goal is not None else NEAR


def _best(end: End, course: int, base: float, clamp: float, steps: int) -> int:
    """The place of the best rate of a course among (courses, rates, starts)."""
    j, reached, lost = end.j[course], end.reached[course], end.lost[course] != NEVER
    floor = max(clamp, TINY)
    height = np.where(lost, 1.0, np.maximum(np.where(lost, base, j) - base, floor))
    level = np.log10(height).mean(axis=1)
    took = np.where(reached == NEVER, steps + 1, reached).mean(axis=1)
    # Levels that differ by rounding alone are one level: then the time decides.
    return int(np.lexsort((took, np.round(level, 6), lost.sum(axis=1)))[0])


def with_rate(course: Course, rate: float) -> Course:
    """The course with another α₀, and α_T in the same ratio to it."""
    ratio = course.alpha_t / course.alpha_0
    return course._replace(alpha_0=rate, alpha_t=rate * ratio)
