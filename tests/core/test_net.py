import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cuesta.core.activation import activation
from cuesta.core.init import init_layers
from cuesta.core.net import forward
from cuesta.core.noise import NOISE_LEVELS, drop, keep_threshold


def uniform_noise(seed, shape):
    draws = np.random.default_rng(seed).integers(0, NOISE_LEVELS, shape)
    return jnp.asarray(draws, jnp.uint16)


def test_keeping_all_changes_no_bit():
    units = jnp.asarray(np.random.default_rng(0).standard_normal((50, 40)), jnp.float32)
    kept = drop(units, uniform_noise(1, (50, 40)), keep_threshold(1.0))
    np.testing.assert_array_equal(kept, units)


def test_keeping_none_gives_zeros_and_finite_gradients():
    units, noise = jnp.ones((5, 4)), uniform_noise(1, (5, 4))
    threshold = jnp.float32(keep_threshold(0.0))
    total, grads = jax.value_and_grad(lambda u: jnp.sum(drop(u, noise, threshold)))(units)
    assert float(total) == 0.0
    np.testing.assert_array_equal(grads, np.zeros((5, 4)))


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_expectation(keep):
    n = 200_000
    kept = np.asarray(drop(jnp.ones((n, 1)), uniform_noise(2, (n, 1)), keep_threshold(keep)))
    deviation = np.sqrt((1 - keep) / keep / n)  # of the mean of Bernoulli(p)/p
    assert abs(kept.mean() - 1) < 4 * deviation
    assert set(np.unique(kept)) == {0.0, np.float32(NOISE_LEVELS / keep_threshold(keep))}


def test_scaling_in_training_equals_scaling_at_prediction_in_the_mean():
    keep, n = 0.7, 200_000
    noise = uniform_noise(3, (n, 1))
    units = jnp.full((n, 1), 2.0)
    scaled = np.asarray(drop(units, noise, keep_threshold(keep))).mean()
    unscaled = np.where(np.asarray(noise) < keep_threshold(keep), 2.0, 0.0).mean()
    # The notes' form leaves training as it is and multiplies by p at prediction: 2p against 2.
    reach = 4 * 2 * np.sqrt(keep * (1 - keep) / n)
    assert abs(unscaled - 2 * keep) < reach
    assert scaled == pytest.approx(unscaled / keep, rel=1e-4)  # p is rounded to 1/65,536


def test_units_and_examples_drop_on_their_own():
    keep = 0.5
    dropped = np.asarray(drop(jnp.ones((400, 300)), uniform_noise(4, (400, 300)), 32768.0)) == 0
    # A mask shared by rows or by columns would have shares of 0 or 1 along the other axis.
    for axis in (0, 1):
        assert np.abs(dropped.mean(axis=axis) - keep).max() < 0.15


def first_layer_share(name, depth):
    """How large the first layer's gradient is beside the last one's."""
    sizes = (8, *([32] * depth), 1)
    layers = init_layers([5], sizes, "glorot")
    x = jnp.asarray(np.random.default_rng(0).standard_normal((64, 8)), jnp.float32)
    grads = jax.grad(lambda net: jnp.sum(forward(net, x, activation(name)) ** 2))(layers)
    return float(jnp.linalg.norm(grads[0].w) / jnp.linalg.norm(grads[-2].w))


def test_depth_with_sigmoids_makes_the_first_gradient_vanish_and_relu_does_not():
    # σ' is at most 1/4, one such factor a layer (N4): beyond 4⁻⁸ for 8 layers even with weights
    # whose products keep a size; ReLU's factors are 0 or 1.
    assert first_layer_share("sigmoid", 9) < 4.0**-8
    assert first_layer_share("relu", 9) > 0.05
    assert first_layer_share("sigmoid", 9) < first_layer_share("sigmoid", 4) / 50
