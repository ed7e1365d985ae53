"""The page of a race."""

from __future__ import annotations

from typing import Any

from cuesta.report.page.page import Page
from cuesta.report.page.page import render as render_page
from cuesta.report.page.styles import trace_styles
from cuesta.report.page.wording import SHOWN, number, point
from cuesta.report.race.page_data import BASINS, page_data
from cuesta.report.race.picture import scale_of
from cuesta.report.race.words import limits_of, minima_table, results_table, settings


def render(view: dict[str, Any]) -> str:
    """The page of a race as text."""
    return render_page(race_page(view))


def race_page(view: dict[str, Any]) -> Page:
    """The view of a race, as what its template and its script read."""
    names = [result["optimizer"] for result in view["results"]]
    styles = trace_styles(names)
    function = view["function"]["name"]
    return Page(
        name="race",
        title=f"{function}: a race of {len(names)} optimizers",
        kicker="A race of optimizers",
        heading=function,
        values={
            "view": view,
            "names": names,
            "settings": settings(view),
            "limits": " ".join(limits_of(view)),
            "results": results_table(view, styles),
            "minima": minima_table(view, BASINS),
            "number": number,
            "point": point,
            "SHOWN": SHOWN,
        },
        data=page_data(view, scale_of(view), styles),
        styles=styles,
    )
