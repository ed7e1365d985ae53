"""How pages write numbers, points and shares."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cuesta._text import count

__all__ = ["count", "number", "point", "share"]
SHOWN = 6  # coordinates of a point that are written out


def number(value: float | None, digits: int = 4) -> str:
    """A number for reading; a dash where there is none."""
    if value is None:
        return "–"
    if float(value).is_integer() and abs(value) < 1e6:
        return f"{int(value):,}".replace("-", "−")
    text = (
        f"{float(f'{value:.{digits}g}'):.{digits - 1}e}"
        if abs(value) < 1e-3
        else f"{value:.{digits}g}"
    )
    text = re.sub(r"\.?0*e([+-])0*(\d)", r"e\1\2", text)
    return text.replace("e+", "e").replace("-", "−")


def point(values: Sequence[float | None]) -> str:
    """A point, such as (3, 2)."""
    shown = ", ".join(number(value) for value in values[:SHOWN])
    return f"({shown}, …)" if len(values) > SHOWN else f"({shown})"


def share(value: float | None) -> str:
    """A share as a percentage."""
    return "–" if value is None else f"{100 * value:.0f} %"
