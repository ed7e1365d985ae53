"""A fair race: every optimizer from the same starts, each with a rate tuned at equal cost."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from cuesta.errors import SpecError
from cuesta.lab.descent import NEVER, Bulk, Course, End, Info, crossed, stack, trace
from cuesta.lab.functions import Function, check_start
from cuesta.lab.grids import grid_of, shown_steps, surface
from cuesta.lab.minima import LOST, NOWHERE, Critical, critical_points, labels
from cuesta.lab.taylor import Forecast, forecasts
from cuesta.lab.terms import Terms
from cuesta.lab.tuning import heights, tune, with_rate

FEW = 4  # dimensions up to which critical points are sought
BASIN_STEPS = 1000  # at most so many for each of the 10,000 starts
WORLD = 1e-6  # minima whose J differs by less are equally low
Watcher = Callable[[str, float], None]


def _silent(stage: str, share: float) -> None: ...


class Path(NamedTuple):
    """The shown steps of one path: points (shown, n), what the rule did, what was foreseen."""

    points: np.ndarray
    info: Info
    forecasts: list[Forecast]


@dataclass(frozen=True)
class Run:
    """The ends of all seeds, the path from the given start, and the critical point it ends at."""

    end: End
    path: Path
    rest: Critical | None


@dataclass(frozen=True)
class Runner:
    """An optimizer's race: its rate, its run, and the same run without clipping where there is any.

    `basin` holds, for each start of the grid, the place in `Race.resting` of where it ended,
    NOWHERE or LOST; `world` is the share of those starts that end as low as J goes.
    """

    optimizer: str
    learning_rate: float
    final_learning_rate: float
    run: Run
    free: Run | None
    basin: np.ndarray | None
    world: float | None


@dataclass(frozen=True)
class Race:
    """All that a race showed, the first to arrive first.

    J is counted from `base`; a path has arrived once J ≤ `goal`. `resting` are the critical points
    at which a path can end, `grid` the starts of the basins, `surface` J on a grid of `axes`.
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
    surface: np.ndarray | None


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
    runs = field.runs([*courses, *free] if terms.clips else courses, goal, critical)
    nothing = [None] * len(courses)  # where nothing is clipped there is nothing to compare
    free_runs = [*runs[len(courses) :], *nothing]
    grid = grid_of(function, terms.seed) if terms.basins and resting else None
    basins: list[Any] = [(None, None)] * len(courses)
    if grid is not None:
        basins = field.basins(courses, resting, grid, goal)
    parts = zip(terms.optimizers, courses, runs, free_runs, basins, strict=False)
    runners = [
        Runner(name, float(c.alpha_0), float(c.alpha_t), run, other, *basin)
        for name, c, run, other, basin in parts
    ]
    runners.sort(key=lambda runner: _place(runner.run.end, base, goal, terms.steps))
    heights = surface(function) if function.dimensions == 2 else None
    return Race(
        function, terms, first, base, goal, runners, critical, resting, field.shown, grid, heights
    )


class _Field:
    """What all runners of a race share: the function, the starts, the compiled program."""

    def __init__(self, function: Function, terms: Terms, first: np.ndarray, watch: Watcher) -> None:
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

    def runs(self, courses: list[Course], goal: float, critical: list[Critical]) -> list[Run]:
        """Every course from all the starts."""
        steps = self._terms.steps
        ends = self._run(courses, self._starts, self._seeds, goal, "race", steps)
        places = labels(self._function, critical, np.array([end.w[0] for end in ends]))
        rests = [critical[place] if place >= 0 else None for place in places]
        return [Run(*row) for row in zip(ends, self._paths(courses), rests, strict=True)]

    def _paths(self, courses: list[Course]) -> list[Path]:
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
        self, courses: list[Course], resting: list[Critical], grid: np.ndarray, goal: float
    ) -> list[tuple[np.ndarray, float]]:
        """Where each start of the grid ends, for each course, and the share that ends lowest.

        That is its place in `resting`, NOWHERE or LOST. An end below the goal is one of the
        lowest wherever it lies: a curve of minima goes on beyond the domain.
        """
        steps = min(self._terms.steps, BASIN_STEPS)
        ends = self._run(courses, grid, np.arange(len(grid)), goal, "basins", steps)
        least = min(c.value for c in resting)
        lowest = np.array([c.value - least <= WORLD for c in resting] + [False, False])
        curves = [i for i, c in enumerate(resting) if lowest[i] and len(c.members) > 1]
        basins = []
        for end in ends:
            places = np.where(end.lost != NEVER, LOST, labels(self._function, resting, end.w))
            low = (end.j <= goal) & (end.lost == NEVER)
            if curves:
                places = np.where(low & (places == NOWHERE), curves[0], places)
            basins.append((places, float((lowest[places] | low).mean())))
        return basins

    def _run(
        self,
        courses: list[Course],
        starts: np.ndarray,
        seeds: np.ndarray,
        goal: float,
        stage: str,
        steps: int,
    ) -> list[End]:
        lanes = crossed(stack(courses), starts, seeds)
        progress = self._progress(stage, len(courses) * len(starts))
        end = self._bulk.run(*lanes, steps, goal, advanced=progress)
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


def _place(end: End, base: float, goal: float, steps: int) -> tuple[float, float, float]:
    """What orders the runners: seeds that do not arrive, the usual time, the usual height."""
    there = arrived(end, goal)
    took = np.where(there, end.reached, steps + 1)
    height = np.where(np.isfinite(end.j), end.j - base, np.inf)
    return float((~there).sum()), float(np.median(took)), float(np.median(height))


def arrived(end: End, goal: float) -> np.ndarray:
    """Which paths reached the goal and did not lose it again by overflowing."""
    return (end.reached != NEVER) & (end.lost == NEVER)
