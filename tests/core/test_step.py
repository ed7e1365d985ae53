"""A step whose gradient is finite and whose squares are not."""

import numpy as np
import pytest

from cuesta.core.lane import initial_state
from cuesta.core.lane_hyperparameters import lane_hyperparameters
from cuesta.core.layer import Layer
from cuesta.core.step import compute_update
from cuesta.hyperparameters import Candidate, Shape

G = np.float32(1e20)
SHAPE = Shape(1, (), 1, 1, "squared")
LAYERS = [Layer(np.zeros((1, 1), np.float32), np.zeros(1, np.float32))]


def update_of(**candidate):
    numbers = lane_hyperparameters(Candidate(learning_rate=0.01, **candidate))
    state = initial_state(LAYERS, numbers.rule, SHAPE)
    grads = [Layer(np.full((1, 1), G), np.zeros(1, np.float32))]
    return compute_update(state, SHAPE, numbers, 1, np.int32(0), grads)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_a_rule_without_a_second_moment_steps_by_it(optimizer):
    update = update_of(optimizer=optimizer)
    np.testing.assert_allclose(update.norm, G, rtol=1e-6)  # float32
    np.testing.assert_allclose(update.delta[0].w, [[-0.01 * G]], rtol=1e-6)


@pytest.mark.parametrize("optimizer", ["adagrad", "rmsprop", "adam"])
def test_a_rule_that_reads_its_square_has_diverged_unless_it_is_clipped(optimizer):
    assert np.isinf(update_of(optimizer=optimizer).norm)
    for clip in ({"clip_norm": 1.0}, {"clip_value": 1.0}):
        update = update_of(optimizer=optimizer, **clip)
        np.testing.assert_allclose(update.norm, G, rtol=1e-6)  # float32
        assert update.delta[0].w[0, 0] < 0
