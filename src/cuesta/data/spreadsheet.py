"""Text in CSV and TSV files that a spreadsheet must not run, and how it is read back.

A spreadsheet takes a cell such as `=cmd|A0` for a formula and runs it when the file is opened. So
such a cell is written with an apostrophe before it, by which spreadsheets mark text:

- to write: text that begins with = + - @ or a tab, a carriage return or a line feed, perhaps after
  apostrophes, gets one apostrophe more, unless it is a number (`-1`, `+1.5`, `-12 %`, `-`);
- to read: one apostrophe is taken off such text.

So whatever is written is read as it was. Parquet and Arrow files need none of this.

Source: OWASP, "CSV injection" (https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import polars as pl

from cuesta.data.names import under_any_name

FORMULA = r"^'*[=+\-@\t\r\n]"
HARMLESS = r"^[-+][\s\d.,%$€£¥]*([eE][-+]?\d+)?$"  # a number, with its unit
MARKED = r"^'+[=+\-@\t\r\n]"


def without_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """The table as a CSV file may hold it: no cell and no name that a spreadsheet would run."""
    names = pl.Series(frame.columns, dtype=pl.String)
    columns = [_marked(series) for series in frame.get_columns()]
    return pl.DataFrame(
        [series.alias(name) for series, name in zip(columns, _marked(names), strict=True)]
    )


@under_any_name
def _marked(series: pl.Series) -> pl.Series:
    if series.dtype in (pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
    if series.dtype != pl.String:
        return series
    runs = series.str.contains(FORMULA) & ~series.str.contains(HARMLESS)
    return ("'" + series).zip_with(runs, series) if runs.any() else series


def unmarked(series: pl.Series) -> pl.Series:
    """Text as it was before it was written to a CSV file; other columns as they are."""
    if series.dtype != pl.String or not (marked := series.str.contains(MARKED)).any():
        return series
    bare = series.str.slice(1)
    marked &= ~bare.str.contains(HARMLESS)
    return bare.zip_with(marked, series)
