"""The linear models: closed form, optimum, classes that a fold lacks."""

import numpy as np
import pytest

from cuesta.baselines.logistic import fit_logistic
from cuesta.baselines.problem import Problem
from cuesta.baselines.ridge import fit_ridge, solve_path
from cuesta.data.scale import fit_scaling
from cuesta.errors import TableError
from cuesta.lab.linear import solve

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 4)) * [1.0, 10.0, 0.1, 3.0] + [0.0, 5.0, 1.0, -2.0]
Y = np.column_stack([X @ [1.0, -0.2, 3.0, 0.0], X[:, 0] ** 2]) + RNG.standard_normal((60, 2))
LABELS = (X[:, 0] + 0.5 * RNG.standard_normal(60) > 0).astype(np.int32) + (X[:, 3] > 0)
ROWS = np.arange(60)


@pytest.mark.parametrize("penalty", [1e-4, 0.1, 1.0])
def test_ridge_is_the_closed_form_of_the_laboratory(penalty):
    (found,) = solve_path(X, Y, [penalty])
    w, b = solve(X, Y, ridge=penalty)
    # Two factorizations of 60 rows with columns of 0.1 to 10.
    np.testing.assert_allclose(found, np.vstack([w, b]), rtol=1e-9, atol=1e-11)


def test_at_the_ridge_solution_the_gradient_is_zero():
    for penalty, theta in zip((1e-3, 0.5), solve_path(X, Y, (1e-3, 0.5)), strict=True):
        residual = X @ theta[:-1] + theta[-1] - Y
        slope = X.T @ residual / 60 + penalty * theta[:-1]
        np.testing.assert_allclose(slope, 0, atol=1e-11)  # sums of 60 terms of up to 10²
        np.testing.assert_allclose(residual.mean(axis=0), 0, atol=1e-12)


def test_a_small_penalty_is_least_squares_and_a_large_one_the_mean():
    weak, strong = fit_ridge(Problem(X, Y, (), 0), ROWS, (1e-12, 1e9))
    design = np.column_stack([X, np.ones(60)])
    best = design @ np.linalg.lstsq(design, Y, rcond=None)[0]
    np.testing.assert_allclose(weak(X), best, rtol=1e-6, atol=1e-6)  # a penalty of 1e-12
    np.testing.assert_allclose(strong(X), np.tile(Y.mean(axis=0), (60, 1)), atol=1e-6)


def test_units_of_columns_and_targets_change_nothing():
    (plain,) = fit_ridge(Problem(X, Y, (), 0), ROWS, (0.1,))
    (other,) = fit_ridge(Problem(X * 1e6 + 7, Y * 1e200, (), 0), ROWS, (0.1,))
    # The shift of 7 costs the smallest column a few digits.
    np.testing.assert_allclose(other(X * 1e6 + 7) / 1e200, plain(X), rtol=1e-7, atol=1e-8)


def test_gaps_are_the_mean():
    holes = X.copy()
    holes[::7, 1] = np.nan
    (decide,) = fit_ridge(Problem(holes, Y, (), 0), ROWS, (0.1,))
    filled = np.where(np.isnan(holes), np.nanmean(holes, axis=0), holes)
    np.testing.assert_allclose(decide(holes), decide(filled), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("strength", [0.1, 10.0])
def test_at_the_logistic_solution_the_gradient_is_zero(strength):
    decide = fit_logistic(Problem(X, LABELS, (), 3), ROWS, (0.01, strength))[1]
    z, errors = fit_scaling(X, "standard").apply(X), decide(X) - np.eye(3)[LABELS]
    # Shares are softmax(zW + b), so W follows from their logarithms up to a shift of each row.
    logits = np.log(decide(X))
    logits -= logits.mean(axis=1, keepdims=True)
    design = np.column_stack([z, np.ones(60)])
    w = np.linalg.lstsq(design, logits, rcond=None)[0]
    np.testing.assert_allclose(design @ w, logits, atol=1e-8)
    # L-BFGS stops at a slope of 1e-4 of the mean loss: 60 times that for the sum.
    np.testing.assert_allclose(z.T @ errors + w[:-1] / strength, 0, atol=60 * 2e-4)
    np.testing.assert_allclose(errors.sum(axis=0), 0, atol=60 * 2e-4)


def test_a_class_that_no_training_row_is_of_keeps_a_small_share():
    (decide,) = fit_logistic(Problem(X, LABELS, (), 5), np.arange(40), (1.0,))
    shares = decide(X)
    np.testing.assert_allclose(shares[:, 3:], 1 / 45)  # 40 rows and 5 classes
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_rows_of_one_class_are_refused():
    with pytest.raises(TableError, match="all of one class"):
        fit_logistic(Problem(X, np.zeros(60, np.int32), (), 2), ROWS, (1.0,))


def test_balanced_classes_count_the_same():
    y = (np.arange(60) % 6 == 0).astype(np.int32)  # no column tells of it
    (plain,) = fit_logistic(Problem(X, y, (), 2), ROWS, (1e-6,))
    (balanced,) = fit_logistic(Problem(X, y, (), 2, balanced=True), ROWS, (1e-6,))
    # So small a C leaves only the intercept.
    assert plain(X)[:, 1].mean() == pytest.approx(1 / 6, abs=1e-3)
    assert balanced(X)[:, 1].mean() == pytest.approx(1 / 2, abs=1e-3)
