"""The landscape of one's own network as one offline page: J on the plane, and the paths on it."""

from __future__ import annotations

import numpy as np
from jinja2 import Environment

from cuesta.diagnose.surface import Landscape, Path

COLORS = ("#d1495b", "#edae49", "#00798c", "#6a4c93", "#2e4057", "#66a182", "#8d5b4c", "#444444")
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>J of {{ title }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem;
  color: #222; background: #fff; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem .2rem 0; text-align: left; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #16181c; } }
</style></head><body>
<h1>J(w, b) of {{ title }}</h1>
<p>{{ "{:,}".format(weights) }} weights, seen on the plane that holds most of the paths: through
their mean, along the two directions in which they vary most.
<strong>{{ "%.0f"|format(100 * off) }} % of their variation is off this plane</strong>: there a path
can be lower than the surface under it. J is the mean loss of {{ "{:,}".format(rows) }} training
rows.</p>
{{ contour|safe }}
{{ surface|safe }}
<table><tr><th>path</th><th>J at the start</th><th>J at its end</th><th>off the plane</th></tr>
{% for path in paths %}<tr><td>{{ path.name }}</td><td>{{ "%.4g"|format(path.heights[0]) }}</td>
<td>{{ "%.4g"|format(path.heights[-1]) }}{% if path.diverged %}, then lost{% endif %}</td>
<td>{{ "%.0f"|format(100 * path.off) }} %</td></tr>
{% endfor %}</table>
</body></html>
"""


def render(seen: Landscape, title: str) -> str:
    """The page: whatever comes from outside is escaped, and nothing is fetched."""
    from plotly.io import to_html

    how = {"full_html": False, "config": {"displaylogo": False, "responsive": True}}
    page = Environment(autoescape=True).from_string(PAGE)
    return page.render(
        title=title,
        weights=seen.weights,
        off=seen.off,
        rows=seen.rows,
        paths=seen.paths,
        contour=to_html(_contour(seen), include_plotlyjs=True, div_id="contour", **how),
        surface=to_html(_surface(seen), include_plotlyjs=False, div_id="surface", **how),
    )


def _shown(heights: np.ndarray) -> np.ndarray:
    """Log₁₀ J, for heights of many orders."""
    return np.log10(np.maximum(np.nan_to_num(heights, nan=1e30, posinf=1e30), 1e-12))


def _contour(seen: Landscape) -> object:
    import plotly.graph_objects as go

    figure = go.Figure(
        go.Contour(
            x=seen.across, y=seen.along, z=_shown(seen.heights), ncontours=30, colorscale="Blues",
            colorbar={"title": "log₁₀ J"}, hovertemplate="log₁₀ J %{z:.3f}<extra></extra>",
        )
    )  # fmt: skip
    for path, color in zip(seen.paths, COLORS, strict=False):
        figure.add_trace(
            go.Scatter(
                x=path.places[:, 0], y=path.places[:, 1], mode="lines+markers", name=_name(path),
                line={"color": color, "width": 2}, marker={"size": 4},
                text=[f"epoch {i}: J {j:.4g}" for i, j in enumerate(path.heights)],
                hovertemplate="%{text}",
            )
        )  # fmt: skip
    figure.update_layout(
        height=620, margin={"l": 40, "r": 10, "t": 10, "b": 40}, legend={"orientation": "h"},
        xaxis_title="first direction", yaxis_title="second direction", paper_bgcolor="white",
    )  # fmt: skip
    return figure


def _surface(seen: Landscape) -> object:
    import plotly.graph_objects as go

    figure = go.Figure(
        go.Surface(
            x=seen.across, y=seen.along, z=_shown(seen.heights), colorscale="Blues", opacity=0.85,
            showscale=False,
        )
    )  # fmt: skip
    for path, color in zip(seen.paths, COLORS, strict=False):
        figure.add_trace(
            go.Scatter3d(
                x=path.places[:, 0], y=path.places[:, 1], z=_shown(path.heights), mode="lines",
                name=_name(path), line={"color": color, "width": 5},
            )
        )  # fmt: skip
    figure.update_layout(
        height=620, margin={"l": 0, "r": 0, "t": 10, "b": 0}, legend={"orientation": "h"},
        scene={"zaxis_title": "log₁₀ J", "xaxis_title": "", "yaxis_title": ""},
        paper_bgcolor="white",
    )  # fmt: skip
    return figure


def _name(path: Path) -> str:
    return f"{path.name} (lost)" if path.diverged else path.name
