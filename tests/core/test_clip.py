import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from jax import tree

from cuesta.core.clip import clip_by_layer, clip_by_norm, clip_by_value, global_norm

# Compiled code takes subnormal numbers for zero.
finite = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)
grads = st.tuples(
    hnp.arrays(np.float32, (3, 2), elements=finite), hnp.arrays(np.float32, 4, elements=finite)
)
bounds = st.floats(0.0010000000474974513, 1e6, width=32)
ROUNDING = 1e-5  # float32 sums of ten squares


@given(grads, bounds)
def test_norm_after_clipping_is_at_most_the_bound(tree, bound):
    clipped, before = clip_by_norm(tree, bound)
    assert float(global_norm(clipped)) <= bound * (1 + ROUNDING)
    assert float(before) == float(global_norm(tree))


@given(grads, bounds)
def test_clipping_by_norm_keeps_the_direction(tree, bound):
    clipped, before = clip_by_norm(tree, bound)
    factor = min(1.0, bound / float(before)) if before > 0 else 1.0
    for a, b in zip(clipped, tree, strict=True):
        np.testing.assert_allclose(a, factor * b, rtol=ROUNDING, atol=1e-30)


@given(grads, bounds)
def test_clipping_by_value_bounds_each_element_and_moves_no_other(tree, bound):
    for a, b in zip(clip_by_value(tree, bound), tree, strict=True):
        np.testing.assert_array_equal(a, np.clip(b, -np.float32(bound), np.float32(bound)))


@given(grads)
def test_no_bound_changes_no_bit(tree):
    by_norm, _ = clip_by_norm(tree, jnp.inf)
    for a, b, c in zip(by_norm, clip_by_value(tree, jnp.inf), tree, strict=True):
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(b, c)


def test_a_zero_gradient_stays_zero_under_any_bound():
    for bound in (0.0, 1.0, jnp.inf):
        clipped, norm = clip_by_norm([jnp.zeros(3)], bound)
        np.testing.assert_array_equal(clipped[0], np.zeros(3))
        assert float(norm) == 0.0


def test_the_norm_is_over_all_layers_together():
    assert float(global_norm([jnp.array([3.0]), jnp.array([[4.0]])])) == 5.0


LARGEST = [(np.float32, 3e38), (np.float32, 1e20), (np.float16, 6e4), (np.float16, 300.0)]


@pytest.mark.parametrize(("dtype", "size"), LARGEST)
@pytest.mark.parametrize("bound", [1.0, 1e-3])
def test_a_gradient_whose_squares_overflow_is_clipped_to_the_bound(dtype, size, bound):
    grads = {
        "w": jnp.array([[0.6], [0.0]], dtype) * dtype(size),
        "b": jnp.array([0.8 * size], dtype),
    }
    clipped, norm = clip_by_norm(grads, bound)
    digits = 4 * float(jnp.finfo(dtype).eps)  # four roundings: 0.6, two products, the quotient
    np.testing.assert_allclose(clipped["w"][:, 0], [0.6 * bound, 0.0], rtol=digits)
    np.testing.assert_allclose(clipped["b"], [0.8 * bound], rtol=digits)
    np.testing.assert_allclose(float(norm), size, rtol=digits)
    alone = clip_by_layer(grads, bound)
    np.testing.assert_allclose(alone["w"][:, 0], [bound, 0.0], rtol=digits)
    assert all(part.dtype == dtype for part in tree.leaves([clipped, alone]))


def test_the_norm_of_a_gradient_that_is_not_finite_is_not_finite():
    for bad in (jnp.inf, jnp.nan):
        clipped, norm = clip_by_norm([jnp.array([bad, 1.0])], 1.0)
        assert not jnp.isfinite(norm)
        np.testing.assert_array_equal(clipped[0], [bad, 1.0])


def test_a_lane_whose_squares_overflow_leaves_its_neighbours_as_they_are():
    many = jax.jit(jax.vmap(lambda g: clip_by_norm([g], 1.0)))
    usual = jnp.array([3.0, 4.0])
    beside, norms = many(jnp.stack([usual, jnp.array([3e20, 4e20]), usual * 1e-3]))
    alone, _ = many(jnp.stack([usual, usual, usual * 1e-3]))
    np.testing.assert_array_equal(beside[0][::2], alone[0][::2])
    np.testing.assert_allclose(beside[0][1], [0.6, 0.8], rtol=1e-6)  # float32
    np.testing.assert_allclose(norms, [5.0, 5e20, 5e-3], rtol=1e-6)


def test_the_norm_of_a_complex_gradient_takes_both_parts_of_each_number():
    clipped, norm = clip_by_norm([jnp.array([3 + 4j], jnp.complex64)], 1.0)
    assert float(norm) == 5.0
    np.testing.assert_allclose(clipped[0], [0.6 + 0.8j], rtol=1e-6)  # float32


def test_a_tree_without_leaves_has_the_norm_zero():
    clipped, norm = clip_by_norm({"frozen": None}, 1.0)
    assert clipped == {"frozen": None}
    assert float(norm) == 0.0


def test_the_norm_has_the_derivative_of_its_formula():
    g = jnp.array([3.0, 4.0])
    for size in (1.0, 1e20):  # ∂‖g‖/∂g = g/‖g‖, whatever the size
        np.testing.assert_allclose(
            jax.grad(lambda x: global_norm([x]))(g * size), [0.6, 0.8], rtol=1e-6
        )
    np.testing.assert_array_equal(jax.grad(lambda x: global_norm([x]))(0 * g), [0.0, 0.0])
