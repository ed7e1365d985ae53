"""`cuesta predict`: predict new rows with a fitted model."""

from __future__ import annotations

import sys

from cuesta.cli import options
from cuesta.cli.base import guarded


@guarded()
def predict(
    model: options.Model,
    table: options.NewRows,
    out: options.Predictions = None,
    header: options.Header = True,
) -> None:
    """Predict the rows of TABLE with a fitted model, as CSV.

    Classes come with a column p_CLASS for the probability of each. Categories that training
    did not see, and missing values, are no fault.

    For example:

      cuesta predict houses new_houses.csv --out predictions.csv
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
