"""Which points and steps are shown: the starts of the basins, the surface, a path's steps."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from cuesta.lab.function import Function

DENSE = 100  # steps at the start of a long path that are all shown
SHOWN = 600  # steps of a path that are shown at most
GRID = 100  # starts of a basin picture along each side
SURFACE = 81


def shown_steps(steps: int) -> np.ndarray:
    """All steps of a short path; of a long one the first hundred, then fewer and fewer."""
    if steps <= SHOWN:
        return np.arange(steps)
    later = np.geomspace(DENSE, steps - 1, SHOWN - DENSE)
    return np.unique(np.concatenate([np.arange(DENSE), later.round().astype(np.int64)]))


def grid_of(function: Function, seed: int) -> np.ndarray:
    """10,000 starts of the whole domain: a square grid in two dimensions, else evenly spread."""
    if function.dimensions == 2:
        x, y = axes(function, GRID)
        return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    from scipy.stats import qmc

    sampler = qmc.Sobol(function.dimensions, rng=np.random.default_rng([6, seed]))
    return function.low() + function.width() * sampler.random(2**14)[: GRID**2]


def axes(function: Function, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The coordinates of a grid over a domain of two dimensions."""
    (left, right), (bottom, top) = function.domain
    return np.linspace(left, right, count), np.linspace(bottom, top, count)


def surface(function: Function, count: int = SURFACE) -> np.ndarray:
    """J on a grid over a domain of two dimensions: (y, x)."""
    x, y = axes(function, count)
    points = np.stack(np.meshgrid(x, y), axis=-1)
    with jax.enable_x64(True):
        return np.asarray(jax.jit(jax.vmap(jax.vmap(function.value)))(jnp.asarray(points)))
