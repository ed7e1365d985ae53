"""The portfolio: a few good configurations that complement each other, tried first and in order.

As the portfolios of auto-sklearn and AutoGluon (Feurer et al., 2022; Erickson et al., 2020): what
is good on many tables is tried before anything is drawn. An entry holds the fields of a candidate;
a value may be a function of the size of the table. All entries share `COMMON`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cuesta.hyperparameters import Candidate
from cuesta.search.space import default_batch_size


class TableSize(NamedTuple):
    """What a portfolio's entries may depend on: training rows, inputs, the kind of target."""

    rows: int
    columns: int
    task: str


Entry = Mapping[str, Any | Callable[[TableSize], Any]]

COMMON: Entry = {
    "optimizer": "adam",
    "schedule": "cosine",
    "batch_size": lambda table: default_batch_size(table.rows),
}

PORTFOLIO: tuple[Entry, ...] = (
    {
        "hidden_layer_sizes": (256, 128),
        "activation": "silu",
        "normalize": "quantile",
        "numeric_embedding": "plr",
        "learning_rate": 2e-3,
        "final_learning_rate": 2e-5,
        "weight_decay": 1e-2,
        "dropout": 0.1,
    },
    {
        "hidden_layer_sizes": (128, 128),
        "activation": "selu",
        "init": "glorot",
        "normalize": "robust",
        "numeric_embedding": "pbld",
        "embedding_size": 4,
        "embedding_sigma": 0.1,
        "input_scale": True,
        "learning_rate": 3e-3,
        "final_learning_rate": 3e-5,
        "weight_decay": 2e-2,
        "dropout": 0.15,
    },
    {
        "hidden_layer_sizes": (128, 128),
        "activation": "relu",
        "normalize": "quantile",
        "learning_rate": 1e-3,
        "final_learning_rate": 1e-5,
        "weight_decay": 1e-2,
        "dropout": 0.2,
    },
    {
        "hidden_layer_sizes": (128, 128),
        "activation": "silu",
        "normalize": "robust",
        "input_scale": True,
        "learning_rate": 3e-3,
        "final_learning_rate": 3e-5,
        "weight_decay": 1e-2,
    },
    {
        "hidden_layer_sizes": (256, 128),
        "activation": "relu",
        "normalize": "quantile",
        "numeric_embedding": "pbld",
        "learning_rate": 1e-3,
        "final_learning_rate": 1e-5,
        "weight_decay": 3e-2,
        "dropout": 0.2,
    },
    {
        "hidden_layer_sizes": (128, 128),
        "activation": "silu",
        "normalize": "robust",
        "numeric_embedding": "plr",
        "embedding_sigma": 0.1,
        "learning_rate": 3e-3,
        "final_learning_rate": 3e-5,
        "weight_decay": 1e-2,
    },
)

PRESET_TABULAR: Entry = {**COMMON, **PORTFOLIO[0]}
"""The best single configuration: the portfolio's first entry, all its values together."""


def values_of(entry: Entry, table: TableSize) -> dict[str, Any]:
    """The fields of a candidate on a table of this size."""
    merged = {**COMMON, **entry}
    return {name: value(table) if callable(value) else value for name, value in merged.items()}


def portfolio(table: TableSize) -> list[Candidate]:
    """The portfolio's candidates on a table of this size, in their order."""
    return [Candidate(**values_of(entry, table)) for entry in PORTFOLIO]
