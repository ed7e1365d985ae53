"""The table of predictions: its columns, their names, and the columns that are kept beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
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


def output_names(target: Target, *, interval: bool = False, sets: bool = False) -> list[str]:
    """The columns of a table of predictions, with those of bounds or of label sets at the end."""
    names = list(target.names)
    if target.task != "regression":
        of = target.labels if target.task == "classification" else target.names
        names += [f"p_{label}" for label in of]
    endings = ("_lower", "_upper") if interval else ("_set",) if sets else ()
    for wanted in [name + ending for name in target.names for ending in endings]:
        name = wanted
        while name in names:  # a target, or a probability, that is called so
            name += "_"
        names.append(name)
    return names


def decided_columns(target: Target, decided: np.ndarray, chosen: np.ndarray) -> list[Any]:
    """What is decided (rows, outputs) as columns; `chosen` (rows,) numbers the classes."""
    columns: list[Any] = list(decided.T)
    if target.task == "multilabel":
        return [*(decided > 0.5).astype(np.int64).T, *columns]
    if target.task == "classification":
        return [pl.Series(target.labels)[chosen.tolist()], *columns]
    return columns


def bound_columns(lower: np.ndarray, upper: np.ndarray) -> list[np.ndarray]:
    """The bounds (rows, targets) as columns, those of a target side by side."""
    return [column for pair in zip(lower.T, upper.T, strict=True) for column in pair]


def set_column(labels: Iterable[Any], sets: np.ndarray) -> pl.Series:
    """Each row's labels in one text, by whether they are in its set (rows, classes).

    Bars stand between them, ` | `: as many side by side as no label has.
    """
    texts = [str(label) for label in labels]
    bar = "|"
    while any(bar in text for text in texts):
        bar += "|"
    joined = [f" {bar} ".join(compress(texts, row)) for row in sets.tolist()]
    return pl.Series(joined, dtype=pl.String)


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
