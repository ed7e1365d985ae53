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
from typing import Any

from cuesta.hyperparameters import PARAMETERS, Candidate
from cuesta.search.space import default_batch_size, make_candidate

PORTFOLIO = "portfolio"  # in place of a file: the entries of search/portfolio.py
DEFAULTS = "defaults"  # the section of what all others have

Values = Mapping[str, Any] | Candidate
Written = Values | Callable[[int, str], Values]


@dataclass(frozen=True)
class Entry:
    """A configuration: its name, and its values, or what makes them of rows and task."""

    name: str
    written: Written

    def on(self, rows: int, task: str, epochs: int, folds: int) -> Candidate:
        """The candidate for a table of so many training rows, with epochs of its own.

        Beside a candidate's parameters there are `final_ratio`, and `steps` in place of epochs;
        a batch size that is not given is that of the table's size. Raises SpecError.
        """
        written = self.written(rows, task) if callable(self.written) else self.written
        values = _changed(written) if isinstance(written, Candidate) else dict(written)
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
    Python file has them in `CONFIGS`, where a value may be a candidate, or a function of rows and
    task that makes the values. Raises ValueError for a file without an entry.
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
    """The entries of the package's portfolio, by their places, whatever rows and task make them."""
    from cuesta.search.portfolio import portfolio

    count = min(len(portfolio(1000, task)) for task in ("classification", "regression"))
    return [
        Entry(f"p{place + 1}", lambda rows, task, place=place: portfolio(rows, task)[place])
        for place in range(count)
    ]


def _with(common: Mapping[str, Any], written: Written) -> Written:
    """What is written, with what is common to all where it says nothing."""
    if not common or isinstance(written, Candidate):
        return written
    if callable(written):
        return lambda rows, task: _with(common, written(rows, task))  # type: ignore[return-value]
    return {**common, **written}


def _changed(candidate: Candidate) -> dict[str, Any]:
    """A candidate's values that are not the defaults."""
    plain = Candidate()
    values = {name: getattr(candidate, name) for name in PARAMETERS}
    return {name: value for name, value in values.items() if value != getattr(plain, name)}
