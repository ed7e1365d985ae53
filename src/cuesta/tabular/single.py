"""Prepares one network for the commands that do not search: `rate` and `surface`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cuesta._util.checks import check_count
from cuesta.data.kinds import parse_kinds
from cuesta.data.layout import Layout
from cuesta.data.table import Table
from cuesta.errors import SpecError
from cuesta.hyperparameters import Candidate, loss_of
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import prepare
from cuesta.training.fits import Recipe, Rows


@dataclass(frozen=True)
class Single:
    """A recipe, the table's rows without the sealed ones, and what is to be said of the table."""

    recipe: Recipe
    rows: Rows
    notes: tuple[str, ...]


def single(
    table: Table,
    *,
    target: str | None,
    columns: list[str] | None,
    hidden: str,
    epochs: int,
    seed: int,
    **changes: Any,
) -> Single:
    """The rows and a recipe with these hidden layers; `changes` are the candidate's.

    Raises SpecError or TableError.
    """
    options = Options(
        target=(target,) if target else (), columns=parse_kinds(columns or ()), seed=seed
    )
    candidate = Candidate(hidden_layer_sizes=layer_sizes(hidden), **changes)
    task = prepare(table, options)
    loss = loss_of(candidate, task.target.task)
    recipe = Recipe(
        candidate, loss, task.target.outputs, check_count("epochs", epochs, 10_000), seed
    )
    rows = Rows(task.x, task.y, None, Layout.of(task.encoder))
    return Single(recipe, rows, tuple(task.notes))


def layer_sizes(text: str) -> tuple[int, ...]:
    """Sizes of hidden layers with commas between. Raises SpecError."""
    try:
        return tuple(int(size) for size in text.split(",") if size.strip())
    except ValueError:
        raise SpecError(
            f"hidden must be whole numbers separated by commas, such as 64,32, not {text!r}."
        ) from None
