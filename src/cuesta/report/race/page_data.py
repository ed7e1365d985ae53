"""What the script of a race's page reads: the numbers it draws, in as few digits as it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cuesta.report.page.packing import pack_column, pack_columns, to_array
from cuesta.report.page.styles import TraceStyle
from cuesta.report.page.wording import SHOWN
from cuesta.report.race.picture import Scale, drawn_path, goal_above, height_name, range_of_j
from cuesta.report.race.words import changed_gradient, minima_table

STEP_DIGITS = 4  # as many as are shown of a step's numbers
PICTURE_DIGITS = 6  # as many as a place in a picture needs
VISIBLE = 1e-3  # the change of J that a step is seen by, as a share of the largest
BASINS = 8  # minima that get a colour of their own
ALONG = ("alpha", "actual", "first", "second", "length", "curvature")
VECTORS = ("w", "gradient", "clipped", "v", "f", "delta")


def page_data(view: dict[str, Any], scale: Scale, styles: Sequence[TraceStyle]) -> dict[str, Any]:
    """All that the page's script reads."""
    function = view["function"]
    table = minima_table(view, BASINS)
    return {
        "name": function["name"],
        "dimensions": function["dimensions"],
        "domain": function["domain"],
        "goal": goal_above(function),
        "steps": view["settings"]["steps"],
        "opens_at": opening_step(view),
        "scale": scale._asdict() | {"name": height_name(scale, function["lowest"])},
        "edges": range_of_j(view, scale),
        "changed_gradient": changed_gradient(view),
        "optimizers": [
            {
                "name": result["optimizer"],
                "row": result["row"],
                "formula": result["formula"],
                "style": style._asdict(),
                "path": _path(path, view, scale),
            }
            for result, style, path in zip(view["results"], styles, view["paths"], strict=True)
        ],
        "critical": [
            {name: spot[name] for name in ("kind", "value", "global")}
            | {"point": spot["point"][:SHOWN]}
            for spot in view["critical_points"]
        ],
        "surface": _surface(view["surface"], scale),
        "minima": view["minima"],
        "basins": view["basins"] and view["basins"] | {"shown": table["shown"] if table else []},
    }


def opening_step(view: dict[str, Any]) -> int:
    """The step at which the page opens: the last in which the winner moves J visibly.

    That is the one before it arrives for good; of one that does not, the last that changes J − base
    by more than a thousandth of it.
    """
    path, function = view["paths"][0], view["function"]
    heights = to_array(path["j"])
    goal = np.inf if function["goal"] is None else function["goal"]
    above = np.flatnonzero(~(heights <= goal))
    last = int(above[-1]) if len(above) else 0
    if last == len(heights) - 1:
        change = np.abs(np.diff(heights)) > VISIBLE * np.nanmax(np.abs(heights), initial=0.0)
        moves = np.flatnonzero(change)
        last = int(moves[-1]) if len(moves) else 0
    return int(path["step"][last])


def _path(path: dict[str, Any], view: dict[str, Any], scale: Scale) -> dict[str, Any]:
    kept: dict[str, Any] = {"step": path["step"], "verdict": path["verdict"]}
    vectors = VECTORS if changed_gradient(view) else [name for name in VECTORS if name != "clipped"]
    kept |= {name: pack_columns(to_array(path[name])[:, :SHOWN], STEP_DIGITS) for name in vectors}
    kept |= {name: pack_column(path[name], STEP_DIGITS) for name in ALONG}
    kept["above"] = pack_column(to_array(path["j"]) - scale.base, PICTURE_DIGITS)
    if view["surface"]:
        kept["drawn"] = _drawn(path["w"], view)
    ghost = path["ghost"]
    kept["ghost"] = ghost and {"above": pack_column(to_array(ghost["j"]) - scale.base, STEP_DIGITS)}
    if ghost and view["surface"]:
        kept["ghost"]["drawn"] = _drawn(ghost["w"], view)
    return kept


def _drawn(points: list[Any], view: dict[str, Any]) -> list[str]:
    return pack_columns(drawn_path(points, view["function"]["domain"]), PICTURE_DIGITS)


def _surface(surface: dict[str, Any] | None, scale: Scale) -> dict[str, Any] | None:
    if surface is None:
        return None
    rows = to_array(surface["z"]) - scale.base
    return {
        "x": pack_column(surface["x"], PICTURE_DIGITS),
        "y": pack_column(surface["y"], PICTURE_DIGITS),
        "above": pack_columns(rows.T, PICTURE_DIGITS),
    }
