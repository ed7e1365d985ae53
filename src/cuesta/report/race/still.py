"""A race as one picture: the paths on the surface, and J against steps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cuesta._util.files import write_atomically
from cuesta.report.page.packing import to_array
from cuesta.report.page.styles import TraceStyle, trace_styles
from cuesta.report.race.picture import (
    Scale,
    drawn_path,
    height_name,
    heights,
    range_of_j,
    scale_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS = 100  # an inch
MARKERS = {"circle": "o", "square": "s", "diamond": "D", "cross": "P", "x": "X"}
SPOTS = {"minimum": "*", "maximum": "^", "saddle": "x", "degenerate": "d", "kink": "s"}
SLOPES = ["#ffffff", "#dbe4ea", "#9fb4c2"]
INK, QUIET = "#1d2126", "#59616a"


def still(view: dict[str, Any], path: Path) -> None:
    """Write the race as a PNG. Raises RunFolderError where the folder cannot be written."""
    figure = _figure(view)
    write_atomically(path, lambda beside: figure.savefig(beside, format="png", dpi=DOTS))


def _figure(view: dict[str, Any]) -> Figure:
    # A figure without pyplot draws with Agg and leaves matplotlib's global state alone.
    from matplotlib.figure import Figure

    surface = view["surface"] is not None
    figure = Figure(figsize=(12 if surface else 7, 5.4), layout="constrained", facecolor="white")
    axes = figure.subplots(1, 2 if surface else 1, squeeze=False)[0]
    function, scale = view["function"], scale_of(view)
    styles = trace_styles([result["optimizer"] for result in view["results"]])
    # A dollar sign would begin mathematics.
    title = f"{function['name']}:  {function['formula']}".replace("$", r"\$")
    figure.suptitle(title, fontsize=12, color=INK)
    if surface:
        _plane(axes[0], view, scale, styles)
    _curve(axes[-1], view, scale, styles)
    return figure


def _plane(axes: Axes, view: dict[str, Any], scale: Scale, styles: list[TraceStyle]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    function, surface = view["function"], view["surface"]
    slopes = LinearSegmentedColormap.from_list("slopes", SLOPES)
    above = np.ma.masked_invalid(heights(surface["z"], scale))
    filled = axes.contourf(surface["x"], surface["y"], above, levels=18, cmap=slopes)
    axes.contour(filled, colors=QUIET, linewidths=0.3, linestyles="solid")
    axes.figure.colorbar(filled, ax=axes, label=height_name(scale, function["lowest"]), pad=0.02)
    for path, style in zip(view["paths"], styles, strict=True):
        _path(axes, drawn_path(path["w"], function["domain"]), style)
    for spot in view["critical_points"]:
        inside = "full" if spot["global"] else "none"
        axes.plot(*spot["point"], SPOTS[spot["kind"]], color=INK, markersize=7, fillstyle=inside)
    across, up = function["domain"]
    axes.set(xlim=across, ylim=up, xlabel="x", ylabel="y")


def _path(axes: Axes, drawn: np.ndarray, style: TraceStyle) -> None:
    axes.plot(*drawn.T, color=style.light, linewidth=1.6, linestyle=_dash(style))
    if np.isfinite(drawn[-1]).all():
        marker = MARKERS[style.symbol]
        axes.plot(*drawn[-1], marker, color=style.light, markersize=8, markeredgecolor="white")


def _dash(style: TraceStyle) -> Any:
    return (0, tuple(length / 2 for length in style.dash)) if style.dash else "solid"


def _curve(axes: Axes, view: dict[str, Any], scale: Scale, styles: list[TraceStyle]) -> None:
    for path, style, result in zip(view["paths"], styles, view["results"], strict=True):
        axes.plot(
            path["step"],
            _curve_values(path["j"], scale),
            color=style.light,
            linewidth=1.6,
            linestyle=_dash(style),
            label=result["optimizer"].replace("$", r"\$"),
        )
    if scale.known:
        axes.set_yscale("log")
    axes.set_ylim(range_of_j(view, scale))
    axes.set(xlabel="step", ylabel="J − lowest" if scale.known else "J")
    axes.grid(visible=True, color="#dcdfe2", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


def _curve_values(values: list[float | None], scale: Scale) -> np.ndarray:
    found = to_array(values)
    return np.maximum(found - scale.base, 1e-300) if scale.known else found
