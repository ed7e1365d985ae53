import numpy as np
import pytest

from cuesta.core.schedule import linear_decay


def test_decay_is_the_formula_at_every_step(float64):
    k, total = np.arange(11), 10
    wanted = (1 - k / total) * 0.5 + k / total * 0.01
    np.testing.assert_allclose(linear_decay(0.5, 0.01, total, k), wanted, rtol=1e-15)


def test_decay_begins_at_the_first_rate_and_ends_at_the_last(float64):
    assert float(linear_decay(0.3, 0.007, 50, 0)) == 0.3
    assert float(linear_decay(0.3, 0.007, 50, 50)) == 0.007


def test_the_last_rate_holds_afterwards(float64):
    assert float(linear_decay(0.3, 0.007, 50, 1000)) == 0.007


def test_equal_rates_are_constant():
    rates = linear_decay(np.float32(0.1), np.float32(0.1), 7, np.arange(9))
    np.testing.assert_allclose(rates, 0.1, rtol=2e-7)  # float32: two products and a sum


@pytest.mark.parametrize("step", [0, 1])
def test_an_empty_schedule_is_finite(step):
    assert np.isfinite(linear_decay(0.3, 0.1, 0, step))
