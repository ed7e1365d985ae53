"""When a network is said to lose to a baseline."""

import math

import numpy as np
import pytest

from cuesta.diagnose.faults.rivals import Figures, loses_to_baseline

NETWORK = Figures("network", (0.30, 0.32, 0.31, 0.29, 0.33), 0.31)
INTERVAL = (0.28, 0.34)


def found(*baselines, network=NETWORK, interval=INTERVAL, higher=False):
    return loses_to_baseline("log_loss", network, interval, baselines, 0.25, higher=higher)


def linear(folds=(), test=math.nan):
    return Figures("linear model", tuple(folds), test)


def test_a_baseline_that_is_better_on_every_fold_and_in_the_test_is_severe():
    told = found(linear(np.array(NETWORK.folds) - 0.1, 0.2))
    assert told.severity == "severe"
    assert "loses to the linear model in validation and in the test: log-loss 0.31" in told.says
    assert "0.31 against 0.2 in the test" in told.says
    assert "hidden_layer_sizes" in told.parameter


@pytest.mark.parametrize(
    ("baseline", "says"),
    [
        (linear(np.array(NETWORK.folds) - 0.1), "model in validation: log-loss 0.31 against 0.21"),
        (linear(test=0.2), "model in the test: log-loss 0.31 against 0.2 in the test"),
        (linear(np.array(NETWORK.folds) - 0.1, 0.4), "0.31 against 0.4 in the test"),
    ],
)
def test_one_of_the_two_is_a_warning(baseline, says):
    told = found(baseline)
    assert told.severity == "warning"
    assert says in told.says


@pytest.mark.parametrize(
    "baseline",
    [
        linear(np.array(NETWORK.folds) + 0.1, 0.4),  # worse
        linear((0.10, 0.52, 0.11, 0.49, 0.23)),  # a little better, within the folds' noise
        linear(test=0.29),  # better, within the test's interval
        linear(np.array(NETWORK.folds) - 0.001),  # surely better, and by less than is worth a word
        linear((math.nan,) * 5, math.nan),
        linear((0.2, 0.2)),  # other folds
        linear(),
    ],
)
def test_nothing_is_said_without_a_clear_lead(baseline):
    assert found(baseline) is None


def test_a_higher_metric_may_be_better_and_counts_by_its_distance_from_1():
    accuracy = Figures("network", (0.94, 0.95, 0.94, 0.95, 0.94), 0.94)
    better = linear((0.97, 0.98, 0.97, 0.98, 0.97), 0.98)
    told = found(better, network=accuracy, interval=(0.91, 0.96), higher=True)
    assert told.severity == "severe"
    assert found(accuracy, network=better, interval=(0.95, 0.99), higher=True) is None


def test_the_baseline_that_leads_by_most_is_named_and_the_other_too():
    trees = Figures("boosted trees", tuple(np.array(NETWORK.folds) - 0.2), 0.1)
    told = found(linear(np.array(NETWORK.folds) - 0.1, 0.2), trees)
    assert "loses to the boosted trees" in told.says
    assert told.says.endswith("the linear model too")
    assert told.parameter == "candidates, epochs"


def test_an_interval_that_is_missing_leaves_the_test_out():
    assert found(linear(test=0.1), interval=(math.nan, math.nan)) is None


def test_models_of_equal_truth_are_seldom_told_apart():
    """Of 400 pairs of models with equal truth, the folds accuse few.

    The level is 2.5 %, of t by the corrected error, which is too large where the folds' errors are
    independent, as here: 1/5 + 1/4 for 1/5.
    """
    rng = np.random.default_rng(0)
    draws = rng.normal(0.3, 0.05, (400, 2, 5))
    accused = sum(
        found(linear(theirs), network=Figures("network", tuple(ours)), interval=(0, 1)) is not None
        for ours, theirs in draws
    )
    assert accused <= 10


def test_folds_that_lack_a_metric_count_for_neither():
    """ROC-AUC has none where a class lacks."""
    gaps = Figures("network", (0.5, math.nan, 0.52, 0.51, 0.49))
    told = found(linear((0.1, math.nan, 0.1, 0.1, 0.1)), network=gaps)
    assert "0.505 against 0.1 in validation" in told.says
