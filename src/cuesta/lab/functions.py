"""Functions J: ℝⁿ → ℝ whose minima are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from cuesta.spec import check_choice


class Function(NamedTuple):
    """A function with a start from which a path is worth seeing."""

    value: Callable[[Array], Array]
    start: tuple[float, ...]


def half_square(w: Array) -> Array:
    """J = ½ wᵀw, the notes' example (N8): J' = w, J'' = 1; minimum 0 at 0."""
    return 0.5 * jnp.sum(w * w)


def ravine(w: Array) -> Array:
    """J = ½ Σ λᵢ wᵢ², with λ from 1 to 100 in equal ratios: a narrow valley; minimum 0 at 0."""
    curvatures = jnp.logspace(0.0, 2.0, w.shape[0])
    return 0.5 * jnp.sum(curvatures * w * w)


def rosenbrock(w: Array) -> Array:
    """J = Σ 100 (wᵢ₊₁ − wᵢ²)² + (1 − wᵢ)² (Rosenbrock, 1960); minimum 0 at (1, …, 1)."""
    return jnp.sum(100.0 * (w[1:] - w[:-1] ** 2) ** 2 + (1.0 - w[:-1]) ** 2)


def himmelblau(w: Array) -> Array:
    """J = (x² + y − 11)² + (x + y² − 7)² (Himmelblau, 1972); four minima of 0."""
    x, y = w[0], w[1]
    return (x * x + y - 11.0) ** 2 + (x + y * y - 7.0) ** 2


FUNCTIONS = {
    "half_square": Function(half_square, (3.0, -2.0)),
    "ravine": Function(ravine, (10.0, 1.0)),
    "rosenbrock": Function(rosenbrock, (-1.2, 1.0)),
    "himmelblau": Function(himmelblau, (0.0, 0.0)),
}


def function(name: str) -> Function:
    """The named function. Raises SpecError, offering the names, for one that is not known."""
    check_choice("function", name, FUNCTIONS)
    return FUNCTIONS[name]
