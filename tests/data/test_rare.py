"""Columns that are one number but for few rows: those rows do not lie far away."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cuesta.data.rare import TRUSTED, commonest, mark_scale
from cuesta.data.scale import fit_input_scaling, fit_scaling

EPS = np.finfo(np.float64).eps
FEW_VALUES = hnp.arrays(
    np.float64, st.integers(2, 40), elements=st.sampled_from([0.0, 1.0, 2.0, 7.0, np.nan])
)


def rare(n, rows=1000, seed=0):
    """A column of zeros but for n rows."""
    column = np.zeros(rows)
    column[:n] = np.random.default_rng(seed).uniform(1, 16, n)
    return column[:, None]


@pytest.mark.parametrize("n", [1, 3, 10, 30, 45])
def test_few_rows_lie_as_many_tenths_away_in_the_root_mean_square(n):
    x = rare(n)
    z = fit_input_scaling(x, "standard").inputs(x)
    away = np.sqrt(((z[:n] - z[-1]) ** 2).mean())
    assert away == pytest.approx(n / TRUSTED, rel=1e-12)  # sums of 1,000 squares


@pytest.mark.parametrize("n", [50, 100, 400, 600, 999, 1000])
def test_ordinary_columns_are_what_they_were_bit_for_bit(n):
    # ∛(10²·1,000) = 46.4 rows have a deviation as large, and a few more where they differ.
    x = rare(n)
    for rows in (x, np.random.default_rng(0).permutation(x)):
        given_, plain = fit_input_scaling(rows, "standard"), fit_scaling(rows, "standard")
        assert given_.scale.tobytes() == plain.scale.tobytes()
        assert given_.shift.tobytes() == plain.shift.tobytes()


@pytest.mark.parametrize("method", ["minmax", "none", "robust", "quantile"])
def test_other_normalizations_know_no_rare_rows(method):
    given_, plain = fit_input_scaling(rare(3), method), fit_scaling(rare(3), method)
    assert given_.scale.tobytes() == plain.scale.tobytes()


def test_marks_keep_their_own_scale():
    x = np.zeros((1000, 1))
    x[:3] = 1
    scale = fit_input_scaling(x, "standard").scale
    assert scale == mark_scale(np.array([3 / 1000]), np.array([1000.0]))


def test_a_number_that_no_training_row_had_lies_near():
    # What a pixel of digits does: 1 in three rows, and 16 in a new one. By the deviation, 290.
    x = np.zeros((1437, 1))
    x[:3] = [[1.0], [2.0], [1.0]]
    assert fit_input_scaling(x, "standard").inputs(np.array([[16.0]]))[0, 0] < 5
    assert fit_scaling(x, "standard").inputs(np.array([[16.0]]))[0, 0] > 200


@given(FEW_VALUES)
def test_the_commonest_number_is_one_that_more_than_half_of_the_rows_have(values):
    present = values[~np.isnan(values)].tolist()
    wanted = [v for v in set(present) if present.count(v) > len(present) / 2]
    found = commonest(values[:, None], None)
    assert found.total[0] == len(present)
    assert found.own[0] == (present.count(wanted[0]) if wanted else 0)
    assert found.number[0] == (wanted[0] if wanted else 0)


@given(FEW_VALUES, st.integers(0, 99))
def test_a_weight_counts_as_so_many_rows(values, seed):
    weights = np.random.default_rng(seed).integers(1, 4, len(values))
    repeated = np.repeat(values, weights)[:, None]
    for a, b in zip(
        commonest(values[:, None], weights.astype(float)), commonest(repeated, None), strict=True
    ):
        assert a == b


@pytest.mark.parametrize("size", [1e300, 1e-290, 1.7e308])
def test_columns_of_every_magnitude_have_a_finite_scale(size):
    x = rare(3) / 16 * size
    scaling = fit_input_scaling(x, "standard")
    assert 0 < scaling.scale[0] < np.inf
    assert np.abs(scaling.inputs(x)).max() < 1


@given(st.integers(1, 20), st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_neither_a_shift_nor_a_factor_moves_them(n, shift, factor):
    x = rare(n, 60)
    moved = x * factor + shift
    assume(np.ptp(moved) > 1e-6 * np.abs(moved).max())
    a, b = (fit_input_scaling(rows, "standard").inputs(rows) for rows in (x, moved))
    # `moved` is off by an ulp of its largest number, in a span of a millionth of it at least.
    np.testing.assert_allclose(a, b, rtol=0, atol=1e8 * EPS)
