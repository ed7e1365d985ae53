"""Temperature and threshold: grids, closed forms and slow, obvious ways beside them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.model import sharpened
from cuesta.search.calibration import (
    COLDEST,
    HOTTEST,
    best_threshold,
    decided_at,
    fit_temperature,
    less_cost,
)

seeds = st.integers(0, 10_000)


def drawn(seed, rows=60, classes=3, scale=1.0):
    """Shares of random logits, times a scale, and classes that follow the unscaled ones."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(rows, classes))
    true = softmax(logits)
    y = (true.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1)
    return softmax(scale * logits), y


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def objective(shares, y, temperature, weights):
    """What `fit_temperature` minimizes, row by row: real rows, and one row of every class."""
    powers = shares ** (1 / temperature)
    logs = np.log(powers / powers.sum(axis=1, keepdims=True))
    real = -(weights * logs[np.arange(len(y)), y]).sum()
    return real - (weights[:, None] * logs / logs.shape[1]).sum() / weights.sum()


@given(seeds, st.floats(0.1, 10), st.integers(2, 5))
def test_no_temperature_of_a_grid_is_better(seed, scale, classes):
    shares, y = drawn(seed, classes=classes, scale=scale)
    shares = np.clip(shares, 1e-15, 1)
    weights = np.random.default_rng(seed).uniform(0.5, 2, len(y))
    found = fit_temperature(shares, y, weights)
    assert COLDEST <= found <= HOTTEST
    grid = np.exp(np.linspace(math.log(COLDEST), math.log(HOTTEST), 400))
    least = min(objective(shares, y, t, weights) for t in grid)
    # The optimum itself is below the grid's; 1e-9 of some hundred units is what sums round to.
    assert objective(shares, y, found, weights) <= least + 1e-9


def test_the_temperature_of_scaled_logits_is_found():
    shares, y = drawn(1, rows=20_000, scale=3.0)
    # T's standard error at 20,000 rows is about .03 of it; the seed is fixed.
    assert fit_temperature(shares, y) == pytest.approx(3.0, rel=0.05)


@given(seeds)
def test_a_weight_of_two_is_the_row_twice(seed):
    shares, y = drawn(seed)
    weights = np.random.default_rng(seed).integers(1, 4, len(y))
    twice = fit_temperature(np.repeat(shares, weights, axis=0), np.repeat(y, weights))
    # Newton's steps end when log T moves by less than 1e-10.
    assert fit_temperature(shares, y, weights) == pytest.approx(twice, rel=1e-8)


@pytest.mark.parametrize("confidence", [0.7, 0.9, 0.99, 0.9999, 1 - 1e-12])
def test_rows_that_are_all_right_claim_what_so_many_rows_can(confidence):
    shares = np.tile([confidence, 1 - confidence], (50, 1))
    found = fit_temperature(shares, np.zeros(50, dtype=int))
    # In closed form: 50 rows of class 0 and one that is half of each: 1 − q = .5/51.
    assert sharpened(shares, found)[0, 1] == pytest.approx(0.5 / 51, rel=1e-6)
    assert found > 3 * COLDEST


def test_shares_that_tell_nothing_have_the_temperature_one():
    assert fit_temperature(np.full((9, 3), 1 / 3), np.arange(9) % 3) == 1.0


def test_the_bounds_hold():
    # Wrong on most rows: no T is high enough. Nearly equal shares, all right: none low enough.
    assert fit_temperature(np.tile([0.9, 0.1], (30, 1)), np.ones(30, dtype=int)) == HOTTEST
    assert fit_temperature(np.tile([0.51, 0.49], (30, 1)), np.zeros(30, dtype=int)) == COLDEST


def test_shares_of_zero_and_one_are_told_from_nothing():
    found = fit_temperature(np.array([[1.0, 0.0]] * 20), np.array([0] * 19 + [1]))
    # 19.5 of 21 rows are class 0: log-odds 2.565, where the clipped share says log 1e15 = 34.54.
    assert found == pytest.approx(34.539 / math.log(19.5 / 1.5), rel=1e-4)


@given(seeds, st.floats(0.05, 20))
def test_sharpened_shares_are_shares_in_the_same_order(seed, temperature):
    shares, _ = drawn(seed)
    found = sharpened(shares, temperature)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-14)
    powers = shares ** (1 / temperature)
    expected = powers / powers.sum(axis=1, keepdims=True)
    # p^20 by one power or by a logarithm: 20 · log p has a rounding of 1e-14.
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-300)


def test_a_temperature_of_one_leaves_the_bits_and_zero_stays_zero():
    shares = np.array([[0.1, 0.2, 0.7], [0.0, 1.0, 0.0]])
    np.testing.assert_array_equal(sharpened(shares, 1.0), shares)
    np.testing.assert_array_equal(sharpened(shares, 3.0)[1], [0, 1, 0])


def accuracy(y, decided):
    return float((y == decided).mean())


@given(seeds)
def test_no_other_threshold_decides_better(seed):
    rng = np.random.default_rng(seed)
    share = rng.integers(0, 12, 30) / 11  # with ties
    y = (rng.random(30) < share).astype(int)
    score = less_cost([[0, 1], [5, 0]])
    found = best_threshold(y, share, score)
    best = max(score(y, (share >= t).astype(int)) for t in np.linspace(0, 1, 500))
    # The same costs in sums of another length: 1e-12 is far below one row's.
    assert score(y, (share >= found).astype(int)) >= best - 1e-12


def test_thresholds_by_hand():
    share = np.array([0.1, 0.3, 0.4, 0.9])
    # Only a threshold between .1 and .3 tells all rows right: its midpoint.
    assert best_threshold(np.array([0, 1, 1, 1]), share, accuracy) == pytest.approx(0.2)
    # 0.5 tells all right itself, and so would .65: it stays.
    assert best_threshold(np.array([0, 0, 0, 1]), share, accuracy) == 0.5
    # No row of the second label is worth it: above all shares.
    never = less_cost([[0, 100], [1, 0]])
    assert best_threshold(np.array([0, 1, 1, 0]), share, never) == pytest.approx(0.95)


def test_a_miss_that_costs_more_lowers_the_threshold():
    shares, y = drawn(3, rows=4000, classes=2)
    found = best_threshold(y, shares[:, 1], less_cost([[0, 1], [4, 0]]))
    # Of calibrated shares the best is c_fp/(c_fp + c_fn) = .2 (Elkan, 2001); the cost is flat
    # around it, so that a sample of 4,000 finds it to about .05.
    assert found == pytest.approx(0.2, abs=0.06)


def test_many_distinct_shares_are_thinned():
    share = np.random.default_rng(0).random(50_000)
    tried = []

    def score(y, decided):
        tried.append(decided.sum())
        return accuracy(y, decided)

    found = best_threshold((share > 0.7).astype(int), share, score)
    assert len(tried) <= 1001
    assert found == pytest.approx(0.7, abs=1e-3)  # a thousandth of the ranks


def test_a_score_that_is_nan_leaves_a_half():
    assert best_threshold(np.array([0, 1]), np.array([0.2, 0.3]), lambda *_: np.nan) == 0.5


def test_recall_and_precision_by_hand():
    y, share = np.array([0, 1, 1, 1, 0]), np.array([0.6, 0.7, 0.2, 0.8, 0.1])
    told = decided_at(y, share, 0.5)
    assert (told.recall, told.precision) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert math.isnan(decided_at(y, share, 0.9).precision)
    assert math.isnan(decided_at(np.zeros(5, dtype=int), share, 0.5).recall)
