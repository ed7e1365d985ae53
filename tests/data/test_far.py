"""Numbers far from the rest of their column, and what normalization makes of them."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.data.columns import read_columns
from cuesta.data.far import far_bounds, find_far
from cuesta.data.scale import fit_input_scaling, fit_scaling
from cuesta.hyperparameters import NORMALIZATIONS

ROWS = 400
NORMAL = np.random.default_rng(0).standard_normal(ROWS)
TAILS = {
    "normal": NORMAL,
    "log-normal": np.exp(3 * NORMAL),
    "Cauchy": np.random.default_rng(1).standard_cauchy(ROWS),
    "mostly zero": np.where(NORMAL > 1.5, NORMAL * 100, 0),
    "two levels": np.where(NORMAL > 1.9, 1000.0, 3.0),
    "counts": np.floor(np.exp(NORMAL)),
    "two clusters": np.where(NORMAL > 1.9, NORMAL + 10, NORMAL),
    "a code for most": np.where(NORMAL > 0, -9999, NORMAL),
    "ends of a scale": np.where(NORMAL > 2, 100.0, np.where(NORMAL < -2, -100.0, 0.0)),
}
RARE = {"mostly zero", "two levels", "ends of a scale"}  # those have a wider scale as inputs


@pytest.mark.parametrize("tail", TAILS)
def test_a_long_tail_is_not_far(tail):
    x = TAILS[tail][:, None]
    assert far_bounds(x) is None
    for method in NORMALIZATIONS:
        if method == "standard" and tail in RARE:
            continue
        given_, plain = fit_input_scaling(x, method), fit_scaling(x, method)
        np.testing.assert_array_equal(given_.inputs(x), plain.inputs(x))


@pytest.mark.parametrize(
    ("code", "share"), [(-9999, 0.03), (-9999, 0.1), (999, 0.02), (-99, 0.05), (1e30, 0.01)]
)
def test_a_code_for_missing_is_found_with_its_rows(code, share):
    rows = np.arange(0, ROWS, round(1 / share))
    values = NORMAL.copy()
    values[rows] = code
    far = find_far(values)
    assert far.values == (code,)
    assert far.rows.tolist() == rows.tolist()


def test_a_code_among_few_levels_is_found_where_it_is_one_that_people_write():
    levels = np.arange(ROWS) % 5 + 1.0
    levels[7], levels[9] = 99, 99
    assert find_far(levels).values == (99,)
    levels[7], levels[9] = 80, 80
    assert find_far(levels) is None


def test_several_codes_and_wild_values_on_both_sides_are_found():
    values = NORMAL.copy()
    values[:4], values[4], values[5] = -9999, 1e30, -1e12
    assert find_far(values).values == (-1e12, -9999.0, 1e30)


@given(wild=st.sampled_from([1e30, -1e30, 1e6, np.finfo(np.float64).max]), row=st.integers(0, 99))
def test_one_wild_value_changes_nothing_for_the_others(wild, row):
    x = NORMAL[:100, None].copy()
    x[row] = np.nan
    clean = fit_input_scaling(x, "standard").inputs(x)
    x[row] = wild
    scaling = fit_input_scaling(x, "standard")
    np.testing.assert_array_equal(scaling.inputs(x), clean)
    assert scaling.inputs(np.full((1, 1), 2 * wild if abs(wild) < 1e300 else wild))[0, 0] == 0


def test_a_wild_value_in_new_rows_alone_is_taken_for_missing_too():
    scaling = fit_input_scaling(NORMAL[:, None], "standard")
    assert scaling.inputs(np.array([[1e30], [1e5]]))[:, 0].tolist() == [
        0,
        scaling.apply(np.array([[1e5]]))[0, 0],
    ]
    as_it_is = fit_input_scaling(NORMAL[:, None], "none")
    assert as_it_is.inputs(np.array([[1e9]])) == 1e9


def test_a_clean_column_beside_one_with_codes_keeps_its_bits():
    x = np.column_stack([NORMAL, NORMAL])
    clean = fit_input_scaling(x, "standard").inputs(x)
    x[:5, 1] = -9999
    np.testing.assert_array_equal(fit_input_scaling(x, "standard").inputs(x)[:, 0], clean[:, 0])


def test_far_numbers_are_told_with_their_rows_and_how_to_call_them_missing():
    values = NORMAL.copy()
    values[[3, 8]] = -9999
    _, kinds = read_columns(pl.DataFrame({"c": values}))
    (note,) = kinds["c"].notes
    assert note.startswith("c: -9999 in 2 rows (5, 10) far from the rest, ")
    assert (note.parameter, note.value) == ("missing", "-9999")
    _, kinds = read_columns(pl.DataFrame({"c": values}), missing=("-9999",))
    assert kinds["c"].notes == ()
