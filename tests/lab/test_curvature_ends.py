import jax.numpy as jnp
import numpy as np
import pytest

from cuesta.errors import SpecError
from cuesta.lab import curvature
from cuesta.lab.curvature import extreme_eigenvalues


def quadratic(spectrum):
    return lambda w: 0.5 * jnp.sum(jnp.asarray(spectrum) * w**2)


def test_eigenvalues_many_orders_apart_are_found():
    low, high = extreme_eigenvalues(quadratic(np.geomspace(1e-8, 1e4, 100)), np.zeros(100))
    assert high == pytest.approx(1e4, rel=1e-9)
    assert low == pytest.approx(1e-8, abs=1e-9)  # the rounding of 1e4 in float64, a hundred times


def test_a_flat_function_has_eigenvalues_of_zero(monkeypatch):
    flat = quadratic(np.zeros(10))
    assert extreme_eigenvalues(flat, np.zeros(10)) == (0.0, 0.0)
    monkeypatch.setattr(curvature, "WHOLE", 5)
    assert extreme_eigenvalues(flat, np.zeros(10)) == (0.0, 0.0)


def test_a_hessian_that_is_not_finite_is_a_sentence():
    for n in (2, 10):
        with pytest.raises(SpecError, match="not finite"):
            extreme_eigenvalues(lambda w: jnp.sum(jnp.sqrt(w)), np.zeros(n))
