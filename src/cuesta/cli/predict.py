"""`cuesta predict`: predict new rows with a fitted model."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cuesta._text import safe
from cuesta.cli import options
from cuesta.cli.base import guarded, tell_notes
from cuesta.errors import ModelFileError, TableError

if TYPE_CHECKING:
    from polars import DataFrame


@guarded()
def predict(
    model: options.Model,
    table: options.NewRows,
    out: options.Predictions = None,
    keep: options.Keep = None,
    interval: options.Interval = None,
    sets: options.Sets = None,
    header: options.Header = True,
    encoding: options.Encoding = None,
) -> None:
    """Predict the rows of TABLE with a fitted model: as CSV, or in the format that --out names.

    Classes come with a column p_CLASS for the probability of each. Categories
    that training did not see, and missing values, are no fault; how many there
    are is told on standard error. Text that a spreadsheet would run as a
    formula, such as =A1, stands in CSV after an apostrophe, which cuesta takes
    off when it reads the file.

    For example:

      cuesta predict houses new_houses.csv --out predictions.csv

      cuesta predict houses new_houses.parquet --keep id --keep price --out predictions.parquet

      cuesta predict houses new_houses.csv --interval 0.9
    """
    from cuesta.data.table import read_table
    from cuesta.data.write import check_columns, check_path, write_table
    from cuesta.model import load_model

    if out is not None:
        check_path(out)
        _check_is_new(out, table)
    fitted = load_model(_model_file(model))
    rows = read_table(table, header=header, encoding=encoding)
    kept = "all" if "all" in (keep or ()) else keep or ()
    made = fitted.predict_and_tell(rows.frame, kept, interval, sets)
    check_columns(made.table, out)
    tell_notes(predict, (*rows.notes, *made.notes, *_renamed(made.kept)))
    if out is None:
        _print(made.table)
    else:
        write_table(out, made.table)


def _model_file(model: Path) -> Path:
    """The file of a run's model. Raises ModelFileError where the run has not ended."""
    if not model.is_dir():
        return model
    path = model / "model.safetensors"
    if (model / "run.json").is_file() and not path.is_file():
        raise ModelFileError(
            f"There is no {str(path)!r}: the run has not ended, and the same `cuesta fit` goes on "
            "with it."
        )
    return path


def _check_is_new(out: Path, table: str) -> None:
    """Raise TableError where the predictions would replace the rows that they are of."""
    if out.is_file() and Path(table).is_file() and out.samefile(table):
        raise TableError(
            f"{str(out)!r} is the table of new rows, which would be lost; name another file.",
            parameter="out",
        )


def _renamed(kept: Mapping[str, str]) -> list[str]:
    return [
        f"{old} of the table is kept as {new}: {old} is the prediction"
        for old, new in kept.items()
        if old != new
    ]


def _print(frame: DataFrame) -> None:
    """CSV on standard output: safe where it is a terminal, else byte for byte, in UTF-8."""
    from cuesta.data.write import to_text

    text = to_text(frame)
    if sys.stdout.isatty():
        sys.stdout.write("\n".join(map(safe, text.split("\n"))))
    else:
        sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()
