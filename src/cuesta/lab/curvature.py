"""Gradient and Hessian of a function J: ℝⁿ → ℝ (N7), in float64."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from cuesta.core.types import Tensor
from cuesta.lab.function import Objective

SMALL = 3  # up to this n the whole Hessian is cheaper; Lanczos needs n > 2


def gradient(j: Objective, w: Tensor) -> np.ndarray:
    """∇J(w) = [∂J/∂wᵢ] (N7); (n,) → (n,)."""
    with jax.enable_x64(True):
        return np.asarray(jax.grad(j)(jnp.asarray(w, jnp.float64)))


def hessian(j: Objective, w: Tensor) -> np.ndarray:
    """H(w) = [∂²J/∂wᵢ∂wⱼ] (N7), whole: (n,) → (n, n). For small n."""
    with jax.enable_x64(True):
        return np.asarray(jax.hessian(j)(jnp.asarray(w, jnp.float64)))


def hessian_product(j: Objective, w: Tensor) -> Callable[[Tensor], np.ndarray]:
    """V ↦ H(w)v without H (Pearlmutter, 1994): the derivative of ∇J along v.

    The gradient is linearized once; each product then costs about a gradient.
    """
    with jax.enable_x64(True):
        _, along = jax.linearize(jax.grad(j), jnp.asarray(w, jnp.float64))
        along = jax.jit(along)

    def product(v: Tensor) -> np.ndarray:
        with jax.enable_x64(True):
            return np.asarray(along(jnp.asarray(v, jnp.float64).reshape(np.shape(w))))

    return product


def extreme_eigenvalues(j: Objective, w: Tensor) -> tuple[float, float]:
    """(λmin, λmax) of H(w), both ends of the spectrum, by Lanczos on products alone (ARPACK).

    Power iteration would find the largest |λ| only, and miss a small λmin below zero.
    """
    n = np.size(w)
    if n <= SMALL:
        spectrum = np.linalg.eigvalsh(hessian(j, w))
        return float(spectrum[0]), float(spectrum[-1])
    from scipy.sparse.linalg import LinearOperator, eigsh

    operator = LinearOperator((n, n), matvec=hessian_product(j, w), dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(n)  # the same answer at every call
    ends = [
        eigsh(operator, 1, which=which, v0=start, return_eigenvectors=False)[0]
        for which in ("SA", "LA")
    ]
    return float(ends[0]), float(ends[1])
