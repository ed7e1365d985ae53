import jax.numpy as jnp
import numpy as np
import pytest

from cuesta.core.products import NARROW, backward_product, forward_product, outer_product

SIZES = [(1, 1, 1), (5, 7, 3), (32, 64, 10), (16, 40, NARROW), (16, 40, NARROW + 1), (8, 3, 90)]


def factors(rows, m, n, dtype=jnp.float64):
    rng = np.random.default_rng(rows * m * n)
    shapes = ((rows, m), (m, n), (rows, n))
    return [jnp.asarray(rng.standard_normal(shape), dtype) for shape in shapes]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_products_are_the_plain_ones(sizes, float64):
    units, w, delta = factors(*sizes)
    # Sums of at most 90 terms of size 1, in another order.
    close = {"rtol": 1e-12, "atol": 1e-13}
    np.testing.assert_allclose(forward_product(units, w), units @ w, **close)
    np.testing.assert_allclose(backward_product(delta, w), delta @ w.T, **close)
    np.testing.assert_allclose(outer_product(units, delta), units.T @ delta, **close)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_bfloat16_rounds_the_factors_and_sums_in_float32(sizes):
    units, w, delta = factors(*sizes, dtype=jnp.float32)
    found = (
        forward_product(units, w, "bfloat16"),
        backward_product(delta, w, "bfloat16"),
        outer_product(units, delta, "bfloat16"),
    )
    short = [np.asarray(f.astype(jnp.bfloat16), np.float64) for f in (units, w, delta)]
    wanted = short[0] @ short[1], short[2] @ short[1].T, short[0].T @ short[2]
    for got, exact in zip(found, wanted, strict=True):
        assert got.dtype == jnp.float32
        # Factors of 8 bits have products of 16, so only the float32 sum of 90 rounds.
        np.testing.assert_allclose(got, exact, rtol=1e-4, atol=2e-5)
