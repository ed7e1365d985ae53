"""Numbers for a page's script: in as few digits as a picture needs, and safe inside the page."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any

import numpy as np

# A name such as "</script>" must not end the element that holds the numbers.
ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def json_for_script(data: Any) -> str:
    """JSON that is safe inside a script element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(ESCAPES)


def pack_columns(rows: Any, digits: int) -> list[str]:
    """The columns of a table of numbers, each as one text."""
    return [pack_column(values, digits) for values in to_array(rows).T]


def pack_column(values: Any, digits: int) -> str:
    """Numbers as one text, each as short as it can be, and empty where it is not finite.

    "1.5 -2e-9 …" takes half the room of a list; `unpackColumn` in common.js reads it.
    """
    text = " ".join(f"{x:.{digits}g}" if isfinite(x) else "" for x in to_array(values).tolist())
    text = re.sub(r"e([+-])0*", r"e\1", text).replace("e+", "e")
    return re.sub(r"(?<![\d.])0\.", ".", text)


def to_array(values: Any) -> np.ndarray:
    """JSON's numbers as an array, null as NaN."""
    return np.array(values, dtype=np.float64)
