"""Small tables for the tests of what a run delivers, and options that make a run quick."""

import numpy as np
import polars as pl

from cuesta.data.table import Table
from cuesta.search.space import Choice, Space
from cuesta.tabular.fit import fit
from cuesta.tabular.options import Options

RATES = (0.03, 0.01, 0.003)
QUICK = {"epochs": 6, "folds": 3, "sampler": "grid", "baselines": False, "instruments": "off"}


def space(rates=RATES):
    """A candidate for each rate."""
    return Space(
        {
            "optimizer": Choice(("adam",)),
            "learning_rate": Choice(rates),
            "hidden_layer_sizes": Choice(((8,),)),
            "batch_size": Choice((16,)),
        }
    )


def options(target, rates=RATES, **changes):
    return Options(**{**QUICK, "target": (target,), "space": space(rates), **changes})


def clicks(rows=240, seed=0):
    """A third column that tells nothing, and a second label that about a fifth of rows have."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 3))
    share = 1 / (1 + np.exp(2 - 2 * x[:, 0] - x[:, 1]))
    label = np.where(rng.random(rows) < share, "yes", "no")
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "clicked": label})


def flowers(rows=120, seed=0):
    """Three classes, learnable but not perfectly, and a row of which nothing is known."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, rows)
    x = rng.standard_normal((rows, 2)) + kind[:, None]
    frame = pl.DataFrame(
        {"a": x[:, 0], "b": x[:, 1], "kind": np.array(["iris", "lily", "rose"])[kind]}
    )
    empty = pl.int_range(pl.len()) == 5
    return frame.with_columns(pl.when(~empty).then(pl.col("a", "b")))


def prices(rows=120, seed=0):
    """Numbers of two inputs."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 2))
    price = 100 + 5 * x[:, 0] * x[:, 1] + rng.standard_normal(rows)
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "price": price})


TABLES = {"clicked": clicks, "kind": flowers, "price": prices}


def run(target, folder=None, listener=None, executor=None, frame=None, **changes):
    """A run on the table of this target."""
    table = Table(target, TABLES[target]() if frame is None else frame)
    return fit(table, options(target, **changes), folder, listener, executor)
