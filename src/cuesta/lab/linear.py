"""Linear and ridge regression in closed form (N6), and how close descent comes to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cuesta.core.optim import usual_rule
from cuesta.errors import SpecError, TableError
from cuesta.hyperparameters import OPTIMIZERS
from cuesta.lab.descent import CompiledDescent, Optimizer, all_pairs, stack
from cuesta.lab.function import Objective
from cuesta.lab.tuning import tune, with_rate

TINY = float(np.finfo(np.float64).tiny)


def solve(
    x: np.ndarray, y: np.ndarray, *, ridge: float = 0.0, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The weights (columns, targets) and intercepts (targets,) of least squares (N6).

    They minimize (1/n) Σ uᵢ ½‖xᵢW + b − yᵢ‖² + ½λ‖W‖², with row weights u of mean 1 and λ =
    `ridge`; the intercept is not penalized. By a singular value decomposition of the centred,
    weighted columns: no normal equations, whose condition is the square of the columns'; where
    columns depend on each other, the shortest of all solutions.
    Raises SpecError for a negative ridge, TableError for rows that do not fit or are not finite.
    """
    flat = np.ndim(y) == 1
    x, y, u = _checked(x, y, ridge, weights)
    mean_x, mean_y = (u @ x) / len(x), (u @ y) / len(y)
    root = np.sqrt(u / len(x))[:, None]
    left, scales, right = np.linalg.svd(root * (x - mean_x), full_matrices=False)
    # Below this a direction is rounding, not data (as NumPy's matrix_rank takes it).
    kept = scales > scales.max(initial=0.0) * max(x.shape) * np.finfo(np.float64).eps
    gains = np.where(kept, scales, 0.0) / np.where(kept, scales**2 + ridge, 1.0)
    w = right.T @ (gains[:, None] * (left.T @ (root * (y - mean_y))))
    b = mean_y - mean_x @ w
    return (w[:, 0], b[0]) if flat else (w, b)


def objective(
    x: np.ndarray, y: np.ndarray, *, ridge: float = 0.0, weights: np.ndarray | None = None
) -> Objective:
    """J of `solve` as a function of all weights and intercepts in one vector, for descent.

    J(W, b) = (1/n) Σ uᵢ ½‖xᵢW + b − yᵢ‖² + ½λ‖W‖²; the vector is [W; b] (columns + 1, targets),
    row by row. Raises as `solve` does.
    """
    x, y, u = _checked(x, y, ridge, weights)

    def j(theta: Array) -> Array:
        both = theta.reshape(x.shape[1] + 1, y.shape[1])
        w, b = both[:-1], both[-1]
        residual = x @ w + b - y
        return 0.5 * jnp.mean(u * jnp.sum(residual**2, axis=1)) + 0.5 * ridge * jnp.sum(w * w)

    return j


def _checked(
    x: np.ndarray, y: np.ndarray, ridge: float, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (n, columns), targets (n, targets) and weights of mean 1, as float64."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    y = y[:, None] if y.ndim == 1 else y
    u = np.ones(len(x)) if weights is None else np.asarray(weights, np.float64)
    if ridge < 0:
        raise SpecError(f"ridge must be at least 0, not {ridge:g}.")
    if not len(x) == len(y) == len(u) or not len(x):
        raise TableError(f"{len(x)} rows, {len(y)} targets and {len(u)} weights do not fit.")
    if not all(np.isfinite(part).all() for part in (x, y, u)) or (u < 0).any() or not u.any():
        raise TableError("Rows, targets and weights must be finite, and weights not below 0.")
    return x, y, u / u.mean()


@dataclass(frozen=True)
class Trained:
    """How close descent came to the closed form.

    `distance` is ‖θ − θ*‖/‖θ*‖ over weights and intercepts, `excess` J(θ) − J(θ*). Where columns
    depend on each other many θ are equally good: then look at the excess, not the distance.
    """

    optimizer: str
    learning_rate: float
    distance: float
    excess: float


def train(
    x: np.ndarray,
    y: np.ndarray,
    *,
    ridge: float = 0.0,
    weights: np.ndarray | None = None,
    optimizers: Sequence[str] = OPTIMIZERS,
    dialect: str = "notes",
    steps: int = 2000,
    tries: int = 41,
    final_ratio: float = 1.0,
) -> list[Trained]:
    """The same model trained from zero by each optimizer, beside its closed form (N6).

    Each takes the best of `tries` rates from 1e-6 to 10; α decays linearly to α · `final_ratio`.
    Raises as `solve` does, and SpecError for an unknown name.
    """
    j = objective(x, y, ridge=ridge, weights=weights)
    w, b = solve(x, y, ridge=ridge, weights=weights)
    best = np.concatenate([np.reshape(w, (np.shape(x)[1], -1)), np.reshape(b, (1, -1))]).ravel()
    with jax.enable_x64(True):
        lowest = float(j(jnp.asarray(best)))
    untuned = [Optimizer(usual_rule(name, dialect), 1.0, final_ratio) for name in optimizers]
    descent, zero, seed = CompiledDescent(j, width=64), np.zeros((1, len(best))), np.zeros(1)
    rates = np.geomspace(1e-6, 10.0, tries)
    # The goal is the minimum itself: the rate that comes closest to it is chosen.
    tuned = tune(descent, untuned, rates, zero, seed, steps, lowest=lowest, goal=lowest)
    fitted = [with_rate(c, rate) for c, rate in zip(untuned, tuned.rates, strict=True)]
    ends = descent.run(*all_pairs(stack(fitted), zero, seed), steps)
    far = np.linalg.norm(ends.w - best, axis=1) / max(float(np.linalg.norm(best)), TINY)
    return [
        Trained(name, rate, float(distance), float(height) - lowest)
        for name, rate, distance, height in zip(optimizers, tuned.rates, far, ends.j, strict=True)
    ]
