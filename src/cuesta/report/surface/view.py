"""The landscape of a network's loss in plain values; numbers that are not finite are None."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cuesta.report.page.packing import pack_column, pack_columns

if TYPE_CHECKING:
    from cuesta.diagnose.surface import Landscape, Path

DIGITS = 5


def table(landscape: Landscape) -> list[dict[str, Any]]:
    """A row for each path: J at its start and at its end, and the share of it off the plane."""
    return [
        {
            "name": path.name,
            "epochs": len(path.heights) - 1,
            "start": _finite(path.heights[0]),
            "end": _finite(path.heights[-1]),
            "lost": path.diverged,
            "off": path.off,
        }
        for path in landscape.paths
    ]


def page_data(landscape: Landscape) -> dict[str, Any]:
    """All that the page's script draws: J (y, x) on the plane, and each path's places and J."""
    return {
        "x": pack_column(landscape.across, DIGITS),
        "y": pack_column(landscape.along, DIGITS),
        "j": pack_columns(np.asarray(landscape.heights).T, DIGITS),
        "paths": [_path(path) for path in landscape.paths],
    }


def _path(path: Path) -> dict[str, Any]:
    x, y = pack_columns(path.places, DIGITS)
    return {
        "name": path.name,
        "lost": path.diverged,
        "x": x,
        "y": y,
        "j": pack_column(path.heights, DIGITS),
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
