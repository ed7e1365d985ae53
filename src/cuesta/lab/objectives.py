"""The formulas J: ℝⁿ → ℝ of the lab's functions, written with jax.numpy."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cuesta._util.checks import check_count, check_range
from cuesta.lab.function import Objective

MOST_DIMENSIONS = 10_000
UNROLLED = 50  # steps in time of `cliff`
TARGET = 0.7  # of `cliff`


def half_square(w: Array) -> Array:
    """J = ½ wᵀw, the notes' example (N8): J' = w, J'' = 1; minimum 0 at 0."""
    return 0.5 * jnp.sum(w * w)


def quadratic(dimensions: int = 2, condition: float = 100.0, rotation: float = 30.0) -> Objective:
    """J = ½ wᵀRΛRᵀw: λ from 1 to `condition` in equal ratios, axes rotated by R; minimum 0 at 0.

    R rotates each plane of neighbouring coordinates by `rotation` degrees, one after the other.
    Raises SpecError for fewer than one dimension, or a condition below 1.
    """
    h = quadratic_hessian(dimensions, condition, rotation)
    return lambda w: 0.5 * w @ jnp.asarray(h, w.dtype) @ w


def quadratic_hessian(dimensions: int, condition: float, rotation: float) -> np.ndarray:
    """The Hessian RΛRᵀ of `quadratic`, (n, n). Raises SpecError as it does."""
    check_count("dimensions", dimensions, MOST_DIMENSIONS)
    check_range("condition", condition, 1.0, math.inf)
    check_range("rotation", rotation, -math.inf, math.inf)
    cos, sin = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    r = np.eye(dimensions)
    for i in range(dimensions - 1):
        r[:, [i, i + 1]] = r[:, [i, i + 1]] @ np.array([[cos, -sin], [sin, cos]])
    return r @ np.diag(np.geomspace(1.0, condition, dimensions)) @ r.T


def ravine(w: Array) -> Array:
    """J = ½ Σ λᵢ wᵢ², with λ from 1 to 100 in equal ratios: a narrow valley; minimum 0 at 0."""
    curvatures = jnp.logspace(0.0, 2.0, w.shape[0])
    return 0.5 * jnp.sum(curvatures * w * w)


def rosenbrock(w: Array) -> Array:
    """J = Σ 100 (wᵢ₊₁ − wᵢ²)² + (1 − wᵢ)² (Rosenbrock, 1960); minimum 0 at (1, …, 1).

    From four dimensions on there is a second, local minimum near (−1, 1, …, 1).
    """
    return jnp.sum(100.0 * (w[1:] - w[:-1] ** 2) ** 2 + (1.0 - w[:-1]) ** 2)


def beale(w: Array) -> Array:
    """J = (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)² (Beale, 1958).

    Minimum 0 at (3, ½); flat plateaus far from it, between steep walls.
    """
    x, y = w[0], w[1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def himmelblau(w: Array) -> Array:
    """J = (x² + y − 11)² + (x + y² − 7)² (Himmelblau, 1972); four minima of 0."""
    x, y = w[0], w[1]
    return (x * x + y - 11.0) ** 2 + (x + y * y - 7.0) ** 2


def rastrigin(w: Array) -> Array:
    """J = 10n + Σ wᵢ² − 10 cos 2πwᵢ (Rastrigin, 1974): a local minimum near each whole point."""
    return 10.0 * w.shape[0] + jnp.sum(w * w - 10.0 * jnp.cos(2.0 * jnp.pi * w))


def ackley(w: Array) -> Array:
    """J = −20 exp(−0.2 √(‖w‖²/n)) − exp(Σ cos 2πwᵢ / n) + 20 + e (Ackley, 1987).

    Its minimum, 0 at 0, is the tip of a cone, where J has no derivative; the gradient at 0 is
    taken as 0.
    """
    square = jnp.mean(w * w)
    tip = square == 0
    radius = jnp.where(tip, 0.0, jnp.sqrt(jnp.where(tip, 1.0, square)))
    # expm1 keeps the small differences near the minimum that 20 + e − 20 − e would lose.
    ripple = jnp.mean(jnp.cos(2.0 * jnp.pi * w)) - 1.0
    return -20.0 * jnp.expm1(-0.2 * radius) - jnp.e * jnp.expm1(ripple)


def saddle(w: Array) -> Array:
    """J = ½ (Σ wᵢ² − 2wₙ²), a minimum along all axes but the last, along which it falls forever."""
    return 0.5 * (jnp.sum(w[:-1] ** 2) - w[-1] ** 2)


def monkey_saddle(w: Array) -> Array:
    """J = x³ − 3xy²: three valleys leave the origin, where the Hessian is 0 (Hilbert, 1932)."""
    x, y = w[0], w[1]
    return x**3 - 3.0 * x * y**2


def cliff(w: Array) -> Array:
    """J(w, b) = (σ(h₅₀) − 0.7)², h ← wσ(h) + b, h₀ = ½: a recurrent network of one unit (N5).

    The surface has a wall, where h is between two values at which it can settle and the gradient
    is a product of fifty factors above 1; its minima are a line, 0.7w + b = σ⁻¹(0.7), at the foot
    of the wall (Pascanu, Mikolov and Bengio, 2013, figure 6).
    """
    weight, bias = w[0], w[1]

    def forward(h: Array, _: None) -> tuple[Array, None]:
        return weight * jax.nn.sigmoid(h) + bias, None

    last, _ = jax.lax.scan(forward, jnp.full_like(weight, 0.5), length=UNROLLED)
    return (jax.nn.sigmoid(last) - TARGET) ** 2
