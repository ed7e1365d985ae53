"""Which inputs are numbers and which are the levels of one category: what embeddings go by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cuesta.data.encode import Encoder
from cuesta.hyperparameters import PIECEWISE, Candidate, Front

HANDFUL = 8  # up to so many levels a category stays one-hot
WIDEST = 8  # units of a category's embedding


@dataclass(frozen=True)
class Layout:
    """The columns of a matrix of inputs by what they are.

    `numbers` are the places of numeric columns; `categories`, of each category, those of its levels
    (also of "other"). The rest are marks: booleans, and those of missing values.
    """

    width: int
    numbers: tuple[int, ...] = ()
    categories: tuple[tuple[int, ...], ...] = ()

    @classmethod
    def of(cls, encoder: Encoder) -> Layout:
        """The layout of what an encoder makes."""
        numbers: list[int] = []
        categories: list[tuple[int, ...]] = []
        begin = 0
        for feature in encoder.features:
            own = range(begin, begin + feature.width - feature.missing)
            if feature.kind == "category":
                categories.append(tuple(own))
            elif feature.kind != "boolean":
                numbers.extend(own)
            begin += feature.width
        return cls(begin, tuple(numbers), tuple(categories))

    def front(self, candidate: Candidate) -> Front:
        """What a candidate's network has before its first dense layer."""
        embedding, numbers = candidate.numeric_embedding, len(self.numbers)
        if embedding == "none" or not numbers:
            embedding, numbers = "none", 0
        learned = candidate.category_embedding == "learned"
        parts = candidate.embedding_frequencies
        if embedding in PIECEWISE:
            parts = candidate.embedding_bins
        return Front(
            embedding,
            numbers,
            parts if numbers else 0,
            candidate.embedding_size if numbers else 0,
            tuple((len(levels), WIDEST) for levels in self._many_levels) if learned else (),
            candidate.input_scale,
        )

    def order(self, front: Front) -> np.ndarray | None:
        """The inputs' places in the order in which a network takes them; None where as they are.

        Embedded numbers, then embedded categories, then the rest (`Front`).
        """
        if not front.embedded:
            return None
        first = [*(self.numbers if front.numbers else ())]
        if front.categories:
            first += [place for levels in self._many_levels for place in levels]
        return np.array([*first, *self._without(first)])

    @property
    def _many_levels(self) -> list[tuple[int, ...]]:
        """The categories that can be embedded."""
        return [levels for levels in self.categories if len(levels) > HANDFUL]

    def _without(self, places: Iterable[int]) -> list[int]:
        taken = set(places)
        return [place for place in range(self.width) if place not in taken]
