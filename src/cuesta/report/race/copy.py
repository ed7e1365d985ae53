"""The page's own copy of a race's numbers: what it draws, in as few digits as it needs."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any

from cuesta.report.race.look import Look
from cuesta.report.race.picture import Scale, goal_above, height_name, numbers, outlook, trail
from cuesta.report.race.words import SHOWN, landings, seen

DIGITS = 4  # as many as are shown of a step's numbers
FINE = 6  # as many as a place in a picture needs
BASINS = 8  # minima that get a colour of their own
ALONG = ("alpha", "actual", "first", "second", "length", "curvature")
VECTORS = ("w", "gradient", "clipped", "v", "f", "delta")
# A name such as "</script>" must not end the element that holds the numbers.
ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def page_data(view: dict[str, Any], scale: Scale, worn: list[Look]) -> dict[str, Any]:
    """All that the page's script reads."""
    function = view["function"]
    found = landings(view, BASINS)
    return {
        "name": function["name"],
        "dimensions": function["dimensions"],
        "domain": function["domain"],
        "goal": goal_above(function),
        "steps": view["settings"]["steps"],
        "scale": scale._asdict() | {"name": height_name(scale, function["lowest"])},
        "edges": outlook(view, scale),
        "seen": seen(view),
        "optimizers": [
            {
                "name": result["optimizer"],
                "row": result["row"],
                "formula": result["formula"],
                "look": look._asdict(),
                "path": _path(path, view, scale),
            }
            for result, look, path in zip(view["results"], worn, view["paths"], strict=True)
        ],
        "critical": [
            {name: spot[name] for name in ("kind", "value", "global")}
            | {"point": spot["point"][:SHOWN]}
            for spot in view["critical_points"]
        ],
        "surface": _surface(view["surface"], scale),
        "minima": view["minima"],
        "basins": view["basins"] and view["basins"] | {"shown": found["first"] if found else []},
    }


def packed(data: dict[str, Any]) -> str:
    """JSON that is safe inside a script element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(ESCAPES)


def _path(path: dict[str, Any], view: dict[str, Any], scale: Scale) -> dict[str, Any]:
    kept: dict[str, Any] = {"step": path["step"], "verdict": path["verdict"]}
    vectors = VECTORS if seen(view) else [name for name in VECTORS if name != "clipped"]
    kept |= {name: columns(numbers(path[name])[:, :SHOWN], DIGITS) for name in vectors}
    kept |= {name: column(path[name], DIGITS) for name in ALONG}
    kept["above"] = column(numbers(path["j"]) - scale.base, FINE)
    if view["surface"]:
        kept["drawn"] = _drawn(path["w"], view)
    ghost = path["ghost"]
    kept["ghost"] = ghost and {"above": column(numbers(ghost["j"]) - scale.base, DIGITS)}
    if ghost and view["surface"]:
        kept["ghost"]["drawn"] = _drawn(ghost["w"], view)
    return kept


def _drawn(points: list[Any], view: dict[str, Any]) -> list[str]:
    return columns(trail(points, view["function"]["domain"]), FINE)


def _surface(surface: dict[str, Any] | None, scale: Scale) -> dict[str, Any] | None:
    if surface is None:
        return None
    rows = numbers(surface["z"]) - scale.base
    return {
        "x": column(surface["x"], FINE),
        "y": column(surface["y"], FINE),
        "above": columns(rows.T, FINE),
    }


def columns(rows: Any, digits: int) -> list[str]:
    """The columns of a table of numbers, each as one text."""
    return [column(values, digits) for values in numbers(rows).T]


def column(values: Any, digits: int) -> str:
    """Numbers as one text, each as short as it can be, and empty where it is not finite."""
    text = " ".join(f"{x:.{digits}g}" if isfinite(x) else "" for x in numbers(values).tolist())
    text = re.sub(r"e([+-])0*", r"e\1", text).replace("e+", "e")
    return re.sub(r"(?<![\d.])0\.", ".", text)
