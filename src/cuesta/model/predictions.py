"""The table of predictions: its columns, their names, and the columns that are kept beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from cuesta.data.columns import find_column
from cuesta.data.encode import Target


@dataclass(frozen=True)
class Prediction:
    """A table of predictions, new names of the columns that it keeps, and what is to be said."""

    table: pl.DataFrame
    kept: Mapping[str, str]
    notes: tuple[str, ...]


def output_names(target: Target) -> list[str]:
    """The columns of a table of predictions."""
    if target.task == "regression":
        return list(target.names)
    of = target.labels if target.task == "classification" else target.names
    return [*target.names, *(f"p_{label}" for label in of)]


def as_table(target: Target, decided: np.ndarray, chosen: np.ndarray) -> pl.DataFrame:
    """What is decided (rows, outputs) as columns; `chosen` (rows,) numbers the classes."""
    columns: list[Any] = list(decided.T)
    if target.task == "multilabel":
        columns = [*(decided > 0.5).astype(np.int64).T, *columns]
    elif target.task == "classification":
        columns = [pl.Series(target.labels)[chosen.tolist()], *columns]
    return pl.DataFrame(dict(zip(output_names(target), columns, strict=True)))


def kept_names(
    frame: pl.DataFrame, keep: str | Sequence[str], outputs: Sequence[str]
) -> dict[str, str]:
    """The columns to keep, and what each is called beside the predictions."""
    names = [keep] if isinstance(keep, str) else keep
    if isinstance(keep, str) and keep == "all":
        names = frame.columns
    taken = {*outputs, *names}
    kept = {}
    for name in names:
        find_column(frame, name, "The table")
        kept[name] = name
        if name in outputs:
            while kept[name] in taken:
                kept[name] = f"given_{kept[name]}"
            taken.add(kept[name])
    return kept
