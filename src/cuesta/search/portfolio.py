"""The portfolio: a few good configurations that complement each other, tried first and in order.

As the portfolios of auto-sklearn and AutoGluon (Feurer et al., 2022; Erickson et al., 2020): what
is good on many tables is tried before anything is drawn. An entry holds the fields of a candidate;
a value may be a function of the size of the table. All entries share `COMMON`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cuesta.hyperparameters import Candidate
from cuesta.search.length import base_epochs
from cuesta.search.space import Choice, Dimension, Range, Space, default_batch_size, notes_space


class TableSize(NamedTuple):
    """What a portfolio's entries may depend on: training rows, inputs, the kind of target."""

    rows: int
    columns: int
    task: str


LARGE, MOST_OF_LARGE = 100_000, 20  # rows of a large table, and how many candidates it is worth
USUAL = 64  # candidates of a space that is not the portfolio's
SPACES: dict[str, Callable[[TableSize], Space]] = {"notes": lambda table: notes_space(table.rows)}

Entry = Mapping[str, Any | Callable[[TableSize], Any]]

COMMON: Entry = {
    "hidden_layer_sizes": (128, 128),
    "optimizer": "adam",
    "final_ratio": 0.01,
    "normalize": "robust",
    "weight_decay": 0.1,
    "batch_size": lambda table: default_batch_size(table.rows),
}
WIDE = 12  # inputs from which on an embedding takes half the units


def embedding_size(table: TableSize) -> int:
    """Units of a column's embedding: fewer where columns are many, for they all enter a layer."""
    return 8 if table.columns < WIDE else 4


PLR: Entry = {"numeric_embedding": "plr", "embedding_size": embedding_size}
PBLD: Entry = {"numeric_embedding": "pbld", "embedding_size": 4}
BINS: Entry = {"numeric_embedding": "piecewise", "embedding_size": embedding_size}

# In pairs of one shape and one normalization, which train as lanes of one chunk.
PORTFOLIO: tuple[Entry, ...] = (
    {**PLR, "learning_rate": 0.006, "dropout": 0.3},
    {**PLR, "learning_rate": 0.006, "dropout": 0.1},
    {
        **PLR,
        "normalize": "quantile",
        "learning_rate": 0.006,
        "dropout": 0.3,
    },
    {
        **PLR,
        "normalize": "quantile",
        "schedule": "coslog4",
        "learning_rate": 0.012,
        "dropout": 0.2,
    },
    {**PBLD, "learning_rate": 0.012, "weight_decay": 0.3, "dropout": 0.3},
    {**PBLD, "activation": "silu", "learning_rate": 0.006, "dropout": 0.1},
    {**BINS, "learning_rate": 0.012, "dropout": 0.3},
    {
        **BINS,
        "schedule": "coslog4",
        "learning_rate": 0.012,
        "dropout": 0.2,
    },
)
SMALL, WORK, FIRST = 1_500, 5_000, 6  # rows between which all entries are worth their time

RANGES: dict[str, Dimension] = {
    "hidden_layer_sizes": Choice(((128,), (128, 128), (256, 128))),
    "activation": Choice(("relu", "relu", "silu")),
    "normalize": Choice(("robust", "quantile")),
    "numeric_embedding": Choice(("plr", "pbld", "piecewise", "none")),
    "embedding_size": Choice((4, 8)),
    "embedding_sigma": Range(0.1, 1.0, log=True),
    "schedule": Choice(("linear", "coslog4")),
    "final_ratio": Choice((0.01,)),
    "learning_rate": Range(1e-3, 2e-2, log=True),
    "weight_decay": Range(1e-2, 0.5, log=True),
    "dropout": Range(0.0, 0.5),
}

PRESET_TABULAR: Entry = {
    **COMMON,
    **PORTFOLIO[0],
    "epochs": lambda table: base_epochs(table.rows, default_batch_size(table.rows)),
}
"""The best single configuration: the portfolio's first entry, for as long as a search begins."""


def values_of(entry: Entry, table: TableSize) -> dict[str, Any]:
    """The fields of a candidate on a table of this size.

    An entry may say `final_ratio`, the final learning rate as a share of the first.
    """
    merged = {**COMMON, **entry}
    found = {name: value(table) if callable(value) else value for name, value in merged.items()}
    if "final_ratio" in found:
        found["final_learning_rate"] = found.pop("final_ratio") * found["learning_rate"]
    return found


def portfolio(table: TableSize) -> list[Candidate]:
    """The portfolio's candidates on a table of this size, in their order."""
    return [Candidate(**values_of(entry, table)) for entry in PORTFOLIO]


def portfolio_space(table: TableSize) -> Space:
    """The default space: the portfolio, and what is near it."""
    return Space(RANGES, first=tuple(portfolio(table)), near=True)


def space_on(space: Space | str | None, table: TableSize) -> Space:
    """A space of the user's own, one of `SPACES` by its name, or the default one."""
    if isinstance(space, Space):
        return space
    return portfolio_space(table) if space is None else SPACES[space](table)


def candidates_on(wanted: int | str, space: Space | str | None, rows: int) -> int:
    """How many candidates are tried: so many, or, of "auto", as many as the table is worth.

    Where the space is the default one the portfolio's own: its first six on tables of fewer than
    1,500 rows, where its last two seldom help, and from 5,000 rows on, where they take long. Else
    64, of tables with 100,000 rows or more 20.
    """
    if isinstance(wanted, int):
        return wanted
    if space is None:
        return len(PORTFOLIO) if SMALL <= rows < WORK else FIRST
    return MOST_OF_LARGE if rows >= LARGE else USUAL
