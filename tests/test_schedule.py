import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cuesta import schedule
from cuesta.errors import SpecError

STEPS = np.arange(13)


def rates(made):
    return np.array([made(k) for k in STEPS])


def test_constant_is_constant(float64):
    np.testing.assert_array_equal(rates(schedule.constant(0.3)), 0.3)


def test_linear_is_the_notes_formula(float64):
    share = np.minimum(STEPS / 10, 1)
    wanted = (1 - share) * 0.5 + share * 0.1
    np.testing.assert_allclose(rates(schedule.linear(0.5, 0.1, 10)), wanted, rtol=1e-15)


def test_cosine_begins_ends_and_halves_where_it_should(float64):
    found = rates(schedule.cosine(0.5, 0.1, 10))
    assert found[[0, 5, 10, 12]] == pytest.approx([0.5, 0.3, 0.1, 0.1], rel=1e-15)
    assert (np.diff(found[:11]) < 0).all()


def test_step_multiplies_every_so_many_steps(float64):
    wanted = 0.8 * 0.5 ** (STEPS // 4)
    np.testing.assert_allclose(rates(schedule.step(0.8, 0.5, 4)), wanted, rtol=1e-15)


def test_warm_up_rises_in_a_line_and_then_begins_the_other_from_its_start(float64):
    after = schedule.linear(0.5, 0.1, 8)
    found = rates(schedule.warm_up(5, after))
    np.testing.assert_allclose(found[:5], 0.5 * STEPS[:5] / 5, rtol=1e-15)
    np.testing.assert_allclose(found[5:], rates(after)[:8], rtol=1e-15)


def test_warm_up_of_a_number_goes_to_it_from_the_start(float64):
    assert rates(schedule.warm_up(2, 0.4, start=0.2))[:4] == pytest.approx([0.2, 0.3, 0.4, 0.4])


@pytest.mark.parametrize(
    "made",
    [
        schedule.linear(0.5, 0.1, 10),
        schedule.cosine(0.5, 0.1, 10),
        schedule.step(0.5, 0.1, 3),
        schedule.warm_up(3, schedule.cosine(0.5, 0.1, 6)),
    ],
)
def test_schedules_are_traced_and_batched(made):
    plain = [float(made(int(k))) for k in STEPS]
    np.testing.assert_allclose(jax.jit(jax.vmap(made))(jnp.asarray(STEPS)), plain, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "culprit"),
    [
        (lambda: schedule.linear(1, 0, -1), "total"),
        (lambda: schedule.cosine(1, 0, -1), "total"),
        (lambda: schedule.step(1, 0.5, 0), "every"),
        (lambda: schedule.warm_up(-1, 0.1), "steps"),
    ],
)
def test_lengths_that_cannot_be_are_named(make, culprit):
    with pytest.raises(SpecError, match=culprit):
        make()
