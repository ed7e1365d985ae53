"""`quantile` and `robust` inputs: by the ranks of the training rows."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import ndtr, ndtri
from sklearn.preprocessing import QuantileTransformer, RobustScaler

from cuesta.data.knots import MOST_KNOTS
from cuesta.data.quantiles import distinct, median_and_range, normal_map, quantiles
from cuesta.data.scale import fit_input_scaling, fit_scaling

EPS = np.finfo(np.float64).eps
LARGE = st.floats(-1e300, 1e300, allow_nan=False, allow_subnormal=False)
COLUMNS = hnp.arrays(np.float64, st.integers(3, 40), elements=LARGE)
SHORT = hnp.arrays(np.float64, st.integers(3, 40), elements=st.integers(-5, 5))
BOTH = pytest.mark.parametrize("method", ["quantile", "robust"])


def normalized(values, method="quantile"):
    column = np.asarray(values, np.float64)[:, None]
    return fit_scaling(column, method).inputs(column)[:, 0]


def assume_own_scale(values):
    """That a column varies and is no mark."""
    assume(np.ptp(values / 2) > 1e-12 * np.abs(values).max())
    assume(not np.isin(values, (0, 1)).all())


# --- quantile ---------------------------------------------------------------------------------


def test_places_are_the_middles_of_the_ranks():
    # Levels: half of 1 of 8, the middle of 1 to 5, the middle of 5 to 7, 7.5 of 8.
    wanted = ndtri([0.5 / 8, 3 / 8, 3 / 8, 3 / 8, 3 / 8, 6 / 8, 6 / 8, 7.5 / 8])
    np.testing.assert_allclose(normalized([-9, 2, 2, 2, 2, 3, 3, 1e9]), wanted, rtol=1e-14)


@given(COLUMNS)
def test_places_are_by_rank_alone(values):
    assume_own_scale(values)
    ranks = np.array([(values < v).sum() + (values == v).sum() / 2 for v in values])
    # A sum of halves is exact, and so is a place at a knot.
    np.testing.assert_allclose(normalized(values), ndtri(ranks / len(values)), rtol=1e-14)


@given(SHORT, st.sampled_from([np.exp, np.cbrt, np.arctan, lambda x: 7 * x - 3]))
def test_an_increasing_map_of_the_column_changes_nothing(values, increasing):
    assume_own_scale(values)
    assume(not np.isin(increasing(values), (0, 1)).all())
    assert normalized(values).tobytes() == normalized(increasing(values)).tobytes()


@BOTH
@given(x=COLUMNS, new=hnp.arrays(np.float64, 30, elements=LARGE))
def test_z_ascends_with_x(method, x, new):
    assume_own_scale(x)
    every = np.sort(np.concatenate([x, new, (x[1:] / 2 + x[:-1] / 2)]))
    z = fit_scaling(x[:, None], method).inputs(every[:, None])[:, 0]
    assert np.isfinite(z).all()
    assert (np.diff(z) >= 0).all()


@given(SHORT, st.integers(0, 99))
def test_a_weight_counts_as_so_many_rows(values, seed):
    assume_own_scale(values)
    weights = np.random.default_rng(seed).integers(1, 4, len(values))
    repeated = np.repeat(values, weights)[:, None]
    for method in ("quantile", "robust"):
        by_weight = fit_scaling(values[:, None], method, weights.astype(float)).inputs(repeated)
        np.testing.assert_array_equal(by_weight, fit_scaling(repeated, method).inputs(repeated))


@pytest.mark.parametrize("rows", [200, 257, 5000, 60_000])
def test_z_of_continuous_rows_is_normal_to_the_share_between_two_knots(rows):
    x = np.random.default_rng(rows).standard_cauchy(rows)
    scaling = fit_scaling(x[:, None], "quantile")
    assert scaling.knots.shape[1] <= MOST_KNOTS
    levels = ndtr(scaling.inputs(np.sort(x)[:, None])[:, 0])
    wanted = (np.arange(rows) + 0.5) / rows
    # The steepest step of sin²(πk/2·255) is π/510, 0.6 % of the rows; a row between two knots lies
    # between their levels.
    assert np.abs(levels - wanted).max() < np.pi / 2 / (MOST_KNOTS - 1)
    assert np.abs(levels - wanted).mean() < 1e-3
    ends = scaling.inputs(np.array([[x.min()], [x.max()]]))[:, 0]
    np.testing.assert_allclose(ends, ndtri([0.5 / rows, 1 - 0.5 / rows]), rtol=1e-12)


def test_the_ends_of_z_grow_with_the_rows_as_a_normal_samples_do():
    rng = np.random.default_rng(0)
    for rows in (10, 100, 10_000):
        mean_of_greatest = rng.standard_normal((300, rows)).max(axis=1).mean()
        assert normalized(rng.random(rows)).max() == pytest.approx(mean_of_greatest, abs=0.15)


@pytest.mark.parametrize("kind", ["continuous", "ties"])
def test_it_is_scikit_learns_map_to_half_a_rank(kind):
    rng = np.random.default_rng(0)
    x = np.exp(2 * rng.standard_normal((129, 1)))  # so that their levels, r/128, are exact
    if kind == "ties":
        x = np.ceil(x)
    theirs = QuantileTransformer(n_quantiles=129, output_distribution="normal").fit(x)
    inner = ((x > x.min()) & (x < x.max()))[:, 0]  # they give both ends ±5.2, ties or no
    mine, other = fit_scaling(x, "quantile").inputs(x)[inner], theirs.transform(x)[inner]
    # Row r of n is at (r + ½)/n here and at r/(n − 1) there: apart by at most ½/n.
    assert np.abs(ndtr(mine) - ndtr(other)).max() <= 0.5 / 129 + 1e-12


def test_numbers_beyond_those_that_trained_are_held_at_the_ends():
    scaling = fit_scaling(np.array([[3.0], [4.0], [9.0]]), "quantile")
    new = np.array([[-np.inf], [-1e300], [3.0], [9.0], [1e300], [np.inf]])
    z = scaling.inputs(new)[:, 0]
    assert z[:3].tolist() == [z[2]] * 3
    assert z[3:].tolist() == [z[3]] * 3


@given(st.lists(st.floats(1e-300, 1e300), min_size=2, max_size=30))
def test_rows_of_any_weight_have_finite_places(weights):
    x = np.arange(2.0, 2 + len(weights))
    knots, places = normal_map(x, np.array(weights))
    assert (np.diff(knots) > 0).all()
    assert (np.diff(places) >= 0).all()
    assert np.abs(places).max() < 5.2


# --- robust -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [5, 101, 4001])
def test_it_is_scikit_learns_robust_scaler_with_a_smooth_clip(rows):
    # Of 4k + 1 rows the quartiles are rows, and one thing by every definition.
    x = np.random.default_rng(rows).standard_cauchy((rows, 2)) * 7 + 3
    z = RobustScaler().fit_transform(x)
    wanted = z / np.sqrt(1 + (z / 3) ** 2)
    np.testing.assert_allclose(fit_scaling(x, "robust").inputs(x), wanted, rtol=1e-11, atol=1e-13)


@given(SHORT, st.lists(st.floats(0.01, 0.99), min_size=1, max_size=5))
def test_quantiles_are_numpys_of_the_second_definition(values, levels):
    # Where a level lies on a step by a rounding of numpy's, either of two answers is right.
    levels = [p for p in levels if abs(p * len(values) - round(p * len(values))) > 1e-9]
    found = quantiles(*distinct(values, None), [*levels, 0.5])
    wanted = np.quantile(values, [*levels, 0.5], method="averaged_inverted_cdf")
    np.testing.assert_array_equal(found, wanted)


def test_weights_move_median_and_quartiles():
    values, weights = np.array([1.0, 2.0, 3.0, 10.0]), np.array([1.0, 1.0, 1.0, 9.0])
    assert median_and_range(values, None) == (2.5, 6.5 - 1.5)
    # Of twelve rows: a quarter lies between 3 and 10.
    assert median_and_range(values, weights) == (10.0, 10.0 - 6.5)


def test_without_quartiles_half_of_the_span_is_the_scale():
    scaling = fit_scaling(np.array([[5.0]] * 8 + [[9.0]]), "robust")
    assert (scaling.shift[0], scaling.scale[0]) == (5.0, 2.0)


def test_one_wild_row_does_not_move_the_others():
    x = np.linspace(2, 3, 101)
    wild = np.where(np.arange(101) == 100, 1e300, x)
    np.testing.assert_array_equal(normalized(x, "robust")[:100], normalized(wild, "robust")[:100])
    assert normalized(wild, "robust")[100] == 3.0


# --- both -------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("ends", [(0.0, 1.0), (1.0, 0.0)])
def test_marks_are_what_standard_makes_of_them(method, ends):
    rng = np.random.default_rng(0)
    marks = np.where(rng.random((200, 3)) < [0.5, 0.02, 0.9], *ends)
    marks[::7] = np.nan
    x = np.column_stack([marks, rng.standard_normal(200)])
    new = np.vstack([x, [[0.5, 2, -1, 0]]])
    mine, theirs = (fit_scaling(x, how).inputs(new)[:, :3] for how in (method, "standard"))
    assert mine.tobytes() == theirs.tobytes()


@BOTH
def test_a_column_without_99_of_100_values_is_fitted_to_the_rest(method):
    rng = np.random.default_rng(0)
    x = np.where(rng.random((2000, 1)) < 0.99, np.nan, rng.standard_normal((2000, 1)))
    there = ~np.isnan(x[:, 0])
    z = fit_scaling(x, method).inputs(x)
    assert (z[~there] == 0).all()
    np.testing.assert_array_equal(z[there], fit_scaling(x[there], method).inputs(x[there]))


@BOTH
def test_a_column_of_ten_values_keeps_ten_in_their_order(method):
    x = np.random.default_rng(0).integers(0, 10, (3000, 1)) ** 3.0
    pairs = set(zip(x[:, 0], fit_scaling(x, method).inputs(x)[:, 0], strict=True))
    assert len(pairs) == 10
    assert sorted(pairs) == sorted(pairs, key=lambda pair: pair[1])


@BOTH
@pytest.mark.parametrize(
    "values",
    [
        [1e300, -1e300, 3e299, 0.0],
        [1.7e308, -1.7e308, 0.0, 5.0],
        [1e-300, 2e-300, 5e-300, 0.0],
        [1e-310, 2e-310, 5e-310, 0.0],
        [0.0, 1e-300, 1e300, 2e300],
    ],
)
def test_columns_of_every_magnitude_have_finite_places_in_order(method, values):
    scaling = fit_scaling(np.array(values)[:, None], method)
    between = np.sort([*values, *np.linspace(min(values) / 2, max(values) / 2, 50) * 2])
    z = scaling.inputs(between[:, None])[:, 0]
    assert np.isfinite(z).all()
    assert (np.diff(z) >= 0).all()
    assert z[-1] > z[0]


@BOTH
def test_a_code_for_missing_values_is_missing(method):
    x = np.random.default_rng(0).standard_normal((400, 1))
    coded, gaps = x.copy(), x.copy()
    coded[::40], gaps[::40] = -9999, np.nan
    mine, theirs = (fit_input_scaling(rows, method).inputs(rows) for rows in (coded, gaps))
    np.testing.assert_array_equal(mine, theirs)
    assert (mine[::40] == 0).all()


@BOTH
def test_columns_do_not_touch_each_other(method):
    rng = np.random.default_rng(0)
    columns = [
        rng.standard_cauchy(600),
        np.full(600, 4.0),
        rng.integers(0, 2, 600),
        rng.integers(0, 9, 600),
    ]
    x = np.column_stack(columns)
    apart = np.hstack([fit_scaling(x[:, [i]], method).inputs(x[:, [i]]) for i in range(4)])
    assert fit_scaling(x, method).inputs(x).tobytes() == apart.tobytes()
