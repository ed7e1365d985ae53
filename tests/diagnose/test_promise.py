"""When the test is said to be far from what validation promised."""

import math

import pytest

from cuesta.diagnose.faults.promise import far_from_validation, outside_promise


@pytest.mark.parametrize(
    ("test", "interval", "higher", "far"),
    [
        (0.96, (0.93, 0.98), True, False),  # as promised
        (0.60, (0.52, 0.68), True, True),
        (0.60, (0.20, 0.97), True, False),  # too few test rows to tell
        (1.00, (0.98, 1.00), True, False),  # better is no fault
        (2.00, (1.60, 2.40), False, True),
        (0.50, (0.40, 0.60), False, False),
    ],
)
def test_the_test_must_be_worse_by_more_than_chance(test, interval, higher, far):
    found = far_from_validation("metric", 0.97, 0.01, test, interval, higher=higher)
    assert (found is not None) == far
    if far:
        assert f"{test:.3g}" in found.says
        assert "0.97" in found.says


def test_nothing_is_said_of_figures_that_are_missing():
    for se, ends in ((math.nan, (0.5, 0.6)), (0.01, (math.nan, 0.6))):
        assert far_from_validation("accuracy", 0.97, se, 0.55, ends, higher=True) is None


@pytest.mark.parametrize(
    ("promised", "test", "interval", "higher", "outside"),
    [
        ((0.08, 0.05, 0.12), 0.15, (0.10, 0.21), False, False),  # the intervals meet
        ((0.08, 0.05, 0.12), 0.20, (0.14, 0.27), False, True),
        ((0.08, 0.05, 0.12), 0.02, (0.01, 0.04), False, False),  # better is no fault
        ((0.95, 0.93, 0.97), 0.86, (0.80, 0.91), True, True),
        ((0.95, 0.93, 0.97), 0.86, (0.80, 0.94), True, False),
        ((100.0, 99.9, 100.1), 101.0, (100.5, 101.5), False, False),  # 1 % is not worth a word
        ((0.950, 0.949, 0.951), 0.930, (0.925, 0.935), True, True),  # of an error of 5 % it is
    ],
)
def test_the_intervals_of_promise_and_test_must_not_meet(promised, test, interval, higher, outside):
    found = outside_promise("metric", promised, test, interval, higher=higher)
    assert (found is not None) == outside
    if outside:
        value, low, high = promised
        assert f"validation promised {value:.3g} ({low:.3g} to {high:.3g})" in found.says


def test_a_promise_that_is_missing_accuses_nobody():
    assert outside_promise("rmse", (1, math.nan, 2), 9, (8, 10), higher=False) is None
