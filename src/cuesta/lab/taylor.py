"""Compares the change of J that Taylor's expansion predicts with the one that came (N8)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cuesta.core.types import Tensor
from cuesta.lab.curvature import gradient, hessian_product
from cuesta.lab.function import Objective

RIGHT = 0.5  # a step within half to one and a half times the best length is right


@dataclass(frozen=True)
class Forecast:
    """A step Δ from w, with J's change as it was and as it was predicted.

    `actual` = J(w + Δ) − J(w); `first` = ∇JᵀΔ; `second` = ∇JᵀΔ + ½ΔᵀHΔ; `curvature` =
    ΔᵀHΔ/ΔᵀΔ along the step; `length` is the step's length as a share of the best one in its
    direction, −∇JᵀΔ/ΔᵀHΔ: for Δ = −α∇J it is α/α*. It is negative uphill, and 0 where J has no
    upward curvature along the step, which then has no best length.
    """

    actual: float
    first: float
    second: float
    curvature: float
    length: float

    @property
    def verdict(self) -> str:
        """short, right, long (beyond the minimum) or past the far wall (α > 2α*); or uphill.

        A step of length 0 is at rest; one whose numbers overflow is not finite.
        """
        if not math.isfinite(self.actual + self.second):
            return "not finite"
        if self.first > 0:
            return "uphill"
        if self.first == self.second == 0:
            return "at rest"
        if self.curvature <= 0 or self.length < 1 - RIGHT:
            return "short"
        if self.length <= 1 + RIGHT:
            return "right"
        return "long" if self.length <= 2 else "past the far wall"


def expand(j: Objective, w: Array, step: Array) -> tuple[Array, Array, Array, Array]:
    """(J(w + Δ) − J(w), ∇JᵀΔ, ΔᵀHΔ, ΔᵀΔ), the terms of the expansion, for one point and step."""
    slope, hessian_step = jax.jvp(jax.grad(j), (w,), (step,))
    return j(w + step) - j(w), slope @ step, hessian_step @ step, step @ step


def forecasts(j: Objective, points: Tensor, steps: Tensor) -> list[Forecast]:
    """The forecasts of many steps, from points (m, n) by steps (m, n), in float64 (N8).

    J(w + Δ) ≈ J(w) + ∇JᵀΔ + ½ΔᵀHΔ, exact on quadratics.
    """
    with jax.enable_x64(True):
        many = jax.jit(jax.vmap(lambda w, step: expand(j, w, step)))
        terms = many(jnp.asarray(points, jnp.float64), jnp.asarray(steps, jnp.float64))
    return [_forecast(*row) for row in np.stack(terms, axis=1).tolist()]


def forecast(j: Objective, w: Tensor, step: Tensor) -> Forecast:
    """The forecast of any optimizer's step from w: see `forecasts`."""
    return forecasts(j, [w], [step])[0]


def _forecast(actual: float, slope: float, curved: float, square: float) -> Forecast:
    return Forecast(
        actual,
        slope,
        slope + 0.5 * curved,
        curved / square if square else 0.0,
        -curved / slope if slope and curved > 0 else 0.0,
    )


def best_rate(j: Objective, w: Tensor) -> float:
    """α* = ∇Jᵀ∇J / ∇JᵀH∇J, where a gradient step is lowest to second order (N8).

    ∞ where J has no upward curvature along the gradient.
    """
    g = gradient(j, w)
    curved = float(g @ hessian_product(j, w)(g))
    return float(g @ g) / curved if curved > 0 else math.inf
