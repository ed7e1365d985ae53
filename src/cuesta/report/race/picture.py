"""What the page and the still picture share: heights of the surface, and paths that leave it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from cuesta.report.page.packing import to_array

REACH = 50.0  # widths of the domain beyond which nothing is drawn: it would only lose digits
WELL = 0.002  # the share of the surface, its lowest part, that one level of the contours may hold


class Scale(NamedTuple):
    """Heights are log₁₀(J − base + small): J may span many orders."""

    base: float
    small: float
    known: bool  # base is the lowest value there is, not merely the lowest that is drawn


def goal_above(function: dict[str, Any]) -> float | None:
    """How far above the lowest value a path has arrived; None where there is no lowest."""
    if function["goal"] is None or function["lowest"] is None:
        return None
    return float(function["goal"] - function["lowest"])


def scale_of(view: dict[str, Any]) -> Scale:
    """The scale on which a view's surface is drawn; without a surface only its base matters."""
    lowest, surface = view["function"]["lowest"], view["surface"]
    drawn = to_array(surface["z"]) if surface else np.zeros(0)
    drawn = drawn[np.isfinite(drawn)]
    base = float(lowest) if lowest is not None else float(drawn.min(initial=0.0))
    if lowest is None and drawn.size:
        base = float(drawn.min())
    above = np.maximum(drawn - base, 0.0)
    small = max(float(np.quantile(above, WELL)), 1e-9 * float(above.max())) if above.size else 1.0
    return Scale(base, one_digit(small) or 1.0, lowest is not None)


def heights(values: Any, scale: Scale) -> np.ndarray:
    """log₁₀(J − base + small); a value below the base is drawn at it."""
    return np.log10(np.maximum(to_array(values) - scale.base, 0.0) + scale.small)


def height_name(scale: Scale, known: float | None) -> str:
    """What the axis of heights says, such as log₁₀(J + 0.4)."""
    base = "" if not scale.base else f" {'−' if scale.base > 0 else '+'} {abs(scale.base):.6g}"
    note = "" if known is not None else ", from the lowest value drawn"
    return f"log₁₀(J{base} + {scale.small:g}){note}"


def range_of_j(view: dict[str, Any], scale: Scale) -> tuple[float, float]:
    """The range of J that is worth seeing: a path that diverges must not flatten all others.

    It is a range of J − base where that is known, for an axis of logarithms; else of J itself.
    """
    paths = [to_array(path["j"]) - scale.base for path in view["paths"]]
    surface = to_array(view["surface"]["z"]) - scale.base if view["surface"] else np.zeros(0)
    first = max((path[0] for path in paths if np.isfinite(path[0])), default=0.0)
    high = float(np.nanmax(np.append(surface, 10 * first))) or 1.0
    every = np.concatenate(paths)
    every = every[np.isfinite(every)]
    if not scale.known:
        low = max(-abs(high), float(every.min(initial=0.0)))
        return scale.base + low, scale.base + high
    low = min(float(every[every > 0].min(initial=high)), high) / 2
    return max(low, (goal_above(view["function"]) or 1e-8) * 1e-4), 2 * high


def drawn_path(points: list[Any], domain: list[list[float]]) -> np.ndarray:
    """The points of a path as they are drawn, with NaN where nothing is.

    A step to far outside is cut short on its line, so that its direction stays true; what follows
    out there is not drawn.
    """
    found = to_array(points)
    low, high = np.array(domain).T
    middle, reach = (low + high) / 2, REACH * (high - low)
    far = ~(np.abs(found - middle) <= reach).all(axis=1)  # NaN counts as far
    drawn = np.where(far[:, None], np.nan, found)
    for k in np.flatnonzero(far[1:] & ~far[:-1]) + 1:
        if np.isfinite(found[k]).all():
            drawn[k] = _shortened(found[k - 1], found[k], reach)
    return drawn


def _shortened(start: np.ndarray, end: np.ndarray, reach: np.ndarray) -> np.ndarray:
    share = float(np.max(np.abs(end / reach - start / reach)))
    return start + (end / share - start / share)


def one_digit(value: float) -> float:
    """The value rounded to one significant digit: a number for an axis."""
    return float(f"{value:.0e}") if math.isfinite(value) else 0.0
