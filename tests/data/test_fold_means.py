import numpy as np
import pytest

from cuesta.data.fold_means import held_out_ratio, standard_error
from cuesta.data.folds import Fold, make_folds


def test_by_hand():
    # s² = (1 + 0 + 1)/2 = 1 over three folds that hold out one row for two that train.
    assert standard_error(np.array([1.0, 2.0, 3.0]), 0.5) == pytest.approx((1 / 3 + 1 / 2) ** 0.5)


def test_repeats_take_away_the_first_term_alone():
    folds = np.array([1.0, 2.0, 4.0, 5.0, 7.0])
    thrice = np.tile(folds, 3)
    spread = ((folds - folds.mean()) ** 2).sum()
    assert standard_error(folds, 0.25) ** 2 == pytest.approx(spread / 4 * (1 / 5 + 1 / 4))
    assert standard_error(thrice, 0.25) ** 2 == pytest.approx(3 * spread / 14 * (1 / 15 + 1 / 4))


def test_one_fold_tells_nothing():
    assert np.isnan(standard_error(np.array([1.0]), 0.25))


def test_the_ratio_is_the_mean_over_the_folds():
    folds = [Fold(np.arange(4), np.arange(2)), Fold(np.arange(8), np.arange(2))]
    assert held_out_ratio(folds) == pytest.approx((2 / 4 + 2 / 8) / 2)


def cross_validated(rng, rows=50, inputs=20, k=5):
    """Each fold's mean squared error of least squares on fresh rows, for one table."""
    x = rng.standard_normal((rows, inputs))
    y = x.sum(axis=1) + rng.standard_normal(rows)
    errors = []
    for fold in make_folds(y, classes=False, k=k, protocol="kfold", groups=None, seed=0):
        w = np.linalg.lstsq(x[fold.train], y[fold.train], rcond=None)[0]
        errors.append(((x[fold.validation] @ w - y[fold.validation]) ** 2).mean())
    return np.array(errors)


def test_it_is_about_the_true_spread_where_the_plain_one_is_too_small():
    """Over 600 tables, whose own standard deviation is known to 1/√1200 = 3 %."""
    rng = np.random.default_rng(0)
    tables = np.array([cross_validated(rng) for _ in range(600)])
    true = tables.mean(axis=1).std(ddof=1)
    ours = np.sqrt(np.mean([standard_error(table, 0.25) ** 2 for table in tables]))
    plain = np.sqrt(np.mean([standard_error(table, 0.0) ** 2 for table in tables]))
    assert 0.9 < ours / true < 1.15
    assert plain / true < 0.8
