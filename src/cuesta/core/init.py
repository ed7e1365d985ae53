"""Initial weights (N10): one formula; each scheme is a row of numbers for it."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from cuesta._util.checks import check_choice
from cuesta.core.layer import Layer
from cuesta.hyperparameters import INITS, PIECEWISE, Front


class Init(NamedTuple):
    """W = √(gain/(fan_in·m + fan_out·n)) · draw, with m inputs and n outputs.

    The draw is U(−1, 1), or N(0, 1) where `normal`.
    """

    gain: float
    fan_in: float
    fan_out: float
    normal: bool


ROWS = {
    "uniform": Init(1.0, 1.0, 0.0, False),  # U(−1/√m, 1/√m): N10
    "normal": Init(1.0, 1.0, 0.0, True),  # N(0, 1/m): N10; LeCun's, which SELU was made for
    "glorot": Init(6.0, 1.0, 1.0, False),  # U(±√(6/(m+n))): Glorot and Bengio, 2010
    "he": Init(2.0, 1.0, 0.0, True),  # N(0, 2/m): He et al., 2015
}


def init_layers(seed: list[int], sizes: tuple[int, ...], name: str) -> list[Layer]:
    """Weights of a network with these layer sizes, inputs first, in float32; biases are zero.

    Schemes of the same distribution share their draw for a seed, so comparisons are paired.
    Raises SpecError for an unknown name.
    """
    check_choice("init", name, INITS)
    kind = ROWS[name]
    layers = []
    for depth, (m, n) in enumerate(pairwise(sizes)):
        rng = np.random.default_rng([*seed, depth])
        draw = rng.standard_normal((m, n)) if kind.normal else rng.uniform(-1.0, 1.0, (m, n))
        scale = math.sqrt(kind.gain / (kind.fan_in * m + kind.fan_out * n))
        layers.append(Layer((scale * draw).astype(np.float32), np.zeros(n, np.float32)))
    return layers


FRONT = 1000  # from which on the front's layers have their draws


def init_front(
    seed: list[int], front: Front, inputs: int, sigma: float, bins: Layer | None = None
) -> list[Layer]:
    """The front's first weights, in float32; the dense layers keep the draws they have without.

    Frequencies N(0, σ²), in turns; phases of "pbld" U(−½, ½), of "plr" 0; linear maps
    U(±1/√entering) (Gorishniy et al., 2022; Holzmüller et al., 2024). `bins`, the edges and widths
    of the fold's rows, stand in their place where the embedding is piecewise. Embeddings of
    categories start at 0, scales at 1.
    """
    layers: list[Layer] = []
    for place, (w, b) in enumerate(front.shapes(inputs)):
        rng = np.random.default_rng([*seed, FRONT + place])
        layers.append(_front_layer(front, place, w, b, rng, sigma))
    if front.embedding in PIECEWISE and bins is not None:
        layers[0] = bins
    return layers


def _front_layer(
    front: Front,
    place: int,
    w: tuple[int, ...],
    b: tuple[int, ...],
    rng: np.random.Generator,
    sigma: float,
) -> Layer:
    zeros = np.zeros(b, np.float32)
    if front.numbers and place == 0:
        phases = rng.uniform(-0.5, 0.5, b) if front.embedding == "pbld" else zeros
        return Layer((sigma * rng.standard_normal(w)).astype(np.float32), np.float32(phases))
    if front.numbers and place == 1:
        bound = 1.0 / math.sqrt(w[-2])
        return Layer(rng.uniform(-bound, bound, w).astype(np.float32), zeros)
    if front.scaled and place == front.depth - 1:
        return Layer(np.ones(w, np.float32), zeros)
    return Layer(np.zeros(w, np.float32), zeros)
