"""The page that shows a race: one file that needs no network."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cuesta.report.race import words as race_words
from cuesta.report.race.copy import BASINS, packed, page_data
from cuesta.report.race.look import looks
from cuesta.report.race.picture import scale_of

PARTS = files("cuesta.report") / "race"


def render(view: dict[str, Any]) -> str:
    """The page of a race as text."""
    worn = looks([result["optimizer"] for result in view["results"]])
    data = packed(page_data(view, scale_of(view), worn))
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            view=view,
            words=race_words,
            settings=race_words.settings(view),
            standing=race_words.standing(view, worn),
            landings=race_words.landings(view, BASINS),
            style=_part("page.css"),
            script=_part("page.js"),
            plotly=_plotly(),
            data=Markup(data),  # noqa: S704  # its own escapes keep it inside its element
        )
    )


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("cuesta.report", "race"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _part(name: str) -> Markup:
    return Markup((PARTS / name).read_text(encoding="utf-8"))  # noqa: S704  # our own file


def _plotly() -> Markup:
    # Read as a file: importing plotly takes longer than all the rest of the page.
    script = files("plotly") / "package_data" / "plotly.min.js"
    return Markup(script.read_text(encoding="utf-8"))  # noqa: S704  # it names no closing tag
