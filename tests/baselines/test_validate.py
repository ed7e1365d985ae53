"""A baseline's validation: the networks' folds, their mean, what each row is told."""

import math

import numpy as np
import pytest

from cuesta.baselines.problem import Method, Problem
from cuesta.baselines.ridge import RIDGE
from cuesta.baselines.trees import TREES, fit_trees, is_quick, work
from cuesta.baselines.validate import fitted_only, validated
from cuesta.data.folds import Fold

ROWS = np.arange(6)
FOLDS = [Fold(np.setdiff1d(ROWS, v), np.array(v)) for v in ([0, 1], [2, 3], [4, 5])]
Y = np.array([[0.0], [0.0], [1.0], [1.0], [2.0], [2.0]])


def constant(problem, rows, settings):
    """Decide the mean of the training rows plus the setting."""
    return [lambda x, s=s: np.full((len(x), 1), problem.y[rows].mean() + s) for s in settings]


def mean_error(y, decided):
    return float(np.abs(y - decided).mean())


PROBLEM = Problem(np.zeros((6, 1)), Y, FOLDS, 0)


def test_the_best_setting_has_the_best_mean_over_the_folds():
    found = validated(PROBLEM, Method("m", constant, (3.0, 0.0), "s"), mean_error, higher=False)
    # Means of the others: 1.5, 1 and 0.5, where the rows are 0, 1 and 2.
    assert found.folds == (1.5, 0.0, 1.5)
    assert found.cv_mean == 1.0
    assert found.detail == "s = 0"
    assert found.out_of_fold.ravel().tolist() == [1.5, 1.5, 1.0, 1.0, 0.5, 0.5]
    assert found.decide(np.zeros((2, 1))).ravel().tolist() == [1.0, 1.0]  # the mean of all rows
    # s = √((2·0.5² + 1)/2) = √0.75; √(1/3 + 2/4).
    assert found.cv_se == pytest.approx(math.sqrt(0.75 * (1 / 3 + 1 / 2)))


def test_a_higher_metric_may_be_better():
    found = validated(PROBLEM, Method("m", constant, (3.0, 0.0), "s"), mean_error, higher=True)
    assert found.detail == "s = 3"


def test_a_row_that_no_fold_validates_is_told_nothing():
    problem = Problem(PROBLEM.x, Y, FOLDS[:1], 0)
    found = validated(problem, Method("m", constant), mean_error, higher=False)
    assert np.isnan(found.out_of_fold[2:]).all()
    assert math.isnan(found.cv_se)  # one fold tells no spread


def test_a_row_that_is_validated_twice_has_the_mean():
    problem = Problem(PROBLEM.x, Y, [*FOLDS, Fold(np.array([4, 5]), np.array([0]))], 0)
    found = validated(problem, Method("m", constant), mean_error, higher=False)
    assert found.out_of_fold[0, 0] == (1.5 + 2.0) / 2


def test_a_metric_that_is_never_finite_is_an_error():
    with pytest.raises(ValueError, match="not finite"):
        validated(PROBLEM, Method("m", constant), lambda y, d: math.nan, higher=False)


@pytest.mark.parametrize("method", [RIDGE, TREES])
def test_nothing_of_a_fold_is_learned_from_its_validation_rows(method):
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((90, 3)), rng.standard_normal((90, 1))
    train, held = np.arange(60), np.arange(60, 90)
    other = x.copy(), y.copy()
    for part in other:
        part[held] = 1e6
    decided = [
        method.fit(Problem(*rows, (), 0), train, method.settings)[0](x[held])
        for rows in ((x, y), other)
    ]
    np.testing.assert_array_equal(*decided)


def test_trees_are_those_of_scikit_learn():
    from sklearn.ensemble import HistGradientBoostingClassifier

    rng = np.random.default_rng(2)
    x = np.where(rng.random((200, 3)) < 0.1, np.nan, rng.standard_normal((200, 3)))
    y = (np.nan_to_num(x[:, 0]) > 0).astype(np.int32)
    (decide,) = fit_trees(Problem(x, y, (), 2), np.arange(200), (0.0,))
    wanted = HistGradientBoostingClassifier(random_state=0).fit(x, y).predict_proba(x)
    np.testing.assert_allclose(decide(x), wanted, rtol=1e-12)  # sums by one thread, or by two


def test_trees_take_targets_of_any_size_one_model_each():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((200, 2))
    y = np.column_stack([x[:, 0] * 1e250, x[:, 1]])
    decided = fitted_only(Problem(x, y, (), 0), TREES).decide(x)
    # A leaf holds 20 rows of these 200: most of a line is found again, its ends are not.
    for column, wanted in zip(decided.T, y.T, strict=True):
        assert np.corrcoef(column / wanted.max(), wanted / wanted.max())[0, 1] > 0.95


def test_work_grows_with_classes_and_columns_and_is_a_matter_of_sizes_alone():
    def of(rows, columns, classes):
        y = np.zeros(rows, np.int32) if classes else np.zeros((rows, 1))
        return Problem(np.zeros((rows, columns)), y, (), classes)

    assert work(of(2000, 10, 2)) == work(of(2000, 10, 0))  # a tree a round for both
    assert work(of(2000, 10, 3)) == 3 * work(of(2000, 10, 2))
    assert work(of(2000, 20, 2)) == 2 * work(of(2000, 10, 2))
    # What 20,000 of it may be for 12,000 rows, may be 100 times that for 100 times the rows.
    assert not is_quick(of(12_000, 107, 2), 20_000)
    assert is_quick(of(1_200_000, 107, 2), 20_000)
