"""Gradient and Hessian of a function J: ℝⁿ → ℝ (N7), in float64."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from cuesta.core.types import Tensor
from cuesta.errors import SpecError
from cuesta.lab.function import Objective

WHOLE = 2000  # weights up to which all of H fits, where Lanczos finds no end of the spectrum
COARSE = 1e-8
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

    Power iteration would find the largest |λ| only, and miss a small λmin below zero. Where Lanczos
    does not converge, as where eigenvalues lie many orders apart, the whole Hessian of up to 2,000
    weights is taken; of more weights both ends are sought to 1e-8 of the largest |λ|.
    Raises SpecError where H is not finite, and where neither way finds them.
    """
    n = np.size(w)
    if n <= SMALL:
        return _ends_of_all(j, w)
    from scipy.sparse.linalg import ArpackError

    product = hessian_product(j, w)
    if not np.isfinite(product(_first_vector(n))).all():
        raise SpecError("The Hessian is not finite there: its eigenvalues do not exist.")
    try:
        return _end(product, n, "SA"), _end(product, n, "LA")
    except ArpackError:
        return _ends_of_all(j, w) if n <= WHOLE else _shifted_ends(product, n)


def _first_vector(n: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(n)  # the same answer at every call


def _end(
    product: Callable[[Tensor], np.ndarray],
    n: int,
    which: str,
    tol: float = 0.0,
    shift: float = 0.0,
) -> float:
    """The eigenvalue at one end of the spectrum of H + shift·I, less the shift."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    operator = LinearOperator((n, n), matvec=lambda v: _moved(product, v, shift), dtype=np.float64)
    found = eigsh(operator, 1, which=which, v0=_first_vector(n), return_eigenvectors=False, tol=tol)
    return float(found[0]) - shift


def _moved(product: Callable[[Tensor], np.ndarray], v: np.ndarray, shift: float) -> np.ndarray:
    return product(v) + shift * np.reshape(v, -1) if shift else product(v)


def _shifted_ends(product: Callable[[Tensor], np.ndarray], n: int) -> tuple[float, float]:
    """Both ends to `COARSE` of the largest |λ|: moved by it, no eigenvalue is small any more."""
    from scipy.sparse.linalg import ArpackError

    try:
        size = abs(_end(product, n, "LM", COARSE))
        low = _end(product, n, "SA", COARSE, 2.0 * size)
        return low, _end(product, n, "LA", COARSE, 2.0 * size)
    except ArpackError as error:
        if not product(_first_vector(n)).any():
            return 0.0, 0.0
        raise SpecError(
            f"The eigenvalues of the Hessian of {n:,} weights do not converge: too many lie close "
            "together at an end of the spectrum."
        ) from error


def _ends_of_all(j: Objective, w: Tensor) -> tuple[float, float]:
    h = hessian(j, w)
    if not np.isfinite(h).all():
        raise SpecError("The Hessian is not finite there: its eigenvalues do not exist.")
    spectrum = np.linalg.eigvalsh(h)
    return float(spectrum[0]), float(spectrum[-1])
