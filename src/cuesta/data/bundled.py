"""The data sets that scikit-learn carries, by name, so that a first command needs no file."""

from __future__ import annotations

from typing import Any

import polars as pl

BUNDLED = ("breast_cancer", "digits", "diabetes", "iris", "wine", "linnerud")


def load_bundled(name: str) -> tuple[pl.DataFrame, list[str]]:
    """The named data set as a table, classes by their names, and its target columns."""
    from sklearn import datasets

    bunch: Any = getattr(datasets, f"load_{name}")()
    frame = pl.DataFrame(bunch.data, schema=[str(column) for column in bunch.feature_names])
    if name == "linnerud":
        targets = pl.DataFrame(bunch.target, schema=list(bunch.target_names))
    elif name == "diabetes":
        targets = pl.DataFrame({"progression": bunch.target})
    elif name == "digits":
        targets = pl.DataFrame({"digit": bunch.target})
    else:
        names = [str(bunch.target_names[code]) for code in bunch.target]
        targets = pl.DataFrame({"target": names})
    return frame.hstack(targets), targets.columns
