"""Linear and ridge regression in closed form (N6): ∇J = 0 solved, not descended."""

from __future__ import annotations

import numpy as np

from cuesta.errors import SpecError, TableError


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
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    flat = y.ndim == 1
    y = y[:, None] if flat else y
    u = np.ones(len(x)) if weights is None else np.asarray(weights, np.float64)
    if ridge < 0:
        raise SpecError(f"ridge must be at least 0, not {ridge:g}.")
    if not len(x) == len(y) == len(u) or not len(x):
        raise TableError(f"{len(x)} rows, {len(y)} targets and {len(u)} weights do not fit.")
    if not all(np.isfinite(part).all() for part in (x, y, u)) or (u < 0).any() or not u.any():
        raise TableError("Rows, targets and weights must be finite, and weights not below 0.")
    u = u / u.mean()
    mean_x, mean_y = (u @ x) / len(x), (u @ y) / len(y)
    root = np.sqrt(u / len(x))[:, None]
    left, scales, right = np.linalg.svd(root * (x - mean_x), full_matrices=False)
    # Below this a direction is rounding, not data (as NumPy's matrix_rank takes it).
    kept = scales > scales.max(initial=0.0) * max(x.shape) * np.finfo(np.float64).eps
    gains = np.where(kept, scales, 0.0) / np.where(kept, scales**2 + ridge, 1.0)
    w = right.T @ (gains[:, None] * (left.T @ (root * (y - mean_y))))
    b = mean_y - mean_x @ w
    return (w[:, 0], b[0]) if flat else (w, b)
