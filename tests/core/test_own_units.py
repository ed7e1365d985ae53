"""The compiled way back to own units, against NumPy's search among the knots."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cuesta.core.own_units import OwnUnits, held, in_own_units

ROWS, KNOTS = 300, 9
FLOAT32 = 1e-6  # some ten roundings, of numbers up to the largest


def own_units(targets, seed=0):
    rng = np.random.default_rng(seed)
    knots = np.cumsum(rng.exponential(size=(targets, KNOTS)) ** 3, axis=1).astype(np.float32)
    start = rng.uniform(-3, -1, targets).astype(np.float32)
    rate = rng.uniform(2, 4, targets).astype(np.float32)
    return OwnUnits(jnp.zeros((ROWS, targets)), knots, start, rate)


@pytest.mark.parametrize("targets", [1, 3])
def test_it_is_a_line_between_neighbouring_knots_and_beyond_the_ends(targets):
    own = own_units(targets)
    outputs = np.random.default_rng(1).uniform(-6, 6, (ROWS, targets)).astype(np.float32)
    found = jax.jit(in_own_units)(outputs, own, jnp.int32(5))
    for place in range(targets):
        knots = own.knots[place].astype(float)
        places = own.start[place] + np.arange(KNOTS) / own.rate[place].astype(float)
        wanted = np.interp(outputs[:, place], places, knots)
        for end, inner in ((0, 1), (-1, -2)):
            beyond = (outputs[:, place] - places[end]) * (1 if end else -1) > 0
            slope = (knots[end] - knots[inner]) / (places[end] - places[inner])
            wanted[beyond] = (knots[end] + slope * (outputs[:, place] - places[end]))[beyond]
            assert beyond.any()
        np.testing.assert_allclose(found[:, place], wanted, atol=FLOAT32 * np.abs(wanted).max())


def test_what_is_no_number_stays_none():
    outputs = jnp.array([[jnp.nan], [jnp.inf], [-jnp.inf]])
    found = in_own_units(outputs, own_units(1), jnp.int32(0))
    np.testing.assert_array_equal(found, outputs)


def test_only_a_lane_that_clamps_is_held():
    values = jnp.array([[-5.0, 1.0], [0.5, 9.0], [jnp.nan, jnp.inf]])
    bounds = np.array([[0.0, 2.0], [1.0, 3.0]], np.float32)
    np.testing.assert_array_equal(held(values, bounds, jnp.bool_(False)), values)
    wanted = [[0, 2], [0.5, 3], [np.nan, 3]]
    np.testing.assert_array_equal(held(values, bounds, jnp.bool_(True)), wanted)
