"""Activations and their slopes against closed forms and JAX's own, and where floats end."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cuesta.core.activation import activate, activation, is_bounded, is_exponential
from cuesta.hyperparameters import ACTIVATIONS
from cuesta.model import activate as predicted

GELU = np.sqrt(2 / np.pi)
CLOSED_FORMS = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "identity": lambda z: z,
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "gelu": lambda z: 0.5 * z * (1 + np.tanh(GELU * (z + 0.044715 * z**3))),
    "mish": lambda z: z * np.tanh(np.log1p(np.exp(z))),
    "selu": lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * (np.exp(z) - 1)),
}
JAX_FORMS = {
    "leaky_relu": jax.nn.leaky_relu,
    "silu": jax.nn.silu,
    "gelu": jax.nn.gelu,  # the tanh form is its default
    "mish": jax.nn.mish,
    "selu": jax.nn.selu,
}
EXPONENTIAL = [name for name in ACTIVATIONS if is_exponential(name)]
FAR = np.array([-1e4, -200.0, -100.0, -40.0, -1e-4, 0.0, 1e-4, 20.0, 40.0, 100.0, 1e4])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_is_its_closed_form(name, float64):
    z = np.linspace(-20, 20, 401)
    units, _ = activate(activation(name), z)
    # A few roundings more or less: of 1 where a tail is 1 + tanh, and of z itself.
    np.testing.assert_allclose(units, CLOSED_FORMS[name](z), rtol=1e-15, atol=5e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slope_is_the_difference_quotient(name, float64):
    z = np.array([-3.0, -0.4, 0.7, 2.5])
    _, slope = activate(activation(name), z)
    h = 1e-6
    quotient = (CLOSED_FORMS[name](z + h) - CLOSED_FORMS[name](z - h)) / (2 * h)
    np.testing.assert_allclose(slope, quotient, atol=1e-9)  # h² plus rounding over h


@pytest.mark.parametrize("name", JAX_FORMS)
def test_units_slopes_and_their_slopes_are_those_of_jax(name, float64):
    z = jnp.concatenate([jnp.linspace(-30, 30, 1202), FAR])
    z = z[z != 0]  # where a kink has two slopes
    units, slope = activate(activation(name), z)
    theirs, kind = JAX_FORMS[name], activation(name)
    by = lambda f: jax.vmap(jax.grad(f))(z)  # noqa: E731
    np.testing.assert_allclose(units, theirs(z), rtol=1e-14, atol=1e-14)
    # At z = 40 a gate of 1 − e⁻⁴⁰ has been left; z and t′ multiply it by a thousand at most.
    np.testing.assert_allclose(slope, by(theirs), rtol=1e-13, atol=1e-13)
    twice = by(lambda v: activate(kind, v)[1])
    np.testing.assert_allclose(twice, by(jax.grad(theirs)), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(by(lambda v: activate(kind, v)[0]), slope, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_nothing_overflows_far_out(name):
    z, kind = jnp.asarray(FAR, jnp.float32), activation(name)
    units, slope = activate(kind, z)
    by_jax = jax.grad(lambda v: jnp.sum(activate(kind, v)[0]))(z)
    twice = jax.jvp(lambda v: activate(kind, v)[1], (z,), (jnp.ones_like(z),))[1]
    for found in (units, slope, by_jax, twice):
        assert found.dtype == jnp.float32
        assert np.isfinite(found).all()
    assert np.abs(slope).max() <= 1.76  # SELU's steepest, below 0: λα


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_prediction_uses_the_same_function(name):
    z = np.concatenate([np.linspace(-30, 30, 1201), FAR])
    units, _ = activate(activation(name), jnp.asarray(z, jnp.float32))
    # Float32 on one side: z is rounded by 6e-8 of itself, the exponential by a few times that.
    np.testing.assert_allclose(predicted(name, z.copy()), units, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if not is_exponential(name)])
def test_a_program_without_exponentials_gives_the_same_bits(name):
    z, kind = (
        jnp.asarray(np.random.default_rng(0).standard_normal(999), jnp.float32),
        activation(name),
    )
    lean = kind._replace(exponential=None)
    for bounded in {True, is_bounded(name)}:
        run = jax.jit(lambda k, b=bounded: activate(k, z, bounded=b))
        for whole, part in zip(run(kind), run(lean), strict=True):
            np.testing.assert_array_equal(whole, part)


@pytest.mark.parametrize("name", EXPONENTIAL)
def test_a_nan_stays_one(name):
    # A lane that diverges must be seen to: bounds of z must not make a number of it.
    units, slope = activate(activation(name), jnp.float32(np.nan))
    assert np.isnan(units)
    assert np.isnan(slope)
