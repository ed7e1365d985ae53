import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.special import logsumexp

from cuesta.core.activation import activation
from cuesta.core.init import init_layers
from cuesta.core.loss import (
    LOSSES,
    cross_entropy,
    huber,
    logistic,
    loss_and_slope,
    row_scores,
    smoothed,
    squared,
)
from cuesta.core.net import forward
from cuesta.hyperparameters import ACTIVATIONS

rng = np.random.default_rng(0)


def test_cross_entropy_is_minus_the_log_share_of_the_label(float64):
    outputs, labels = rng.standard_normal((20, 4)) * 5, rng.integers(0, 4, 20)
    wanted = logsumexp(outputs, axis=1) - outputs[np.arange(20), labels]
    np.testing.assert_allclose(cross_entropy(outputs, labels), wanted, atol=1e-13)


def test_cross_entropy_is_finite_for_huge_outputs():
    outputs = jnp.array([[1e30, -1e30], [0.0, 3e38]])
    assert np.isfinite(cross_entropy(outputs, jnp.array([0, 1]))).all()


def test_squared_loss_is_half_the_squared_distance():
    np.testing.assert_array_equal(squared(jnp.array([[1.0, 2.0]]), jnp.array([[0.0, 4.0]])), [2.5])


def test_scores_are_loss_and_hit_or_squared_errors():
    scores = row_scores("cross_entropy", jnp.array([[2.0, 0.0], [2.0, 0.0]]), jnp.array([0, 1]))
    np.testing.assert_allclose(scores[:, 0], np.log1p(np.exp([-2.0, 2.0])), rtol=1e-6)
    np.testing.assert_array_equal(scores[:, 1], [1.0, 0.0])
    errors = row_scores("squared", jnp.array([[1.0, 2.0]]), jnp.array([[0.0, 4.0]]))
    np.testing.assert_array_equal(errors, [[1.0, 4.0]])


def test_smoothing_is_cross_entropy_of_the_smoothed_labels(float64):
    outputs, labels = rng.standard_normal((20, 4)) * 5, rng.integers(0, 4, 20)
    wanted = 0.7 * np.eye(4)[labels] + 0.3 / 4
    logs = outputs - logsumexp(outputs, axis=1, keepdims=True)
    np.testing.assert_allclose(
        smoothed(outputs, labels, 0.3), -(wanted * logs).sum(axis=1), atol=1e-13
    )


def test_logistic_is_minus_the_log_share_of_each_label(float64):
    outputs, labels = rng.standard_normal((20, 3)) * 5, rng.integers(0, 2, (20, 3))
    wanted = logsumexp([0 * outputs, np.where(labels == 1, -outputs, outputs)], axis=0).sum(axis=1)
    np.testing.assert_allclose(logistic(outputs, labels), wanted, rtol=1e-12)
    assert np.isfinite(logistic(jnp.array([[1e30, -1e30]]), jnp.array([[0, 1]]))).all()


def test_huber_is_squared_near_and_straight_beyond():
    outputs = jnp.array([[0.5], [-3.0]])
    np.testing.assert_allclose(huber(outputs, jnp.zeros((2, 1)), 2.0), [0.125, 2 * 3 - 2])


def any_targets(loss, rows, outputs):
    if loss in ("cross_entropy", "smoothed"):
        return rng.integers(0, outputs, rows)
    if loss == "logistic":
        return rng.integers(0, 2, (rows, outputs))
    return rng.standard_normal((rows, outputs))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradient_is_the_difference_quotient(loss, name, float64):
    layers = [
        jax.tree.map(lambda leaf: leaf.astype(np.float64), layer)
        for layer in init_layers([3], (4, 5, 3), "glorot")
    ]
    x = rng.standard_normal((6, 4))
    y = any_targets(loss, 6, 3)

    def mean_loss(net):
        outputs = forward(net, x, activation(name))
        return jnp.mean(LOSSES[loss].value(outputs, y, 0.3))

    flat, rebuild = ravel_pytree(layers)
    grads = jax.grad(lambda v: mean_loss(rebuild(v)))(flat)
    h = 1e-6
    at = jax.jit(lambda v: mean_loss(rebuild(v)))
    quotient = [(at(flat + h * e) - at(flat - h * e)) / (2 * h) for e in np.eye(len(flat))]
    np.testing.assert_allclose(grads, quotient, atol=1e-8)  # h² · J''' plus rounding over h


def test_unnormalized_outputs_and_inputs_scale_the_gradient_as_the_notes_say(float64):
    # ∂L/∂w₁ = −z (y − ŷ) z₁ for ŷ = z·(w₁z₁): proportional to the residual and the input (N3).
    def slope(z1, y, z=2.0, w1=0.1):
        return jax.grad(lambda w: squared(jnp.array([[z * w * z1]]), jnp.array([[y]]))[0])(w1)

    for z1, y in ((1.5, 3.0), (1.5, 3000.0), (150.0, 3.0)):
        assert float(slope(z1, y)) == pytest.approx(-2.0 * (y - 2.0 * 0.1 * z1) * z1, rel=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_slope_is_the_derivative_of_the_mean_loss(loss, float64):
    outputs = jnp.asarray(np.random.default_rng(7).standard_normal((7, 4)) * 3)
    y = any_targets(loss, 7, 4)
    shares = jnp.asarray([1.0, 2.0, 0.0, 0.5, 1.0, 1.0, 0.0]) / 5
    value, slope = loss_and_slope(loss, outputs, y, shares, 0.3)

    def mean(o):
        return jnp.sum(shares * LOSSES[loss].value(o, y, 0.3))

    assert float(value) == pytest.approx(float(mean(outputs)), rel=1e-15)
    # The same formula differentiated by rule: rounding alone; σ(o) − y of numbers near 1 is off by
    # a rounding of 1, 2.2e-16, times a share of at most 0.4.
    np.testing.assert_allclose(slope, jax.grad(mean)(outputs), rtol=1e-12, atol=2e-16)


def test_padding_rows_have_no_slope_even_when_not_finite():
    outputs = jnp.array([[1.0, 2.0], [jnp.nan, jnp.inf]])
    for loss, y in (("cross_entropy", jnp.array([0, 1])), ("squared", jnp.zeros((2, 2)))):
        value, slope = loss_and_slope(loss, outputs, y, jnp.array([1.0, 0.0]), 0.0)
        assert np.isfinite(value)
        assert np.isfinite(slope).all()
        np.testing.assert_array_equal(slope[1], [0.0, 0.0])
