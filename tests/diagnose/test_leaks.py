"""When a single input is said to give the target away."""

import numpy as np
import polars as pl
import pytest

from cuesta.data.table import Table, read_table
from cuesta.diagnose.faults.leaks import single_input_tells, told_by_each
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import prepare

ROWS = 300
RNG = np.random.default_rng(0)
A, B, NOISE = RNG.standard_normal((3, ROWS))
CLASSES = np.digitize(A + 0.5 * NOISE, [-0.5, 0.5])  # 0, 1, 2; A tells most of them, not all
LABELS = np.array(["low", "middle", "high"])[CLASSES]
VALUES = np.exp(2 * (A + 0.3 * NOISE))  # of a long tail


def told(table, **options):
    task = prepare(Table("t", pl.DataFrame(table)), Options(target=("y",), **options))
    return single_input_tells(task.encoder, task.x, task.y, task.feed.folds[:-1])


LEAKS_OF_CLASSES = {
    "a copy": LABELS,
    "a recoded label": np.array(["x1", "x2", "x0"])[CLASSES],
    "a number for each class": CLASSES * 10 - 3,
    "a number and tiny noise": CLASSES + 0.01 * NOISE,
    "several codes for a class": [f"{c}{i % 4}" for i, c in enumerate(CLASSES)],
}
LEAKS_OF_VALUES = {
    "a copy": VALUES,
    "tiny noise": VALUES * (1 + 0.01 * NOISE),
    "another unit": 32 + 1.8 * VALUES,
    "its logarithm": np.log(VALUES),
    "its negative": -VALUES,
    "rounded": np.round(VALUES, 2),
}


@pytest.mark.parametrize("how", LEAKS_OF_CLASSES)
def test_a_leak_of_classes_is_found(how):
    found = told({"a": A, "b": B, "leak": LEAKS_OF_CLASSES[how], "y": LABELS})
    assert "the column 'leak' alone tells" in found.says
    assert found.parameter == "drop=leak"


@pytest.mark.parametrize("how", LEAKS_OF_VALUES)
def test_a_leak_of_values_is_found(how):
    found = told({"a": A, "b": B, "leak": LEAKS_OF_VALUES[how], "y": VALUES})
    assert "the column 'leak' alone tells" in found.says


def test_a_leak_of_values_with_wild_ones_is_found():
    # The greatest of such values is most of their squares, and no other row tells of it.
    values = np.tan(np.pi * (RNG.random(ROWS) - 0.5))
    assert "'leak'" in told({"a": A, "leak": 2 * values, "y": values}).says


def test_gaps_that_one_class_alone_has_are_found():
    leak = pl.Series(np.where(LABELS == "low", None, B).tolist(), dtype=pl.Float64)
    y = np.where(LABELS == "low", "sick", "well")
    assert "'leak'" in told({"a": A, "leak": leak, "y": y}).says


def test_the_order_of_the_rows_is_found_where_they_stand_by_class():
    order = np.argsort(CLASSES, kind="stable")
    found = told({"a": A[order], "number": np.arange(ROWS), "y": LABELS[order]})
    assert "'number'" in found.says


def test_a_date_that_says_it_all_is_found():
    days = pl.Series(np.where(CLASSES == 2, 20_000, 15_000)).cast(pl.Int32).cast(pl.Date)
    y = np.where(CLASSES == 2, "new", "old")
    assert "'when'" in told({"a": A, "when": days, "y": y}).says


def test_all_that_tell_are_named_and_the_best_first():
    found = told({"near": VALUES * (1 + 0.01 * NOISE), "copy": VALUES, "y": VALUES})
    assert found.says.startswith("the column 'copy' alone")
    assert found.says.endswith("so does 'near'")


def test_inputs_that_tell_much_are_none():
    assert told({"a": A, "b": B, "y": LABELS}) is None
    assert told({"a": A, "b": B, "y": VALUES}) is None
    # As the carats of a diamond and its price: 0.94 of the ranks.
    assert told({"a": A, "b": B, "y": np.exp(A + 0.22 * NOISE)}) is None


def test_a_rare_class_that_chance_may_tell_accuses_nobody():
    y = np.where(np.arange(ROWS) % 60 == 0, "rare", "usual")
    assert told({"a": A, "flag": y == "rare", "y": y}) is None


@pytest.mark.parametrize("name", ["breast_cancer", "digits", "diabetes", "iris", "wine"])
def test_no_bundled_table_is_accused(name):
    task = prepare(read_table(name), Options())
    folds = task.feed.folds[:-1]
    assert single_input_tells(task.encoder, task.x, task.y, folds) is None
    shares = told_by_each(task.encoder, task.x, task.y, folds)
    assert list(shares) == task.encoder.columns
    assert all(0 <= share < 0.95 for share in shares.values())  # iris: 0.94 by one width


def test_what_a_fold_did_not_see_tells_nothing():
    """A column of a value to each row, in no order, tells of the rows that train alone."""
    names = [f"n{i}" for i in RNG.permutation(ROWS) // 2]  # two rows to a name
    shares = told_by_each(*_parts({"name": names, "y": LABELS}))
    assert shares["name"] < 0.3


def _parts(table):
    task = prepare(Table("t", pl.DataFrame(table)), Options(target=("y",)))
    return task.encoder, task.x, task.y, task.feed.folds[:-1]
