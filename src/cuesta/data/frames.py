"""Converts tables of pandas and pyarrow to polars, and predictions back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from cuesta.errors import TableError

CATEGORICAL = (pl.Categorical, pl.Enum)
# How other libraries' lazy tables are made into tables: Dask, PySpark, Ibis, DuckDB.
LAZY = ("compute", "toPandas", "to_polars", "pl")


def as_frame(table: Any) -> pl.DataFrame | None:
    """The table as a polars frame, or None for what is no table: an array, a list.

    A pandas index is no column; a lazy frame of polars is collected. Raises TableError for columns
    whose names are not text, a column of objects that are not of one kind, or a lazy table of
    another library.
    """
    if isinstance(table, pl.LazyFrame):
        return table.collect()
    if isinstance(table, pl.DataFrame):
        return table
    home = type(table).__module__.partition(".")[0]
    if home == "pyarrow" and hasattr(table, "column_names"):
        made = pl.from_arrow(table)
        return made if isinstance(made, pl.DataFrame) else None
    if home == "pandas" and hasattr(table, "columns"):
        return _from_pandas(table)
    for step in LAZY:
        if hasattr(table, "columns") and hasattr(table, step):
            raise TableError(f"The table is a lazy one of {home}; give it by .{step}().")
    return None


def like(table: Any, made: pl.DataFrame) -> Any:
    """A frame of ours as a table of the kind that was given, its rows named as there."""
    home = type(table).__module__.partition(".")[0]
    if home == "pandas":
        import pandas as pd

        return pd.DataFrame({n: made[n].to_list() for n in made.columns}, index=table.index)
    return made.to_arrow() if home == "pyarrow" else made


def beside(table: Any, kept: Mapping[str, str], made: Any) -> Any:
    """Columns of a table, by their new names, and after them those of a table of the same kind.

    `kept` gives each column's new name; the columns stay as they are, whatever their type.
    """
    if not kept:
        return made
    home = type(table).__module__.partition(".")[0]
    if home == "pandas":
        import pandas as pd

        names = [str(name) for name in table.columns]
        columns = [table.iloc[:, names.index(old)].rename(new) for old, new in kept.items()]
        return pd.concat([*columns, made], axis=1)
    if home == "pyarrow":
        for place, (old, new) in enumerate(kept.items()):
            made = made.add_column(place, new, table[old])
        return made
    frame = table.collect() if isinstance(table, pl.LazyFrame) else table
    return pl.DataFrame([frame[old].alias(new) for old, new in kept.items()]).hstack(made)


# narwhals and polars read a pandas table by pyarrow, which is no dependency of ours; they also take
# categories of numbers for numbers, and name no column that they cannot read.
def _from_pandas(table: Any) -> pl.DataFrame:
    names = [str(name) for name in table.columns]
    for name in names:
        if names.count(name) > 1:
            raise TableError(f"The column {name!r} appears twice in the table.")
    columns = (table.iloc[:, place] for place in range(len(names)))
    # Made without their names, which polars may take for patterns.
    made = (_column(name, column) for name, column in zip(names, columns, strict=True))
    return pl.DataFrame([column.alias(name) for name, column in zip(names, made, strict=True)])


def _column(name: str, column: Any) -> pl.Series:
    """A pandas column, whatever holds its values: NumPy, Python's objects, Arrow."""
    kind = column.dtype
    if isinstance(kind, np.dtype) and kind.kind in "biuf":
        return pl.Series(column.to_numpy())
    if getattr(kind, "kind", "") in ("M", "m"):
        zone = getattr(kind, "tz", None)
        plain = column if zone is None else column.dt.tz_convert(None)
        unit = "datetime64[us]" if kind.kind == "M" else "timedelta64[us]"
        return pl.Series(plain.to_numpy().astype(unit))
    absent = column.isna().to_numpy()
    values = [None if gone else v for v, gone in zip(column.tolist(), absent, strict=True)]
    if hasattr(kind, "categories"):
        text = [None if value is None else str(value) for value in values]
        return pl.Series(text, dtype=pl.String).cast(pl.Categorical)
    try:
        return pl.Series(values)
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise TableError(f"The column {name!r} holds objects of several kinds.") from error
