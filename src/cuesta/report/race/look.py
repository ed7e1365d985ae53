"""How an optimizer looks, on the page and on the still: colour, line and marker.

The colours follow Okabe and Ito, whose set stays apart for colour-blind eyes; each is darkened or
lightened until it stands out on white or on the dark page. Lines and markers differ as well, so
that no reader depends on colour.
"""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    """One optimizer's colour on light and on dark paper, its line and its marker."""

    light: str
    dark: str
    dash: tuple[int, ...]  # lengths of stroke and gap in pixels; none for an unbroken line
    symbol: str  # plotly's name: one that its 3-D scenes know too


LOOKS = {
    "sgd": Look("#0068a8", "#56b4e9", (), "circle"),
    "momentum": Look("#c84e00", "#ff8f4d", (9, 3), "square"),
    "adagrad": Look("#007a58", "#2fc79c", (12, 3, 3, 3), "diamond"),
    "rmsprop": Look("#a4457f", "#ee9fc9", (5, 3), "cross"),
    "adam": Look("#1f1f1f", "#f0e442", (16, 4), "x"),
    "sixth": Look("#8a6400", "#d9b24c", (12, 3, 3, 3, 3, 3), "circle"),
    "seventh": Look("#5b4bb5", "#b3a7ff", (7, 2, 2, 2), "square"),
    "eighth": Look("#6b6b6b", "#c2c2c2", (4, 4), "diamond"),
}


def looks(names: list[str]) -> list[Look]:
    """A look for each optimizer: the notes' own five keep theirs in every race."""
    wanted = [name.split("@")[0] for name in names]
    free = [look for name, look in LOOKS.items() if name not in wanted] or list(LOOKS.values())
    given: list[Look] = []
    spare = 0
    for name in wanted:
        look = LOOKS.get(name)
        if look is None or look in given:
            look = free[spare % len(free)]
            spare += 1
        given.append(look)
    return given
