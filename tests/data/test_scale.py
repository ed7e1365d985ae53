"""Normalization (N3)."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cuesta.data.rare import mark_scale
from cuesta.data.scale import Scaling, fit_scaling
from cuesta.hyperparameters import NORMALIZATIONS

EPS = np.finfo(np.float64).eps
METHODS = pytest.mark.parametrize("method", NORMALIZATIONS)

# Within these bounds a column's span and its deviation are normal numbers, neither infinite nor
# so small that they lose digits.
LARGE, SMALL = 1e300, 1e-290
# Scaling halves its numbers on the way, which is exact but for the least of subnormals.
VALUES = st.floats(-LARGE, LARGE, allow_nan=False, allow_subnormal=False)
COLUMNS = hnp.arrays(np.float64, st.tuples(st.integers(2, 30), st.just(1)), elements=VALUES)


def column(*values):
    return np.array(values, np.float64)[:, None]


def normalized(x, method="standard"):
    return fit_scaling(x, method).apply(x)


def rounding(x):
    """What rounding a shift to float64 may do to a normalized value.

    The shift is off by a few ulps of the largest value; the deviation is at least
    span/√(2n), which two values at that distance alone give.
    """
    x = x / 2  # so that its span fits float64
    return 16 * EPS * np.abs(x).max() * np.sqrt(2 * len(x)) / np.ptp(x)


def assume_varied(x):
    assume(np.ptp(x) > SMALL)
    assume(not np.isin(x, (0, 1)).all())


@given(COLUMNS)
def test_training_rows_have_mean_0_and_deviation_1(x):
    assume_varied(x)
    z = normalized(x)
    tolerance = 1e-12 + rounding(x)  # 1e-12: sums of 30 terms
    assert abs(z.mean()) <= tolerance
    assert abs(z.std() - 1) <= tolerance


@given(COLUMNS)
def test_minmax_maps_training_rows_onto_0_to_1(x):
    assume_varied(x)
    z = normalized(x, "minmax")
    assert z.min() == 0
    assert z.max() == 1


@given(COLUMNS)
def test_none_changes_no_column_that_varies(x):
    assume(np.ptp(x) > SMALL)
    np.testing.assert_array_equal(normalized(x, "none"), x)


@METHODS
@given(x=COLUMNS)
def test_undo_is_the_inverse_of_apply(method, x):
    assume(np.ptp(x) > SMALL)
    scaling = fit_scaling(x, method)
    # A subtraction, a division, a product and a sum, each right to an ulp of the largest value.
    back = scaling.undo(scaling.apply(x))
    if method != "robust":
        np.testing.assert_allclose(back, x, rtol=0, atol=8 * EPS * np.abs(x).max())
        return
    # A smooth clip s = z/√(1 + (z/3)²) has the slope (1 + (z/3)²)^−1.5, by which an ulp of s grows
    # on its way back; beyond 10⁵ there is nothing left to find.
    with np.errstate(over="ignore"):
        z = np.abs(x / 2 - scaling.shift / 2) / scaling.scale * 2
    assume((z < 1e5).all())
    lost = scaling.scale * (1 + (z / 3) ** 2) ** 1.5
    assert (np.abs(back - x) <= 32 * EPS * (np.abs(x).max() + lost)).all()


@METHODS
def test_undo_gives_a_constant_column_back(method):
    x = column(5, 5, 5)
    scaling = fit_scaling(x, method)
    np.testing.assert_array_equal(scaling.undo(scaling.apply(x)), x)


@METHODS
@given(value=VALUES, n=st.integers(1, 5), other=VALUES)
def test_a_constant_column_is_0_and_inert(method, value, n, other):
    scaling = fit_scaling(np.full((n, 1), value), method)
    assert scaling.apply(column(value, other)).tolist() == [[0.0], [0.0]]


@METHODS
def test_a_missing_value_is_0(method):
    x = column(3, np.nan, 7, 8)
    assert normalized(x, method)[1, 0] == 0


@METHODS
def test_a_column_of_nothing_but_missing_values_is_0(method):
    assert normalized(column(np.nan, np.nan), method).tolist() == [[0.0], [0.0]]


@METHODS
@given(x=COLUMNS, gaps=st.integers(1, 5))
def test_missing_values_do_not_move_the_others(method, x, gaps):
    assume_varied(x)
    with_gaps = np.concatenate([np.full((gaps, 1), np.nan), x])
    # The gaps add zeros to a sum: they may change its order, not its value.
    z = normalized(with_gaps, method)[gaps:]
    np.testing.assert_allclose(z, normalized(x, method), rtol=1e-12, atol=1e-12 + rounding(x))


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=2, max_size=30))
def test_a_mark_counts_by_the_rows_of_its_rarer_value(values):
    n = min(values.count(0.0), values.count(1.0))
    assume(n > 0)
    z = normalized(column(*values))
    # Sums of at most 30 shares.
    assert np.ptp(z) == pytest.approx(n / (n + 10), abs=1e-14)
    assert z.mean() == pytest.approx(0, abs=1e-14)


def test_a_mark_with_gaps_counts_by_the_rows_that_have_a_value():
    # One row of three is the rarer value's: 1/(1 + 10).
    z = normalized(column(0, 1, np.nan, 1))[[0, 1, 3]]
    assert np.ptp(z) == pytest.approx(1 / 11, abs=1e-15)


def test_a_mark_of_many_rows_keeps_its_unit():
    z = normalized(np.repeat([[0.0], [1.0]], 10_000, axis=0))
    assert np.ptp(z) == pytest.approx(1, abs=2e-3)  # 10/10,010


@pytest.mark.parametrize("share", [0.0, 1e-3, 0.5, 1.0])
def test_marks_in_rows_of_little_weight_keep_a_tenth_of_their_unit(share):
    assert 1 <= mark_scale(np.array([share]), np.array([1e-6]))[0] <= 11


def exact(values):
    """(x − mean)/deviation with 400 digits."""
    with localcontext() as context:
        context.prec = 400
        terms = [Decimal(value) for value in values]
        mean = sum(terms) / len(terms)
        deviation = (sum((t - mean) ** 2 for t in terms) / len(terms)).sqrt()
        return [float((t - mean) / deviation) for t in terms]


@pytest.mark.parametrize(
    "values",
    [
        [1e300, -1e300, 3e299],
        [1e-300, 2e-300, 5e-300, 0.0],
        [1e9 - 1e-3, 1e9, 1e9 + 1e-3, 1e9 + 2e-3],
        [-1e6 - 1, -1e6, -1e6 + 3],
        [0.1, 0.2, 0.4, 1e300],
        [3.0, 4.0],
        [1.7e308, -1.7e308, 0.0],
    ],
    ids=["huge", "tiny", "offset", "million", "outlier", "two", "span beyond float64"],
)
def test_columns_of_every_magnitude_are_finite_and_right(values):
    x = column(*values)
    np.testing.assert_allclose(normalized(x)[:, 0], exact(values), rtol=0, atol=rounding(x))


def test_columns_do_not_touch_each_other():
    x = np.array([[1e300, 1e-300, 5.0], [2e300, 3e-300, 5.0], [4e300, 9e-300, 5.0]]) / 10
    apart = np.hstack([normalized(x[:, [i]]) for i in range(3)])
    # NumPy may sum a lone column in another order.
    np.testing.assert_allclose(normalized(x), apart, rtol=1e-14, atol=1e-14)


def test_new_rows_are_scaled_by_the_training_rows():
    scaling = fit_scaling(column(0, 10), "standard")
    assert scaling.apply(column(5, 10, 20)).ravel().tolist() == [0.0, 1.0, 3.0]


def test_scaling_is_the_formula():
    scaling = Scaling(np.array([1.0, 2.0]), np.array([2.0, 0.0]))
    assert scaling.apply(np.array([[5.0, 9.0]])).tolist() == [[2.0, 0.0]]
    assert scaling.undo(np.array([[2.0, 0.0]])).tolist() == [[5.0, 2.0]]


def test_one_value_in_two_roundings_is_constant():
    assert normalized(column(0.3, 0.1 + 0.2)).ravel().tolist() == [0.0, 0.0]
