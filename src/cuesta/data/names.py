"""Names of columns that polars would take for patterns: `*`, and what stands between ^ and $.

A series' methods find it by its name among the columns of a table of one, where such a name is
expanded. So a series of such a name is worked on under another, and results get its own back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import polars as pl

from cuesta._util.notes import Note
from cuesta.errors import CuestaError

MARK = "\u2060"  # takes no room, and ends no pattern
Arguments = ParamSpec("Arguments")
Made = TypeVar("Made")


def is_pattern(name: str) -> bool:
    """Whether polars would expand this name."""
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def under_any_name(
    function: Callable[Concatenate[pl.Series, Arguments], Made],
) -> Callable[Concatenate[pl.Series, Arguments], Made]:
    """A function of a series, of whatever name."""

    @wraps(function)
    def run(series: pl.Series, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Made:
        if not is_pattern(series.name):
            return function(series, *args, **kwargs)
        try:
            made = function(series.alias(series.name + MARK), *args, **kwargs)
        except CuestaError as error:
            sentence, value = _without_mark(error.sentence), _without_mark(error.value)
            raise type(error)(sentence, parameter=error.parameter, value=value) from None
        return cast(Made, _renamed(made))

    return cast(Callable[Concatenate[pl.Series, Arguments], Made], run)


def _without_mark(text: str) -> str:
    return text.replace(repr(MARK)[1:-1], "").replace(MARK, "")


def _renamed(made: Any) -> Any:
    """What a function made, without the mark in names and notes."""
    if isinstance(made, pl.Series):
        return made.alias(_without_mark(made.name))
    if isinstance(made, Note):
        parts = map(_without_mark, (made, made.parameter, made.value))
        return Note(*parts)
    if isinstance(made, str):
        return _without_mark(made)
    if isinstance(made, tuple | list):
        return type(made)(map(_renamed, made))
    if is_dataclass(made) and not isinstance(made, type):
        changed = {field.name: _renamed(getattr(made, field.name)) for field in fields(made)}
        return replace(made, **changed)
    return made
