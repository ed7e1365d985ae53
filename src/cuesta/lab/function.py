"""A function to descend on: J with its domain, its start and what is known of its minima."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cuesta.core.types import Tensor
from cuesta.errors import SpecError

Objective = Callable[[Array], Array]  # J: a point (n,) to a number
Point = tuple[float, ...]

NEAR = 1e-8  # J this far above its lowest value counts as the minimum reached


@dataclass(frozen=True)
class Function:
    """A function to descend on.

    `domain` holds a pair (low, high) for each coordinate: starts are drawn and pictures are taken
    in it, and paths may leave it. `lowest` is the lowest value of J, −∞ where J has none, None
    where it is not known; `minima` are the points that have it. A path has arrived once
    J ≤ `goal`. `clip_norm` is the clipping that `cuesta race` uses unless told, `highest_rate` the
    largest α that it tries.
    """

    name: str
    value: Objective
    domain: tuple[tuple[float, float], ...]
    start: Point
    formula: str
    source: str
    lowest: float | None = 0.0
    minima: tuple[Point, ...] = ()
    goal: float | None = NEAR
    clip_norm: float | None = None
    highest_rate: float = 10.0

    @property
    def dimensions(self) -> int:
        """How many coordinates a point has."""
        return len(self.domain)

    def low(self) -> np.ndarray:
        """The domain's lower corner."""
        return np.array([low for low, _ in self.domain])

    def width(self) -> np.ndarray:
        """The domain's width along each coordinate."""
        return np.array([high - low for low, high in self.domain])


def check_start(function: Function, start: Tensor) -> np.ndarray:
    """The start as an array (n,). Raises SpecError for one that does not fit in the domain."""
    point = np.asarray(start, np.float64).reshape(-1)
    if len(point) != function.dimensions:
        raise SpecError(
            f"A start of {function.name} has {function.dimensions} coordinates, not {len(point)}."
        )
    for i, (value, (low, high)) in enumerate(zip(point, function.domain, strict=True), start=1):
        if not low <= value <= high:
            raise SpecError(
                f"The start's coordinate {i} is {value:g}, outside {function.name}'s domain, "
                f"{low:g} to {high:g}."
            )
    return point


def check_finite(function: Function, start: np.ndarray) -> None:
    """Raise SpecError where J or its gradient is not finite at the start."""
    with jax.enable_x64(True):
        height, slope = jax.value_and_grad(function.value)(jnp.asarray(start))
    if not np.isfinite(height) or not np.isfinite(slope).all():
        what = "J" if not np.isfinite(height) else "the gradient"
        raise SpecError(
            f"{what} of {function.name} is not finite at step 0, at {show(start)}: "
            "take another start."
        )


def show(point: np.ndarray) -> str:
    """A point in text; of a long one its first coordinates."""
    shown = ", ".join(f"{value:.6g}" for value in point[:6])
    return f"({shown}{', …' if len(point) > 6 else ''})"
