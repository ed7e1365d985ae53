"""Decides each column's kind (number, boolean, category, date, time) and cleans its values."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from cuesta._util.checks import check_choice
from cuesta.data.dates import FIRST_ROW, as_dates, as_times, date_format, time_format
from cuesta.data.frames import CATEGORICAL
from cuesta.errors import SpecError, TableError

# How missing values are written in text files; compared after stripping blanks, in lower case.
MISSING = ("", "?", "na", "n/a", "nan", "null", "none", "-")
MOSTLY = 0.9  # from this share of numbers on, other text in a column is taken for a mistake
WITH_COMMAS = r"^[-+]?\d+(\.\d{3})*(,\d+)+(\.\d+)?$"
KINDS = ("number", "boolean", "category", "date", "time", "drop")


def find_column(frame: pl.DataFrame, name: str, where: str) -> pl.Series:
    """The named column. Raises TableError, offering the nearest name, where there is none."""
    if name in frame.columns:
        return frame[name]
    near = difflib.get_close_matches(name, frame.columns, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"it has: {_listed(frame.columns)}."
    raise TableError(f"{where} has no column {name!r}; {hint}")


def _listed(names: list[str], most: int = 12) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


# Among the labels of a target "None" and "-" are classes: the one without the disease, say.
MISSING_LABELS = ("", "?", "na", "n/a", "nan", "null")


def tidy(series: pl.Series, missing: tuple[str, ...] = MISSING) -> pl.Series:
    """Text without blanks around it, ways of writing "missing" as null; other types as they are."""
    if series.dtype in (pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
    if series.dtype.is_float():
        return series.fill_nan(None)
    if series.dtype != pl.String:
        return series
    text = series.str.strip_chars()
    return text.set(text.str.to_lowercase().is_in(missing), None)


def tidy_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """Each column of a table tidied."""
    return frame.with_columns([tidy(frame[name]) for name in frame.columns])


def tidy_target(series: pl.Series) -> pl.Series:
    """A target tidied: as any column where it is numbers, else with more of its words as labels.

    Raises TableError for text among numbers, and for infinities.
    """
    tidied = tidy(series)
    if kind_of(tidied) == "number":
        as_numbers(tidied)
        return tidied
    return tidy(series, MISSING_LABELS)


def kind_of(series: pl.Series) -> str:
    """`number`, `boolean`, `date`, `time`, `category` or `empty` of a tidied column.

    Raises TableError for text among numbers, and for a type that cannot be an input.
    """
    if series.null_count() == len(series):
        return "empty"
    if series.dtype == pl.String:
        return _kind_of_text(series)
    if series.dtype == pl.Boolean:
        return "boolean"
    if series.dtype.is_numeric() or series.dtype == pl.Duration:
        return "number"
    if series.dtype.is_temporal():
        return "time" if series.dtype == pl.Time else "date"
    raise _unusable(series)


def _kind_of_text(series: pl.Series) -> str:
    if series.str.to_lowercase().is_in(["true", "false"]).all():
        return "boolean"
    parsed = series.cast(pl.Float64, strict=False)
    share = 1 - (parsed.null_count() - series.null_count()) / series.count()
    if share == 1:
        return "number"
    if share >= MOSTLY:
        raise _text_among_numbers(series, parsed)
    if series.str.contains(WITH_COMMAS).sum() + parsed.count() >= MOSTLY * series.count():
        row = int(series.str.contains(WITH_COMMAS).fill_null(False).arg_max() or 0)
        raise TableError(
            f"The column {series.name!r} holds numbers with a comma, as {series[row]!r} "
            f"(row {row + FIRST_ROW}); write them with a point, and thousands without a mark."
        )
    if date_format(series) is not None:
        return "date"
    return "category" if time_format(series) is None else "time"


def _unusable(series: pl.Series) -> TableError:
    kind = str(series.dtype)
    return TableError(f"The column {series.name!r} is of type {kind}, which cannot be an input.")


def _text_among_numbers(series: pl.Series, parsed: pl.Series) -> TableError:
    row = int((parsed.is_null() & series.is_not_null()).arg_max() or 0)
    return TableError(
        f"The column {series.name!r} holds the text {series[row]!r} among numbers "
        f"(row {row + FIRST_ROW})."
    )


def as_numbers(series: pl.Series) -> np.ndarray:
    """A tidied column as float64, missing as NaN; a span of time in days.

    Raises TableError for text and for infinities, naming the row.
    """
    if series.dtype == pl.String:
        parsed = series.cast(pl.Float64, strict=False)
        if parsed.null_count() > series.null_count():
            raise _text_among_numbers(series, parsed)
        series = parsed.alias(series.name)
    elif series.dtype == pl.Duration:
        series = series.cast(pl.Duration("us")).to_physical() / 86_400e6
    elif not (series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null)):
        raise _unusable(series)
    values = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
    if np.isinf(values).any():
        row = int(np.isinf(values).argmax())
        raise TableError(f"The column {series.name!r} is infinite in row {row + FIRST_ROW}.")
    return values


def as_booleans(series: pl.Series) -> np.ndarray:
    """A tidied column of true and false (or 1 and 0) as float64, missing as NaN.

    Raises TableError for any other value.
    """
    if series.dtype == pl.String:
        lower = series.str.to_lowercase()
        known = lower.is_in(["true", "false", "1", "0"])
        if not known.fill_null(True).all():
            raise _no_boolean(series, int((~known).fill_null(False).arg_max() or 0))
        return lower.is_in(["true", "1"]).cast(pl.Float64).fill_null(np.nan).to_numpy()
    values = as_numbers(series)
    other = ~(np.isnan(values) | (values == 0) | (values == 1))
    if other.any():
        raise _no_boolean(series, int(other.argmax()))
    return values


def _no_boolean(series: pl.Series, row: int) -> TableError:
    return TableError(
        f"The column {series.name!r} holds {series[row]!r} where the training rows have true or "
        f"false (row {row + FIRST_ROW})."
    )


def as_text(series: pl.Series) -> pl.Series:
    """A tidied column as text, so that a category compares equal however its file typed it.

    Raises TableError for a type that has no text.
    """
    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        raise _unusable(series)
    if series.dtype.is_float():
        whole = series.cast(pl.Int64, strict=False)
        if (whole.cast(pl.Float64) == series).all():
            series = whole
    return series.cast(pl.String)


@dataclass(frozen=True)
class Kind:
    """What a column is taken for, and the format of its dates where they are text."""

    name: str
    format: str = ""


def read_kinds(frame: pl.DataFrame, given: Mapping[str, Kind]) -> dict[str, Kind]:
    """What each column of a tidied table is: as given, or as its values look.

    Raises TableError for a column that is of no one kind.
    """
    return {
        **given,
        **{name: _with_format(frame[name], given.get(name)) for name in frame.columns},
    }


def _with_format(series: pl.Series, given: Kind | None) -> Kind:
    """What a column is, and the format of its dates or times where they are text."""
    kind = given or Kind(kind_of(series))
    if kind.name not in FORMATS or kind.format or series.dtype != pl.String:
        return kind
    return Kind(kind.name, FORMATS[kind.name](series) or "")


# kind → how the format of text of this kind is found
FORMATS = {"date": date_format, "time": time_format}


def _declared_kinds(frame: pl.DataFrame) -> dict[str, Kind]:
    """The columns of a table that its types declare to be categories, where they have values."""
    return {
        name: Kind("category")
        for name in frame.columns
        if frame[name].dtype in CATEGORICAL and frame[name].null_count() < frame.height
    }


def read_columns(
    frame: pl.DataFrame, given: Mapping[str, Kind] | None = None
) -> tuple[pl.DataFrame, dict[str, Kind]]:
    """A table's columns tidied, told apart and converted, and what each of them is.

    Raises TableError naming the column, and the row where one value is the culprit.
    """
    tidied = tidy_frame(frame)
    kinds = read_kinds(tidied, {**_declared_kinds(frame), **(given or {})})
    return convert_columns(tidied, kinds), kinds


def parse_kinds(texts: Iterable[str]) -> dict[str, Kind]:
    """What columns are, from texts as `NAME=KIND` or `NAME=date:FORMAT`. Raises SpecError."""
    kinds = {}
    for text in texts:
        name, mark, kind = text.rpartition("=") if "=date:" not in text else text.partition("=")
        kind, _, form = kind.partition(":")
        if not mark or not name:
            raise SpecError(f"columns takes NAME=KIND, not {text!r}.")
        check_choice("the kind", kind, KINDS)
        kinds[name] = Kind(kind, form)
    return kinds


def convert_columns(frame: pl.DataFrame, kinds: Mapping[str, Kind]) -> pl.DataFrame:
    """A tidied table in types: Float64, Boolean, Datetime, Time, String, or all null.

    This reads every row, the test rows too, and only to read them: a value that cannot be one of
    its column is found before anything is trained. Raises TableError naming column and row.
    """
    return frame.with_columns([_converted(frame[name], kinds[name]) for name in frame.columns])


def _converted(series: pl.Series, of: Kind) -> pl.Series:
    kind = of.name
    if kind == "date":
        return as_dates(series, of.format)
    if kind == "time":
        return as_times(series, of.format)
    if kind == "category":
        return as_text(series)
    if kind == "number":
        return pl.Series(series.name, as_numbers(series), nan_to_null=True)
    if kind == "boolean":
        return pl.Series(series.name, as_booleans(series), nan_to_null=True).cast(pl.Boolean)
    return series.cast(pl.String)
