"""Reads the configurations that bench/portfolio.py judges."""

from __future__ import annotations

import dataclasses
import json
import math
import runpy
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cuesta.hyperparameters import PARAMETERS, Candidate
from cuesta.search.space import default_batch_size, make_candidate

PORTFOLIO = "portfolio"  # in place of a file: the entries of search/portfolio.py
DEFAULTS = "defaults"  # the section of what all others have

Values = Mapping[str, Any] | Candidate


class TableSize(NamedTuple):
    """What an entry may depend on: training rows, columns of the file, the kind of target."""

    rows: int
    columns: int
    task: str


Written = Values | Callable[[TableSize], Values]


@dataclass(frozen=True)
class Entry:
    """A configuration: its name, and its values, or what makes them, of the table's size."""

    name: str
    written: Written

    def on(self, size: TableSize, epochs: int, folds: int) -> Candidate:
        """The candidate for a table, with epochs of its own.

        Beside a candidate's parameters there are `final_ratio`, and `steps` in place of epochs;
        a batch size that is not given is that of the table's size. Raises SpecError.
        """
        rows = size.rows
        written = self.written(size) if callable(self.written) else self.written
        values = _changed(written) if isinstance(written, Candidate) else dict(written)
        values = {name: made(size) if callable(made) else made for name, made in values.items()}
        steps = values.pop("steps", None)
        values.setdefault("batch_size", default_batch_size(rows))
        candidate = make_candidate(values)
        if steps is not None:
            trained = rows * (folds - 1) / folds
            epochs = math.ceil(steps / math.ceil(trained / candidate.batch_size))
        if candidate.epochs is not None and steps is None:
            return candidate
        return dataclasses.replace(candidate, epochs=max(1, epochs))


def read_entries(source: str) -> list[Entry]:
    """The entries of a TOML, JSON or Python file, or of the package's own portfolio.

    A section, or a key of the outermost object, is an entry; those of `defaults` go to all. A
    Python file has them in `CONFIGS`, where an entry may be a candidate, and an entry, or one of
    its values, a function of the table's size (`rows`, `columns`, `task`). Raises ValueError for a
    file without an entry.
    """
    if source == PORTFOLIO:
        return portfolio_entries()
    path = Path(source)
    if path.suffix == ".py":
        found = dict(runpy.run_path(source)["CONFIGS"])
    elif path.suffix == ".json":
        found = json.loads(path.read_text(encoding="utf-8"))
    else:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    common = found.pop(DEFAULTS, {})
    if not found:
        raise ValueError(f"{source} has no configuration")
    return [Entry(name, _with(common, written)) for name, written in found.items()]


def portfolio_entries() -> list[Entry]:
    """The entries of the package's portfolio, by their places."""
    from cuesta.search.portfolio import PORTFOLIO, portfolio

    def made(place: int) -> Callable[[TableSize], Candidate]:
        return lambda size: portfolio(size)[place]

    return [Entry(f"p{place + 1}", made(place)) for place in range(len(PORTFOLIO))]


def _with(common: Mapping[str, Any], written: Written) -> Written:
    """What is written, with what is common to all where it says nothing."""
    if not common or isinstance(written, Candidate):
        return written
    if callable(written):
        return lambda size: _with(common, written(size))  # type: ignore[return-value]
    return {**common, **written}


def _changed(candidate: Candidate) -> dict[str, Any]:
    """A candidate's values that are not the defaults."""
    plain = Candidate()
    values = {name: getattr(candidate, name) for name in PARAMETERS}
    return {name: value for name, value in values.items() if value != getattr(plain, name)}
