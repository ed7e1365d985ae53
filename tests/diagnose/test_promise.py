"""When the test is said to be far from what validation promised."""

import math

import pytest

from cuesta.diagnose.faults.promise import far_from_validation


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
