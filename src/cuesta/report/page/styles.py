"""How each optimizer is drawn, in every page and picture: colour, line and marker.

The colours follow Okabe and Ito (2008), whose palette stays distinct for colour-blind readers; each
is darkened or lightened until it stands out on a white or on a dark page. Lines and markers differ
as well, so that no reader depends on colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class TraceStyle(NamedTuple):
    """The colour on a light and on a dark page, the line and the marker of one trace."""

    light: str
    dark: str
    dash: tuple[int, ...]  # lengths of stroke and gap in pixels; none for an unbroken line
    symbol: str  # plotly's name: one that its 3-D scenes know too


OPTIMIZER_STYLES = {
    "sgd": TraceStyle("#0068a8", "#56b4e9", (), "circle"),
    "momentum": TraceStyle("#c84e00", "#ff8f4d", (9, 3), "square"),
    "adagrad": TraceStyle("#007a58", "#2fc79c", (12, 3, 3, 3), "diamond"),
    "rmsprop": TraceStyle("#a4457f", "#ee9fc9", (5, 3), "cross"),
    "adam": TraceStyle("#1f1f1f", "#f0e442", (16, 4), "x"),
}
OTHER_STYLES = (
    TraceStyle("#8a6400", "#d9b24c", (12, 3, 3, 3, 3, 3), "circle"),
    TraceStyle("#5b4bb5", "#b3a7ff", (7, 2, 2, 2), "square"),
    TraceStyle("#6b6b6b", "#c2c2c2", (4, 4), "diamond"),
)


def trace_styles(names: Sequence[str]) -> list[TraceStyle]:
    """A style for each trace: the five optimizers of the notes keep theirs everywhere.

    A name may carry a dialect ("adam@keras"); other names take what is left, in order.
    """
    wanted = [name.split("@")[0] for name in names]
    left = [style for name, style in OPTIMIZER_STYLES.items() if name not in wanted]
    free = [*left, *OTHER_STYLES]
    given: list[TraceStyle] = []
    spare = 0
    for name in wanted:
        style = OPTIMIZER_STYLES.get(name)
        if style is None or style in given:
            style = free[spare % len(free)]
            spare += 1
        given.append(style)
    return given
