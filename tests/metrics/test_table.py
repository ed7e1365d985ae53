"""Metrics by name, scikit-learn's scorers among them."""

import math

import numpy as np
import pytest
from sklearn import metrics as reference

from cuesta.errors import SpecError
from cuesta.metrics import METRICS, metric_of, names_for
from cuesta.metrics.scorers import TWO_CLASSES, scorer_names

from .test_metrics import drawn_classes, drawn_values

CURVES = ("log_loss", "accuracy", "balanced_accuracy", "rmse")
CLOSE = 1e-12  # the same sums in the same order, but for the weights


class Told:
    """A fitted estimator that predicts what it was given."""

    _estimator_type = "classifier"

    def __init__(self, decided, classes):
        self.decided, self.classes_ = decided, np.arange(classes)

    def __sklearn_tags__(self):
        from sklearn.base import ClassifierMixin, RegressorMixin

        kind = ClassifierMixin if len(self.classes_) else RegressorMixin
        return type("Kind", (kind, Base), {})().__sklearn_tags__()

    def fit(self, x, y):
        return self

    def predict(self, x):
        return self.decided.argmax(axis=1) if len(self.classes_) else self.decided[:, 0]


class ToldShares(Told):
    """One that tells shares too."""

    def predict_proba(self, x):
        return self.decided


class Base:
    """The tags of any estimator."""

    def __sklearn_tags__(self):
        from sklearn.base import BaseEstimator

        return BaseEstimator().__sklearn_tags__()


@pytest.mark.parametrize("classes", [2, 3])
def test_a_scorer_of_classes_gives_scikit_learns_number(classes):
    y, shares = drawn_classes(4, classes)
    fits = [n for n in scorer_names("classification") if classes == 2 or n not in TWO_CLASSES]
    assert len(fits) > 20
    told = ToldShares(shares, classes)
    for name in fits:
        if name in METRICS or (name.startswith("top_k") and classes == 2):
            continue
        expected = reference.get_scorer(name)(told, shares, y)
        assert metric_of(name, "classification", classes)(y, shares) == pytest.approx(
            expected, abs=CLOSE
        ), name


def test_a_scorer_of_values_gives_scikit_learns_number():
    y, values = (np.exp(rows) for rows in drawn_values(3, 1))  # some scorers want what is above 0
    names = scorer_names("regression")
    assert len(names) > 12
    for name in names:
        expected = reference.get_scorer(name)(Told(values, 0), values, y[:, 0])
        assert metric_of(name, "regression")(y, values) == pytest.approx(expected, abs=CLOSE), name


@pytest.mark.parametrize(
    ("name", "task", "curve", "threshold"),
    [
        ("neg_log_loss", "classification", "log_loss", False),
        ("roc_auc_ovr", "classification", "log_loss", False),
        ("matthews_corrcoef", "classification", "log_loss", True),
        ("f1_micro", "classification", "log_loss", True),
        ("neg_mean_absolute_percentage_error", "regression", "rmse", False),
    ],
)
def test_of_a_scorer_higher_is_better(name, task, curve, threshold):
    found = metric_of(name, task)
    assert (found.name, found.curve, found.threshold) == (name, curve, threshold)
    assert found.higher_is_better


def test_a_negated_scorer_says_so_in_words():
    found = metric_of("neg_mean_absolute_percentage_error", "regression")
    assert found.words == "mean absolute percentage error, negated"


def test_weights_reach_a_scorer():
    y, shares = drawn_classes(1, 2)
    weights = np.random.default_rng(0).random(len(y))
    found = metric_of("matthews_corrcoef", "classification")(y, shares, weights)
    decided = shares.argmax(axis=1)
    assert found == reference.matthews_corrcoef(y, decided, sample_weight=weights)
    assert found != reference.matthews_corrcoef(y, decided)


def test_a_threshold_reaches_a_scorer():
    y, shares = drawn_classes(1, 2)
    found = metric_of("recall", "classification").function(y, shares, threshold=0.2)
    assert found == reference.recall_score(y, shares[:, 1] > 0.2)


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("nonsense", "classification"),
        ("rmse", "classification"),
        ("log_loss", "regression"),
        ("neg_log_loss", "regression"),
        ("neg_mean_squared_error", "classification"),
        ("adjusted_rand_score", "classification"),  # a clustering has no names of classes
        ("f1_samples", "classification"),
        ("calibration_error", "classification"),  # a constant prediction has the best
        ("median_absolute_error", "regression"),
    ],
)
def test_a_name_that_does_not_fit_is_refused_with_those_that_do(name, task):
    with pytest.raises(SpecError) as refused:
        metric_of(name, task)
    told = refused.value.sentence
    assert refused.value.parameter == "metric"
    assert repr(name) in told
    assert all(fit in told for fit in names_for(task))
    assert ("neg_log_loss" in told.split("take")[1]) == (task == "classification")
    assert told.count(". ") == 0
    assert told.endswith(".")


def test_a_metric_of_two_classes_is_refused_for_more():
    y, shares = drawn_classes(0, 3)
    with pytest.raises(SpecError, match="'precision' is for two classes"):
        metric_of("precision", "classification", classes=3)
    with pytest.raises(SpecError, match="'precision' is for two classes"):
        metric_of("precision", "classification")(y, shares)


def test_rows_that_a_scorer_refuses_end_in_its_own_words():
    y = np.array([[-2.0], [1.0]])
    with pytest.raises(SpecError, match="'neg_mean_squared_log_error' cannot judge these rows: "):
        metric_of("neg_mean_squared_log_error", "regression")(y, y)


def test_a_ranking_of_rows_that_lack_a_class_is_nan():
    y, shares = np.zeros(4, int), np.full((4, 3), 1 / 3)
    assert math.isnan(metric_of("roc_auc_ovr", "classification")(y, shares))


def test_metrics_that_training_keeps_a_curve_of_are_their_own_curve():
    of_task = {
        "classification": ("log_loss", "accuracy", "balanced_accuracy"),
        "regression": ("rmse",),
    }
    for task, names in of_task.items():
        assert set(names) <= set(names_for(task))
        for name in names:
            metric = metric_of(name, task)
            assert metric.curve == name
            assert metric.higher_is_better == (name in ("accuracy", "balanced_accuracy"))


def test_every_metric_to_select_by_follows_a_curve():
    assert all(metric.curve in CURVES for metric in METRICS.values() if metric.name in SELECTED)
    assert {metric.name for metric in METRICS.values()} - SELECTED == {
        "calibration_error",
        "median_absolute_error",
    }


SELECTED = {*names_for("classification"), *names_for("regression")}
