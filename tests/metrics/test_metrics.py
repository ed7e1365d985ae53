"""Metrics on test rows."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as reference

from cuesta.errors import SpecError
from cuesta.metrics import (
    METRICS,
    baseline,
    calibration_error,
    classification_metrics,
    regression_metrics,
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


def calibration_by_rows(y, shares, bins=15):
    """The expected calibration error, bin by bin and row by row."""
    total = 0.0
    for b in range(bins):
        rows = [
            (p.max(), p.argmax() == k)
            for k, p in zip(y, shares, strict=True)
            if b / bins < p.max() <= (b + 1) / bins
        ]
        if rows:
            total += abs(sum(hit for _, hit in rows) - sum(p for p, _ in rows)) / len(y)
    return total


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
            "average_precision": reference.average_precision_score(
                y if classes == 2 else np.eye(classes)[y],
                shares[:, 1] if classes == 2 else shares,
            ),
            "f1": reference.f1_score(y, decided, average="binary" if classes == 2 else "macro"),
            "brier": reference.brier_score_loss(
                y, shares, labels=np.arange(classes), scale_by_half=classes == 2
            ),
            "calibration_error": calibration_by_rows(y, shares),
        },
        rel=CLOSE,
        abs=CLOSE,
    )
    assert list(found)[:4] == ["accuracy", "log_loss", "roc_auc", "balanced_accuracy"]


@pytest.mark.parametrize("targets", [1, 3])
@given(seed=SEEDS)
def test_regression_metrics_are_scikit_learns(targets, seed):
    y, values = drawn_values(seed, targets)
    assert regression_metrics(y, values) == pytest.approx(
        {
            "rmse": reference.root_mean_squared_error(y, values),
            "mae": reference.mean_absolute_error(y, values),
            "r2": reference.r2_score(y, values),
            "median_absolute_error": reference.median_absolute_error(y, values),
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
    # Of class 1 by its share: row 2; rows 1; then 0 and 3 together. Precisions 1, 1 and 3/4.
    assert found["average_precision"] == pytest.approx((1 + 1 + 3 / 4) / 3, abs=CLOSE)
    assert found["f1"] == 2 * 1 / (2 * 1 + 0 + 2)  # one hit, none too many, two missed
    assert found["brier"] == (0.25**2 + 0.5**2 + 0.25**2 + 0.75**2) / 4


def test_regression_metrics_by_hand():
    y, values = np.array([[0.0], [2.0]]), np.array([[1.0], [5.0]])
    found = regression_metrics(y, values)
    expected = {"rmse": math.sqrt(5), "mae": 2.0, "r2": 1 - 10 / 2, "median_absolute_error": 2.0}
    assert found == pytest.approx(expected, rel=1e-14)


def test_a_perfect_prediction_has_perfect_metrics():
    y = np.array([0, 1, 2, 1])
    assert classification_metrics(y, np.eye(3)[y]) == {
        "accuracy": 1.0,
        "log_loss": 0.0,
        "roc_auc": 1.0,
        "balanced_accuracy": 1.0,
        "average_precision": 1.0,
        "f1": 1.0,
        "brier": 0.0,
        "calibration_error": 0.0,
    }
    values = np.array([[1.0], [2.0]])
    expected = {"rmse": 0.0, "mae": 0.0, "r2": 1.0, "median_absolute_error": 0.0}
    assert regression_metrics(values, values) == expected


def test_the_log_loss_of_a_share_of_0_is_finite():
    loss = classification_metrics(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]))["log_loss"]
    # One row of two is certain and wrong; its share is taken for 1e-15.
    assert loss == pytest.approx(15 * math.log(10) / 2, rel=CLOSE)


@pytest.mark.parametrize("classes", [2, 3])
def test_rows_that_lack_a_class_have_no_roc_auc(classes):
    found = classification_metrics(np.zeros(4, int), np.full((4, classes), 1 / classes))
    assert math.isnan(found["roc_auc"])
    assert math.isnan(found["average_precision"])
    assert found["balanced_accuracy"] == 1


def test_the_calibration_error_by_hand():
    # Bins (9/15, 10/15] and (14/15, 1]. The first: .62 and .65, one right of two; the second: .95
    # and 1, both right; so |1 − 1.27|/4 + |2 − 1.95|/4.
    shares = np.array([[0.62, 0.38], [0.35, 0.65], [0.05, 0.95], [1.0, 0.0]])
    found = calibration_error(np.array([0, 0, 1, 0]), shares)
    assert found == pytest.approx((0.27 + 0.05) / 4, abs=CLOSE)


def test_a_confidence_on_the_edge_of_bins_is_in_the_lower_one():
    # .6 is 9/15: alone in (8/15, 9/15] it is |1 − .6|; in the next bin it would meet the other
    # row, .65 and wrong, and give |1 − 1.25|.
    shares = np.array([[0.6, 0.4], [0.65, 0.35]])
    assert calibration_error(np.array([0, 1]), shares) == pytest.approx((0.4 + 0.65) / 2, abs=CLOSE)


def test_a_threshold_moves_what_looks_at_the_decided_class_alone():
    y = np.array([0, 0, 1, 1])
    shares = np.array([[0.9, 0.1], [0.7, 0.3], [0.6, 0.4], [0.2, 0.8]])
    usual, lower = classification_metrics(y, shares), classification_metrics(y, shares, 0.4)
    changed = {name for name in usual if usual[name] != lower[name]}
    assert changed == {"accuracy", "balanced_accuracy", "f1"}
    assert lower["accuracy"] == lower["f1"] == 1  # a share of .4 is at the threshold


def test_more_classes_have_no_threshold():
    with pytest.raises(SpecError, match="Only two classes have a threshold"):
        classification_metrics(np.array([0, 1, 2]), np.eye(3), 0.5)


@pytest.mark.parametrize("classes", [0, 2, 4])
@settings(max_examples=20)
@given(seed=SEEDS)
def test_a_weight_is_how_often_a_row_counts(classes, seed):
    y, decided = drawn_classes(seed, classes) if classes else drawn_values(seed, 2)
    weights = np.random.default_rng(seed).integers(1, 4, len(y))
    twice = y.repeat(weights, axis=0), decided.repeat(weights, axis=0)
    for metric in METRICS.values():
        if (metric.task == "classification") == (classes > 0):
            weighted = metric(y, decided, weights.astype(float))
            assert weighted == pytest.approx(metric(*twice), abs=CLOSE), metric.name
            equal = metric(y, decided, np.full(len(y), 0.7))
            assert equal == pytest.approx(metric(y, decided), abs=CLOSE), metric.name


def test_a_constant_target_has_no_r2():
    found = regression_metrics(np.ones((3, 1)), np.zeros((3, 1)))
    assert math.isnan(found["r2"])
    assert found["rmse"] == 1


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
