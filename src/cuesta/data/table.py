"""Reading a table: CSV, TSV, Parquet or Arrow, or a bundled data set by name."""

from __future__ import annotations

import csv
import difflib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cuesta.data.bundled import BUNDLED, load_bundled
from cuesta.errors import TableError

TEXT_FILES = (".csv", ".tsv", ".tab", ".txt")
PARQUET_FILES = (".parquet", ".pq")
ARROW_FILES = (".arrow", ".feather", ".ipc")
SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Table:
    """A table as read: its name, its columns, and the targets it brings along (bundled ones)."""

    name: str
    frame: pl.DataFrame
    targets: tuple[str, ...] = ()


def read_table(source: str) -> Table:
    """Read a table from a file, or take a bundled data set by its name.

    The columns of a text file stay text here; `data.columns` decides what each one is.
    Raises TableError for a file that is missing, empty, of an unknown kind or not readable.
    """
    path = Path(source)
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
    except OSError as error:
        raise TableError(f"{source!r} is no file: {error.strerror}.") from error
    if source in BUNDLED and not is_file:
        frame, targets = load_bundled(source)
        return Table(source, frame, tuple(targets))
    if not is_file and not is_folder:
        near = difflib.get_close_matches(source, BUNDLED, n=1)
        hint = f"did you mean the data set {near[0]!r}?" if near else "bundled data sets are: "
        names = "" if near else ", ".join(BUNDLED) + "."
        raise TableError(f"There is no file {source!r}; {hint}{names}")
    if is_folder:
        raise TableError(f"{source!r} is a folder; a table is a file.")
    frame = _read_file(path)
    if not frame.width or not frame.height:
        raise TableError(f"{source!r} has no rows below its header.")
    return Table(path.stem, frame)


def _read_file(path: Path) -> pl.DataFrame:
    kind = path.suffix.lower()
    try:
        if kind in TEXT_FILES:
            return _read_text(path, kind)
        if kind in PARQUET_FILES:
            return pl.read_parquet(path)
        if kind in ARROW_FILES:
            return pl.read_ipc(path)
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError, csv.Error) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".") if str(error) else type(error)
        raise TableError(f"{str(path)!r} cannot be read: {reason}.") from error
    known = ", ".join(TEXT_FILES + PARQUET_FILES + ARROW_FILES)
    raise TableError(f"{str(path)!r} is of a kind that is not known; known are: {known}.")


def _read_text(path: Path, kind: str) -> pl.DataFrame:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        if not first.strip():
            raise TableError(f"{str(path)!r} is empty, or begins with an empty line.")
        if not file.readline():
            raise TableError(f"{str(path)!r} has no rows below its header.")
    separator = "\t" if kind in (".tsv", ".tab") else max(SEPARATORS, key=first.count)
    header = [name.strip() for name in next(csv.reader([first], delimiter=separator))]
    _check_header(path, header)
    frame = pl.read_csv(
        path,
        separator=separator,
        infer_schema=False,
        has_header=False,
        skip_rows=1,
        new_columns=header,
        schema_overrides=[pl.String] * len(header),
    )
    if frame.height and frame.to_series(-1).null_count():
        _check_widths(path, separator, len(header))
    return frame


def _check_widths(path: Path, separator: str, width: int) -> None:
    """A short row would pass for one whose last values are missing; find it.

    Called only where the last column has gaps: this reads the file once more, more slowly.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        for row in reader:
            if row and len(row) != width:
                raise TableError(
                    f"Line {reader.line_num} of {str(path)!r} has {len(row)} values for "
                    f"{width} columns."
                )


def _check_header(path: Path, header: list[str]) -> None:
    for place, name in enumerate(header, start=1):
        if not name:
            raise TableError(f"Column {place} of {str(path)!r} has no name.")
        if header.count(name) > 1:
            raise TableError(f"The column {name!r} stands twice in the header of {str(path)!r}.")
