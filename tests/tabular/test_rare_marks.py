"""A law: a mark that a handful of training rows have does not decide alone."""

import numpy as np
import polars as pl
import pytest

from cuesta.data.table import Table
from cuesta.search.space import Choice, Space
from cuesta.tabular.fit import fit
from cuesta.tabular.options import Options

ROWS, RARE, SHIFT = 300, 3, 0.7  # deviations from 0 to the middle of a class
SPACE = Space({"hidden_layer_sizes": Choice(((64,),)), "learning_rate": Choice((0.01,))})


def rows_with_a_rare_mark(seed, kind):
    """Classes A and B about −SHIFT and SHIFT in two columns; three rows of A have the mark."""
    rng = np.random.default_rng(seed)
    y = np.arange(ROWS) % 2
    a, b = rng.standard_normal((2, ROWS)) + SHIFT * (2 * y - 1)
    marked = np.isin(np.arange(ROWS), np.flatnonzero(y == 0)[:RARE])
    if kind == "gap":
        third = pl.Series(np.where(marked, np.nan, rng.standard_normal(ROWS)), nan_to_null=True)
    else:
        third = pl.Series(np.where(marked, "rare", rng.choice(["u", "v"], ROWS)))
    return pl.DataFrame({"a": a, "b": b, "third": third, "y": np.array(["A", "B"])[y]})


@pytest.mark.slow("eight small searches")
@pytest.mark.parametrize("kind", ["gap", "category"])
@pytest.mark.parametrize("seed", range(4))
def test_a_row_typical_of_b_is_b_whatever_three_rows_of_a_had_in_common(kind, seed):
    rows = rows_with_a_rare_mark(seed, kind)
    test = rows_with_a_rare_mark(100 + seed, kind)
    how = Options(
        ("y",), candidates=1, epochs=40, folds=2, space=SPACE, seed=seed, threads=1, baselines=False
    )
    model = fit(Table("t", rows), how, test=Table("new", test)).model
    value = None if kind == "gap" else "rare"
    schema = {name: rows.schema[name] for name in ("a", "b", "third")}
    new = pl.DataFrame({"a": [SHIFT], "b": [SHIFT], "third": [value]}, schema=schema)
    assert model.predict(new)["y"].item() == "B"
