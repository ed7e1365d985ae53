"""What Taylor's expansion predicts of a step, beside what came (N8)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from cuesta.core.types import Tensor
from cuesta.lab.curvature import Objective, gradient, hessian_product

RIGHT = 0.5  # a step within half to one and a half times the best length is right


@dataclass(frozen=True)
class Forecast:
    """A step Δ from w, with J's change as it was and as it was predicted.

    `actual` = J(w + Δ) − J(w); `first` = ∇JᵀΔ; `second` = ∇JᵀΔ + ½ΔᵀHΔ; `curvature` =
    ΔᵀHΔ/ΔᵀΔ along the step; `length` is the step's length as a share of the best one in its
    direction, −∇JᵀΔ/ΔᵀHΔ: for Δ = −α∇J it is α/α*. It is negative uphill, and 0 where the
    surface bends down along the step, which then has no best length.
    """

    actual: float
    first: float
    second: float
    curvature: float
    length: float

    @property
    def verdict(self) -> str:
        """short, right, long (beyond the minimum) or past the far wall (α > 2α*); or uphill."""
        if self.first > 0:
            return "uphill"
        if self.curvature <= 0 or self.length < 1 - RIGHT:
            return "short"
        if self.length <= 1 + RIGHT:
            return "right"
        return "long" if self.length <= 2 else "past the far wall"


def forecast(j: Objective, w: Tensor, step: Tensor) -> Forecast:
    """The forecast of any optimizer's step, exact on quadratics (N8).

    J(w + Δ) ≈ J(w) + ∇JᵀΔ + ½ΔᵀHΔ.
    """
    w, step = np.asarray(w, np.float64), np.asarray(step, np.float64)
    slope = float(gradient(j, w) @ step)
    bend = float(step @ hessian_product(j, w)(step))
    square = float(step @ step)
    with jax.enable_x64(True):
        actual = float(j(jnp.asarray(w + step)) - j(jnp.asarray(w)))
    return Forecast(
        actual,
        slope,
        slope + 0.5 * bend,
        bend / square if square else 0.0,
        -bend / slope if slope and bend > 0 else 0.0,
    )


def best_rate(j: Objective, w: Tensor) -> float:
    """α* = ∇Jᵀ∇J / ∇JᵀH∇J, where a gradient step is lowest to second order (N8).

    ∞ where the surface does not bend up along the gradient.
    """
    g = gradient(j, w)
    bend = float(g @ hessian_product(j, w)(g))
    return float(g @ g) / bend if bend > 0 else math.inf
