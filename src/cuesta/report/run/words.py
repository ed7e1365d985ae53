"""How metrics are called, and how numbers are printed."""

from __future__ import annotations

import math

from cuesta.metrics import METRICS

NAMES = {name: metric.words for name, metric in METRICS.items()}
LARGE = 10_000  # from here on decimals say nothing


def number(value: float) -> str:
    """Four digits; whole numbers where they are large; a dash for what is not known."""
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= LARGE else f"{value:.4g}"
