"""Numbers as small pictures of text: sparklines and bars for the terminal."""

from __future__ import annotations

import numpy as np

BLOCKS = "▁▂▃▄▅▆▇█"
SPARKLINE = 30  # characters of a sparkline
BAR = 10  # characters of a bar


def sparkline(values: np.ndarray, width: int = SPARKLINE, *, log: bool = False) -> str:
    """The values as a row of blocks, low to high; a blank where a value is not finite."""
    parts = [part for part in np.array_split(np.asarray(values, float), width) if len(part)]
    means = np.array([part.mean() for part in parts])
    if log:
        means = np.log(np.where(means > 0, means, np.nan))
    finite = means[np.isfinite(means)]
    if not len(finite):
        return " " * len(means)
    low, span = finite.min(), max(float(np.ptp(finite)), 1e-12)
    place = np.clip(np.nan_to_num((means - low) / span, nan=0.0), 0, 1) * (len(BLOCKS) - 1)
    return "".join(
        BLOCKS[round(p)] if good else " "
        for p, good in zip(place.tolist(), np.isfinite(means).tolist(), strict=True)
    )


def bar(share: float, width: int = BAR) -> str:
    """A share of a bar, from 0 to 1."""
    full = round(width * min(1.0, max(0.0, share))) if np.isfinite(share) else width
    return "█" * full + "·" * (width - full)
