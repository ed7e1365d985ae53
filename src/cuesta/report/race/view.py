"""A race in plain values, for the page, the still picture and JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cuesta import __version__

if TYPE_CHECKING:
    from cuesta.lab.minima import Critical
    from cuesta.lab.race import Path, Race, Run, Runner

LATE = 0.9  # the share of the steps after which a path must still move to be on its way
FLAT = 1e-3  # the relative change of J below which it does not move
SETTINGS = (
    *("steps", "seeds", "seed", "tries", "tuning_starts", "spread", "noise", "dialect"),
    *("clip_norm", "clip_value", "final_ratio"),
)
MOMENTS = {"v": ("momentum", "adam"), "f": ("adagrad", "rmsprop", "adam")}
FORMAT = 1  # the layout of these values


def view(race: Race) -> dict[str, Any]:
    """All of the race in plain values; numbers that are not finite are None."""
    return _finite(
        {
            "format": FORMAT,
            "version": __version__,
            "function": _function(race),
            "settings": _settings(race),
            "results": [result(race, runner) for runner in race.runners],
            "critical_points": [_critical(race, c) for c in race.critical],
            "minima": [_place_of(race, c) for c in race.resting],
            "paths": [_path(race, runner) for runner in race.runners],
            "surface": _surface(race),
            "basins": _basins(race),
        }
    )


def numbers(view: dict[str, Any]) -> dict[str, Any]:
    """The view without what only pictures need."""
    return {name: part for name, part in view.items() if name not in ("surface", "basins")}


def result(race: Race, runner: Runner) -> dict[str, Any]:
    """One optimizer's row of the table of results."""
    from cuesta.lab.formulas import NOTES_ROWS, decays, formula

    end, dialect = runner.run.end, race.terms.dialect
    there = arrived(runner.run)
    took = np.where(there, end.reached, math.inf)
    basin, resting = runner.basin, len(race.resting)
    return {
        "optimizer": runner.optimizer,
        "row": NOTES_ROWS[runner.optimizer],
        "formula": formula(runner.optimizer, dialect),
        "numbers": decays(runner.optimizer, dialect),
        "learning_rate": runner.learning_rate,
        "final_learning_rate": runner.final_learning_rate
        if race.terms.final_ratio is not None
        else None,
        "edge": at_edge(race, runner),
        "reached": int(there.sum()),
        "steps_to_goal": _quartiles(took),
        "final": _quartiles(np.where(np.isfinite(end.j), end.j - race.base, math.inf)),
        "end": end.w[0].tolist(),
        "end_value": float(end.j[0]),
        "outcome": outcome(race, runner.run),
        "unclipped": None if runner.free is None else _unclipped(race, runner.free),
        "shares": None
        if basin is None
        else [float((basin == place).mean()) for place in range(resting)],
        "global_share": runner.world,
    }


def arrived(run: Run) -> np.ndarray:
    """Which seeds reached the goal for good and did not overflow later."""
    return (run.end.reached >= 0) & (run.end.lost < 0)


def at_edge(race: Race, runner: Runner) -> bool:
    """Whether the tuned rate is the first or last that was tried: a better one may lie beyond."""
    rates = race.terms.rates(race.function)
    return len(rates) > 1 and runner.learning_rate in (rates[0], rates[-1])


def outcome(race: Race, run: Run) -> str:
    """How the path from the given start ends, in a sentence without its subject."""
    end, where = run.end, show(run.end.w[0])
    reached, lost, height = int(end.reached[0]), int(end.lost[0]), float(end.j[0])
    if lost >= 0:
        return f"is lost: {_not_finite(height)} at step {lost:,}, at {where}"
    if race.function.lowest is not None and math.isinf(race.function.lowest):
        if reached >= 0:
            return f"falls below J = {race.goal:g} at step {reached:,}"
        return f"does not fall below J = {race.goal:g}: it is at {where}"
    if reached >= 0 and height <= race.goal:
        touched = int(end.touched[0])
        first = f" for good (it touches it first at step {touched:,})" if touched < reached else ""
        return f"reaches the minimum {_rest(run.rest, where)} at step {reached:,}{first}"
    above = f"J is {height - race.base:.3g} above the lowest"
    if end.touched[0] >= 0:
        return _touched(run, above)
    return _elsewhere(race, run, height, above)


def _not_finite(height: float) -> str:
    """What is not finite where J is `height`: J, or its gradient only."""
    if math.isnan(height):
        return "J is not a number (NaN)"
    return (
        "the gradient is not finite"
        if math.isfinite(height)
        else f"J is {height:+}".replace("inf", "∞").replace("-", "−")
    )


def _touched(run: Run, above: str) -> str:
    touched, thrown = int(run.end.touched[0]), int(run.end.thrown[0])
    leaves = f"is thrown out at step {thrown:,}" if thrown >= 0 else "leaves it"
    return f"touches the minimum at step {touched:,} and {leaves}: at the end {above}"


def _elsewhere(race: Race, run: Run, height: float, above: str) -> str:
    """Where a path is that did not arrive."""
    where = show(run.end.w[0])
    if run.rest is not None:
        if run.rest.value - race.base > max(race.goal - race.base, 1e-6):
            kind = f"local {run.rest.kind}" if run.rest.low else run.rest.kind
            return f"ends at the {kind} {show(run.rest.point)}, where J = {run.rest.value:.4g}"
        return f"is near the minimum {_rest(run.rest, where)}: {above}"
    late = race.shown >= LATE * race.terms.steps
    heights = run.path.info.j[late] - race.base
    if np.ptp(heights) > FLAT * np.abs(heights).max():
        return f"is still on its way at {where}: {above}"
    left = left_at(race, run.path)
    if left is None or not _outside(race, run.end.w[:1])[0]:
        return f"is stuck at {where}, where J = {height:.3g} is flat"
    return f"is thrown out at step {left:,}, to {where}, where J = {height:.3g} is flat: lost"


def left_at(race: Race, path: Path) -> int | None:
    """The first shown step at which the path is outside the domain."""
    outside = _outside(race, path.points)
    return int(race.shown[int(outside.argmax())]) if outside.any() else None


def _outside(race: Race, points: np.ndarray) -> np.ndarray:
    low = race.function.low()
    return ((points < low) | (points > low + race.function.width())).any(axis=1)


def show(point: np.ndarray) -> str:
    """A point with four digits; of a long one its first coordinates."""
    digits = ", ".join(
        f"{value:.4g}" for value in np.where(np.abs(point[:4]) < 1e-12, 0, point[:4])
    )
    return f"({digits}{', …' if len(point) > 4 else ''})"


def _rest(rest: Critical | None, where: str) -> str:
    """A minimum's place: of a curve of minima the path's own end."""
    return where if rest is None or len(rest.members) > 1 else show(rest.point)


def _unclipped(race: Race, run: Run) -> dict[str, Any]:
    return {
        "end": run.end.w[0].tolist(),
        "value": float(run.end.j[0]),
        "reached": int(arrived(run).sum()),
        "outcome": outcome(race, run),
    }


def _function(race: Race) -> dict[str, Any]:
    function = race.function
    return {
        "name": function.name,
        "formula": function.formula,
        "source": function.source,
        "dimensions": function.dimensions,
        "domain": [list(pair) for pair in function.domain],
        "lowest": race.base if function.lowest is None else function.lowest,
        "lowest_is_known": function.lowest is not None,
        "goal": race.goal,
    }


def _settings(race: Race) -> dict[str, Any]:
    terms, rates = race.terms, race.terms.rates(race.function)
    return {
        **{name: getattr(terms, name) for name in SETTINGS},
        "start": race.start.tolist(),
        "rates": [float(rates[0]), float(rates[-1])],
        "decay": terms.final_ratio is not None,
    }


def _critical(race: Race, critical: Critical) -> dict[str, Any]:
    lowest = critical.low and critical.value - min(c.value for c in race.resting) <= 1e-6
    falls = race.function.lowest is not None and math.isinf(race.function.lowest)
    return {
        "point": critical.point.tolist(),
        "value": critical.value,
        "kind": critical.kind,
        "eigenvalues": critical.eigenvalues.tolist(),
        "members": critical.members.tolist() if len(critical.members) > 1 else None,
        "global": bool(lowest and not falls),
    }


def _place_of(race: Race, critical: Critical) -> int:
    return next(i for i, c in enumerate(race.critical) if c is critical)


def _path(race: Race, runner: Runner) -> dict[str, Any]:
    path = runner.run.path
    info, seen = path.info, path.forecasts
    ghost = None if runner.free is None else runner.free.path
    return {
        "step": race.shown.tolist(),
        "w": path.points.tolist(),
        "j": info.j.tolist(),
        **{name: getattr(info, name).tolist() for name in ("gradient", "clipped")},
        **{name: _moment(runner, name).tolist() for name in ("v", "f")},
        "delta": info.delta.tolist(),
        "alpha": info.alpha.tolist(),
        **{
            name: [getattr(forecast, name) for forecast in seen]
            for name in ("actual", "first", "second", "length", "curvature", "verdict")
        },
        "ghost": None
        if ghost is None
        else {"w": ghost.points.tolist(), "j": ghost.info.j.tolist()},
    }


def _moment(runner: Runner, name: str) -> np.ndarray:
    """A moment along the path; 0 throughout where the optimizer has none."""
    values = getattr(runner.run.path.info, name)
    return values if runner.optimizer in MOMENTS[name] else np.zeros_like(values)


def _surface(race: Race) -> dict[str, Any] | None:
    if race.surface is None:
        return None
    from cuesta.lab.grids import axes

    x, y = axes(race.function, len(race.surface))
    return {"x": x.tolist(), "y": y.tolist(), "z": race.surface.tolist()}


def _basins(race: Race) -> dict[str, Any] | None:
    if race.grid is None or race.function.dimensions != 2:
        return None
    from cuesta.lab.grids import GRID, axes

    x, y = axes(race.function, GRID)
    labels = [r.basin.reshape(GRID, GRID).tolist() for r in race.runners if r.basin is not None]
    return {"x": x.tolist(), "y": y.tolist(), "labels": labels}


def _quartiles(values: np.ndarray) -> dict[str, float]:
    """Median and quartiles, each a value that was met: ∞ among them makes no NaN."""
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75], method="inverted_cdf")
    return {"median": float(median), "low": float(low), "high": float(high)}


def _finite(value: Any) -> Any:
    """The same tree with None for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
