"""Critical points, their kinds, and which of them a path ended at (N9)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cuesta.core.types import Tensor
from cuesta.lab.function import Function, Objective

BATCH = 1024  # starts of Newton's method at once
MOST_BATCHES = 16
PATIENCE = 2
MOST = 1000  # critical points: a function with more of them is not listed in full
ROUNDS = 100  # steps of Newton's method: where the Hessian is 0 they halve the distance only
REACH = 0.1  # the longest step, as a share of the domain's width
DAMPING = 1e-3
FLAT = 1e-9  # a gradient this small beside those met on the domain is 0
SAME = 1e-4  # points closer than this share of the domain's width are one
JOINED = 0.03  # degenerate points closer than this belong to one curve
EPS = float(np.finfo(np.float64).eps)
ROUNDING = 100.0  # how many roundings the entries of a Hessian may carry
KINK_TRIES = 8
STEEPENS = 5.0  # more than √|w| does, less than log |w|
ARRIVED = 0.01  # a path that ends this share of the domain's width from a point ended there
FARAWAY = 1e9  # widths of the domain at which no critical point is near
NOWHERE, LOST = -1, -2


@dataclass(frozen=True)
class Critical:
    """A point where ∇J = 0 (N6), or a kink: a minimum without a derivative.

    `kind` is minimum, maximum, saddle, degenerate (an eigenvalue of the Hessian is 0 within its
    error) or kink. `members` (m, n) are the places found: more than one where critical points
    form a curve, of which `point` is one.
    """

    point: np.ndarray
    value: float
    kind: str
    eigenvalues: np.ndarray
    members: np.ndarray

    @property
    def low(self) -> bool:
        """Whether a path can come to rest here."""
        return self.kind in ("minimum", "kink") or (
            self.kind == "degenerate" and len(self.members) > 1 and bool(self.eigenvalues[-1] > 0)
        )


class NewtonEnd(NamedTuple):
    """Where Newton's method ended: the point, J, ∇J and H there, and the last change of H."""

    point: Tensor
    value: Tensor
    slope: Tensor
    h: Tensor
    drift: Tensor


def newton(j: Objective, reach: Array, start: Array, downhill: Array) -> NewtonEnd:
    """Newton's method on ∇J = 0 from one start (n,).

    Steps are at most `reach` (n,) long along each coordinate, and none is taken along directions
    in which the surface is flat. With `downhill` the first half of the rounds goes against the
    slope along every axis, by the size of its curvature alone (Dauphin et al., 2014), damped:
    plain Newton goes away from minima that lie beyond an inflection.
    """
    slope, hessian = jax.grad(j), jax.hessian(j)

    def step(k: int | Array, w: Array) -> Array:
        values, axes = jnp.linalg.eigh(hessian(w))
        largest = jnp.abs(values).max()
        curved = jnp.abs(values) > ROUNDING * len(start) * EPS * largest
        falling = downhill & (k < ROUNDS // 2)
        scale = jnp.where(falling, jnp.abs(values) + DAMPING * largest, values)
        along = jnp.where(curved, (axes.T @ slope(w)) / jnp.where(curved, scale, 1.0), 0.0)
        move = -(axes @ along)
        return w + move / jnp.maximum(1.0, jnp.max(jnp.abs(move) / reach))

    before = jax.lax.fori_loop(0, ROUNDS - 1, step, start)
    last = step(ROUNDS, before)
    h = hessian(last)
    return NewtonEnd(last, j(last), slope(last), h, h - hessian(before))


def critical_points(function: Function, seed: int = 0) -> list[Critical]:
    """The critical points in the domain, lowest first, by Newton's method from many starts (N9).

    Batches of starts, evenly spread, go on until two in a row find nothing new, or 1,000 points
    are known. Newton's method finds minima, maxima and saddles alike; minima without a derivative
    are sought separately.
    """
    from scipy.stats import qmc

    low, width = function.low(), function.width()
    sampler = qmc.Sobol(function.dimensions, rng=np.random.default_rng(seed))
    known: list[Critical] = []
    idle = 0
    with jax.enable_x64(True):
        many = jax.jit(jax.vmap(partial(newton, function.value, jnp.asarray(REACH * width))))
        typical = _typical_slope(function, low + width * sampler.random(BATCH))
        for _ in range(MOST_BATCHES):
            starts = low + width * sampler.random(BATCH)
            # Either half of a Sobol batch is spread evenly; every second point of it is not.
            found = many(starts, np.arange(BATCH) < BATCH // 2)
            fresh = _new_points(function, jax.tree.map(np.asarray, found), known, typical)
            known += fresh
            idle = 0 if fresh else idle + 1
            if idle == PATIENCE or len(known) >= MOST:
                break
        joined = _join_curves(known, width)
        return sorted(joined + _kinks(function, joined, seed), key=lambda c: c.value)


def _new_points(
    function: Function, found: NewtonEnd, known: list[Critical], typical: float
) -> list[Critical]:
    """The critical points among Newton's ends that are inside the domain and not yet known."""
    small = np.linalg.norm(found.slope, axis=1) <= FLAT * typical
    finite = np.isfinite(found.drift).all(axis=(1, 2)) & np.isfinite(found.h).all(axis=(1, 2))
    sound = np.flatnonzero(_inside(function, found.point) & small & finite)
    # Of points close together, the one with the smallest slope stands for all.
    sound = sound[np.argsort(np.linalg.norm(found.slope[sound], axis=1), kind="stable")]
    fresh: list[Critical] = []
    for i in sound[_distinct(found.point[sound], SAME * function.width())]:
        eigenvalues = np.linalg.eigvalsh(found.h[i])
        kind = classify(eigenvalues, error_of(found.h[i], found.drift[i]))
        point = found.point[i]
        # A curve holds infinitely many critical points: some are kept, at a distance.
        radius = (JOINED if kind == "degenerate" else SAME) * function.width()
        places = np.array([c.point for c in known + fresh]).reshape(-1, len(point))
        if (np.linalg.norm((places - point) / radius, axis=1) >= 1.0).all():
            value = float(found.value[i])
            fresh.append(Critical(point, value, kind, eigenvalues, point[None]))
    return fresh


def _typical_slope(function: Function, points: np.ndarray) -> float:
    """The median size of ∇J on the domain, by which a slope is judged small."""
    slopes = np.asarray(jax.jit(jax.vmap(jax.grad(function.value)))(points))
    norms = np.linalg.norm(slopes, axis=1)
    norms = norms[np.isfinite(norms)]
    return float(np.median(norms)) if len(norms) else 0.0


def _inside(function: Function, points: np.ndarray) -> np.ndarray:
    slack = 1e-9 * function.width()
    upper = function.low() + function.width()
    return ((points >= function.low() - slack) & (points <= upper + slack)).all(axis=1)


def _distinct(points: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """The indices of points that are not close to an earlier one: one for each cell of a grid.

    Two close points can lie on both sides of a cell's edge; the caller compares what is left.
    """
    cells = np.floor(points / radius).astype(np.int64)
    _, first = np.unique(cells, axis=0, return_index=True)
    return np.sort(first)


def error_of(h: np.ndarray, drift: np.ndarray) -> float:
    """How much an eigenvalue of H may be wrong: by rounding, and by the last change of H.

    By Weyl's inequality eigenvalues change by no more than H does. The point itself is wrong by
    about Newton's last step where H is 0, and by much less where it converges quadratically.
    """
    return float(4.0 * np.linalg.norm(drift) + ROUNDING * len(h) * EPS * np.linalg.norm(h))


def classify(eigenvalues: np.ndarray, error: float = 0.0) -> str:
    """The kind of a critical point by the eigenvalues of its Hessian, each known to ± `error`."""
    if (np.abs(eigenvalues) <= error).any():
        return "degenerate"
    if (eigenvalues > 0).all():
        return "minimum"
    return "maximum" if (eigenvalues < 0).all() else "saddle"


def _join_curves(found: list[Critical], width: np.ndarray) -> list[Critical]:
    """Degenerate points of one height that lie close together become one, with many members."""
    flat = [c for c in found if c.kind == "degenerate"]
    spread = max(np.ptp([c.value for c in found]) if found else 0.0, EPS)
    curves: list[list[Critical]] = []
    for c in flat:
        touches = [any(_on_one_curve(c, d, width, spread) for d in curve) for curve in curves]
        joined = [
            c,
            *(d for curve, near in zip(curves, touches, strict=True) if near for d in curve),
        ]
        apart = [curve for curve, near in zip(curves, touches, strict=True) if not near]
        curves = [*apart, joined]
    return [c for c in found if c.kind != "degenerate"] + [_as_one(curve) for curve in curves]


def _on_one_curve(one: Critical, other: Critical, width: np.ndarray, spread: float) -> bool:
    distance = np.linalg.norm((one.point - other.point) / width)
    return bool(distance < 2.5 * JOINED and abs(one.value - other.value) <= 1e-6 * spread)


def _as_one(curve: list[Critical]) -> Critical:
    """One critical point for a curve of them: the middle member stands for all."""
    members = np.stack([c.point for c in curve])
    middle = curve[int(np.argmin(np.linalg.norm(members - members.mean(axis=0), axis=1)))]
    return Critical(middle.point, middle.value, middle.kind, middle.eigenvalues, members)


def _kinks(function: Function, smooth: list[Critical], seed: int) -> list[Critical]:
    """Minima without a derivative: from the lowest of many points, without gradients."""
    from scipy.optimize import minimize
    from scipy.stats import qmc

    rng = np.random.default_rng([1, seed])
    low, width = function.low(), function.width()
    points = low + width * qmc.Sobol(function.dimensions, rng=rng).random(BATCH)
    value = jax.jit(function.value)
    heights = np.asarray(jax.jit(jax.vmap(function.value))(points))
    heights = np.where(np.isfinite(heights), heights, np.inf)
    known = [member for c in smooth for member in c.members]
    kinks: list[Critical] = []
    for start in points[np.argsort(heights)[:KINK_TRIES]]:
        options = {"xatol": EPS, "fatol": 0.0, "maxfev": 400 * len(low)}
        found = minimize(lambda w: float(value(w)), start, method="Nelder-Mead", options=options)
        if not _inside(function, found.x[None])[0] or not _is_kink(function, found.x, rng):
            continue
        if all(np.linalg.norm((found.x - other) / width) > SAME for other in known):
            none = np.full(len(low), math.nan)
            kinks.append(Critical(found.x, float(found.fun), "kink", none, found.x[None]))
            known.append(found.x)
    return kinks


def _is_kink(function: Function, point: np.ndarray, rng: np.random.Generator) -> bool:
    """Whether J rises in all directions, with a slope that does not vanish at the point: a cone."""
    directions = rng.standard_normal((8 * len(point), len(point)))
    directions *= function.width() / np.linalg.norm(directions, axis=1, keepdims=True)
    value_and_slope = jax.jit(jax.vmap(jax.value_and_grad(function.value)))
    here = float(function.value(jnp.asarray(point)))
    slopes = []
    for distance in (1e-4, 1e-5):
        heights, slope = (
            np.asarray(part) for part in value_and_slope(point + distance * directions)
        )
        if not (heights > here).all():
            return False
        slopes.append(float(np.median(np.linalg.norm(slope, axis=1))))
    # At a tenth of the distance a smooth minimum's slope is ten times smaller; towards a pole,
    # where J falls to −∞, it is ten times larger or more.
    return 0.5 * slopes[0] < slopes[1] < STEEPENS * slopes[0]


def labels(function: Function, points: Iterable[Critical], ends: np.ndarray) -> np.ndarray:
    """For each end (m, n), the index in `points` of the one that it reached, or NOWHERE."""
    from scipy.spatial import cKDTree

    points = list(points)
    if not points:
        return np.full(len(ends), NOWHERE)
    width = function.width()
    owners = np.concatenate([np.full(len(c.members), i) for i, c in enumerate(points)])
    radii = np.array([JOINED if len(c.members) > 1 else ARRIVED for c in points])
    tree = cKDTree(np.concatenate([c.members for c in points]) / width)
    # Squares of a distance overflow, and the tree then has no nearest point.
    near = (np.abs(ends / width) < FARAWAY).all(axis=1)
    distance, nearest = tree.query(np.where(near[:, None], ends, 0.0) / width)
    return np.where(near & (distance <= radii[owners[nearest]]), owners[nearest], NOWHERE)
