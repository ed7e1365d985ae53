"""Whether a function whose lowest value is not known has one, as far as evaluating it can tell."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from cuesta.lab.function import Function

DOUBLINGS = 12  # how far along a line J is followed: 4,096 times the distance that a path came
SHRINKS = 0.9  # of a bounded J, each doubling of the distance lowers J by less than this share


def falls_for_ever(function: Function, start: np.ndarray, low: np.ndarray) -> bool:
    """Whether J falls on and on along the line from a start through a low point outside the domain.

    J is taken at 1, 2, 4, … times the distance. It has no lowest value where it reaches −∞, or
    where each doubling lowers it by at least nine tenths of what the one before did.
    """
    below, above = function.low(), function.low() + function.width()
    if ((low >= below) & (low <= above)).all() or not np.isfinite(low).all():
        return False
    distances = 2.0 ** np.arange(DOUBLINGS + 1)
    with jax.enable_x64(True):
        points = jnp.asarray(start + distances[:, None] * (low - start))
        heights = np.asarray(jax.vmap(function.value)(points))
    if (heights == -np.inf).any():
        return True
    falls = -np.diff(heights)
    return bool(np.isfinite(heights).all() and (falls > 0).all() and _go_on(falls))


def _go_on(falls: np.ndarray) -> bool:
    return bool((falls[1:] >= SHRINKS * falls[:-1]).all())


def without_lowest(function: Function, floor: float) -> Function:
    """The function, told to have no lowest value; a path has arrived below all of the domain."""
    return replace(function, lowest=-np.inf, goal=floor)


def lowest_in_domain(function: Function, points: np.ndarray) -> float:
    """The lowest finite J at points (m, n) of the domain; ∞ where there is none."""
    with jax.enable_x64(True):
        heights = np.asarray(jax.jit(jax.vmap(function.value))(jnp.asarray(points)))
    return float(np.min(heights, where=np.isfinite(heights), initial=np.inf))
