"""JSON of files that anyone may have written: whatever is wrong with it is a ValueError."""

from __future__ import annotations

import json
from typing import Any

MOST_SHOWN = 160  # characters of a text that a message quotes


def parse_json(text: str | bytes) -> Any:
    """The value that a text describes. Raises ValueError, also for lists nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("its lists or objects are nested too deeply") from None


def shown(text: object, most: int = MOST_SHOWN) -> str:
    """A text of any length as one short line without control characters, for a message."""
    line = "".join(c if c.isprintable() else " " for c in str(text)[: 4 * most])
    line = " ".join(line.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
