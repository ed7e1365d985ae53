"""Rows that are copies of others: found by a hash, and told from rows that agree by chance.

A copy on the other side of a split makes a score of what was only remembered. But in a table of few
categories equal rows are nothing odd: there, rows that agree in all columns but one differ in that
one more often than not. Rows are copies where they agree in each column of many values wherever
they agree in all others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from cuesta.data.columns import frame_of
from cuesta.data.readings import NAMES_ROWS

MANY_VALUES = 20  # distinct values of a column from which on agreeing is no matter of course
AGREEING = 0.5  # of the pairs of rows that are equal in all other columns, at least


@dataclass(frozen=True)
class Copies:
    """For each row the first row that it is equal to (often itself), and how many have another."""

    first: np.ndarray
    count: int

    def at(self, places: np.ndarray) -> Copies | None:
        """Those among the rows at these places, or None where there are none."""
        _, first, inverse = np.unique(self.first[places], return_index=True, return_inverse=True)
        count = len(places) - len(first)
        return Copies(first[inverse.ravel()], count) if count else None


def find_copies(frame: pl.DataFrame) -> Copies | None:
    """The rows of a table that are copies of others, where chance does not explain them.

    Text that names the rows is passed over: no network learns from it.
    """
    columns = _hashes(frame_of(column for column in frame if not _names_rows(column)))
    if not columns:
        return None
    whole = _row_hashes(columns)
    if _pairs(whole) == 0 or _by_chance(columns, whole, _pairs):
        return None
    _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    return Copies(first[inverse.ravel()], len(whole) - len(first))


def count_known(known: pl.DataFrame, new: pl.DataFrame) -> int:
    """How many rows of a new table are rows of a known one, where chance does not explain it."""
    columns = [*map(np.concatenate, zip(_hashes(known), _hashes(new), strict=True))]

    def pairs(rows: np.ndarray) -> int:
        return _pairs(rows) - _pairs(rows[known.height :]) - _pairs(rows[: known.height])

    whole = _row_hashes(columns)
    found = int(np.isin(whole[known.height :], whole[: known.height]).sum())
    return 0 if found < new.height and _by_chance(columns, whole, pairs) else found


def _names_rows(column: pl.Series) -> bool:
    return column.dtype == pl.String and column.n_unique() > NAMES_ROWS * len(column)


def _hashes(frame: pl.DataFrame) -> list[np.ndarray]:
    """(rows,) of each column; equal values have equal ones, also missing values."""
    return [
        column.alias("one").hash(place).to_numpy()  # under no name that looks like a pattern
        for place, column in enumerate(frame.get_columns())
    ]


def _row_hashes(columns: list[np.ndarray]) -> np.ndarray:
    """(rows,) the sum of its columns' hashes, from which one can be taken away again."""
    return np.asarray(np.sum(columns, axis=0, dtype=np.uint64))


def _pairs(rows: np.ndarray) -> int:
    counts = np.unique(rows, return_counts=True)[1]
    return int((counts * (counts - 1)).sum()) // 2


def _by_chance(
    columns: list[np.ndarray], whole: np.ndarray, pairs: Callable[[np.ndarray], int]
) -> bool:
    """Whether most rows that are equal but for a column of many values differ in that one.

    `pairs` counts pairs of equal rows. A table without such a column repeats its rows by nature.
    """
    found = pairs(whole)
    many = [column for column in columns if len(np.unique(column)) > MANY_VALUES]
    return not many or any(found < AGREEING * pairs(whole - column) for column in many)
