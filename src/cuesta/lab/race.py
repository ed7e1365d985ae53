"""A fair race: every optimizer from the same starts, each with a rate tuned at equal cost."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from cuesta.core.optim import usual_rule
from cuesta.errors import SpecError
from cuesta.lab.descent import NEVER, Bulk, Course, End, Info, crossed, stack, trace
from cuesta.lab.functions import Function, check_start
from cuesta.lab.minima import LOST, Critical, critical_points, labels
from cuesta.lab.taylor import Forecast, forecasts
from cuesta.lab.tuning import heights, tune, with_rate
from cuesta.spec import DIALECTS, OPTIMIZERS, check_choice, check_count, check_range

FEW = 4  # dimensions up to which critical points are sought
DENSE = 100  # steps at the start of a long path that are all shown
GRID = 100  # starts of a basin picture along each side
SHOWN = 600  # steps of a path that are kept to be seen
MANY = 1_000_000
Watcher = Callable[[str, float], None]


def _silent(stage: str, share: float) -> None: ...


@dataclass(frozen=True)
class Terms:
    """The terms of a race, checked when made.

    Each optimizer's α is the best of `tries` rates from `lowest_rate` to `highest_rate` (the
    function's own where it is None), in equal ratios, over `tuning_starts` starts. The race has `seeds` starts: the given one, and others
    within ± `spread` of the domain's width of it, as the starts of the tuning are; none is in
    both. `noise` is the variance of what is added to each component of the gradient; `clip_norm`
    and `clip_value` bound it (N5); α decays linearly to α · `final_ratio` (N12). `basins` asks
    where 10,000 starts of the whole domain end.
    Raises SpecError naming what is unusable.
    """

    optimizers: tuple[str, ...] = OPTIMIZERS
    dialect: str = "notes"
    steps: int = 2000
    seeds: int = 9
    tries: int = 40
    lowest_rate: float = 1e-5
    highest_rate: float | None = None
    tuning_starts: int = 9
    spread: float = 0.05
    noise: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    final_ratio: float | None = None
    seed: int = 0
    basins: bool = True

    def __post_init__(self) -> None:
        if not self.optimizers:
            raise SpecError("A race needs at least one optimizer.")
        for name in self.optimizers:
            check_choice("optimizer", name, OPTIMIZERS)
        if len(set(self.optimizers)) < len(self.optimizers):
            raise SpecError("An optimizer races once; one is named twice.")
        check_choice("dialect", self.dialect, DIALECTS)
        for name in ("steps", "seeds", "tries", "tuning_starts"):
            check_count(name, getattr(self, name), MANY)
        check_range("lowest_rate", self.lowest_rate, 0, math.inf, open_low=True)
        if self.highest_rate is not None:
            check_range("highest_rate", self.highest_rate, self.lowest_rate, math.inf)
        check_range("spread", self.spread, 0, 1)
        check_range("noise", self.noise, 0, math.inf)
        for name in ("clip_norm", "clip_value"):
            if getattr(self, name) is not None:
                check_range(name, getattr(self, name), 0, math.inf, open_low=True)
        if self.final_ratio is not None:
            check_range("final_ratio", self.final_ratio, 0, 1)

    @property
    def clips(self) -> bool:
        """Whether any bound is set."""
        return self.clip_norm is not None or self.clip_value is not None

    def rates(self, function: Function) -> np.ndarray:
        """The rates that are tried for every optimizer."""
        highest = function.highest_rate if self.highest_rate is None else self.highest_rate
        return np.geomspace(self.lowest_rate, max(highest, self.lowest_rate), self.tries)

    def course(self, optimizer: str, function: Function) -> Course:
        """An optimizer on these terms, with α₀ = 1."""
        falls = function.lowest is not None and math.isinf(function.lowest)
        return Course(
            usual_rule(optimizer, self.dialect),
            1.0,
            1.0 if self.final_ratio is None else self.final_ratio,
            math.inf if self.clip_norm is None else self.clip_norm,
            math.inf if self.clip_value is None else self.clip_value,
            math.sqrt(self.noise),
            function.goal if falls and function.goal is not None else -math.inf,
        )


class Path(NamedTuple):
    """The shown steps of one path: points (shown, n), what the rule did there, what was foreseen."""

    points: np.ndarray
    info: Info
    forecasts: list[Forecast]


@dataclass(frozen=True)
class Runner:
    """An optimizer's race: its rate, the ends of its seeds, its path from the given start.

    `unclipped` and `ghost` are the same without clipping, where there is any; `basin` holds, for
    each start of the grid, the place in `Race.resting` of where it ended, NOWHERE or LOST.
    """

    optimizer: str
    learning_rate: float
    final_learning_rate: float
    end: End
    path: Path
    unclipped: End | None
    ghost: Path | None
    basin: np.ndarray | None


@dataclass(frozen=True)
class Race:
    """All that a race showed, the first to arrive first.

    J is counted from `base`; a path has arrived once J ≤ `goal`. `resting` are the critical points
    at which a path can end.
    """

    function: Function
    terms: Terms
    start: np.ndarray
    base: float
    goal: float
    runners: list[Runner]
    critical: list[Critical]
    resting: list[Critical]
    shown: np.ndarray
    grid: np.ndarray | None


def race(function: Function, terms: Terms, start: object = None, watch: Watcher = _silent) -> Race:
    """Tune every optimizer, race them, and see where starts of the whole domain end.

    `start` is the function's own unless given; `watch` is told of each stage and the share of it
    that is done. Raises SpecError for a start outside the domain, for one where J is not finite,
    and where no rate of any optimizer keeps J finite.
    """
    first = check_start(function, function.start if start is None else start)
    check_finite(function, first)
    watch("critical points", 0.0)
    critical = critical_points(function, terms.seed) if function.dimensions <= FEW else []
    watch("critical points", 1.0)
    resting = [c for c in critical if c.low]
    field = _Field(function, terms, first, watch)
    courses, base, goal = field.tune([c.value for c in resting])
    free = [c._replace(clip_norm=math.inf, clip_value=math.inf) for c in courses]
    both = [*courses, *free] if terms.clips else courses
    nothing = [None] * len(courses)  # where nothing is clipped there is nothing to compare
    ends, paths = field.ends(both, goal, "race"), field.paths(both)
    unclipped, ghosts = [*ends[len(courses) :], *nothing], [*paths[len(courses) :], *nothing]
    grid = grid_of(function, terms.seed) if terms.basins and resting else None
    basins = nothing if grid is None else field.basins(courses, resting, grid)
    parts = zip(terms.optimizers, courses, ends, paths, unclipped, ghosts, basins, strict=False)
    runners = [
        Runner(name, float(c.alpha_0), float(c.alpha_t), *rest) for name, c, *rest in parts
    ]
    runners.sort(key=lambda runner: _place(runner.end, base, goal, terms.steps))
    return Race(function, terms, first, base, goal, runners, critical, resting, field.shown, grid)


class _Field:
    """What all runners of a race share: the function, the starts, the compiled program."""

    def __init__(
        self, function: Function, terms: Terms, first: np.ndarray, watch: Watcher
    ) -> None:
        self._function, self._terms, self._watch = function, terms, watch
        self._bulk = Bulk(function.value, noisy=terms.noise > 0)
        self._starts, self._seeds = _starts(function, terms, first, terms.seeds, stream=0)
        self._starts[0] = first
        self.shown = shown_steps(terms.steps)

    def tune(self, values: list[float]) -> tuple[list[Course], float, float]:
        """The courses with their best rates, the height J is counted from, and the goal.

        Where the lowest J is not known, it is the least of the critical `values` and what tuning
        met.
        """
        function, terms = self._function, self._terms
        courses = [terms.course(name, function) for name in terms.optimizers]
        starts, seeds = _starts(function, terms, self._starts[0], terms.tuning_starts, stream=1)
        tuned = tune(
            self._bulk,
            courses,
            terms.rates(function),
            starts,
            seeds,
            terms.steps,
            lowest=min(values, default=None) if function.lowest is None else function.lowest,
            goal=function.goal,
            advanced=self._progress("tuning", len(courses) * terms.tries * len(starts)),
        )
        if tuned.lost is not None:
            step, point = tuned.lost
            raise SpecError(
                f"{function.name} is not finite at step {step}, at {show(point)}, and no rate of "
                "any optimizer gets past such points."
            )
        fitted = [with_rate(c, rate) for c, rate in zip(courses, tuned.rates, strict=True)]
        lowest = min([tuned.lowest, *values]) if function.lowest is None else function.lowest
        base, near = heights(lowest, function.goal, tuned.lowest)
        return fitted, base, base + near if function.goal is None else function.goal

    def ends(self, courses: list[Course], goal: float, stage: str) -> list[End]:
        """The ends of all seeds, for each course."""
        return self._run(courses, self._starts, self._seeds, goal, stage)

    def paths(self, courses: list[Course]) -> list[Path]:
        """The shown steps from the given start, for each course."""
        j, steps = self._function.value, self._terms.steps
        points, info = trace(
            j, stack(courses), self._starts[0], int(self._seeds[0]), steps, self.shown
        )
        flat = -1, points.shape[-1]
        foreseen = forecasts(j, points.reshape(flat), info.delta.reshape(flat))
        count = len(self.shown)
        return [
            Path(points[i], Info(*(part[i] for part in info)), foreseen[i * count :][:count])
            for i in range(len(courses))
        ]

    def basins(
        self, courses: list[Course], resting: list[Critical], grid: np.ndarray
    ) -> list[np.ndarray]:
        """Where each start of the grid ends: its place in `resting`, NOWHERE or LOST."""
        ends = self._run(courses, grid, np.arange(len(grid)), -math.inf, "basins")
        found = [labels(self._function, resting, end.w) for end in ends]
        lost = [end.lost != NEVER for end in ends]
        return [np.where(gone, LOST, places) for places, gone in zip(found, lost, strict=True)]

    def _run(
        self, courses: list[Course], starts: np.ndarray, seeds: np.ndarray, goal: float, stage: str
    ) -> list[End]:
        lanes = crossed(stack(courses), starts, seeds)
        progress = self._progress(stage, len(courses) * len(starts))
        end = self._bulk.run(*lanes, self._terms.steps, goal, advanced=progress)
        shape = len(courses), len(starts)
        apart = End(*(part.reshape(*shape, *part.shape[1:]) for part in end))
        return [End(*(part[i] for part in apart)) for i in range(len(courses))]

    def _progress(self, stage: str, lanes: int) -> Callable[[int], None]:
        done = 0

        def advanced(more: int) -> None:
            nonlocal done
            done += more
            self._watch(stage, done / lanes)

        self._watch(stage, 0.0)
        return advanced


def check_finite(function: Function, start: np.ndarray) -> None:
    """Raise SpecError where J or its gradient is not finite at the start."""
    with jax.enable_x64(True):
        height, slope = jax.value_and_grad(function.value)(jnp.asarray(start))
    if not np.isfinite(height) or not np.isfinite(slope).all():
        what = "J" if not np.isfinite(height) else "the gradient"
        raise SpecError(
            f"{what} of {function.name} is not finite at step 0, at {show(start)}: "
            "take another start."
        )


def show(point: np.ndarray) -> str:
    """A point as a person writes it; of a long one its first coordinates."""
    shown = ", ".join(f"{value:.6g}" for value in point[:6])
    return f"({shown}{', …' if len(point) > 6 else ''})"


def _starts(
    function: Function, terms: Terms, first: np.ndarray, count: int, stream: int
) -> tuple[np.ndarray, np.ndarray]:
    """Starts (count, n) around the first, inside the domain, and the seeds of their noise."""
    rng = np.random.default_rng([5, terms.seed, stream])
    moved = first + rng.uniform(-1, 1, (count, len(first))) * terms.spread * function.width()
    low = function.low()
    return np.clip(moved, low, low + function.width()), rng.integers(2**31, size=count)


def shown_steps(steps: int) -> np.ndarray:
    """All steps of a short path; of a long one the first hundred, then ever fewer, to the last."""
    if steps <= SHOWN:
        return np.arange(steps)
    later = np.geomspace(DENSE, steps - 1, SHOWN - DENSE)
    return np.unique(np.concatenate([np.arange(DENSE), later.round().astype(np.int64)]))


def grid_of(function: Function, seed: int) -> np.ndarray:
    """10,000 starts of the whole domain: a square grid in two dimensions, else evenly spread."""
    if function.dimensions == 2:
        x, y = axes(function, GRID)
        return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    from scipy.stats import qmc

    sampler = qmc.Sobol(function.dimensions, rng=np.random.default_rng([6, seed]))
    return function.low() + function.width() * sampler.random(2**14)[: GRID**2]


def axes(function: Function, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The coordinates of a grid over a domain of two dimensions."""
    (left, right), (bottom, top) = function.domain
    return np.linspace(left, right, count), np.linspace(bottom, top, count)


def surface(function: Function, count: int = 81) -> np.ndarray:
    """J on a grid over a domain of two dimensions: (y, x)."""
    x, y = axes(function, count)
    points = np.stack(np.meshgrid(x, y), axis=-1)
    with jax.enable_x64(True):
        return np.asarray(jax.jit(jax.vmap(jax.vmap(function.value)))(jnp.asarray(points)))


def _place(end: End, base: float, goal: float, steps: int) -> tuple[float, float, float]:
    """What orders the runners: seeds that do not arrive, the usual time, the usual height."""
    there = arrived(end, goal)
    took = np.where(there, end.reached, steps + 1)
    height = np.where(np.isfinite(end.j), end.j - base, np.inf)
    return float((~there).sum()), float(np.median(took)), float(np.median(height))


def arrived(end: End, goal: float) -> np.ndarray:
    """Which paths reached the goal and did not lose it again by overflowing."""
    return (end.reached != NEVER) & (end.lost == NEVER)
