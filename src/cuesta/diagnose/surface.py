"""The loss surface of a network, on the plane that is closest to its training paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree

from cuesta.core.activation import activation
from cuesta.core.lane_hyperparameters import lane_hyperparameters
from cuesta.core.layer import Layer
from cuesta.core.loss import loss_and_slope
from cuesta.core.net import forward
from cuesta.hyperparameters import Shape
from cuesta.training.batching import Batching
from cuesta.training.fits import Recipe, Rows
from cuesta.training.lanes import Lane, first_layers, lane_states, train_spans

POINTS = 51  # on each side of the plane
MARGIN = 0.3  # around the paths, as a share of their extent
MOST_ROWS = 2000  # on which J is measured
POINTS_AT_ONCE = 32  # of the plane: they bound the activations held


@dataclass(frozen=True)
class Path:
    """One training: where its weights are on the plane after each epoch, and J there.

    Attributes
    ----------
    name : str
        The name of the way of training.
    places : float32 array (epochs + 1, 2)
        The weights' coordinates on the plane, from the start.
    heights : float array (epochs + 1,)
        J of the weights themselves, not of their projection on the plane.
    off : float
        The share of the path's Σ‖w − center‖² that is off the plane, from 0 to 1.
    diverged : bool
        Whether its weights became infinite or NaN; the path ends before that.
    """

    name: str
    places: np.ndarray
    heights: np.ndarray
    off: float
    diverged: bool


@dataclass(frozen=True)
class Landscape:
    """A plane through the weights, J on it, and the paths.

    The plane goes through the mean of all points of all paths, along the two directions in which
    they vary most, the first two principal components [1]_.

    Attributes
    ----------
    across, along : float32 array (points,)
        The coordinates of the grid in the first and in the second direction.
    heights : float array (points, points)
        J at (`across[j]`, `along[i]`) in row i, column j.
    paths : tuple of Path
        One for each way of training.
    off : float
        The share of the variation of all points that is off the plane, from 0 to 1.
    weights : int
        How many weights and biases the network has.
    rows : int
        On how many training rows J is measured.

    References
    ----------
    .. [1] H. Li, Z. Xu, G. Taylor, C. Studer, T. Goldstein, "Visualizing the Loss Landscape of
       Neural Nets", NeurIPS 2018.
    """

    across: np.ndarray
    along: np.ndarray
    heights: np.ndarray
    paths: tuple[Path, ...]
    off: float
    weights: int
    rows: int


class Plane(NamedTuple):
    """A plane in the space of the weights: `center` (weights,) and `directions` (2, weights)."""

    center: np.ndarray
    directions: np.ndarray

    def places(self, points: np.ndarray) -> np.ndarray:
        """The coordinates (points, 2) of points (points, weights)."""
        return (points - self.center) @ self.directions.T

    def share_off(self, points: np.ndarray) -> float:
        """The share of Σ‖point − center‖² that the plane does not hold."""
        return share_left_out(points - self.center, self.directions)


class Walk(NamedTuple):
    """A training: all weights (epochs + 1, weights) after each epoch, and whether it diverged."""

    points: np.ndarray
    diverged: bool


# J (n,) at coordinates (n, 2) of a plane.
Heights = Callable[[Plane, np.ndarray], np.ndarray]


def landscape(
    recipe: Recipe, rows: Rows, ways: Mapping[str, Mapping[str, Any]], batching: Batching
) -> Landscape:
    """Train from the same start in several ways (name → changes of the candidate), and map J."""
    walks = {
        name: _walk(replace(recipe, candidate=replace(recipe.candidate, **changes)), rows, batching)
        for name, changes in ways.items()
    }
    points = np.concatenate([walk.points for walk in walks.values()])
    center = points.mean(axis=0)
    plane = Plane(center, principal_directions(points - center))
    heights = _loss_on_planes(recipe, rows)
    paths = tuple(_path(name, walk, plane, heights) for name, walk in walks.items())
    across, along = _grid(np.concatenate([path.places for path in paths]))
    grid = np.stack(np.meshgrid(across, along), axis=-1).reshape(-1, 2)
    return Landscape(
        across,
        along,
        heights(plane, grid).reshape(POINTS, POINTS),
        paths,
        plane.share_off(points),
        points.shape[1],
        min(len(rows.y), MOST_ROWS),
    )


def _walk(recipe: Recipe, rows: Rows, batching: Batching) -> Walk:
    feed = rows.feed([])
    feed.span = 1  # the weights are wanted after every epoch
    lane = Lane(recipe.candidate, 0, recipe.seed)
    shape = recipe.shape(feed.layout)
    batching.plan([(shape, [lane])])
    chunk = batching.chunk(shape, (lane,), recipe.epochs, recipe.schedule)
    points = [_flat(first_layers(lane, shape, feed))]
    for stacked, _, _ in train_spans(chunk, feed):
        (state,) = lane_states(stacked, 1)
        point = _flat(state.judged)
        if state.outcome.diverged_at or not np.isfinite(point).all():
            return Walk(np.stack(points), diverged=True)
        points.append(point)
    return Walk(np.stack(points), diverged=False)


def _flat(layers: Any) -> np.ndarray:
    return np.concatenate([leaf.ravel() for layer in layers for leaf in layer]).astype(np.float32)


def principal_directions(points: np.ndarray) -> np.ndarray:
    """(2, weights): the first two principal components of centered points (points, weights).

    From the points' products with each other: they are far fewer than the weights.
    """
    gram = points.astype(np.float64) @ points.T.astype(np.float64)
    values, vectors = np.linalg.eigh(gram)
    directions = []
    for place in (-1, -2):
        if len(values) < -place:
            directions.append(0 * points[0])
            continue
        size = np.sqrt(max(values[place], 1e-30))
        directions.append(vectors[:, place] @ points / size)
    return np.stack(directions).astype(np.float32)


def share_left_out(points: np.ndarray, directions: np.ndarray) -> float:
    """The share of Σ‖point‖² that the directions (2, weights) do not hold."""
    whole = float((points.astype(np.float64) ** 2).sum())
    held = float(((points @ directions.T).astype(np.float64) ** 2).sum())
    return max(0.0, 1.0 - held / whole) if whole > 0 else 0.0


def _grid(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The grid's coordinates in both directions: around all places (places, 2), with a margin."""
    low, high = places.min(axis=0), places.max(axis=0)
    margin = MARGIN * np.maximum(high - low, 1e-6)
    across, along = (
        np.linspace(low[i] - margin[i], high[i] + margin[i], POINTS).astype(np.float32)
        for i in (0, 1)
    )
    return across, along


def _path(name: str, walk: Walk, plane: Plane, heights: Heights) -> Path:
    itself = np.zeros((1, 2), np.float32)  # the place of a point on a plane through it
    return Path(
        name,
        plane.places(walk.points),
        np.array([heights(plane._replace(center=point), itself)[0] for point in walk.points]),
        plane.share_off(walk.points),
        walk.diverged,
    )


def _loss_on_planes(recipe: Recipe, rows: Rows) -> Heights:
    """J on the training rows, or on some of them where they are many."""
    feed = rows.feed([])
    candidate, shape = recipe.candidate, recipe.shape(feed.layout)
    arrays = feed.arrays(0, candidate.normalize, shape.front, transform=candidate.target_transform)
    chosen = np.random.default_rng([10, recipe.seed]).permutation(len(rows.y))[:MOST_ROWS]
    x, y = arrays.x[chosen], arrays.y[chosen]
    kind = activation(recipe.candidate.activation)
    number = lane_hyperparameters(recipe.candidate).loss_number
    shares = jnp.full(len(chosen), 1 / len(chosen))
    layers_of = _unflattener(shape)
    passed = partial(forward, front=shape.front, residual=shape.residual)

    @jax.jit
    def measure(center: Array, directions: Array, coordinates: Array) -> Array:
        def height(place: Array) -> Array:
            outputs = passed(layers_of(center + place @ directions), x, kind)
            return loss_and_slope(recipe.loss, outputs, y, shares, number)[0]

        return jax.lax.map(height, coordinates, batch_size=POINTS_AT_ONCE)

    return lambda plane, coordinates: np.asarray(measure(*map(jnp.asarray, (*plane, coordinates))))


def _unflattener(shape: Shape) -> Callable[[Array], list[Layer]]:
    """From all weights in a row, as `_flat` lays them out, back to layers."""
    dense = [((m, n), (n,)) for m, n in pairwise(shape.sizes)]
    shapes = [*shape.front.shapes(shape.inputs), *dense]
    like = [Layer(np.zeros(w, np.float32), np.zeros(b, np.float32)) for w, b in shapes]
    return ravel_pytree(like)[1]


# Rates that each optimizer's users begin with; `clipped` bounds ‖G‖ at 1.
WAYS: dict[str, dict[str, Any]] = {
    "sgd": {"optimizer": "sgd", "learning_rate": 0.1},
    "sgd, clipped": {"optimizer": "sgd", "learning_rate": 0.1, "clip_norm": 1.0},
    "momentum": {"optimizer": "momentum", "learning_rate": 0.02},
    "adagrad": {"optimizer": "adagrad", "learning_rate": 0.03},
    "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.003},
    "adam": {"optimizer": "adam", "learning_rate": 0.003},
}
