"""Draws candidates near good ones: most of a good configuration stays, a few values change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from cuesta.hyperparameters import PIECEWISE, Candidate
from cuesta.search.space import READERS, Choice, Dimension, Range, Space, make_candidate

CHANGE = 1 / 3  # how likely each parameter changes
FARTHEST = 1 / 4  # of a range's length, on its own scale, a number moves at most
MOST_TRIES = 64  # draws in a row that bring nothing new, before there is taken to be no more


def nearby(space: Space, count: int, seed: int) -> list[Candidate]:
    """`count` different candidates: the space's first ones, then some near them.

    Each is one of the first, drawn evenly, whose parameters each change with a probability of ⅓: a
    list's to another of its values, a range's by at most a quarter of the range. Those that the
    candidate does not read stay. Its first candidates are the same whatever the count; there are
    fewer where the lists hold no more. Raises SpecError for a space without first candidates.
    """
    found = dict.fromkeys(space.first)
    rng = np.random.default_rng(seed)
    tries = 0
    while len(found) < count and tries < MOST_TRIES:
        before = len(found)
        member = space.first[int(rng.integers(len(space.first)))]
        found[changed(member, space, rng)] = None
        tries = 0 if len(found) > before else tries + 1
    return list(found)[:count]


def changed(member: Candidate, space: Space, rng: np.random.Generator) -> Candidate:
    """The candidate with some of its parameters changed; the generator is advanced."""
    values = member.to_dict() | {"final_ratio": 1.0, "final_learning_rate": None}
    if member.final_learning_rate is not None:
        values["final_ratio"] = member.final_learning_rate / member.learning_rate
    values["hidden_layer_sizes"] = member.hidden_layer_sizes
    # What decides which others are read is drawn before them.
    dimensions = space.dimensions(member.optimizer)
    for name in sorted(dimensions, key=lambda each: each != "numeric_embedding"):
        change, share = rng.random(2)
        if change < CHANGE and is_read(name, values):
            values[name] = moved(values[name], dimensions[name], float(share))
    return make_candidate(values)


def moved(value: Any, dimension: Dimension, share: float) -> Any:
    """The value at a share, in [0, 1), of all that are near this one."""
    if isinstance(dimension, Choice):
        others = [each for each in dict.fromkeys(dimension.values) if each != value]
        return Choice(tuple(others)).at(share) if others else value
    low, high = dimension.low, dimension.high
    if dimension.log:
        width = (math.log(high) - math.log(low)) * FARTHEST
        # A value of 0 stands beneath all of a logarithmic range.
        ends = (max(low, value * math.exp(-width)), min(high, max(low, value) * math.exp(width)))
    else:
        width = (high - low) * FARTHEST
        ends = (max(low, value - width), min(high, value + width))
    return Range(min(ends), max(ends), dimension.log).at(share)


def is_read(name: str, values: Mapping[str, Any]) -> bool:
    """Whether a candidate of these values reads this parameter."""
    embedding = values["numeric_embedding"]
    if name in ("embedding_frequencies", "embedding_sigma"):
        return embedding not in ("none", *PIECEWISE)
    if name == "embedding_bins":
        return embedding in PIECEWISE
    if name == "embedding_size":
        return bool(embedding != "none")
    return values["optimizer"] in READERS.get(name, (values["optimizer"],))
