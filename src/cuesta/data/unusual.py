"""What is unlike the training rows in new rows: gaps, unknown categories, other columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from cuesta._text import count, cut, listed
from cuesta.data.columns import as_text, find_column, tidy
from cuesta.data.encode import Encoder, Feature
from cuesta.data.kinds import without_marks
from cuesta.errors import TableError

MOST_COLUMNS = 12  # columns that are told of one by one
EXAMPLES = 3


def check_columns_are_there(encoder: Encoder, frame: pl.DataFrame) -> None:
    """Raise TableError, naming them all, where the table lacks columns that the model needs."""
    lacking = [name for name in encoder.columns if name not in frame.columns]
    if len(lacking) == 1:
        find_column(frame, lacking[0], "The table")
    if lacking:
        names = listed(map(repr, lacking))
        raise TableError(
            f"The table has no columns {names}, which the model needs; it has: "
            f"{listed(frame.columns)}."
        )


def unusual(encoder: Encoder, frame: pl.DataFrame, x: np.ndarray, used: Iterable[str]) -> list[str]:
    """A sentence for each column with gaps or unseen categories, and one for columns without use.

    `x` (rows, inputs) is the table as encoded; `used` are columns that serve otherwise.
    """
    told = list(_by_column(encoder, frame, x))
    if len(told) > MOST_COLUMNS:
        rest = count(len(told) - MOST_COLUMNS, "more line")
        told = [*told[:MOST_COLUMNS], f"{rest} of missing values and unknown categories"]
    needless = set(frame.columns) - {*encoder.columns, *used}
    if needless:
        names = listed(name for name in frame.columns if name in needless)
        told.append(
            f"ignored {count(len(needless), 'column')} that the model does not use: {names}"
        )
    return told


def _by_column(encoder: Encoder, frame: pl.DataFrame, x: np.ndarray) -> Iterator[str]:
    begin = 0
    for feature in encoder.features:
        block = x[:, begin : begin + feature.width]
        begin += feature.width
        yield from _of_feature(feature, frame, block)


def _of_feature(feature: Feature, frame: pl.DataFrame, block: np.ndarray) -> Iterator[str]:
    name = cut(feature.name)
    if feature.kind == "category":
        given = without_marks(tidy(frame[feature.name]), feature.marks)
        text = as_text(given).alias("text")  # its own name may look like a pattern
        absent = text.is_null().to_numpy()
        strange = ~absent & _strange(feature, block)
        if strange.any():
            examples = listed(map(repr, text.filter(strange).unique(maintain_order=True)), EXAMPLES)
            what = (
                "a rare or unknown category" if feature.other else "a category unknown in training"
            )
            yield f"{name}: {what} in {_share(strange)} ({examples})"
    else:
        absent = np.isnan(block[:, 0])
    if absent.any():
        new = "" if feature.missing else ", in none of training"
        yield f"{name}: missing in {_share(absent)}{new}"


def _share(rows: np.ndarray) -> str:
    return f"{rows.sum():,} of {count(len(rows), 'row')}"


def _strange(feature: Feature, block: np.ndarray) -> np.ndarray:
    """The rows whose category has no input of its own."""
    return np.asarray(~block[:, : len(feature.categories)].any(axis=1))
