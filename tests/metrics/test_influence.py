"""What each row adds to a metric, beside slow ways to find it."""

import numpy as np
import pytest

from cuesta.metrics.classes import f1
from cuesta.metrics.influence import of_f1, of_roc_auc
from cuesta.metrics.left_out import precisions_without
from cuesta.metrics.ranking import average_precision, roc_auc

from .test_metrics import drawn_classes

STEP = 1e-5


def by_steps(metric, y, shares):
    """n times the derivative of the metric by each row's weight, by central differences."""
    found = []
    for i in range(len(y)):
        ends = []
        for step in (STEP, -STEP):
            weights = np.ones(len(y))
            weights[i] += step
            ends.append(metric(y, shares, weights))
        found.append(len(y) * (ends[0] - ends[1]) / (2 * STEP))
    return np.array(found)


@pytest.mark.parametrize("decimals", [1, 8])  # with ties, and without
@pytest.mark.parametrize("classes", [2, 4])
def test_the_sway_of_a_row_on_roc_auc_is_a_derivative(classes, decimals):
    y, shares = drawn_classes(0, classes)
    shares = shares.round(decimals)
    # Central differences are off by the square of the step, and roundings over it: 1e-16 n/1e-5.
    assert of_roc_auc(y, shares) == pytest.approx(by_steps(roc_auc, y, shares), abs=1e-7)


def test_the_sway_of_a_row_on_f1_is_a_derivative():
    y, shares = drawn_classes(0, 4)
    found = of_f1(y, shares.argmax(axis=1), 4)
    assert found == pytest.approx(by_steps(f1, y, shares), abs=1e-7)


@pytest.mark.parametrize("decimals", [1, 8])
@pytest.mark.parametrize("classes", [2, 4])
def test_average_precision_without_a_row_is_that_of_all_others(classes, decimals):
    y, shares = drawn_classes(3, classes)
    y, shares = np.r_[y, np.arange(classes)], np.r_[shares, shares[:classes]].round(decimals)
    expected = [
        average_precision(np.delete(y, i), np.delete(shares, i, axis=0)) for i in range(len(y))
    ]
    assert precisions_without(y, shares) == pytest.approx(expected, abs=1e-12)  # sums, reordered
