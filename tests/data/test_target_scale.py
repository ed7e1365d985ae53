"""The maps of transformed targets: by hand, by NumPy's interp, and laws of any target."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cuesta.data.scale import Scaling
from cuesta.data.target_scale import KNOTS, fit_target_scaling, learned, unlearned

TRANSFORMS = ("log", "quantile")
# A target, its map and the way back are some ten roundings of float64, in units of the range.
FLOAT64 = 1e-13


def fitted(y, transform, method="standard", weights=None):
    return fit_target_scaling(np.asarray(y, float)[:, None], method, transform, weights)


def test_without_a_transform_it_is_mean_and_deviation():
    scaling = fitted([1.0, 3.0, 5.0, 7.0], "none")
    assert (scaling.shift, scaling.scale, scaling.knots) == (4.0, np.sqrt(5.0), None)


def test_the_logarithm_by_hand():
    # Above the least are 1, 3 and 9: m = 3, and the greatest is at log 4.
    y = np.array([10.0, 11.0, 13.0, 19.0])
    scaling = fitted(y, "log")
    knots = 10 + 3 * np.expm1(np.linspace(0, np.log(4), KNOTS))
    np.testing.assert_allclose(scaling.knots[0], knots, rtol=1e-14)
    # On its lines between the 65 knots, by number of knot, the least at 0 and 13, log 2, at 32.
    z = np.interp(y, knots, np.arange(KNOTS))
    assert (z[0], z[3]) == (0, KNOTS - 1)
    assert z[2] == pytest.approx(32)
    wanted = (np.arange(KNOTS) - z.mean()) / z.std()
    np.testing.assert_allclose(scaling.places[0], wanted, rtol=1e-12, atol=1e-14)


def test_the_quantiles_by_hand():
    # Ranks 1/8, 4/8 (two rows) and 7/8 of four rows: −q, 0 and q with Φ(q) = 7/8.
    scaling = fitted([5.0, 1.0, 5.0, 21.0], "quantile")
    wanted = np.interp(np.linspace(-1, 1, KNOTS), [-1, 0, 1], [1, 5, 21])
    np.testing.assert_allclose(scaling.knots[0], wanted, rtol=1e-14)
    np.testing.assert_allclose(learned(scaling, np.array([[1], [5], [21]])).ravel(),
                               [-np.sqrt(2), 0, np.sqrt(2)], atol=1e-14)  # fmt: skip


def test_quantiles_of_many_rows_are_about_normal():
    y = np.random.default_rng(0).exponential(size=20_000)
    z = learned(fitted(y, "quantile"), y[:, None]).ravel()
    shares = [(z < at).mean() for at in (-2, -1, 0, 1, 2)]
    # Φ; 65 knots are .13 apart, and lines between them are off by about a tenth of their square.
    np.testing.assert_allclose(shares, [0.0228, 0.1587, 0.5, 0.8413, 0.9772], atol=2e-3)


def test_logarithms_of_prices_are_less_skewed():
    y = np.exp(np.random.default_rng(0).normal(12, 1, size=5000))
    plain, logarithms = (learned(fitted(y, t), y[:, None]) for t in ("none", "log"))
    assert (plain**3).mean() > 3  # its skewness
    assert abs((logarithms**3).mean()) < 1.2


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_beyond_its_ends_a_map_goes_on_in_a_straight_line(transform):
    y = np.random.default_rng(0).exponential(size=200)
    scaling = fitted(y, transform)
    (knots,), (places,) = scaling.knots, scaling.places
    for end, inner, way in ((0, 1, -3.0), (-1, -2, 3.0)):
        slope = (knots[end] - knots[inner]) / (places[end] - places[inner])
        there = places[end] + way
        found = unlearned(scaling, np.array([[there]]))
        np.testing.assert_allclose(found, knots[end] + way * slope, rtol=1e-12)
        np.testing.assert_allclose(learned(scaling, found), there, rtol=1e-12)


@pytest.mark.parametrize("transform", ["none", *TRANSFORMS])
def test_bounds_hold_what_is_predicted(transform):
    plain = fitted([1.0, 2.0, 9.0], transform)
    scaling = Scaling(plain.shift, plain.scale, np.array([1.0]), np.array([9.0]),
                      plain.knots, plain.places)  # fmt: skip
    z = np.array([[-50.0], [0.0], [50.0], [np.nan]])
    found = unlearned(scaling, z).ravel()
    np.testing.assert_array_equal(found[[0, 2, 3]], [1, 9, np.nan])
    assert found[1] == unlearned(plain, z)[1]


SIZES = st.sampled_from([1.0, 1e-9, 1e9, 1e100])
TARGETS = arrays.arrays(float, st.integers(1, 40), elements=st.integers(-20, 20).map(float))


@given(TARGETS, SIZES, st.sampled_from([0.0, 1e9, -3.0]), st.sampled_from(TRANSFORMS))
def test_a_map_rises_and_leads_back(y, size, shift, transform):
    y = y * size + shift
    scaling = fitted(y, transform)
    assert (np.diff(scaling.knots) > 0).all()
    assert (np.diff(scaling.places) > 0).all()
    z = learned(scaling, y[:, None])
    back = unlearned(scaling, z).ravel()
    steepest = (np.diff(scaling.knots) / np.diff(scaling.places)).max()
    away = FLOAT64 * (np.abs(y).max() + steepest * max(1.0, np.abs(scaling.places).max()))
    np.testing.assert_allclose(back, y, rtol=0, atol=away)
    order = np.argsort(y, kind="stable")
    assert (np.diff(z.ravel()[order]) >= 0).all()


@given(TARGETS, st.sampled_from(TRANSFORMS))
def test_what_is_learned_has_mean_0_and_deviation_1(y, transform):
    scaling = fitted(y, transform)
    z = learned(scaling, y[:, None])
    if np.ptp(y) == 0:
        np.testing.assert_array_equal(z, 0)  # as without a transform
        return
    np.testing.assert_allclose([z.mean(), z.std()], [0, 1], atol=1e-9)


@given(TARGETS, st.sampled_from(TRANSFORMS))
def test_units_and_origin_of_a_target_do_not_matter(y, transform):
    a = learned(fitted(y, transform), y[:, None])
    # A power of 2 and small whole numbers: no rounding, so the maps are the same.
    b = learned(fitted(4 * y - 64, transform), (4 * y - 64)[:, None])
    np.testing.assert_allclose(a, b, atol=1e-9)


@given(TARGETS, st.sampled_from(TRANSFORMS))
def test_a_weight_of_2_is_a_row_that_comes_twice(y, transform):
    twice = fitted(np.concatenate([y, y[::2]]), transform)
    weights = np.where(np.arange(len(y)) % 2 == 0, 2.0, 1.0)
    weighted = fitted(y, transform, weights=weights)
    np.testing.assert_array_equal(weighted.knots, twice.knots)
    np.testing.assert_allclose(weighted.places, twice.places, atol=1e-12)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("value", [0.0, 7.0, -1e9, 1e17])
def test_a_constant_target_keeps_its_value(transform, value):
    scaling = fitted([value] * 5, transform)
    np.testing.assert_array_equal(unlearned(scaling, np.zeros((1, 1))), value)
    assert (np.diff(scaling.knots) > 0).all()


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_transformed_target_is_standardized_without_normalization_too(transform):
    y = np.array([1.0, 2.0, 4.0, 300.0])
    scaling, standard = (fitted(y, transform, method) for method in ("none", "standard"))
    assert (scaling.shift, scaling.scale) == (0, 1)  # validation is in the target's units
    np.testing.assert_array_equal(learned(scaling, y[:, None]), learned(standard, y[:, None]))


def test_each_target_has_its_own_map():
    y = np.random.default_rng(0).exponential(size=(50, 2)) * [1, 100]
    y[:, 1] = y[:, 1] ** 2
    both = fit_target_scaling(y, "standard", "quantile")
    for place in (0, 1):
        alone = fitted(y[:, place], "quantile")
        np.testing.assert_array_equal(both.knots[place], alone.knots[0])
        z = learned(both, y)[:, [place]]
        np.testing.assert_array_equal(z, learned(alone, y[:, [place]]))
