"""Presets: whole configurations that have a name."""

from __future__ import annotations

from typing import Any

import numpy as np

from cuesta._util.checks import check_choice
from cuesta.search import portfolio
from cuesta.search.portfolio import TableSize

PRESETS = ("tabular",)


def preset_values(name: str | None, size: TableSize) -> dict[str, Any]:
    """What a preset sets for a table of this size: parameter → value; nothing for None.

    Raises SpecError for a preset that there is not.
    """
    if name is None:
        return {}
    check_choice("preset", name, PRESETS)
    return portfolio.values_of(portfolio.PRESET_TABULAR, size)


def table_size(x: np.ndarray, task: str) -> TableSize:
    """The size of encoded rows (rows, inputs) for this kind of target."""
    rows, inputs = x.shape
    return TableSize(rows, inputs, task)
