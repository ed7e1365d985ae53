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


# Rates that torch 2.13's schedulers set, step by step, for an optimizer whose rate is 0.5.
# CosineAnnealingLR(optimizer, T_max=10, eta_min=0.1)
TORCHS_COSINE = [
    0.5, 0.49021130325903073, 0.46180339887498956, 0.41755705045849467, 0.3618033988749896,
    0.3000000000000001, 0.2381966011250106, 0.18244294954150542, 0.13819660112501053,
    0.1097886967409693, 0.1,
]  # fmt: skip
# OneCycleLR(optimizer, max_lr=0.5, total_steps=11, pct_start=4 / 11, div_factor=25,
# final_div_factor=0.02 / 0.1): it ends at the last step, number T, and is highest at number
# pct_start (T + 1) - 1.
TORCHS_ONE_CYCLE = [
    0.020000000000000018, 0.14, 0.37999999999999995, 0.5, 0.4801937735804839, 0.4246979603717468,
    0.3445041867912629, 0.25549581320873715, 0.1753020396282533, 0.1198062264195162, 0.1,
]  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(schedule.cosine, TORCHS_COSINE), (schedule.one_cycle, TORCHS_ONE_CYCLE)],
)
def test_rates_are_torchs(float64, ours, theirs):
    # torch multiplies its cosine from step to step, so ten roundings add up.
    np.testing.assert_allclose(rates(ours(0.5, 0.1, 10))[: len(theirs)], theirs, rtol=1e-14)


def test_coslog4_has_four_tops_each_at_the_middle_of_its_octave(float64):
    found = np.array([schedule.coslog4(0.5, 0.1, 1500)(k) for k in range(1501)])
    tops = [k for k in range(1, 1500) if found[k - 1] < found[k] >= found[k + 1]]
    wanted = [100 * (2 ** (octave + 0.5) - 1) for octave in range(4)]
    np.testing.assert_allclose(tops, wanted, atol=0.5)  # whole steps
    assert found[tops] == pytest.approx(0.5, rel=1e-3)


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
        schedule.one_cycle(0.5, 0.1, 10),
        schedule.coslog4(0.5, 0.1, 10),
        schedule.step(0.5, 0.1, 3),
        schedule.warm_up(3, schedule.cosine(0.5, 0.1, 6)),
    ],
)
def test_schedules_are_traced_and_batched(made):
    plain = [float(made(int(k))) for k in STEPS]
    # float32: 9π, the last argument of a cosine, is rounded to 2e-6.
    np.testing.assert_allclose(jax.jit(jax.vmap(made))(jnp.asarray(STEPS)), plain, rtol=3e-6)


@pytest.mark.parametrize(
    ("make", "culprit"),
    [
        (lambda: schedule.linear(1, 0, -1), "total"),
        (lambda: schedule.cosine(1, 0, -1), "total"),
        (lambda: schedule.one_cycle(1, 0, -1), "total"),
        (lambda: schedule.coslog4(1, 0, -1), "total"),
        (lambda: schedule.step(1, 0.5, 0), "every"),
        (lambda: schedule.warm_up(-1, 0.1), "steps"),
    ],
)
def test_lengths_that_cannot_be_are_named(make, culprit):
    with pytest.raises(SpecError, match=culprit):
        make()
