"""Ridge regression in closed form (N6), for many penalties by one factorization."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cuesta.baselines.problem import Decide, Method, Problem
from cuesta.data.scale import Scaling, fit_input_scaling, fit_scaling

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # λ, where inputs and targets have a deviation of 1


def solve_path(z: np.ndarray, y: np.ndarray, penalties: Sequence[float]) -> list[np.ndarray]:
    """For each λ the weights (columns + 1, targets), the intercepts last, of ridge regression (N6).

    They minimize (1/n) Σ ½‖zᵢW + b − yᵢ‖² + ½λ‖W‖²; the intercept is not penalized. With UΣVᵀ the
    singular value decomposition of the centred rows over √n: W = V (Σ/(Σ² + λ)) Uᵀy/√n.
    """
    mean_z, mean_y, root = z.mean(axis=0), y.mean(axis=0), np.sqrt(len(z))
    left, scales, right = np.linalg.svd((z - mean_z) / root, full_matrices=False)
    along = left.T @ ((y - mean_y) / root)
    found = []
    for penalty in penalties:
        w = right.T @ ((scales / (scales**2 + penalty))[:, None] * along)
        found.append(np.vstack([w, mean_y - mean_z @ w]))
    return found


def fit_ridge(problem: Problem, rows: np.ndarray, penalties: Sequence[float]) -> list[Decide]:
    """Ridge regression on rows normalized by themselves (N3), one decision for each λ.

    Raises LinAlgError where the decomposition fails.
    """
    x, y = problem.x[rows], problem.y[rows]
    inputs, targets = fit_input_scaling(x, "standard"), fit_scaling(y, "standard")
    weights = solve_path(inputs.inputs(x), targets.apply(y), penalties)
    return [_decision(inputs, targets, w) for w in weights]


def _decision(inputs: Scaling, targets: Scaling, w: np.ndarray) -> Decide:
    return lambda x: targets.undo(inputs.inputs(x) @ w[:-1] + w[-1])


RIDGE = Method("linear model", fit_ridge, PENALTIES, "λ")
