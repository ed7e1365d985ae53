"""Metrics on test rows and their intervals."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as reference

from cuesta.metrics import (
    baseline,
    classification_metrics,
    interval,
    regression_metrics,
    wilson,
)

# Both sides sum at most a few hundred terms in float64, in different orders.
CLOSE = 1e-12
SEEDS = st.integers(0, 10_000)


def drawn_classes(seed, classes, n=60):
    """Class numbers, each class among them, and shares away from 0, where clipping differs."""
    rng = np.random.default_rng(seed)
    rare = rng.integers(0, 2, n - classes) * rng.integers(0, classes, n - classes)
    y = rng.permutation(np.concatenate([np.arange(classes), rare]))
    return y, rng.dirichlet(np.ones(classes), n) * (1 - 1e-6) + 1e-6 / classes


def drawn_values(seed, targets, n=60):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, targets)), rng.normal(size=(n, targets))


def share_of_pairs(y, shares):
    """ROC-AUC pair of rows by pair of rows: the share told right, a tie as half of one."""
    classes = shares.shape[1]
    pairs = [(1, 0)] if classes == 2 else itertools.permutations(range(classes), 2)
    found = []
    for one, other in pairs:
        gap = shares[y == one, one][:, None] - shares[y == other, one]
        found.append(((gap > 0) + (gap == 0) / 2).mean())
    return np.mean(found)


@pytest.mark.parametrize("classes", [2, 3, 5])
@given(seed=SEEDS)
def test_classification_metrics_are_scikit_learns_or_counted(classes, seed):
    y, shares = drawn_classes(seed, classes)
    decided = shares.argmax(axis=1)
    found = classification_metrics(y, shares)
    assert found == pytest.approx(
        {
            "accuracy": reference.accuracy_score(y, decided),
            "log_loss": reference.log_loss(y, shares),
            "roc_auc": share_of_pairs(y, shares),
            "balanced_accuracy": reference.balanced_accuracy_score(y, decided),
        },
        rel=CLOSE,
        abs=CLOSE,
    )


@pytest.mark.parametrize("targets", [1, 3])
@given(seed=SEEDS)
def test_regression_metrics_are_scikit_learns(targets, seed):
    y, values = drawn_values(seed, targets)
    assert regression_metrics(y, values) == pytest.approx(
        {
            "rmse": reference.root_mean_squared_error(y, values),
            "mae": reference.mean_absolute_error(y, values),
            "r2": reference.r2_score(y, values),
        },
        rel=CLOSE,
        abs=CLOSE,
    )


def test_classification_metrics_by_hand():
    shares = np.array([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75], [0.75, 0.25]])
    found = classification_metrics(np.array([0, 1, 1, 1]), shares)
    assert found["accuracy"] == 0.5  # rows 0 and 2; a tie goes to the first class
    assert found["balanced_accuracy"] == (1 + 1 / 3) / 2
    # Sums of four logarithms.
    assert found["log_loss"] == pytest.approx(-np.log([0.75, 0.5, 0.75, 0.25]).mean(), abs=CLOSE)
    # Pairs in order, a tie counting half; one rounding of the area.
    assert found["roc_auc"] == pytest.approx((1 + 1 + 0.5) / 3, abs=CLOSE)


def test_regression_metrics_by_hand():
    y, values = np.array([[0.0], [2.0]]), np.array([[1.0], [5.0]])
    found = regression_metrics(y, values)
    assert found == pytest.approx({"rmse": math.sqrt(5), "mae": 2.0, "r2": 1 - 10 / 2}, rel=1e-14)


def test_a_perfect_prediction_has_perfect_metrics():
    y = np.array([0, 1, 2, 1])
    assert classification_metrics(y, np.eye(3)[y]) == {
        "accuracy": 1.0,
        "log_loss": 0.0,
        "roc_auc": 1.0,
        "balanced_accuracy": 1.0,
    }
    values = np.array([[1.0], [2.0]])
    assert regression_metrics(values, values) == {"rmse": 0.0, "mae": 0.0, "r2": 1.0}


def test_the_log_loss_of_a_share_of_0_is_finite():
    loss = classification_metrics(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]))["log_loss"]
    # One row of two is certain and wrong; its share is taken for 1e-15.
    assert loss == pytest.approx(15 * math.log(10) / 2, rel=CLOSE)


@pytest.mark.parametrize("classes", [2, 3])
def test_rows_that_lack_a_class_have_no_roc_auc(classes):
    found = classification_metrics(np.zeros(4, int), np.full((4, classes), 1 / classes))
    assert math.isnan(found["roc_auc"])
    assert found["balanced_accuracy"] == 1


def test_a_constant_target_has_no_r2():
    found = regression_metrics(np.ones((3, 1)), np.zeros((3, 1)))
    assert math.isnan(found["r2"])
    assert found["rmse"] == 1


# --- intervals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_values(hits, n, low, high):
    # Newcombe (1998), table I, method 3: four decimals.
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)


@given(n=st.integers(1, 5000), share=st.floats(0, 1))
def test_wilson_holds_the_shares_that_a_score_test_does_not_reject(n, share):
    # An end q lies z of its own standard errors away from the share: (p − q)² = z² q(1 − q)/n.
    hits = round(share * n)
    for q in wilson(hits, n):
        distance = stats.norm.ppf(0.975) ** 2 * q * (1 - q) / n
        assert (hits / n - q) ** 2 == pytest.approx(distance, abs=CLOSE)


@given(n=st.integers(1, 5000), share=st.floats(0, 1))
def test_wilson_holds_the_share_and_stays_inside_0_and_1(n, share):
    hits = round(share * n)
    low, high = wilson(hits, n)
    # At 0 and n hits the interval ends at the share, to a rounding.
    assert 0 <= low <= hits / n + CLOSE
    assert hits / n - CLOSE <= high <= 1


@pytest.mark.parametrize("metric", ["accuracy", "log_loss", "rmse"])
@given(seed=SEEDS)
def test_an_interval_holds_its_metric(metric, seed):
    if metric == "rmse":
        y, decided = drawn_values(seed, 2)
        value = regression_metrics(y, decided)["rmse"]
    else:
        y, decided = drawn_classes(seed, 3)
        value = classification_metrics(y, decided)[metric]
    low, high = interval(metric, y, decided, seed)
    assert low < value < high


def test_the_interval_of_accuracy_is_wilsons():
    y, shares = drawn_classes(0, 3)
    hits = int((shares.argmax(axis=1) == y).sum())
    assert interval("accuracy", y, shares, 0) == wilson(hits, len(y))


@pytest.mark.parametrize("metric", ["log_loss", "rmse"])
def test_a_bootstrap_interval_is_the_one_of_the_central_limit(metric):
    n = 2000
    if metric == "rmse":
        y, decided = drawn_values(1, 1, n)
        per_row = ((decided - y) ** 2)[:, 0]
        middle = math.sqrt(per_row.mean())
        error = per_row.std() / math.sqrt(n) / (2 * middle)  # d√m = dm / 2√m
    else:
        y, decided = drawn_classes(1, 2, n)
        per_row = -np.log(decided[np.arange(n), y])
        middle, error = per_row.mean(), per_row.std() / math.sqrt(n)
    expected = (middle - 1.96 * error, middle + 1.96 * error)
    # A percentile of 1,000 samples is itself off by 0.07 standard errors or so; three of these.
    assert interval(metric, y, decided, 0) == pytest.approx(expected, abs=0.2 * error)


@pytest.mark.parametrize("metric", ["log_loss", "rmse"])
def test_a_bootstrap_interval_depends_on_its_seed_alone(metric):
    y, decided = drawn_values(0, 1) if metric == "rmse" else drawn_classes(0, 3)
    first, again, other = (interval(metric, y, decided, seed) for seed in (5, 5, 6))
    assert first == again
    assert first != other


# --- the baseline --------------------------------------------------------------------


def test_the_baseline_says_the_shares_of_the_classes_in_training():
    shares = baseline(np.array([0, 1, 1, 1]), rows=2, classes=3)
    assert shares.tolist() == [[0.25, 0.75, 0.0]] * 2


def test_the_baseline_says_the_mean_of_the_values_in_training():
    values = baseline(np.array([[1.0, 10.0], [3.0, 30.0]]), rows=3, classes=2)
    assert values.tolist() == [[2.0, 20.0]] * 3


@given(seed=SEEDS)
def test_on_its_own_rows_the_baseline_has_the_entropy_and_an_r2_of_0(seed):
    y, values = drawn_classes(seed, 3)[0], drawn_values(seed, 1)[0]
    shares = baseline(y, len(y), 3)
    loss = classification_metrics(y, shares)["log_loss"]
    assert loss == pytest.approx(stats.entropy(shares[0]), rel=CLOSE)
    r2 = regression_metrics(values, baseline(values, len(values), 1))["r2"]
    assert r2 == pytest.approx(0, abs=CLOSE)
