"""The UCI bench: its likelihoods by hand, and no test row in any fold."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / "bench"))
import uci_methods as methods
from uci_data import Split, UciSet


def test_a_mixture_of_equal_draws_is_one_normal_distribution():
    # log √(τ/2π) − τ(y − ŷ)²/2 with τ = 4 and an error of 1.
    drawn, y = np.full((10, 3), 2.0), np.full(3, 3.0)
    assert methods.mixture(drawn, y, 4.0) == pytest.approx(0.5 * math.log(4 / (2 * math.pi)) - 2)
    assert methods.normal(np.ones(3), 0.25) == pytest.approx(methods.mixture(drawn, y, 4.0))


def test_a_mixture_is_the_mean_of_densities_even_where_they_underflow():
    # One draw hits, the other is 10⁴ away, whose density is exactly 0: half of the first is left.
    drawn, y = np.array([[0.0], [1e4]]), np.zeros(1)
    wanted = 0.5 * math.log(1 / (2 * math.pi)) + math.log(0.5)
    assert methods.mixture(drawn, y, 1.0) == pytest.approx(wanted)


def test_the_variance_is_that_which_made_the_residuals():
    rng = np.random.default_rng(0)
    spread = rng.exponential(size=20_000)
    residuals = rng.normal(size=20_000) * np.sqrt(2 * spread + 0.5)
    factor, noise = methods.fitted_variance(residuals, spread)
    assert factor == 2
    # The grid's steps are 6 %, the noise's own standard error about 2 %.
    assert noise == pytest.approx(0.5, rel=0.1)


def test_no_fold_holds_a_test_row():
    split = Split(np.arange(0, 40, 2), np.arange(1, 40, 2))
    for fold in (*methods._grid_and_all(split), *methods._shifted(split, 0)):
        assert set(fold.train) | set(fold.validation) == set(split.train)
        assert not set(fold.train) & set(fold.validation)
    # The published choice: by the last fifth.
    first, _ = methods._grid_and_all(split)
    np.testing.assert_array_equal(first.validation, split.train[16:])


@pytest.mark.slow("trains some networks")
def test_both_methods_learn_a_line():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=(120, 1))
    y = 3 * x + 0.1 * rng.normal(size=(120, 1))
    split = Split(np.arange(100), np.arange(100, 120))
    one = UciSet("line", x, y, (split,), 32, 60, (0.002, 0.005), np.array([25.0, 80.0]))
    trainer = methods.Trainer(1, 0)
    values = {"learning_rate": 0.01, "batch_size": 20}
    (dropout,) = methods.dropout_figures(one, values, trainer, 300, 50)
    variants = methods.default_variants(values, [{"dropout": 0.0}, {"dropout": 0.05}])
    (committee,) = methods.committee_figures(one, variants, trainer, 300)
    # The noise alone has 0.1 and 0.88, a constant about 1.7 and −2: these are no tuned networks.
    for found in (dropout, committee):
        assert found.rmse < 0.25
        assert found.log_likelihood > 0
