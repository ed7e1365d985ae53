"""What stands before the first dense layer: embeddings of numbers and of categories, a scale.

Its parameters are layers like any others, and come first in a network's list. Of n numeric columns
with k frequencies (or bins) and m units each, for one row x:

    periodic     t = c ⊙ x + φ  (n, k), in turns;  cos 2πt and sin 2πt
    plr          ReLU(V [cos 2πt, sin 2πt] + v), φ = 0      (Gorishniy et al., 2022)
    pbld         [x, V cos 2πt + v]                          (Holzmüller et al., RealMLP, 2024)
    piecewise    ReLU(V p + v), p = clip((x − low)/width, 0, 1) for each bin
    category     E, one row a level, times the level's mark
    scale        s ⊙ all of it + r

with V (n, k, m) a map for each column on its own, or one for all (plr-lite): no column's embedding
sees another column. The bins' edges are layers too, with a gradient of 0.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core.layer import Layer
from cuesta.core.products import forward_product, outer_product
from cuesta.hyperparameters import PIECEWISE, Front

# sin 2πu = u·P(u²) for |u| ≤ ¼, by least squares at Chebyshev's points: to 4e-9. The library's sine
# and cosine take ten times as long.
SINE = (6.28318516, -41.34165493, 81.60099819, -76.54965682, 39.53581371)
TURN = 6.283185307179586


class FrontTape(NamedTuple):
    """What the way forward leaves for the way back.

    Of numbers, rows last: `x` (numbers, rows), `parts` (numbers, entering, rows) enter the linear
    map, `slopes` (numbers, parts, rows) are ∂cos 2πt/∂t or nothing, `alive` (numbers, units, rows)
    where a ReLU is. `marks` (rows, levels) of each category; `units` before the scale.
    """

    x: Array
    parts: Array
    slopes: Array
    alive: Array | None
    marks: list[Array]
    units: Array


def sine(turns: Array) -> Array:
    """The sine of 2πt, element by element, to 3e-7 plus the rounding of t."""
    r = turns - jnp.round(turns)
    u = jnp.where(jnp.abs(r) > 0.25, jnp.sign(r) * 0.5 - r, r)
    square = u * u
    total = jnp.full_like(u, SINE[-1])
    for coefficient in reversed(SINE[:-1]):
        total = total * square + coefficient
    return u * total


def enter(front: Front, layers: list[Layer], x: Array) -> tuple[Array, FrontTape]:
    """The front of rows x (rows, inputs) → units (rows, features), and its tape."""
    rows = len(x)
    empty = jnp.zeros((0, 0, rows), x.dtype)
    numbers = x[:, : front.numbers].T
    parts, slopes, alive = empty, empty, None
    pieces: list[Array] = []
    place = 0
    if front.numbers:
        parts, slopes = _parts(front, layers[0], numbers)
        made, alive = _embedded(front, layers[1], numbers, parts)
        pieces.append(made.reshape(-1, rows).T)
        place = 2
    begin, marks = front.numbers, []
    for levels, _ in front.categories:
        marks.append(x[:, begin : begin + levels])
        pieces.append(forward_product(marks[-1], layers[place].w) + layers[place].b)
        begin, place = begin + levels, place + 1
    if begin < x.shape[1]:
        pieces.append(x[:, begin:])
    units = jnp.concatenate(pieces, axis=1)
    tape = FrontTape(numbers, parts, slopes, alive, marks, units)
    if front.scaled:
        return units * layers[place].w + layers[place].b, tape
    return units, tape


def _parts(front: Front, layer: Layer, x: Array) -> tuple[Array, Array]:
    """What enters the linear map (numbers, entering, rows), and its slopes by t."""
    if front.embedding in PIECEWISE:
        share = jnp.clip((x[:, None, :] - layer.w[:, :, None]) * layer.b[:, :, None], 0.0, 1.0)
        return share, share
    turns = layer.w[:, :, None] * x[:, None, :] + layer.b[:, :, None]
    cosines, sines = sine(turns + 0.25), sine(turns)
    if front.embedding == "pbld":
        return cosines, sines
    both = jnp.concatenate([cosines, sines], axis=1)
    return both, both


def _embedded(front: Front, layer: Layer, x: Array, parts: Array) -> tuple[Array, Array | None]:
    """The columns' units (numbers, width, rows), and where a ReLU lets them pass."""
    maps = jnp.broadcast_to(layer.w, (front.numbers, *layer.w.shape[-2:]))
    bias = jnp.broadcast_to(layer.b, (front.numbers, layer.b.shape[-1]))
    # A sum of products with the rows last: a product by the library would take five times as long.
    sums = jnp.sum(parts[:, :, None, :] * maps[:, :, :, None], axis=1) + bias[:, :, None]
    if front.embedding == "pbld":
        return jnp.concatenate([x[:, None, :], sums], axis=1), None
    alive = sums > 0
    return jnp.where(alive, sums, 0.0), alive


def front_gradient(front: Front, layers: list[Layer], tape: FrontTape, delta: Array) -> list[Layer]:
    """G of each of the front's layers, from δ = ∂J/∂units (rows, features) (N4)."""
    found: list[Layer] = []
    if front.scaled:
        scale = Layer((delta * tape.units).sum(axis=0), delta.sum(axis=0))
        delta = delta * layers[-1].w
    made = front.numbers * front.width
    if front.numbers:
        of_numbers = delta[:, :made].T.reshape(front.numbers, front.width, -1)
        found += _numbers_gradient(front, layers, tape, of_numbers)
    begin = made
    for marks, (_, width) in zip(tape.marks, front.categories, strict=True):
        own = delta[:, begin : begin + width]
        found.append(Layer(outer_product(marks, own), own.sum(axis=0)))
        begin += width
    return [*found, scale] if front.scaled else found


def _numbers_gradient(
    front: Front, layers: list[Layer], tape: FrontTape, delta: Array
) -> list[Layer]:
    """G of the numbers' two layers, from δ (numbers, width, rows)."""
    # Of "pbld" the first unit is the column itself, which has no weights.
    delta = delta[:, 1:] if tape.alive is None else jnp.where(tape.alive, delta, 0.0)
    w = _rows_product(tape.parts, delta)
    b = delta.sum(axis=2)
    if front.embedding == "plr-lite":
        w, b = w.sum(axis=0), b.sum(axis=0)
    linear = Layer(w, b)
    first = layers[0]
    if front.embedding in PIECEWISE:
        return [Layer(jnp.zeros_like(first.w), jnp.zeros_like(first.b)), linear]
    maps = jnp.broadcast_to(layers[1].w, (front.numbers, *layers[1].w.shape[-2:]))
    back = jnp.sum(delta[:, None, :, :] * maps[:, :, :, None], axis=2)
    if front.embedding == "pbld":
        turned = -TURN * back * tape.slopes
    else:
        cosines, sines = tape.slopes[:, : front.parts], tape.slopes[:, front.parts :]
        turned = TURN * (back[:, front.parts :] * cosines - back[:, : front.parts] * sines)
    frequencies = _rows_product(turned, tape.x[:, None, :])[:, :, 0]
    phases = turned.sum(axis=2) if front.embedding == "pbld" else jnp.zeros_like(first.b)
    return [Layer(frequencies, phases), linear]


def _rows_product(a: Array, b: Array) -> Array:
    """Σ over rows, column by column: (numbers, m, rows), (numbers, n, rows) → (numbers, m, n)."""
    return jax.lax.dot_general(a, b, (((2,), (2,)), ((0,), (0,))))


def fixed_places(front: Front) -> list[Layer]:
    """Of each of the front's layers, whether w and b are never learned: edges, phases of "plr"."""
    edges, phases = front.embedding in PIECEWISE, front.embedding.startswith("plr")
    first = [Layer(edges, edges or phases)] if front.numbers else []
    return [*first, *[Layer(False, False)] * (front.depth - len(first))]


def decaying_layers(front: Front) -> list[bool]:
    """Of each of the front's layers, whether weights decay: those of linear maps of numbers."""
    numbers = [False, True] if front.numbers else []
    return [*numbers, *[False] * (front.depth - len(numbers))]
