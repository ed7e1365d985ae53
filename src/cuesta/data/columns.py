"""Decides each column's kind (number, boolean, category, date, time) and cleans its values."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from cuesta._text import count, listed
from cuesta._util.notes import Note
from cuesta.data.dates import FIRST_ROW, as_dates, as_times, date_format, time_format
from cuesta.data.far import find_far
from cuesta.data.frames import CATEGORICAL
from cuesta.data.kinds import ANY_CASE, Kind, shown, without_marks
from cuesta.data.names import under_any_name
from cuesta.data.numerals import as_written
from cuesta.data.readings import (
    NO,
    YES,
    folded,
    folded_booleans,
    read_number,
    read_text,
    settle_decimals,
    words_among_numbers,
)
from cuesta.errors import TableError

LARGEST_TARGET = 1e300  # beyond, differences and sums of such numbers leave float64
FEW_CLASSES = 20  # whole numbers with no more distinct values than this are classes
SHOWN_VALUES = 5
# How missing values are written in text files; compared after stripping blanks, in lower case.
SPREADSHEET = ("#n/a", "#na", "#n/a n/a", "#null!", "#div/0!", "#value!", "#ref!", "#name?",
               "#num!", "<na>", "-nan", "1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind",
               "nat")  # fmt: skip
MISSING = ("", "?", "na", "n/a", "nan", "null", "none", "-", ".", "..", "--", "---", *SPREADSHEET)
# Among the labels of a target "None" and "-" are classes: the one without the disease, say.
MISSING_LABELS = ("", "?", "na", "n/a", "nan", "null", *SPREADSHEET)


def find_column(frame: pl.DataFrame, name: str, where: str, parameter: str = "") -> pl.Series:
    """The named column. Raises TableError, offering the nearest name, where there is none.

    `parameter` is the one that named it, for the error.
    """
    if name in frame.columns:
        return frame[name]
    near = difflib.get_close_matches(name, frame.columns, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"it has: {_listed(frame.columns)}."
    raise TableError(f"{where} has no column {name!r}; {hint}", parameter=parameter)


def _shown(value: object) -> str:
    return shown(value) if isinstance(value, str) else repr(value)


def frame_of(columns: Iterable[pl.Series]) -> pl.DataFrame:
    """A table of columns under their own names, which to polars' expressions may be patterns."""
    return pl.DataFrame(list(columns))


def with_columns(frame: pl.DataFrame, columns: Iterable[pl.Series]) -> pl.DataFrame:
    """A table with these columns, each in the place of the one of its name, or at the end."""
    made = {column.name: column for column in (*frame, *columns)}
    return frame_of(made.values())


def without(frame: pl.DataFrame, names: Collection[str]) -> pl.DataFrame:
    """A table without the named columns, whatever they are called."""
    return frame_of(column for column in frame if column.name not in names)


def _listed(names: list[str], most: int = 12) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


@under_any_name
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
    return frame_of(map(tidy, frame))


@under_any_name
def read_target(
    series: pl.Series, task: str = "auto", decimal: str = "auto", missing: tuple[str, ...] = ()
) -> tuple[pl.Series, tuple[Note, ...]]:
    """A target tidied, numbers of any writing as numbers; and what is to be said of it.

    Where it is classes, more of its words are labels, and those that differ in case only are one.
    Raises TableError for text among numbers, for infinities and for numbers whose squares are
    too large, and for dates.
    """
    tidied = without_marks(tidy(series), missing)
    kind = _kind(tidied, decimal)
    if kind.name == "number":
        values = as_numbers(tidied, kind.format)  # one word among them is no value to predict
        _check_size(series.name, values)
        if not kind.format:
            return tidied, ()
        if task == "regression" or (task == "auto" and not looks_like_classes(values)):
            return pl.Series(series.name, values, nan_to_null=True), _of_target(kind.notes)
    elif kind.name == "date" and task != "classification":
        raise _dates(series)
    labels = without_marks(tidy(series, MISSING_LABELS), missing)
    if labels.dtype != pl.String:
        return labels, ()
    if kind.name == "boolean" and kind.notes:
        return folded_booleans(labels), _of_target(kind.notes)
    return (folded(labels), _of_target(kind.notes)) if kind.format == ANY_CASE else (labels, ())


def _of_target(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """Notes on a target, of which `columns` tells nothing."""
    plain = (
        Note(n, *(("", "") if n.parameter == "columns" else (n.parameter, n.value))) for n in notes
    )
    return tuple(plain)


def _dates(series: pl.Series) -> TableError:
    return TableError(
        f"The target {series.name!r} holds dates, as {shown(series.drop_nulls()[0])}, and a date "
        "is no target; to predict when, give a number, as the days since a day."
    )


def _check_size(name: str, values: np.ndarray) -> None:
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    if largest > LARGEST_TARGET:
        power = 10.0 ** np.floor(np.log10(largest))
        raise TableError(
            f"The target {name!r} holds numbers as large as {largest:.3g}, whose sums are too "
            f"large to compute with; divide it by {power:.0e}."
        )


def looks_like_classes(values: np.ndarray) -> bool:
    """Whether numbers (NaN is missing) are whole, and few for their rows: classes by number."""
    present = values[~np.isnan(values)]
    distinct = np.unique(present)
    whole = bool(np.all(distinct == np.round(distinct)))
    # Ten rows a class on average: fewer, and whole numbers are counts or measures.
    return whole and len(distinct) <= min(FEW_CLASSES, max(2, len(present) // 10))


@under_any_name
def kind_of(series: pl.Series) -> str:
    """`number`, `boolean`, `date`, `time`, `category` or `empty` of a tidied column.

    Raises TableError for words among numbers, and for a type that cannot be an input.
    """
    return _kind(series).name


@under_any_name
def _kind(series: pl.Series, decimal: str = "auto") -> Kind:
    """What a tidied column is and how it is read."""
    if series.null_count() == len(series):
        return Kind("empty")
    if series.dtype == pl.String:
        return read_text(series, decimal)
    if series.dtype == pl.Boolean:
        return Kind("boolean")
    if series.dtype.is_numeric() or series.dtype == pl.Duration:
        return Kind("number")
    if series.dtype.is_temporal():
        return Kind("time" if series.dtype == pl.Time else "date")
    raise _unusable(series)


def _unusable(series: pl.Series) -> TableError:
    kind = str(series.dtype)
    return TableError(f"The column {series.name!r} is of type {kind}, which cannot be an input.")


@under_any_name
def as_numbers(series: pl.Series, form: str = "") -> np.ndarray:
    """A tidied column as float64, missing as NaN; text in a format of numbers; spans in days.

    Raises TableError for text and for infinities, naming the row.
    """
    if series.dtype == pl.String:
        parsed = as_written(series, form) if form else series.cast(pl.Float64, strict=False)
        if parsed.null_count() > series.null_count():
            wrong = series.filter(parsed.is_null() & series.is_not_null())
            raise words_among_numbers(series, wrong.unique(maintain_order=True).to_list())
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


@under_any_name
def as_booleans(series: pl.Series) -> np.ndarray:
    """A tidied column of true and false (or 1 and 0) as float64, missing as NaN.

    Raises TableError for any other value.
    """
    if series.dtype == pl.String:
        lower = series.str.to_lowercase()
        known = lower.is_in([*YES, *NO])
        if not known.fill_null(True).all():
            raise _no_boolean(series, int((~known).fill_null(False).arg_max() or 0))
        return lower.is_in(YES).cast(pl.Float64).fill_null(np.nan).to_numpy()
    values = as_numbers(series)
    other = ~(np.isnan(values) | (values == 0) | (values == 1))
    if other.any():
        raise _no_boolean(series, int(other.argmax()))
    return values


def _no_boolean(series: pl.Series, row: int) -> TableError:
    return TableError(
        f"The column {series.name!r} holds {_shown(series[row])} where the training rows have "
        f"true or false (row {row + FIRST_ROW})."
    )


@under_any_name
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


def read_kinds(
    frame: pl.DataFrame, given: Mapping[str, Kind], decimal: str = "auto"
) -> dict[str, Kind]:
    """What each column of a table is: as given, or as its values look.

    Raises TableError for a column that is of no one kind.
    """
    return _kinds_of(tidy_frame(frame), given, decimal)


def _kinds_of(frame: pl.DataFrame, given: Mapping[str, Kind], decimal: str) -> dict[str, Kind]:
    guessed = {name: _kind(frame[name], decimal) for name in frame.columns if name not in given}
    known = {
        name: _with_format(frame[name], kind, decimal)
        for name, kind in given.items()
        if name in frame.columns
    }
    settled = settle_decimals(frame, {**guessed, **known}) if decimal == "auto" else guessed | known
    return {**given, **{name: settled[name] for name in frame.columns}}


@under_any_name
def _with_format(series: pl.Series, kind: Kind, decimal: str) -> Kind:
    """What a column is said to be, and the format of its text where it has one."""
    if kind.format or series.dtype != pl.String or series.null_count() == len(series):
        return kind
    if kind.name == "number":
        return read_number(series, decimal)
    return Kind(kind.name, FORMATS[kind.name](series) or "") if kind.name in FORMATS else kind


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
    frame: pl.DataFrame,
    given: Mapping[str, Kind] | None = None,
    *,
    decimal: str = "auto",
    missing: tuple[str, ...] = (),
) -> tuple[pl.DataFrame, dict[str, Kind]]:
    """A table's columns tidied, told apart and converted, and what each of them is.

    `decimal` is the mark of numbers that may be read in two ways, `missing` more words for a
    missing value. Raises TableError naming the column, and the row where one value is the culprit.
    """
    tidied = frame_of(without_marks(column, missing) for column in tidy_frame(frame))
    kinds = _kinds_of(tidied, {**_declared_kinds(frame), **(given or {})}, decimal)
    kinds = {name: replace(kind, marks=(*missing, *kind.marks)) for name, kind in kinds.items()}
    made = convert_columns(tidied, kinds)
    return made, {column.name: _with_far_told(column, kinds[column.name]) for column in made}


def _with_far_told(column: pl.Series, kind: Kind) -> Kind:
    """A kind that also tells of numbers far from the rest of their column."""
    far = find_far(column.to_numpy()) if kind.name == "number" else None
    if far is None:
        return kind
    values = listed((f"{value:.6g}" for value in far.values), SHOWN_VALUES)
    rows = listed((row + FIRST_ROW for row in far.rows.tolist()), SHOWN_VALUES)
    here = f"in {count(len(far.rows), 'row')} ({rows})"
    note = Note(
        f"{column.name}: {values} {here} far from the rest, {far.inner[0]:.6g} to "
        f"{far.inner[1]:.6g}; normalization takes it for missing",
        "missing",
        f"{far.values[0]:.15g}",
    )
    return replace(kind, notes=(*kind.notes, note))


def convert_columns(frame: pl.DataFrame, kinds: Mapping[str, Kind]) -> pl.DataFrame:
    """A tidied table in types: Float64, Boolean, Datetime, Time, String, or all null.

    This reads every row, the test rows too, and only to read them: a value that cannot be one of
    its column is found before anything is trained. Raises TableError naming column and row.
    """
    return frame_of(_converted(column, kinds[column.name]) for column in frame)


@under_any_name
def _converted(series: pl.Series, of: Kind) -> pl.Series:
    kind, series = of.name, without_marks(series, of.marks)
    if kind == "date":
        return as_dates(series, of.format)
    if kind == "time":
        return as_times(series, of.format)
    if kind == "category":
        text = as_text(series)
        return folded(text) if of.format == ANY_CASE else text
    if kind == "number":
        return pl.Series(series.name, as_numbers(series, of.format), nan_to_null=True)
    if kind == "boolean":
        return pl.Series(series.name, as_booleans(series), nan_to_null=True).cast(pl.Boolean)
    return series.cast(pl.String)
