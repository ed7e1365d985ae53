"""The moving average of the weights: its formula, and that it stays out of the way of others."""

import numpy as np
import pytest

from cuesta.core.average import follow, own_state, room_for_average
from cuesta.core.lane import Best, State, initial_state
from cuesta.core.lane_hyperparameters import features_for, lane_hyperparameters
from cuesta.core.layer import Layer
from cuesta.hyperparameters import Candidate, Shape

SHAPE = Shape(3, (), 2, 1, "squared")


def layers(value):
    return [Layer(np.full((3, 2), value, np.float32), np.full(2, -value, np.float32))]


def state_at(value, average=None):
    rule = lane_hyperparameters(Candidate()).rule
    return initial_state(layers(value), rule, SHAPE)._replace(average=average)


def share_of(candidate):
    return np.float32(lane_hyperparameters(candidate).least_share)


@pytest.mark.parametrize("d", [0.5, 0.9, 0.99])
def test_it_is_the_formula_step_by_step(d):
    walk = np.random.default_rng(0).normal(size=60).cumsum()
    mean, state = 5.0, state_at(5.0, layers(5.0))
    for k, w in enumerate(walk):
        decay = min(d, (1 + k) / (10 + k))
        mean = decay * mean + (1 - decay) * w
        state = follow(state._replace(layers=layers(w)), share_of(Candidate(weight_average=d)), k)
        # float32 weights of about 5: a rounding or two a step, forgotten at the rate of the mean.
        np.testing.assert_allclose(state.average[0].w, mean, atol=2e-5)
        np.testing.assert_allclose(state.average[0].b, -mean, atol=2e-5)
        assert (state.layers[0].w == np.float32(w)).all()


def test_the_start_is_soon_forgotten():
    # Π (1 + k)/(10 + k) over 50 steps is 9! 50!/59! = 8e-11 of it, though d is .999.
    state = state_at(0.0, layers(1e3))
    for k in range(50):
        state = follow(state, share_of(Candidate(weight_average=0.999)), k)
    assert np.abs(state.average[0].w).max() < 1e-6


@pytest.mark.parametrize("w", [0.1, -0.0, 3e38, np.inf])
def test_without_an_average_it_is_the_weights_bit_for_bit(w):
    state = follow(state_at(w, layers(0.3)), share_of(Candidate()), 0)
    assert np.asarray(state.average[0].w).tobytes() == state.layers[0].w.tobytes()


def test_a_state_without_an_average_is_left_alone():
    state = state_at(1.0)
    assert follow(state, np.float32(0.1), 3) is state


def test_the_average_validates_and_is_chosen_unless_an_epoch_was_better():
    state = state_at(1.0, layers(2.0))
    assert state.judged is state.chosen is state.average
    best = Best(np.int32(1), np.float32(0), layers(3.0))
    assert state._replace(best=best).chosen is best.layers


def test_a_state_of_a_version_without_averages_has_none():
    state = State(*state_at(1.0)[:4])
    assert state.average is None
    assert state.judged is state.layers


def test_a_lane_without_an_average_leaves_none_behind():
    state = state_at(1.0, layers(1.0))
    assert own_state(state, averages=False).average is None
    assert own_state(state, averages=True).average is state.average


def test_a_program_with_averages_begins_one_at_the_weights():
    assert room_for_average(state_at(1.0), averaged=True).average[0].w[0, 0] == 1
    assert room_for_average(state_at(1.0), averaged=False).average is None


def test_a_program_keeps_averages_where_a_candidate_has_one():
    assert not features_for([Candidate()]).averaged
    assert features_for([Candidate(), Candidate(weight_average=0.5)]).averaged
