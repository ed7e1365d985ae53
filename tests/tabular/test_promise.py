"""What validation promises of new rows, beside what it chose by, and beside the truth."""

import math

import numpy as np
import polars as pl
import pytest

from cuesta.data.table import Table
from cuesta.search.space import Choice, Range, Space
from cuesta.tabular.fit import fit
from cuesta.tabular.options import Options

SPACE = Space(
    {
        "optimizer": Choice(("adam",)),
        "learning_rate": Range(1e-3, 1e-1, log=True),
        "hidden_layer_sizes": Choice(((8,),)),
        "batch_size": Choice((16,)),
    }
)
QUICK = {"folds": 3, "space": SPACE, "baselines": False, "instruments": "off"}


def noise(rows=120, targets=1):
    """Labels, or numbers, that no column tells anything of."""
    rng = np.random.default_rng(0)
    columns = {f"x{i}": rng.standard_normal(rows) for i in range(4)}
    values = {f"y{i}": rng.standard_normal(rows) for i in range(targets)}
    return pl.DataFrame({**columns, **values, "label": rng.choice(["a", "b"], rows)})


def models_of(target, drop, **changes):
    given = {**QUICK, "candidates": 12, "epochs": 12, **changes}
    options = Options(target=target, drop=drop, **given)
    return fit(Table("noise", noise(targets=2)), options).delivery.models


def test_the_best_of_many_equal_candidates_is_expected_to_be_worse():
    """Where nothing can be learned, all that the best has over a constant's loss is its luck."""
    for each in models_of(("label",), ("y0", "y1")).values():
        value, low, high = each.promised
        assert low < value < high
        assert value > each.mean


def test_with_nothing_to_choose_nothing_is_corrected():
    (single,) = models_of(("y0",), ("y1", "label"), candidates=1, epochs=1, model="single").values()
    value, low, high = single.promised
    # A sample's rows outside are others each time: their mean over 500 is not exactly the mean.
    assert value == pytest.approx(single.mean, rel=0.05)
    assert low < single.mean < high


@pytest.mark.parametrize(
    ("target", "changes"),
    [
        (("label",), {"metric": "accuracy"}),  # whose curve has no losses of units
        (("label",), {"metric": "roc_auc"}),  # no mean over rows
        (("y0", "y1"), {}),  # several roots of means
    ],
)
def test_nothing_is_promised_of_what_is_no_mean_of_losses(target, changes):
    drop = tuple({"y0", "y1", "label"} - set(target))
    for each in models_of(target, drop, candidates=2, epochs=2, **changes).values():
        assert all(map(math.isnan, each.promised))


def test_candidates_that_halving_stopped_are_no_part_of_the_choice():
    for each in models_of(("label",), ("y0", "y1"), halving=True).values():
        assert all(map(math.isfinite, each.promised))
