"""Numbers far from the rest of their column: a code for a missing value, or one wild value.

−9999 in 3 % of the rows, or 10³⁰ in one, would be all that a mean and a deviation see. They are
found by the widest gap of a column, and only where that gap is many times as wide as all the
other numbers together lie apart: the long tail of a column is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_CODES = 4  # in a column
CODE_SHARE, WILD_SHARE = 0.1, 0.01  # of a column's rows, at most
CODE_GAP, WILD_GAP = 5.0, 100.0  # times the span of the rest, at least
FEW_VALUES, MANY_VALUES = 3, 20  # distinct numbers from which the rest's span is known
# What people and programs write for "no value".
CODES = (*(sign * (10.0**digits - 1) for sign in (1, -1) for digits in range(1, 10)),
         *(-9.9 * 10.0**digits for digits in range(7)), 32767.0, -32768.0, 2147483647.0,
         -2147483648.0)  # fmt: skip
EMPTY = 1 / 6  # a gap of 5 spans leaves this share of the whole to the rest
BOTH_SIDES = 1 / 12


@dataclass(frozen=True)
class Far:
    """The bounds between which a column's numbers lie, and those beyond, with their rows."""

    low: float
    high: float
    inner: tuple[float, float]  # the least and the greatest of the others
    values: tuple[float, ...]
    rows: np.ndarray


def find_far(values: np.ndarray) -> Far | None:
    """The numbers of a column (rows,) that lie far from the rest, or None; NaN is missing."""
    present = values[~np.isnan(values)]
    if len(present) <= FEW_VALUES or not _may_be_far(present[:, None])[0]:
        return None
    distinct, counts = np.unique(present, return_counts=True)
    first, last = 0, len(distinct)
    low, high = -np.inf, np.inf
    for _ in range(MOST_CODES):
        part = _part(distinct[first:last], counts[first:last], len(present))
        if part is None:
            break
        place, is_above = part
        middle = distinct[first + place] / 2 + distinct[first + place + 1] / 2
        if is_above:
            last, high = first + place + 1, middle
        else:
            first, low = first + place + 1, middle
    if first == 0 and last == len(distinct):
        return None
    beyond = (*distinct[:first].tolist(), *distinct[last:].tolist())
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero((values < low) | (values > high))
    return Far(low, high, (distinct[first], distinct[last - 1]), beyond, rows)


def _part(distinct: np.ndarray, counts: np.ndarray, rows: int) -> tuple[int, bool] | None:
    """The place of a gap that parts far numbers from the rest, and whether they lie above it."""
    if len(distinct) <= FEW_VALUES:
        return None
    gaps = np.diff(distinct / 2)  # by halves, which fit float64
    place = int(gaps.argmax())
    below, above = counts[: place + 1].sum(), counts[place + 1 :].sum()
    is_above = bool(above < below)
    far, rest = distinct[place + 1 :], distinct[: place + 1]
    if not is_above:
        far, rest = rest, far
    span = rest[-1] / 2 - rest[0] / 2
    ratio = gaps[place] / span if span > 0 else 0.0
    share = min(below, above) / rows
    code = (
        len(far) == 1
        and share <= CODE_SHARE
        and ratio >= CODE_GAP
        and (
            (far[0] in CODES and len(rest) >= FEW_VALUES)
            or (min(below, above) > 1 and len(rest) >= MANY_VALUES)
        )
    )
    few = min(below, above) == 1 or share <= WILD_SHARE
    wild = few and ratio >= WILD_GAP and len(rest) >= MANY_VALUES
    return (place, is_above) if code or wild else None


def _may_be_far(x: np.ndarray) -> np.ndarray:
    """The columns of numbers with next to nothing in the middle, or around it, of their span."""
    low, high = x.min(axis=0), x.max(axis=0)
    span = high / 2 - low / 2
    unit = (x / 2 - low / 2) / np.where(span > 0, span, 1.0)
    middle = ((unit > EMPTY) & (unit < 1 - EMPTY)).mean(axis=0)
    sides = np.abs(unit - 0.5)
    around = ((sides > BOTH_SIDES) & (sides < 0.5 - BOTH_SIDES)).mean(axis=0)
    return np.asarray((np.minimum(middle, around) <= WILD_SHARE) & (span > 0))


def far_bounds(x: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """(columns,) the least and the greatest number that is not far, or None where all are near.

    `x` (rows, columns); a column between 0 and 1, as a category's, is taken as it is.
    """
    least, most = np.fmin.reduce(x, axis=0), np.fmax.reduce(x, axis=0)
    with np.errstate(invalid="ignore"):
        columns = np.flatnonzero((least < 0) | (most > 1))
    found = {column: far for column in columns if (far := find_far(x[:, column])) is not None}
    if not found:
        return None
    low, high = np.full(x.shape[1], -np.inf), np.full(x.shape[1], np.inf)
    for column, far in found.items():
        low[column], high[column] = far.low, far.high
    return low, high
