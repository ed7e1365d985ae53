"""What each column is: a number, a boolean, a category; and its values, tidied."""

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

    Raises TableError for text among numbers, and for a type that no network takes.
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
    return TableError(f"The column {series.name!r} is of type {kind}, which no network takes.")


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
        f"The column {series.name!r} holds {series[row]!r} where it held true or false "
        f"(row {row + FIRST_ROW})."
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
    """What each column is: as given, as its type says (categories), or as its values look.

    Raises TableError for a column that is of no one kind.
    """
    kinds = dict(given)
    for name in frame.columns:
        if name not in kinds:
            declared = frame[name].dtype in CATEGORICAL
            series = tidy(frame[name])
            kind = kind_of(series)
            kinds[name] = Kind("category" if declared and kind != "empty" else kind)
        if kinds[name].name in ("date", "time") and not kinds[name].format:
            series = tidy(frame[name])
            if series.dtype == pl.String:
                find = date_format if kinds[name].name == "date" else time_format
                kinds[name] = Kind(kinds[name].name, find(series) or "")
    return kinds


def parse_kinds(texts: Iterable[str]) -> dict[str, Kind]:
    """`NAME=KIND`, or `NAME=date:FORMAT`, as the command line has them. Raises SpecError."""
    kinds = {}
    for text in texts:
        name, mark, kind = text.rpartition("=") if "=date:" not in text else text.partition("=")
        kind, _, form = kind.partition(":")
        if not mark or not name:
            raise SpecError(f"--columns takes NAME=KIND, not {text!r}.")
        check_choice("the kind", kind, KINDS)
        kinds[name] = Kind(kind, form)
    return kinds


def convert_columns(frame: pl.DataFrame, kinds: Mapping[str, Kind]) -> pl.DataFrame:
    """The table with each column as what it is: Float64, Boolean, Datetime, String, or all null.

    This reads every row, the test rows too, and only to read them: a value that cannot be one of
    its column is found before anything is trained. Raises TableError naming column and row.
    """
    return frame.with_columns([_settled(tidy(frame[name]), kinds[name]) for name in frame.columns])


def _settled(series: pl.Series, of: Kind) -> pl.Series:
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
