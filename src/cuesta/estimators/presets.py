"""Presets: whole configurations that have a name."""

from __future__ import annotations

from collections.abc import Mapping
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


def keep_share_of_rate(preset: Mapping[str, Any], rate: Any) -> dict[str, Any]:
    """The preset beside a learning rate of the user's: its final one stays the same share of it."""
    last, first = preset.get("final_learning_rate"), preset.get("learning_rate")
    if last is None or first is None or isinstance(rate, bool) or not isinstance(rate, int | float):
        return dict(preset)
    return {**preset, "final_learning_rate": rate * (last / first)}


def table_size(x: np.ndarray, task: str) -> TableSize:
    """The size of encoded rows (rows, inputs) for this kind of target."""
    rows, inputs = x.shape
    return TableSize(rows, inputs, task)
