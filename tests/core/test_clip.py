import jax.numpy as jnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cuesta.core.clip import clip_by_norm, clip_by_value, global_norm

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
