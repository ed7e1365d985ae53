"""A learning rate for each optimizer, chosen with the same number of tries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import numpy as np

from cuesta.lab.descent import NEVER, CompiledDescent, End, Optimizer, all_pairs, stack
from cuesta.lab.function import NEAR

TINY = 1e-300  # a height of 0 has no logarithm


class Tuned(NamedTuple):
    """The rate of each optimizer, and the lowest J that a path of the tuning ended at, or −∞.

    `deepest` is the lowest finite end; `lost` is the step and the point at which a path met a J
    that is not finite, where all did.
    """

    rates: list[float]
    lowest: float
    deepest: np.ndarray
    lost: tuple[int, np.ndarray] | None


def tune(
    descent: CompiledDescent,
    optimizers: Sequence[Optimizer],
    rates: np.ndarray,
    starts: np.ndarray,
    seeds: np.ndarray,
    steps: int,
    *,
    lowest: float | None,
    goal: float | None,
    advanced: Callable[[int], None] = lambda lanes: None,
) -> Tuned:
    """The best of `rates` for each optimizer, over all starts (m, n) with their seeds (m,).

    An optimizer keeps its own α_T/α₀. The best rate fails on the fewest starts: on those that are
    lost, or touch the goal and are thrown out above their start again. Among those it has, together
    with the better of its two neighbours, the smallest mean of log₁₀(J − lowest), where J below the
    goal counts as the goal: one rate alone among worse ones was lucky. Among those it has the
    smallest such mean itself, and then reaches the goal soonest. Where the lowest J is not known,
    the lowest that was met is taken.
    """
    lanes = [with_rate(optimizer, rate) for optimizer in optimizers for rate in rates]
    end = descent.run(*all_pairs(stack(lanes), starts, seeds), steps, goal, advanced=advanced)
    counted = np.where(np.isfinite(end.j) & (end.lost == NEVER), end.j, np.inf)
    met, deepest = float(counted.min()), end.w[int(counted.argmin())]
    base, clamp = heights(lowest, goal, met)
    shape = len(optimizers), len(rates), len(starts)
    shaped = jax.tree.map(lambda a: a.reshape(*shape, *a.shape[1:]), end)
    found = -np.inf if (end.j == -np.inf).any() else met
    if not np.isfinite(met):
        lost = int(end.lost[0]), end.w[0]
        return Tuned([float(rates[0])] * len(optimizers), found, deepest, lost)
    best = [_best(shaped, i, base, clamp, steps) for i in range(len(optimizers))]
    return Tuned([float(rates[i]) for i in best], found, deepest, None)


def heights(lowest: float | None, goal: float | None, met: float) -> tuple[float, float]:
    """The value from which J is counted, and how far above it a path counts as arrived.

    Where J has no lowest value it is counted from the goal; where its lowest value is not known,
    from the lowest that was met.
    """
    if lowest is None:
        return met, NEAR * max(1.0, abs(met))
    if not np.isfinite(lowest):
        return float(goal if goal is not None else 0.0), NEAR
    return lowest, (goal - lowest) if goal is not None else NEAR


def _best(end: End, index: int, base: float, clamp: float, steps: int) -> int:
    """The index of the best rate of the optimizer at `index`; ends (optimizers, rates, starts)."""
    j, touched, lost = end.j[index], end.touched[index], end.lost[index] != NEVER
    fails = (lost | (end.thrown[index] != NEVER)).sum(axis=1)
    floor = max(clamp, TINY)
    height = np.where(lost, 1.0, np.maximum(np.where(lost, base, j) - base, floor))
    # Levels that differ by rounding alone count as equal: then the time decides.
    level = np.round(np.log10(height).mean(axis=1), 6)
    took = np.where(touched == NEVER, steps + 1, touched).mean(axis=1)
    confirmed = np.maximum(level, _better_neighbour(np.where(fails > 0, np.inf, level)))
    return int(np.lexsort((took, level, confirmed, fails))[0])


def _better_neighbour(level: np.ndarray) -> np.ndarray:
    """The lower of the levels beside each; a single one has none, and needs none."""
    if len(level) == 1:
        return np.full(1, -np.inf)
    padded = np.concatenate([[np.inf], level, [np.inf]])
    lower: np.ndarray = np.minimum(padded[:-2], padded[2:])
    return lower


def with_rate(optimizer: Optimizer, rate: float) -> Optimizer:
    """The optimizer with another α₀, and α_T in the same ratio to it."""
    ratio = optimizer.alpha_t / optimizer.alpha_0
    return optimizer._replace(alpha_0=rate, alpha_t=rate * ratio)
