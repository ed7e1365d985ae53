"""Descent on a function: one path, then many of them in one compiled call.

Here, beside `search.lanes`, code for one is batched: `Bulk` trains many lanes (one optimizer, one
start, one seed) to their ends, `trace` records single steps of a few.
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
from cuesta.lab.functions import Objective

WIDTH = 1024  # lanes of one compiled call: their state stays in a core's cache
NEVER = -1


class Course(NamedTuple):
    """The numbers of one path: all scalars, which can be batched.

    α goes linearly from `alpha_0` to `alpha_t` (N12); ∞ bounds clip nothing (N5); `noise` is the
    standard deviation of what is added to each component of the gradient. A path stops once
    J ≤ `stop`: where J has no lowest value it would fall until it overflows.
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
    """What a person wants to see of a step from w: J(w), and what the rule made of its gradient.

    `gradient` is ∇J(w); `clipped` what the rule is given, with noise and after clipping; `v` and
    `f` the moments that it leaves; `delta` the displacement.
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
    J ≤ goal for the first time, `lost` after which J or its gradient was no longer finite: the
    path then stays at that point. NEVER where it did not happen.
    """

    w: Tensor
    j: Tensor
    reached: Tensor
    lost: Tensor


def begin(course: Course, start: Array) -> State:
    """The state before the first step."""
    return State(start, optim.init_moments(course.rule, start))


def step(
    j: Objective, course: Course, total: Scalar, k: Scalar, state: State, noise: Tensor
) -> tuple[State, Info]:
    """One step of any optimizer, the (k+1)-th of `total`; `noise` is added to the gradient."""
    height, gradient = jax.value_and_grad(j)(state.w)
    given, _ = clip_by_norm(gradient + noise, course.clip_norm)
    given = clip_by_value(given, course.clip_value)
    alpha = linear_decay(course.alpha_0, course.alpha_t, total, k)
    delta, moments = optim.apply_rule(course.rule, alpha, k + 1, given, state.moments)
    info = Info(height, gradient, given, moments.v, moments.f, delta, alpha)
    return State(state.w + delta, moments), info


def sound(info: Info) -> Array:
    """Whether J and its gradient are finite where a step began."""
    return jnp.isfinite(info.j) & jnp.isfinite(info.gradient).all()


def proceed(
    j: Objective, course: Course, total: Scalar, k: Scalar, state: State, noise: Tensor
) -> tuple[State, Info]:
    """`step`, unless J is not finite here or has fallen to `stop`: the path then stays."""
    after, info = step(j, course, total, k, state, noise)
    halted = ~sound(info) | (info.j <= course.stop)
    return jax.tree.map(partial(jnp.where, halted), state, after), info


def draw(course: Course, seed: Scalar, k: Scalar, shape: tuple[int, ...]) -> Array:
    """The noise of a step: all optimizers of one seed meet the same."""
    key = jax.random.fold_in(jax.random.key(seed), k)
    return course.noise * jax.random.normal(key, shape)


def descend(
    j: Objective,
    noisy: bool,
    total: Scalar,
    goal: Scalar,
    course: Course,
    start: Array,
    seed: Array,
) -> End:
    """One path of `total` steps from the start to its end."""

    def advance(k: Array, carry: tuple[State, Array, Array]) -> tuple[State, Array, Array]:
        state, reached, lost = carry
        noise = draw(course, seed, k, start.shape) if noisy else jnp.zeros_like(start)
        after, info = proceed(j, course, total, k, state, noise)
        arrived = (info.j <= goal) & (reached == NEVER) & (lost == NEVER)
        gone = ~sound(info) & (lost == NEVER)
        return after, jnp.where(arrived, k, reached), jnp.where(gone, k, lost)

    never = jnp.asarray(NEVER)
    state, reached, lost = jax.lax.fori_loop(
        0, total, advance, (begin(course, start), never, never)
    )
    height = j(state.w)
    arrived = (height <= goal) & (reached == NEVER) & (lost == NEVER)
    gone = ~jnp.isfinite(height) & (lost == NEVER)
    return End(state.w, height, jnp.where(arrived, total, reached), jnp.where(gone, total, lost))


def stack(courses: Sequence[Course]) -> Course:
    """Courses as one, with a leading axis of lanes on every number, float64."""
    return jax.tree.map(lambda *numbers: np.asarray(numbers, np.float64), *courses)


def crossed(
    courses: Course, starts: np.ndarray, seeds: np.ndarray
) -> tuple[Course, np.ndarray, np.ndarray]:
    """Lanes for every course from every start (m, n) with its seed, course by course."""
    count = len(courses.alpha_0)
    lanes = jax.tree.map(lambda a: np.repeat(a, len(starts)), courses)
    return lanes, np.tile(starts, (count, 1)), np.tile(seeds, count)


class Bulk:
    """Compiled descent of many lanes on one function: any number of them, in chunks of one width.

    One program serves all chunks, whatever their courses and number of steps.
    """

    def __init__(self, j: Objective, *, noisy: bool = False, width: int = WIDTH) -> None:
        one = partial(descend, j, noisy)
        self._program = jax.jit(jax.vmap(one, in_axes=(None, None, 0, 0, 0)))
        self._width = width

    def run(
        self,
        courses: Course,
        starts: Tensor,
        seeds: Tensor,
        steps: int,
        goal: float | None = None,
        advanced: Callable[[int], None] = lambda lanes: None,
    ) -> End:
        """The ends of all lanes: `courses` with a leading axis of lanes, starts (lanes, n).

        `advanced` is told how many lanes a finished chunk had.
        """
        starts = np.asarray(starts, np.float64)
        count = len(starts)
        arrays = (courses, starts, np.asarray(seeds, np.int64))
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
    j: Objective, courses: Course, start: Tensor, seed: int, steps: int, shown: np.ndarray
) -> tuple[np.ndarray, Info]:
    """The points (lanes, shown, n) and what happened at the `shown` steps, for lanes of one start.

    Steps that are not shown are taken without being kept: memory follows what is shown.
    """
    spans: Any = (shown, np.append(shown[1:], steps))

    def one(course: Course) -> tuple[Array, Info]:
        where = jnp.asarray(start, jnp.float64)

        def take(k: Array, state: State) -> tuple[State, Info]:
            return proceed(j, course, steps, k, state, draw(course, seed, k, where.shape))

        def show(state: State, span: tuple[Array, Array]) -> tuple[State, tuple[Array, Info]]:
            first, after = span
            later, info = take(first, state)
            later = jax.lax.fori_loop(first + 1, after, lambda k, s: take(k, s)[0], later)
            return later, (state.w, info)

        _, seen = jax.lax.scan(show, begin(course, where), spans)
        return seen

    with jax.enable_x64(True):
        points, info = jax.jit(jax.vmap(one))(courses)
    return np.asarray(points), jax.tree.map(np.asarray, info)
