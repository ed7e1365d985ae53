"""Descent on a function: one path, then many of them in one compiled call.

A lane here is one optimizer from one start with one seed. All is written for one lane; two places
batch: `CompiledDescent` runs many lanes to their ends, `trace` records the steps of a few.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cuesta.core import optim
from cuesta.core.clip import clip_by_norm, clip_by_value
from cuesta.core.schedule import linear_decay
from cuesta.core.types import Scalar, Tensor
from cuesta.lab.function import Objective

WIDTH = 1024  # lanes of one compiled call: their state stays in a core's cache
NEVER = -1


class Optimizer(NamedTuple):
    """An optimizer with its learning rates, clipping and noise: scalars, which can be batched.

    α goes linearly from `alpha_0` to `alpha_t` (N12); ∞ bounds clip nothing (N5); `noise` is the
    standard deviation of what is added to each component of the gradient. A path stops once
    J ≤ `stop`: where J has no lowest value, it would otherwise fall until it overflows.
    """

    rule: optim.Rule
    alpha_0: Scalar
    alpha_t: Scalar
    clip_norm: Scalar = math.inf
    clip_value: Scalar = math.inf
    noise: Scalar = 0.0
    stop: Scalar = -math.inf


class State(NamedTuple):
    """What the next step needs: the point (n,) and both moments."""

    w: Array
    moments: optim.Moments


class Info(NamedTuple):
    """What a person wants to see of a step from w.

    `j` is J(w); `gradient` ∇J(w); `clipped` what the rule is given, with noise and after clipping;
    `v` and `f` the moments after the step; `delta` the step itself; `alpha` its learning rate.
    """

    j: Tensor
    gradient: Tensor
    clipped: Tensor
    v: Tensor
    f: Tensor
    delta: Tensor
    alpha: Tensor


class End(NamedTuple):
    """How a path ended.

    `w` (n,) and `j` are the last point and J there; `reached` is the number of steps after which
    J ≤ goal for good, up to the end; `lost` after which J or its gradient was no longer finite: the
    path then stays at that point. `touched` is when J ≤ goal for the first time, and `thrown` when
    J, after that, was above J of the start. NEVER where it did not happen.
    """

    w: Tensor
    j: Tensor
    reached: Tensor
    lost: Tensor
    touched: Tensor
    thrown: Tensor


def initial_state(optimizer: Optimizer, start: Array) -> State:
    """The state before the first step."""
    return State(start, optim.init_moments(optimizer.rule, start))


def step(
    j: Objective, optimizer: Optimizer, total: Scalar, k: Scalar, state: State, noise: Tensor
) -> tuple[State, Info]:
    """One step of any optimizer, the (k+1)-th of `total`; `noise` is added to the gradient."""
    height, gradient = jax.value_and_grad(j)(state.w)
    given, _ = clip_by_norm(gradient + noise, optimizer.clip_norm)
    given = clip_by_value(given, optimizer.clip_value)
    alpha = linear_decay(optimizer.alpha_0, optimizer.alpha_t, total, k)
    delta, moments = optim.apply_rule(optimizer.rule, alpha, k + 1, given, state.moments)
    info = Info(height, gradient, given, moments.v, moments.f, delta, alpha)
    return State(state.w + delta, moments), info


def is_finite(info: Info) -> Array:
    """Whether J and its gradient are finite where a step began."""
    return jnp.isfinite(info.j) & jnp.isfinite(info.gradient).all()


def step_or_stop(
    j: Objective, optimizer: Optimizer, total: Scalar, k: Scalar, state: State, noise: Tensor
) -> tuple[State, Info]:
    """`step`, unless J is not finite here or has fallen to `stop`: the path then stays here."""
    after, info = step(j, optimizer, total, k, state, noise)
    halted = ~is_finite(info) | (info.j <= optimizer.stop)
    return jax.tree.map(partial(jnp.where, halted), state, after), info


def draw_noise(optimizer: Optimizer, seed: Scalar, k: Scalar, shape: tuple[int, ...]) -> Array:
    """The noise of a step, the same for all optimizers with one seed."""
    key = jax.random.fold_in(jax.random.key(seed), k)
    return optimizer.noise * jax.random.normal(key, shape)


class Marks(NamedTuple):
    """The steps of a path that `End` tells, so far."""

    reached: Array
    lost: Array
    touched: Array
    thrown: Array


class _Seen(NamedTuple):
    """What the heights of a path are compared with: the goal, and J of the start above it."""

    goal: Scalar
    first: Array

    def mark(self, marks: Marks, k: Scalar, height: Array, finite: Array) -> Marks:
        """The marks after J was `height` at step k."""
        there = (height <= self.goal) & finite & (marks.lost == NEVER)
        touched = _first(marks.touched, there, k)
        return Marks(
            jnp.where(there, _first(marks.reached, there, k), NEVER),
            _first(marks.lost, ~finite, k),
            touched,
            _first(marks.thrown, (touched != NEVER) & ~(height <= self.first), k),
        )


def _first(before: Array, now: Array, k: Scalar) -> Array:
    """The step of the first time: k, where it is `now` and was not before."""
    return jnp.where(now & (before == NEVER), k, before)


def descend(
    j: Objective,
    noisy: bool,
    total: Scalar,
    goal: Scalar,
    optimizer: Optimizer,
    start: Array,
    seed: Array,
) -> End:
    """One path of `total` steps from the start to its end."""
    seen = _Seen(goal, jnp.maximum(j(start), goal))

    def advance(k: Array, carry: tuple[State, Marks]) -> tuple[State, Marks]:
        state, marks = carry
        noise = draw_noise(optimizer, seed, k, start.shape) if noisy else jnp.zeros_like(start)
        after, info = step_or_stop(j, optimizer, total, k, state, noise)
        return after, seen.mark(marks, k, info.j, is_finite(info))

    state, marks = jax.lax.fori_loop(
        0, total, advance, (initial_state(optimizer, start), Marks(*[jnp.asarray(NEVER)] * 4))
    )
    height = j(state.w)
    return End(state.w, height, *seen.mark(marks, total, height, jnp.isfinite(height)))


def stack(optimizers: Sequence[Optimizer]) -> Optimizer:
    """Courses as one, with a leading axis of lanes on every number, float64."""
    return jax.tree.map(lambda *numbers: np.asarray(numbers, np.float64), *optimizers)


def all_pairs(
    optimizers: Optimizer, starts: np.ndarray, seeds: np.ndarray
) -> tuple[Optimizer, np.ndarray, np.ndarray]:
    """Lanes for every optimizer from every start (m, n) with its seed, optimizer by optimizer."""
    count = len(optimizers.alpha_0)
    lanes = jax.tree.map(lambda a: np.repeat(a, len(starts)), optimizers)
    return lanes, np.tile(starts, (count, 1)), np.tile(seeds, count)


class CompiledDescent:
    """Descent of any number of lanes on one function, in chunks of one width, compiled once.

    One program serves all chunks, whatever their optimizers and number of steps.
    """

    def __init__(self, j: Objective, *, noisy: bool = False, width: int = WIDTH) -> None:
        one = partial(descend, j, noisy)
        self._program = jax.jit(jax.vmap(one, in_axes=(None, None, 0, 0, 0)))
        self._width = width

    def run(
        self,
        optimizers: Optimizer,
        starts: Tensor,
        seeds: Tensor,
        steps: int,
        goal: float | None = None,
        advanced: Callable[[int], None] = lambda lanes: None,
    ) -> End:
        """The ends of all lanes: `optimizers` with a leading axis of lanes, starts (lanes, n).

        `advanced` is called with the number of lanes of each finished chunk.
        """
        starts = np.asarray(starts, np.float64)
        count = len(starts)
        arrays = (optimizers, starts, np.asarray(seeds, np.int64))
        bound = -math.inf if goal is None else goal

        def chunk(first: int) -> End:
            rows = np.arange(first, first + self._width).clip(max=count - 1)
            with jax.enable_x64(True):
                picked = jax.tree.map(lambda a: a[rows], arrays)
                end = self._program(np.int64(steps), np.float64(bound), *picked)
                return jax.tree.map(np.asarray, end)

        firsts = range(0, count, self._width)
        ends = []
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for first, end in zip(firsts, pool.map(chunk, firsts), strict=True):
                left = min(self._width, count - first)
                ends.append(jax.tree.map(lambda a, left=left: a[:left], end))
                advanced(left)
        return jax.tree.map(lambda *parts: np.concatenate(parts), *ends)


def trace(
    j: Objective, optimizers: Optimizer, start: Tensor, seed: int, steps: int, shown: np.ndarray
) -> tuple[np.ndarray, Info]:
    """The points (lanes, shown, n) and what happened at the `shown` steps, for lanes of one start.

    Steps that are not shown are taken without being kept: memory follows what is shown.
    """
    spans: Any = (shown, np.append(shown[1:], steps))

    def one(optimizer: Optimizer) -> tuple[Array, Info]:
        where = jnp.asarray(start, jnp.float64)

        def take(k: Array, state: State) -> tuple[State, Info]:
            return step_or_stop(
                j, optimizer, steps, k, state, draw_noise(optimizer, seed, k, where.shape)
            )

        def show(state: State, span: tuple[Array, Array]) -> tuple[State, tuple[Array, Info]]:
            first, after = span
            later, info = take(first, state)
            later = jax.lax.fori_loop(first + 1, after, lambda k, s: take(k, s)[0], later)
            return later, (state.w, info)

        _, seen = jax.lax.scan(show, initial_state(optimizer, where), spans)
        return seen

    with jax.enable_x64(True):
        points, info = jax.jit(jax.vmap(one))(optimizers)
    return np.asarray(points), jax.tree.map(np.asarray, info)
