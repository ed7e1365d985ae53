"""Dates and times: how text is recognized as one, and which numbers the network gets for it."""

from __future__ import annotations

import numpy as np
import polars as pl

from cuesta.data.kinds import shown
from cuesta.errors import TableError

DATE_INPUTS, TIME_INPUTS = 7, 3
MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
WEEKDAY = r"(?:(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?"
LOOKS_DATED = (
    r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|\d{1,2}/\d{1,2}/\d{2}"
    rf"|{WEEKDAY}\d{{1,2}}\.?[- ]{MONTH}[- ](\d{{4}}|\d{{2}})|{WEEKDAY}{MONTH} \d{{1,2}},? \d{{4}})"
    r"([ T,].*)?$"
)
MOSTLY = 0.9  # from this share of dates on, a column is one of dates
LOOKS_TIMED = r"^\d{1,2}:\d{2}(:\d{2})?(\.\d+)?$"
PLAIN_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y",
               "%m-%d-%Y")  # fmt: skip
# %B reads a month's name in full and in short.
WORDED_DATES = ("%d %B %Y", "%B %d, %Y", "%B %d %Y", "%d-%B-%Y", "%d. %B %Y", "%d-%B-%y",
                "%d %B %y", "%a, %d %B %Y", "%A, %B %d, %Y", "%d/%m/%y", "%m/%d/%y")  # fmt: skip
DATES = (*PLAIN_DATES, *WORDED_DATES)
PLAIN_CLOCKS = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M:%S%.f", " %H:%M:%S%.f",
                "T%H:%M:%S%#z", " %H:%M:%S%#z")  # fmt: skip
CLOCKS = (*PLAIN_CLOCKS, "T%H:%M", "T%H:%M%#z", " %H:%M%#z", "T%H:%M:%S%.f%#z", " %H:%M:%S%.f%#z",
          " %H:%M:%S %#z", " %H:%M:%S UTC", " %I:%M %p", " %I:%M:%S %p", ", %H:%M",
          ", %I:%M %p")  # fmt: skip
# The forms of which nothing is said: a date in them looks like one.
PLAIN_FORMATS = frozenset(day + clock for day in PLAIN_DATES for clock in PLAIN_CLOCKS)
TIMES = ("%H:%M:%S", "%H:%M", "%H:%M:%S%.f")
FIRST_YEAR = 1000
SAMPLE = 1000  # rows from which the form of most is told
FIRST_ROW = 2  # the line of a text file on which the first row stands


def date_format(series: pl.Series) -> str | None:
    """The format in which all of a column's text is a date, or None.

    Raises TableError where the text may be read in two ways, as 03/04/2024, or where most but not
    all of it is dates, or not all in one form.
    """
    text = series.drop_nulls()
    looks = text.str.contains(LOOKS_DATED)
    if not text.len() or looks.sum() < MOSTLY * text.len():
        return None
    fitting = [day + clock for day in DATES for clock in CLOCKS if _fits(text, day + clock)]
    days = {day for day in DATES for form in fitting if form.removeprefix(day) in CLOCKS}
    if len(days) > 1:
        raise TableError(
            f"The dates of the column {series.name!r}, as {shown(text[0])}, can be read in two "
            "ways; say which.",
            parameter="columns",
            value=f"{series.name}=date:{sorted(days)[0]}",
        )
    if not fitting:
        raise _mixed(series, text)
    return fitting[0]


def _mixed(series: pl.Series, text: pl.Series) -> TableError:
    """Dates in several forms, or among other text: the first that is unlike most."""
    forms = [day + clock for day in DATES for clock in CLOCKS]
    sample = text.head(SAMPLE)
    best = min(forms, key=lambda form: _date(sample, form).null_count())
    read = _date(series, best)
    if read.null_count() == len(series):
        return TableError(
            f"The dates of the column {series.name!r}, as {shown(text[0])}, are in no form that is "
            "known; name the form, or call the column a category.",
            parameter="columns",
            value=f"{series.name}=date:FORMAT",
        )
    row = int((read.is_null() & series.is_not_null()).arg_max() or 0)
    return TableError(
        f"The column {series.name!r} holds {shown(series[row])} among dates as {best} "
        f"(row {row + FIRST_ROW}); write all in one form, or call the column a category.",
        parameter="columns",
        value=f"{series.name}=category",
    )


def time_format(series: pl.Series) -> str | None:
    """The format in which all of a column's text is a time of day, or None."""
    text = series.drop_nulls()
    if not text.len() or not text.str.contains(LOOKS_TIMED).all():
        return None
    return next((form for form in TIMES if _time(text, form).null_count() == 0), None)


def _fits(text: pl.Series, form: str) -> bool:
    if _date(text.head(1), form).null_count() or (read := _date(text, form)).null_count():
        return False
    # %Y takes 05 for the year 5 too.
    return "%Y" not in form or bool((read.dt.year() >= FIRST_YEAR).all())


def _date(text: pl.Series, form: str) -> pl.Series:
    if "%H" not in form and "%I" not in form:
        return text.str.to_date(form, strict=False).cast(pl.Datetime("us"))
    made = text.str.to_datetime(form, strict=False, time_unit="us")
    return made.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if "%#z" in form else made


def _time(text: pl.Series, form: str) -> pl.Series:
    return text.str.to_time(form, strict=False)


def as_dates(series: pl.Series, form: str) -> pl.Series:
    """A tidied column as moments, in UTC without a zone; text is read in the given format.

    Raises TableError naming the row of what is no date.
    """
    if series.dtype == pl.String:
        form = form or date_format(series) or DATES[0]
        return _all_read(series, _date(series, form).alias(series.name), "date", form)
    if series.dtype == pl.Date or isinstance(series.dtype, pl.Datetime):
        made = (
            series.cast(pl.Datetime("us"))
            if series.dtype == pl.Date
            else series.dt.cast_time_unit("us")
        )
        zone = getattr(series.dtype, "time_zone", None)
        return made.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zone else made
    if series.null_count() == len(series):
        return pl.Series(series.name, [None] * len(series), dtype=pl.Datetime("us"))
    raise TableError(f"The column {series.name!r} holds no dates, but {series.dtype}.")


def as_times(series: pl.Series, form: str) -> pl.Series:
    """A tidied column as times of day. Raises TableError naming the row of what is none."""
    if series.dtype == pl.String:
        form = form or time_format(series) or TIMES[0]
        return _all_read(series, _time(series, form).alias(series.name), "time", form)
    if series.dtype == pl.Time:
        return series
    if series.null_count() == len(series):
        return pl.Series(series.name, [None] * len(series), dtype=pl.Time)
    raise TableError(f"The column {series.name!r} holds no times, but {series.dtype}.")


def _all_read(text: pl.Series, made: pl.Series, what: str, form: str) -> pl.Series:
    if made.null_count() > text.null_count():
        row = int((made.is_null() & text.is_not_null()).arg_max() or 0)
        raise TableError(
            f"The column {text.name!r} holds {shown(text[row])}, which is no {what} as the others "
            f"are (row {row + FIRST_ROW}); expected is {form}."
        )
    return made


def date_inputs(moments: pl.Series) -> np.ndarray:
    """(rows, 7): days since 1970; sine and cosine of the way through the year, week and day.

    Cycles have no jump at their end: the last of December is near the first of January. Those that
    do not vary (the time of day of dates alone) do not count, as any constant column.
    """
    days = moments.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy() / 86_400e6
    year = moments.dt.ordinal_day().cast(pl.Float64).fill_null(np.nan).to_numpy()
    day = days - np.floor(days)
    week = (np.floor(days) + 3) % 7  # the first of January 1970 was a Thursday
    return np.column_stack([days, *_cycle((year - 1 + day) / 365.25), *_cycle((week + day) / 7),
                            *_cycle(day)])  # fmt: skip


def time_inputs(times: pl.Series) -> np.ndarray:
    """(rows, 3): the share of the day that has passed, and its sine and cosine."""
    day = times.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy() / 86_400e9
    return np.column_stack([day, *_cycle(day)])


def _cycle(share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Rounded, so that midnight's sine is the same number every day: a constant.
    return np.round(np.sin(2 * np.pi * share), 12), np.round(np.cos(2 * np.pi * share), 12)
