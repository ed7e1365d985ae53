"""The backward pass written out, against automatic differentiation of the forward pass."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cuesta.core.activation import activation
from cuesta.core.backprop import deltas, gradient
from cuesta.core.init import init_layers
from cuesta.core.net import forward, record
from cuesta.core.noise import keep_threshold
from cuesta.hyperparameters import ACTIVATIONS

SIZES = (5, 7, 40, 3)
ROWS = 11


def network(dtype=jnp.float64):
    layers = init_layers([3], SIZES, "glorot")
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype) + 0.1, layers)


def rows():
    rng = np.random.default_rng(1)
    noise = [jnp.asarray(rng.integers(0, 1 << 16, (ROWS, n)), jnp.uint16) for n in SIZES[1:-1]]
    return jnp.asarray(rng.standard_normal((ROWS, SIZES[0]))), noise


def loss(outputs):
    return jnp.sum(jnp.sin(outputs) * jnp.arange(1.0, 4.0))


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("keep", [None, 1.0, 0.7, 0.0])
def test_gradient_is_that_of_automatic_differentiation(name, keep, float64):
    layers, (x, noise), kind = network(), rows(), activation(name)
    given = (noise, keep_threshold(keep)) if keep is not None else ()
    tape = record(layers, x, kind, *given)
    found = gradient(tape, deltas(layers, tape, jax.grad(loss)(tape.outputs)))
    wanted = jax.grad(lambda net: loss(forward(net, x, kind, *given)))(layers)
    for mine, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        # The same sums in another order, in float64.
        np.testing.assert_allclose(mine, theirs, rtol=1e-11, atol=1e-13)


def test_each_delta_is_the_derivative_by_what_its_layer_puts_out(float64):
    layers, (x, _), kind = network(), rows(), activation("tanh")
    tape = record(layers, x, kind)
    found = deltas(layers, tape, jax.grad(loss)(tape.outputs))
    for depth, delta in enumerate(found):

        def moved(shift, depth=depth):
            lifted = [
                layer._replace(b=layer.b + shift) if place == depth else layer
                for place, layer in enumerate(layers)
            ]
            return loss(forward(lifted, x[:1], kind))

        # A shift of one row's z is a shift of the bias, where there is one row alone.
        alone = record(layers, x[:1], kind)
        one = deltas(layers, alone, jax.grad(loss)(alone.outputs))[depth]
        wanted = jax.grad(moved)(jnp.zeros(SIZES[depth + 1]))
        np.testing.assert_allclose(one[0], wanted, rtol=1e-11, atol=1e-13)
        assert delta.shape == (ROWS, SIZES[depth + 1])


def test_gradient_can_be_differentiated_again(float64):
    # Hessian products pass through the backward pass, barriers and all.
    layers, (x, _), kind = network(), rows(), activation("tanh")

    def by_hand(net):
        tape = record(net, x, kind)
        return gradient(tape, deltas(net, tape, jax.grad(loss)(tape.outputs)))

    along = jax.tree.map(jnp.ones_like, layers)
    wanted = jax.jvp(jax.grad(lambda net: loss(forward(net, x, kind))), (layers,), (along,))[1]
    found = jax.jvp(by_hand, (layers,), (along,))[1]
    for mine, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-11)
