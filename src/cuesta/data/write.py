"""Writing a table: CSV, TSV, Parquet or Arrow, by the ending of the file's name."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cuesta._util.files import check_writable, write_atomically, write_text
from cuesta.data.spreadsheet import without_formulas
from cuesta.data.table import ARROW_FILES, PARQUET_FILES
from cuesta.errors import TableError

SEPARATORS = {".csv": ",", ".txt": ",", "": ",", ".tsv": "\t", ".tab": "\t"}  # a pipe has no ending
WRITTEN = (".csv", ".tsv", *PARQUET_FILES, *ARROW_FILES)


def check_path(path: Path) -> None:
    """Raise TableError or RunFolderError where a table could not be written to this path."""
    check_ending(path)
    check_writable(path)


def check_ending(path: Path) -> None:
    """Raise TableError where the ending of a name is not one of a file that can be written."""
    if path.suffix.lower() not in (*SEPARATORS, *PARQUET_FILES, *ARROW_FILES):
        raise TableError(
            f"{str(path)!r} cannot be written as a {path.suffix} file; end its name with one of: "
            f"{', '.join(WRITTEN)}.",
            parameter="out",
        )


def check_columns(frame: pl.DataFrame, path: Path | None) -> None:
    """Raise TableError where a column is of a type that a text file cannot hold."""
    if path is not None and path.suffix.lower() not in SEPARATORS:
        return
    for series in frame.get_columns():
        if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object, pl.Duration):
            raise TableError(
                f"The column {series.name!r} is of type {series.dtype}, which a text file cannot "
                "hold; write a .parquet file.",
                parameter="out",
            )


def to_text(frame: pl.DataFrame, separator: str = ",") -> str:
    """A table as CSV, in which nothing is a formula to a spreadsheet."""
    return without_formulas(frame).write_csv(separator=separator)


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """Write a table atomically in the format that the name's ending says.

    Raises TableError for another ending, RunFolderError where the file cannot be written.
    """
    check_ending(path)
    ending = path.suffix.lower()
    if ending in PARQUET_FILES:
        write_atomically(path, frame.write_parquet)
    elif ending in ARROW_FILES:
        write_atomically(path, frame.write_ipc)
    else:
        write_text(path, to_text(frame, SEPARATORS[ending]))
