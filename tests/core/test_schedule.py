import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cuesta.core.schedule import (
    DECAYS,
    cosine_decay,
    coslog4,
    learning_rate,
    linear_decay,
    one_cycle,
    warming,
)
from cuesta.hyperparameters import SCHEDULES

FORMULAS = {
    "linear": linear_decay,
    "cosine": cosine_decay,
    "one_cycle": one_cycle,
    "coslog4": coslog4,
}


def test_decay_is_the_formula_at_every_step(float64):
    k, total = np.arange(11), 10
    wanted = (1 - k / total) * 0.5 + k / total * 0.01
    np.testing.assert_allclose(linear_decay(0.5, 0.01, total, k), wanted, rtol=1e-15)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_each_ends_at_the_last_rate_and_stays_there(float64, schedule):
    assert float(FORMULAS[schedule](0.3, 0.007, 50, 50)) == 0.007
    assert float(FORMULAS[schedule](0.3, 0.007, 50, 1000)) == 0.007


@pytest.mark.parametrize(
    ("schedule", "first"),
    [("linear", 0.3), ("cosine", 0.3), ("one_cycle", 0.3 / 25), ("coslog4", 0.007)],
)
def test_each_begins_at_its_first_rate(float64, schedule, first):
    # The phase 1 of a wave is cos π, to a rounding of its argument.
    assert float(FORMULAS[schedule](0.3, 0.007, 50, 0)) == pytest.approx(first, rel=1e-15)


def test_equal_rates_are_constant():
    rates = linear_decay(np.float32(0.1), np.float32(0.1), 7, np.arange(9))
    np.testing.assert_allclose(rates, 0.1, rtol=2e-7)  # float32: two products and a sum


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_an_empty_schedule_is_finite(step, schedule):
    assert np.isfinite(FORMULAS[schedule](0.3, 0.1, 0, step))
    assert np.isfinite(learning_rate(DECAYS[schedule], 0.5, 0.3, 0.1, 0, step))


def test_one_cycle_is_the_formula_at_every_step(float64):
    t = np.arange(21) / 20
    up = 0.02 + 0.5 * (0.5 - 0.02) * (1 - np.cos(np.pi * t / 0.3))
    down = 0.1 + 0.5 * (0.5 - 0.1) * (1 + np.cos(np.pi * (t - 0.3) / 0.7))
    found = one_cycle(0.5, 0.1, 20, np.arange(21))
    # The argument of a cosine, up to 2π, is rounded.
    np.testing.assert_allclose(found, np.where(t < 0.3, up, down), rtol=1e-14)
    assert float(found[6]) == 0.5  # the top, after 30 % of the steps
    assert (np.diff(found[:7]) > 0).all()
    assert (np.diff(found[6:]) < 0).all()


def test_coslog4_is_the_formula_at_every_step(float64):
    k, total = np.arange(151), 150
    wave = 0.5 * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * k / total)))
    wanted = 0.1 + 0.4 * wave
    # Of an argument of 9π a rounding is 4e-15.
    np.testing.assert_allclose(coslog4(0.5, 0.1, total, k), wanted, rtol=1e-13)


def test_coslog4_touches_its_ends_at_powers_of_two(float64):
    # 1 + 15t = 1, 2, 4, 8, 16: a whole turn each.
    between = np.array([0, 1, 3, 7, 15])
    np.testing.assert_allclose(coslog4(1.0, 0.0, 15, between), 0.0, atol=1e-28)


def test_warming_rises_in_a_line_to_one():
    found = [float(warming(0.5, 8, k)) for k in range(9)]
    assert found == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("total", [0, 1, 10, 2**20])
def test_without_warm_up_no_step_is_warmed(total):
    assert all(float(warming(0.0, total, k)) == 1.0 for k in (0, 1, total))


def test_lanes_of_all_schedules_have_their_own_formulas_rates():
    flags = jax.tree.map(lambda *each: np.array(each), *[DECAYS[name] for name in SCHEDULES])
    rates = jax.jit(jax.vmap(learning_rate, in_axes=(0, None, None, None, None, None)))
    for k in range(43):
        found = rates(flags, np.float32(0.1), np.float32(0.3), np.float32(0.01), 40, k)
        wanted = [FORMULAS[name](0.3, 0.01, 40, k) * min(1, (k + 1) / 4) for name in SCHEDULES]
        # float32: an argument of 9π is rounded to 2e-6, by which a wave of 0.3 moves.
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_line_beside_waves_keeps_its_bits():
    # `linear` trained before there were others; its rates are what they were.
    def lanes(alpha_0, k):
        flags = jax.tree.map(lambda *each: jnp.array(each), *[DECAYS[name] for name in SCHEDULES])
        return jax.vmap(learning_rate, in_axes=(0, None, None, None, None, None))(
            flags, np.float32(0), alpha_0, alpha_0 / 7, 1000, k
        )

    beside, alone = jax.jit(lanes), jax.jit(lambda a, k: linear_decay(a, a / 7, 1000, k))
    for k in range(0, 1001, 37):
        alpha_0 = np.float32(0.3 + k / 777)
        assert beside(alpha_0, k)[0] == alone(alpha_0, k)
