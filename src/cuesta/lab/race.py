"""A fair race: every optimizer from the same starts, each with a learning rate tuned alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from cuesta.errors import SpecError
from cuesta.lab.bounds import falls_for_ever, lowest_in_domain, without_lowest
from cuesta.lab.descent import NEVER, CompiledDescent, End, Info, Optimizer, all_pairs, stack, trace
from cuesta.lab.function import Function, check_finite, check_start, show
from cuesta.lab.grids import grid_of, shown_steps, surface
from cuesta.lab.minima import LOST, NOWHERE, Critical, critical_points, labels
from cuesta.lab.settings import RaceSettings
from cuesta.lab.taylor import Forecast, forecasts
from cuesta.lab.tuning import Tuned, heights, tune, with_rate

MOST_SEARCHED = 4  # dimensions up to which critical points are sought
BASIN_STEPS = 1000  # at most so many for each of the 10,000 starts
EQUALLY_LOW = 1e-6  # minima whose J differs by less are equally low
Watcher = Callable[[str, float], None]


def _silent(stage: str, share: float) -> None: ...


class Path(NamedTuple):
    """The shown steps of one path: points (shown, n), what the rule did, Taylor's forecasts."""

    points: np.ndarray
    info: Info
    forecasts: list[Forecast]


@dataclass(frozen=True)
class Run:
    """The ends of all seeds, the path from the given start, and the critical point at its end."""

    end: End
    path: Path
    rest: Critical | None


@dataclass(frozen=True)
class Runner:
    """One optimizer in the race: its learning rate and its run.

    `free` is the same run without clipping, where the race clips. `basin` holds, for each start of
    the grid, the index in `Race.resting` of the point where it ended, NOWHERE or LOST; `world` is
    the share of those starts that end at a global minimum.
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
    """The result of a race, the best optimizer first.

    J is counted from `base`; a path has arrived once J ≤ `goal`. `critical` are the critical points
    in the domain, `resting` those at which a path can end, `shown` the steps whose points are kept,
    `grid` the starts of the basins, `surface` J on a grid over the domain.
    """

    function: Function
    terms: RaceSettings
    start: np.ndarray
    base: float
    goal: float
    runners: list[Runner]
    critical: list[Critical]
    resting: list[Critical]
    shown: np.ndarray
    grid: np.ndarray | None
    surface: np.ndarray | None


def race(
    function: Function, settings: RaceSettings, start: object = None, watch: Watcher = _silent
) -> Race:
    """Tune every optimizer, race them, and find where starts of the whole domain end.

    `start` is the function's own unless given; `watch` is called with each stage and the share of
    it that is done. Raises SpecError for a start outside the domain, for one where J is not finite,
    and where no learning rate of any optimizer keeps J finite.
    """
    first = check_start(function, function.start if start is None else start)
    check_finite(function, first)
    watch("critical points", 0.0)
    critical = (
        critical_points(function, settings.seed) if function.dimensions <= MOST_SEARCHED else []
    )
    watch("critical points", 1.0)
    resting = [c for c in critical if c.low]
    stages = _Stages(function, settings, first, watch)
    optimizers, base, goal = stages.tune([c.value for c in resting])
    function = stages.function
    free = [c._replace(clip_norm=math.inf, clip_value=math.inf) for c in optimizers]
    runs = stages.runs([*optimizers, *free] if settings.clips else optimizers, goal, critical)
    nothing = [None] * len(optimizers)  # where nothing is clipped there is nothing to compare
    free_runs = [*runs[len(optimizers) :], *nothing]
    grid = grid_of(function, settings.seed) if settings.basins and resting else None
    basins: list[Any] = [(None, None)] * len(optimizers)
    if grid is not None:
        basins = stages.basins(optimizers, resting, grid, goal)
    parts = zip(settings.optimizers, optimizers, runs, free_runs, basins, strict=False)
    runners = [
        Runner(name, float(c.alpha_0), float(c.alpha_t), run, other, *basin)
        for name, c, run, other, basin in parts
    ]
    runners.sort(key=lambda runner: _rank(runner.run.end, base, goal, settings.steps))
    heights = surface(function) if function.dimensions == 2 else None
    return Race(
        function,
        settings,
        first,
        base,
        goal,
        runners,
        critical,
        resting,
        stages.shown,
        grid,
        heights,
    )


class _Stages:
    """The stages of a race, on one function, with the same starts and one compiled program."""

    def __init__(
        self, function: Function, settings: RaceSettings, first: np.ndarray, watch: Watcher
    ) -> None:
        self.function, self._settings, self._watch = function, settings, watch
        self._descent = CompiledDescent(function.value, noisy=settings.noise > 0)
        self._starts, self._seeds = _starts(function, settings, first, settings.seeds, stream=0)
        self._starts[0] = first
        self.shown = shown_steps(settings.steps)

    def tune(self, values: list[float]) -> tuple[list[Optimizer], float, float]:
        """The optimizers with their best rates, the height J is counted from, and the goal.

        Where the lowest J is not known, it is the least of the critical `values` and what tuning
        met; `function` is told where tuning shows that there is none.
        """
        optimizers, tuned = self._tuned(values)
        if self.function.lowest is None and self._falls(tuned):
            known = lowest_in_domain(self.function, grid_of(self.function, self._settings.seed))
            self.function = without_lowest(self.function, min([known, *values]))
            optimizers, tuned = self._tuned(values)
        elif self.function.goal is None and tuned.lowest < min(values, default=math.inf):
            # Now that a lower value is known, the time to reach it can decide.
            optimizers, tuned = self._tuned([*values, tuned.lowest])
        function = self.function
        if tuned.lost is not None:
            step, point = tuned.lost
            raise SpecError(
                f"{function.name} is not finite at step {step}, at {show(point)}, and no rate of "
                "any optimizer avoids such points."
            )
        fitted = [with_rate(c, rate) for c, rate in zip(optimizers, tuned.rates, strict=True)]
        lowest = min([tuned.lowest, *values]) if function.lowest is None else function.lowest
        base, near = heights(lowest, function.goal, tuned.lowest)
        return fitted, base, base + near if function.goal is None else function.goal

    def _falls(self, tuned: Tuned) -> bool:
        """Whether the lowest path of the tuning shows that J has no lowest value."""
        start = self._starts[0]
        return tuned.lowest == -math.inf or falls_for_ever(self.function, start, tuned.deepest)

    def _tuned(self, values: list[float]) -> tuple[list[Optimizer], Tuned]:
        function, settings = self.function, self._settings
        optimizers = [settings.optimizer(name, function) for name in settings.optimizers]
        starts, seeds = _starts(
            function, settings, self._starts[0], settings.tuning_starts, stream=1
        )
        lowest, goal = function.lowest, function.goal
        if lowest is None and values:
            lowest = min(values)
        if goal is None and lowest is not None:
            goal = sum(heights(lowest, goal, lowest))
        return optimizers, tune(
            self._descent,
            optimizers,
            settings.rates(function),
            starts,
            seeds,
            settings.steps,
            lowest=lowest,
            goal=goal,
            advanced=self._progress("tuning", len(optimizers) * settings.tries * len(starts)),
        )

    def runs(self, optimizers: list[Optimizer], goal: float, critical: list[Critical]) -> list[Run]:
        """Every optimizer from all the starts."""
        steps = self._settings.steps
        ends = self._run(optimizers, self._starts, self._seeds, goal, "race", steps)
        places = labels(self.function, critical, np.array([end.w[0] for end in ends]))
        rests = [critical[place] if place >= 0 else None for place in places]
        return [Run(*row) for row in zip(ends, self._paths(optimizers), rests, strict=True)]

    def _paths(self, optimizers: list[Optimizer]) -> list[Path]:
        """The shown steps from the given start, for each optimizer."""
        j, steps = self.function.value, self._settings.steps
        points, info = trace(
            j, stack(optimizers), self._starts[0], int(self._seeds[0]), steps, self.shown
        )
        flat = -1, points.shape[-1]
        predicted = forecasts(j, points.reshape(flat), info.delta.reshape(flat))
        count = len(self.shown)
        return [
            Path(points[i], Info(*(part[i] for part in info)), predicted[i * count :][:count])
            for i in range(len(optimizers))
        ]

    def basins(
        self, optimizers: list[Optimizer], resting: list[Critical], grid: np.ndarray, goal: float
    ) -> list[tuple[np.ndarray, float]]:
        """Where each start of the grid ends, for each optimizer, and the share that ends lowest.

        Where it ends is an index in `resting`, NOWHERE or LOST. An end below the goal counts as a
        lowest one wherever it is, since a curve of minima goes on beyond the domain.
        """
        steps = min(self._settings.steps, BASIN_STEPS)
        ends = self._run(optimizers, grid, np.arange(len(grid)), goal, "basins", steps)
        least = min(c.value for c in resting)
        lowest = np.array([c.value - least <= EQUALLY_LOW for c in resting] + [False, False])
        curves = [i for i, c in enumerate(resting) if lowest[i] and len(c.members) > 1]
        basins = []
        for end in ends:
            places = np.where(end.lost != NEVER, LOST, labels(self.function, resting, end.w))
            low = (end.j <= goal) & (end.lost == NEVER)
            if curves:
                places = np.where(low & (places == NOWHERE), curves[0], places)
            basins.append((places, float((lowest[places] | low).mean())))
        return basins

    def _run(
        self,
        optimizers: list[Optimizer],
        starts: np.ndarray,
        seeds: np.ndarray,
        goal: float,
        stage: str,
        steps: int,
    ) -> list[End]:
        lanes = all_pairs(stack(optimizers), starts, seeds)
        progress = self._progress(stage, len(optimizers) * len(starts))
        end = self._descent.run(*lanes, steps, goal, advanced=progress)
        shape = len(optimizers), len(starts)
        apart = End(*(part.reshape(*shape, *part.shape[1:]) for part in end))
        return [End(*(part[i] for part in apart)) for i in range(len(optimizers))]

    def _progress(self, stage: str, lanes: int) -> Callable[[int], None]:
        done = 0

        def advanced(more: int) -> None:
            nonlocal done
            done += more
            self._watch(stage, done / lanes)

        self._watch(stage, 0.0)
        return advanced


def _starts(
    function: Function, settings: RaceSettings, first: np.ndarray, count: int, stream: int
) -> tuple[np.ndarray, np.ndarray]:
    """Starts (count, n) around the first, inside the domain, and the seeds of their noise."""
    rng = np.random.default_rng([5, settings.seed, stream])
    moved = first + rng.uniform(-1, 1, (count, len(first))) * settings.spread * function.width()
    low = function.low()
    return np.clip(moved, low, low + function.width()), rng.integers(2**31, size=count)


def _rank(end: End, base: float, goal: float, steps: int) -> tuple[float, float, float]:
    """What orders the runners: the seeds that fail, then median steps, then the median of J."""
    arrived = reached_goal(end)
    took = np.where(arrived, end.reached, steps + 1)
    height = np.where(np.isfinite(end.j), end.j - base, np.inf)
    return float((~arrived).sum()), float(np.median(took)), float(np.median(height))


def reached_goal(end: End) -> np.ndarray:
    """Which paths reached the goal for good and did not overflow later."""
    return (end.reached != NEVER) & (end.lost == NEVER)
