"""Predict new rows with a fitted model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cuesta.cli.base import Header, guarded


@guarded()
def predict(
    model: Annotated[
        Path, typer.Argument(help="A run's folder, or a model.safetensors.", metavar="DIR")
    ],
    table: Annotated[
        str,
        typer.Argument(help="New rows: columns in any order, others ignored.", metavar="TABLE"),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="A CSV file for the predictions. [default: print]", metavar="FILE"),
    ] = None,
    header: Header = True,
) -> None:
    """Predict the rows of TABLE with a fitted model, as CSV.

    Classes come with a column p_CLASS for the probability of each. Categories that training
    never saw and missing values are taken as they come.
    """
    from cuesta._util.files import write_text
    from cuesta.data.table import read_table
    from cuesta.model import load_model

    path = model / "model.safetensors" if model.is_dir() else model
    text = load_model(path).predict(read_table(table, header=header).frame).write_csv()
    if out is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_text(out, text)
