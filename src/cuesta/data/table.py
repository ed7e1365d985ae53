"""Reading a table: CSV, TSV, Parquet or Arrow, or a bundled data set by name."""

from __future__ import annotations

import csv
import difflib
import io
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

import polars as pl

from cuesta._text import count
from cuesta.data.bundled import BUNDLED, load_bundled
from cuesta.data.columns import frame_of, without
from cuesta.data.encodings import Text, read_text_file
from cuesta.data.kinds import shown
from cuesta.data.names import under_any_name
from cuesta.data.spreadsheet import unmarked
from cuesta.errors import CuestaError, TableError

TEXT_FILES = (".csv", ".tsv", ".tab", ".txt")
PARQUET_FILES = (".parquet", ".pq")
ARROW_FILES = (".arrow", ".feather", ".ipc")
SEPARATORS = (",", ";", "\t", "|")
NAMELESS = "\0"  # marks a column without a name until it is left out
QUOTED = r"^\s*'.*'\s*$"
MOST_FILES = 1000  # of a folder, among which a name is looked for
LINES = 20  # what is looked at to tell the separator
LONGEST_NAME = 1000


@dataclass(frozen=True)
class Table:
    """A table as read: its name, its columns, the targets it brings along, what is to be said."""

    name: str
    frame: pl.DataFrame
    targets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_table(source: str, *, header: bool = True, encoding: str | None = None) -> Table:
    """Read a table from a file, or take a bundled data set by its name.

    The columns of a text file stay text here; `data.columns` decides what each one is. A text file
    without a header has its columns named by their places, from 0. Its `encoding` is told by its
    bytes where it is not given.
    Raises TableError for a file that is missing, empty, of an unknown kind or not readable,
    SpecError for an unknown encoding.
    """
    path = Path(source)
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
    except OSError as error:
        raise TableError(f"{source!r} is not a file: {error.strerror}.") from error
    if source in BUNDLED and not is_file:
        frame, targets = load_bundled(source)
        return Table(source, frame, tuple(targets))
    if not is_file and not is_folder:
        raise TableError(f"There is no file {source!r}{_instead(source)}")
    if is_folder:
        raise TableError(f"{source!r} is a folder; a table is a file.")
    frame, told = _read_file(path, header, encoding)
    nameless = [name for name in frame.columns if name.startswith(NAMELESS)]
    frame = without(frame, nameless) if nameless else frame
    places = [name.removeprefix(NAMELESS) for name in nameless]
    notes = (*told, *(f"column {place} has no name and is left out" for place in places))
    if not frame.width or not frame.height:
        raise TableError(f"{source!r} has no rows below its header.")
    return Table(path.stem, frame, notes=notes)


def _instead(source: str) -> str:
    """What may be meant by a name that is no file: a file beside it, or a bundled data set."""
    path = Path(source)
    is_path = any(sign in source for sign in "./\\")
    if is_path and not path.parent.is_dir():
        return f": there is no folder {str(path.parent)!r}."
    names = BUNDLED if not is_path else ()
    files = {file.stem: str(file) for file in _tables_beside(path)}
    near = difflib.get_close_matches(path.stem, [*files, *names], n=1)
    if near and near[0] in files:
        return f"; did you mean {files[near[0]]!r}?"
    if near:
        return f"; did you mean the data set {near[0]!r}?"
    return f"; bundled data sets are: {', '.join(names)}." if names else "."


def _tables_beside(path: Path) -> list[Path]:
    """The first files of a folder that could be tables."""
    endings = TEXT_FILES + PARQUET_FILES + ARROW_FILES
    try:
        first = list(islice(path.parent.iterdir(), MOST_FILES))
    except OSError:
        return []
    return [file for file in first if file.suffix.lower() in endings]


def _read_file(
    path: Path, header: bool, encoding: str | None
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    kind = path.suffix.lower()
    try:
        if kind in TEXT_FILES:
            return _read_text_file(path, kind, header, encoding)
        if kind in PARQUET_FILES:
            return pl.read_parquet(path, glob=False), ()
        if kind in ARROW_FILES:
            return pl.scan_ipc(path, glob=False).collect(), ()
    except CuestaError:
        raise
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError, csv.Error) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".") if str(error) else type(error)
        raise TableError(f"{str(path)!r} cannot be read: {reason}.") from error
    known = ", ".join(TEXT_FILES + PARQUET_FILES + ARROW_FILES)
    raise TableError(f"{str(path)!r} has an unknown file type; known types are: {known}.")


def _read_text_file(
    path: Path, kind: str, header: bool, encoding: str | None
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    text = read_text_file(path, encoding)
    try:
        return _read_text(path, text, kind, header), text.notes
    except (pl.exceptions.PolarsError, UnicodeDecodeError):
        whole = read_text_file(path, encoding, whole=True)
        if whole == text:
            raise
        return _read_text(path, whole, kind, header), whole.notes


def _read_text(path: Path, text: Text, kind: str, has_header: bool) -> pl.DataFrame:
    sample = text.sample()
    if not sample.strip():
        raise TableError(f"{str(path)!r} is empty.")
    if not sample.split("\n", 1)[0].strip():
        raise TableError(
            f"{str(path)!r} begins with an empty line; the first line must be the header."
        )
    separator = "\t" if kind in (".tsv", ".tab") else _separator(sample)
    line = next(csv.reader(sample.splitlines(True), delimiter=separator))
    header = [name.strip() for name in unmarked(pl.Series(line, dtype=pl.String))]
    if has_header:
        _check_header(path, header)
        names = [name or f"{NAMELESS}{place}" for place, name in enumerate(header, start=1)]
    else:
        names = [str(place) for place in range(len(header))]
    try:
        frame = pl.read_csv(
            text.source,
            separator=separator,
            infer_schema=False,
            new_columns=names,
            has_header=has_header,
            glob=False,  # a file's name is no pattern
        )
    except pl.exceptions.NoDataError:
        return pl.DataFrame()
    except pl.exceptions.PolarsError:
        _check_widths(path, text, separator, len(header))  # says it better, if that is the cause
        raise
    if frame.height and frame.to_series(-1).null_count():
        lines = _check_widths(path, text, separator, len(header))[has_header:]
        if len(header) > 1 and len(lines) == frame.height:  # of one column, any line may be a row
            frame = frame.filter(lines)
    return frame_of(map(_unquoted, frame))


@under_any_name
def _unquoted(series: pl.Series) -> pl.Series:
    """Text without single quotes around it, where every value has them, as '-1'.

    Else without the apostrophe by which a spreadsheet's formulas are marked as text.
    """
    first = series.drop_nulls().head(1)
    if not first.len() or not first.str.contains(QUOTED)[0]:
        return unmarked(series)
    quoted = series.drop_nulls().str.contains(QUOTED).all()
    return series.str.strip_chars().str.slice(1).str.head(-1) if quoted else unmarked(series)


def _separator(sample: str) -> str:
    """The separator that cuts the first lines into the most fields, all of the same number.

    Where none does, the lines are not all right, and the header decides.
    """
    lines = sample.splitlines(True)[:LINES]

    def fit(separator: str) -> tuple[bool, int]:
        rows = [row for row in csv.reader(lines, delimiter=separator) if row]
        widths = {len(row) for row in rows}
        return len(widths) == 1 and widths != {1}, len(rows[0])

    return max(SEPARATORS, key=fit)


def _check_widths(path: Path, text: Text, separator: str, width: int) -> list[bool]:
    """A short row would pass for one whose last values are missing; find it.

    Tells of each line whether it is a row: an empty one is none, but one of separators alone is a
    row without a value. Called only where the last column has gaps: this reads the file once more,
    more slowly.
    """
    with _opened(text) as file:
        reader = csv.reader(file, delimiter=separator)
        are_rows = []
        for row in reader:
            are_rows.append(bool(row))
            if row and len(row) != width:
                raise TableError(
                    f"Line {reader.line_num} of {str(path)!r} has {count(len(row), 'value')} for "
                    f"{count(width, 'column')}."
                )
    return are_rows


def _opened(text: Text) -> TextIO:
    if isinstance(text.source, bytes):
        return io.StringIO(text.source.decode(), newline="")
    return text.source.open(encoding="utf-8-sig", newline="")


def _check_header(path: Path, header: list[str]) -> None:
    for name in header:
        if name and header.count(name) > 1:
            raise TableError(
                f"The column {shown(name)} appears twice in the header of {str(path)!r}."
            )
        if len(name) > LONGEST_NAME:
            raise TableError(
                f"A column of {str(path)!r} has a name of {len(name):,} characters, {shown(name)}; "
                "the first line must be the header."
            )
