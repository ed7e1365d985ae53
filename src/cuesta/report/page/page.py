"""A page as one file that needs no network: template, look, scripts, numbers and plotly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cuesta import __version__
from cuesta._text import one_line
from cuesta.report.page.packing import json_for_script
from cuesta.report.page.styles import TraceStyle

REPORT = files("cuesta.report")
SHARED_SCRIPTS = ("page/common.js", "page/plots.js")


@dataclass(frozen=True)
class Page:
    """What one page is made of, in plain values.

    `name` is the folder of `cuesta.report` that holds `page.html.j2` and `page.js` (and, where it
    needs one, `page.css`); `title` stands on the browser's tab, `kicker` in small letters above
    `heading`; the template reads `values` by their names, the script reads `data` as JSON; the
    k-th of `styles` gives its colour to the class `trace-k`.
    """

    name: str
    title: str
    kicker: str
    heading: str
    values: Mapping[str, Any] = field(default_factory=dict)
    data: Any = None
    styles: Sequence[TraceStyle] = ()


def render(page: Page) -> str:
    """The page as text: what comes from outside is escaped and cut, and nothing is fetched."""
    return (
        _environment()
        .get_template(f"{page.name}/page.html.j2")
        .render(
            **page.values,
            page=page,
            version=__version__,
            css=_joined("page/look.css", f"{page.name}/page.css"),
            script=_joined(*SHARED_SCRIPTS, f"{page.name}/page.js"),
            plotly=_plotly(),
            # The packing's own escapes keep the numbers inside their element.
            json=Markup(json_for_script(page.data)),  # noqa: S704
        )
    )


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("cuesta", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: object) -> object:
    """A text from outside as a page may show it: on one line, cut, without control characters."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return one_line(value)
    return value


def _joined(*names: str) -> Markup:
    """Our own files one after the other; a page may have no style of its own."""
    found = [REPORT / name for name in names]
    texts = [part.read_text(encoding="utf-8") for part in found if part.is_file()]
    return Markup("\n".join(texts))  # noqa: S704  # our own files


def _plotly() -> Markup:
    # Read as a file: importing plotly takes longer than all the rest of the page.
    script = files("plotly") / "package_data" / "plotly.min.js"
    return Markup(script.read_text(encoding="utf-8"))  # noqa: S704  # it names no closing tag
