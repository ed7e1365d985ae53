"""J(w, b) of one's own network: the plane that holds most of its training paths, and J on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree

from cuesta.core.lane_hyperparameters import lane_hyperparameters
from cuesta.core.loss import loss_and_slope
from cuesta.core.net import Layer, activation, forward
from cuesta.training.batching import Batching
from cuesta.training.fits import Recipe, Rows
from cuesta.training.lanes import Lane, first_layers, lane_states, train_spans

POINTS = 51  # on each side of the plane
MARGIN = 0.3  # of the paths' extent, around them
MOST_ROWS = 2000  # on which J is measured
AT_ONCE = 32  # points of the plane


@dataclass(frozen=True)
class Path:
    """One training: its place on the plane after each epoch, from the start, and J there.

    `places` (epochs + 1, 2); `heights` J of the weights themselves; `off` the share of the way
    (of Σ‖w − center‖²) that the plane does not hold; `diverged` whether its
    weights stopped being finite.
    """

    name: str
    places: np.ndarray
    heights: np.ndarray
    off: float
    diverged: bool


@dataclass(frozen=True)
class Landscape:
    """The plane and J on it: `across` and `along` (points,) with `heights` (points, points).

    The plane goes through the mean of all points of all paths, along the two directions in which
    they vary most (principal components); `off` is the share of their variation that is left.
    """

    across: np.ndarray
    along: np.ndarray
    heights: np.ndarray
    paths: tuple[Path, ...]
    off: float
    weights: int
    rows: int


def landscape(
    recipe: Recipe, rows: Rows, ways: Mapping[str, Mapping[str, Any]], batching: Batching
) -> Landscape:
    """Train from the same start in several ways (name → changes of the candidate), and map J."""
    walked = {
        name: _walk(replace(recipe, candidate=replace(recipe.candidate, **changes)), rows, batching)
        for name, changes in ways.items()
    }
    points = np.concatenate([path for path, _ in walked.values()])
    center = points.mean(axis=0)
    plane = _two_directions(points - center)
    places = {name: (path - center) @ plane.T for name, (path, _) in walked.items()}
    measure = _measure(recipe, rows)
    every = np.concatenate(list(places.values()))
    low, high = every.min(axis=0), every.max(axis=0)
    edge = MARGIN * np.maximum(high - low, 1e-6)
    across, along = (
        np.linspace(low[i] - edge[i], high[i] + edge[i], POINTS).astype(np.float32) for i in (0, 1)
    )
    grid = np.stack(np.meshgrid(across, along), axis=-1).reshape(-1, 2)
    heights = measure(center, plane, grid).reshape(POINTS, POINTS)
    nothing = np.zeros((1, 2), np.float32)
    paths = [
        Path(
            name,
            places[name],
            np.array([measure(point, plane, nothing)[0] for point in path]),
            _left_out(path - center, plane),
            diverged,
        )
        for name, (path, diverged) in walked.items()
    ]
    return Landscape(
        across,
        along,
        heights,
        tuple(paths),
        _left_out(points - center, plane),
        points.shape[1],
        min(len(rows.y), MOST_ROWS),
    )


def _walk(recipe: Recipe, rows: Rows, batching: Batching) -> tuple[np.ndarray, bool]:
    """(epochs + 1, weights): all weights in a row, at the start and after each epoch."""
    feed = rows.feed([])
    feed.span = 1
    lane = Lane(recipe.candidate, 0, recipe.seed)
    shape = recipe.shape(feed.inputs)
    batching.plan([(shape, [lane])])
    chunk = batching.chunk(shape, (lane,), recipe.epochs, recipe.schedule)
    points = [_flat(first_layers(lane, shape, feed))]
    for stacked, _ in train_spans(chunk, feed):
        (state,) = lane_states(stacked, 1)
        point = _flat(state.layers)
        if state.outcome.diverged_at or not np.isfinite(point).all():
            return np.stack(points), True
        points.append(point)
    return np.stack(points), False


def _flat(layers: Any) -> np.ndarray:
    return np.concatenate([leaf.ravel() for layer in layers for leaf in layer]).astype(np.float32)


def _two_directions(points: np.ndarray) -> np.ndarray:
    """(2, weights): the first two principal directions, from the points' products alone."""
    gram = points.astype(np.float64) @ points.T.astype(np.float64)
    values, vectors = np.linalg.eigh(gram)
    made = []
    for place in (-1, -2):
        size = np.sqrt(max(values[place], 1e-30)) if len(values) >= -place else 1.0
        vector = vectors[:, place] @ points / size if len(values) >= -place else 0 * points[0]
        made.append(vector)
    return np.stack(made).astype(np.float32)


def _left_out(points: np.ndarray, plane: np.ndarray) -> float:
    """The share of Σ‖point‖² that the plane does not hold."""
    whole = float((points.astype(np.float64) ** 2).sum())
    held = float(((points @ plane.T).astype(np.float64) ** 2).sum())
    return max(0.0, 1.0 - held / whole) if whole > 0 else 0.0


def _measure(recipe: Recipe, rows: Rows) -> Any:
    """A function (center, plane, coordinates (n, 2)) → J (n,) on the training rows."""
    feed = rows.feed([])
    arrays = feed.arrays(0, recipe.candidate.normalize)
    count = len(rows.y)
    chosen = np.random.default_rng([10, recipe.seed]).permutation(count)[:MOST_ROWS]
    x, y = arrays.x[chosen], arrays.y[chosen]
    shape = recipe.shape(feed.inputs)
    kind = activation(recipe.candidate.activation)
    number = lane_hyperparameters(recipe.candidate).loss_number
    shares = jnp.full(len(chosen), 1 / len(chosen))
    like = [
        Layer(np.zeros((m, n), np.float32), np.zeros(n, np.float32))
        for m, n in pairwise(shape.sizes)
    ]
    _, layers_of = ravel_pytree(like)  # as `_flat` lays them out

    @jax.jit
    def heights(center: Array, plane: Array, coordinates: Array) -> Array:
        def height(place: Array) -> Array:
            outputs = forward(layers_of(center + place @ plane), x, kind)
            return loss_and_slope(recipe.loss, outputs, y, shares, number)[0]

        return jax.lax.map(height, coordinates, batch_size=AT_ONCE)

    return lambda center, plane, grid: np.asarray(
        heights(jnp.asarray(center), jnp.asarray(plane), jnp.asarray(grid))
    )


# Rates that each optimizer's users begin with; `clipped` bounds ‖G‖ at 1.
WAYS: dict[str, dict[str, Any]] = {
    "sgd": {"optimizer": "sgd", "learning_rate": 0.1},
    "sgd, clipped": {"optimizer": "sgd", "learning_rate": 0.1, "clip_norm": 1.0},
    "momentum": {"optimizer": "momentum", "learning_rate": 0.02},
    "adagrad": {"optimizer": "adagrad", "learning_rate": 0.03},
    "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.003},
    "adam": {"optimizer": "adam", "learning_rate": 0.003},
}
