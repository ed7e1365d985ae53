"""What a column may be taken for, and how its text is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from cuesta._text import cut
from cuesta._util.checks import check_choice
from cuesta._util.notes import Note
from cuesta.data.names import under_any_name
from cuesta.data.numerals import parse_numerals
from cuesta.errors import SpecError

KINDS = ("number", "boolean", "category", "date", "time", "drop")
ANY_CASE = "any case"  # the format of categories that are one where only case or blanks differ
SHOWN_TEXT = 40


@dataclass(frozen=True)
class Kind:
    """What a column is taken for, and how its text is read.

    `format` is that of dates and times, or a numeral with its unit (`1.234,5 €`), or ANY_CASE;
    empty where the text needs none. `marks` are its own words for a missing value.
    """

    name: str
    format: str = ""
    marks: tuple[str, ...] = ()
    notes: tuple[Note, ...] = field(default=(), compare=False)


def parse_kinds(texts: Iterable[str]) -> dict[str, Kind]:
    """What columns are, from texts as `NAME=KIND` or `NAME=date:FORMAT`. Raises SpecError."""
    kinds = {}
    for text in texts:
        with_format = next((f"={kind}:" for kind in KINDS if f"={kind}:" in text), "")
        name, mark, kind = text.partition(with_format) if with_format else text.rpartition("=")
        kind, _, form = (with_format[1:] + kind).partition(":")
        if not mark or not name:
            raise SpecError(f"columns takes NAME=KIND, not {text!r}.")
        check_choice("the kind", kind, KINDS)
        kinds[name] = Kind(kind, _checked_format(kind, form))
    return kinds


def _checked_format(kind: str, form: str) -> str:
    if kind == "number" and form:
        try:
            return parse_numerals(form).format
        except ValueError as error:
            raise SpecError(f"columns: {error}.") from error
    return form


@under_any_name
def without_marks(series: pl.Series, marks: tuple[str, ...]) -> pl.Series:
    """A column with null for each of these words, in any case, or for the numbers they are."""
    if not marks:
        return series
    numbers = pl.Series(marks).cast(pl.Float64, strict=False).drop_nulls()
    if series.dtype == pl.String:
        words = series.str.to_lowercase().is_in([mark.strip().lower() for mark in marks])
        series = series.set(words.fill_null(False), None)
    if not len(numbers) or not (series.dtype == pl.String or series.dtype.is_numeric()):
        return series
    equal = series.cast(pl.Float64, strict=False).is_in(numbers.to_list())
    return series.set(equal.fill_null(False), None)


def shown(text: object) -> str:
    """A value as a message shows it: in quotes, and cut where it is long."""
    return repr(cut(text, SHOWN_TEXT))
