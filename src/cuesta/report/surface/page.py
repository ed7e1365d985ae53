"""The page of a network's loss: J on a plane of the weights, and the paths of training on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cuesta.report.page.page import Page
from cuesta.report.page.page import render as render_page
from cuesta.report.page.styles import trace_styles
from cuesta.report.page.wording import count, number, share
from cuesta.report.surface.view import page_data, table

if TYPE_CHECKING:
    from cuesta.diagnose.surface import Landscape


def render(landscape: Landscape, title: str) -> str:
    """The page of a landscape as text; `title` names the table."""
    return render_page(surface_page(landscape, title))


def surface_page(landscape: Landscape, title: str) -> Page:
    """The landscape, as what its template and its script read."""
    names = [path.name for path in landscape.paths]
    styles = trace_styles(names)
    return Page(
        name="surface",
        title=f"J of {title}",
        kicker="The loss of a network",
        heading=f"J(w, b) of {title}",
        values={
            "names": names,
            "rows": table(landscape),
            "off": share(landscape.off),
            "weights": count(landscape.weights, "weight"),
            "training_rows": count(landscape.rows, "training row"),
            "number": number,
            "share": share,
        },
        data=page_data(landscape) | {"styles": [style._asdict() for style in styles]},
        styles=styles,
    )
