"""Initial weights (N10): one formula; each scheme is a row of numbers for it."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from cuesta._util.checks import check_choice
from cuesta.core.net import Layer
from cuesta.hyperparameters import INITS


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
    "normal": Init(1.0, 1.0, 0.0, True),  # N(0, 1/m): N10
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
