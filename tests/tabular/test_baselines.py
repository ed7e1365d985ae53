"""The baselines of a table: beside the networks, on the same rows and folds."""

import numpy as np
import polars as pl
import pytest

from cuesta.data.table import Table, read_table
from cuesta.metrics import metric_of
from cuesta.tabular.baselines import fit_baselines, problem_of
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import prepare

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((2, 240))


def task_of(table, **options):
    if isinstance(table, str):
        return prepare(read_table(table), Options(**options))
    return prepare(Table("t", pl.DataFrame(table)), Options(**options))


def test_the_linear_model_wins_where_the_truth_is_a_line():
    found = fit_baselines(task_of({"a": A, "b": B, "y": 3 * A - B}, target=("y",)), seed=0).found
    linear, trees = found
    assert (linear.name, trees.name) == ("linear model", "boosted trees")
    # Without noise all that is left is the penalty's: 1e-4 of a deviation of √10.
    assert linear.cv_mean < 1e-3
    assert trees.cv_mean > 100 * linear.cv_mean


def test_trees_win_where_the_truth_is_a_chessboard():
    y = np.where((A > 0) == (B > 0), "same", "other")
    linear, trees = fit_baselines(task_of({"a": A, "b": B, "y": y}, target=("y",)), seed=0).found
    assert linear.cv_mean == pytest.approx(np.log(2), abs=0.05)  # no line tells it
    assert trees.cv_mean < 0.4


def test_two_runs_find_the_same_bits():
    one, two = (fit_baselines(task_of("breast_cancer"), seed=5).found for _ in range(2))
    for a, b in zip(one, two, strict=True):
        assert (a.cv_mean, a.cv_se, a.detail) == (b.cv_mean, b.cv_se, b.detail)
        np.testing.assert_array_equal(a.out_of_fold, b.out_of_fold)


@pytest.mark.parametrize("table", ["breast_cancer", "diabetes", "linnerud"])
def test_the_figures_of_the_folds_are_those_of_the_predictions(table):
    task = task_of(table)
    for found in fit_baselines(task, seed=0).found:
        assert not np.isnan(found.out_of_fold).any()
        folds = [fold.validation for fold in task.feed.folds[:-1]]
        told = [task.measured(task.y[rows], found.out_of_fold[rows]) for rows in folds]
        assert told == list(found.folds)
        assert found.cv_mean == pytest.approx(np.mean(told), rel=1e-12)


def test_the_test_rows_stay_sealed():
    task = task_of("iris")
    fit_baselines(task, seed=0)
    assert not task.sealed.opened


def test_another_metric_may_choose():
    task = task_of("wine")
    found = fit_baselines(task, 0, lambda y, s: float(s[:, 0].mean()), higher=True).found[0]
    assert found.cv_mean == pytest.approx(np.mean(found.folds))
    assert 0 < found.cv_mean < 1


def test_a_fold_of_one_class_leaves_a_baseline_out_and_says_so():
    y = np.where(np.arange(240) < 200, "early", "late")  # in order of time
    task = task_of({"a": A, "y": y}, target=("y",), protocol="ordered", test_size=0.1)
    found, notes = fit_baselines(task, seed=0)
    assert not found
    assert len(notes) == 2
    assert "the baseline linear model is left out" in notes[0]
    assert "one class" in notes[0]


@pytest.mark.slow("a hundred trees for each of ten classes")
def test_many_classes_leave_the_trees_out_of_the_folds():
    task = task_of("digits")
    found, notes = fit_baselines(task, seed=0)
    trees = found[1]
    assert np.isnan(trees.cv_mean)
    assert trees.out_of_fold is None
    assert "10 classes" in notes[0]
    x, y = task.sealed.open()
    assert metric_of("accuracy", "classification")(y, trees.decide(x)) > 0.9  # tested all the same


def test_a_balanced_metric_balances_the_baselines():
    problem = problem_of(task_of("breast_cancer", metric="balanced_accuracy"), 0)
    assert problem.balanced
    assert problem.classes == 2
    assert len(problem.folds) == 5


def test_a_fold_that_lacks_a_class_leaves_no_baseline_out():
    """ROC-AUC is NaN there, of the networks as well."""
    y = np.where(np.arange(240) < 3, "rare", "often")
    task = task_of({"a": A, "b": B, "y": y}, target=("y",), metric="roc_auc", test_size=0)
    found, notes = fit_baselines(task, seed=0)
    assert not notes
    for each in found:
        known = [value for value in each.folds if not np.isnan(value)]
        assert 1 < len(known) < 5
        assert each.cv_mean == pytest.approx(np.mean(known))
        # s √(1/k + n_validation/n_training), of the folds that count.
        assert each.cv_se == pytest.approx(np.std(known, ddof=1) * np.sqrt(1 / len(known) + 1 / 4))
