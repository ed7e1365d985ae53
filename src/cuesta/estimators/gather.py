"""The fits of a search, gathered so that they train at once: every candidate on every fold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

from cuesta.data.folds import Fold
from cuesta.estimators.base import Network, Prepared
from cuesta.estimators.prefit import recipe_key
from cuesta.training.feed import Feed
from cuesta.training.fits import Fit, Recipe, Rows

Params = Mapping[str, Any]
Split = tuple[np.ndarray, np.ndarray]


class Wanted(NamedTuple):
    """One fit of the search: whose it is, on which split, and how it is known again."""

    candidate: int
    split: int
    key: str
    fit: Fit


class Part(NamedTuple):
    """A split's training rows, prepared; those that are a part of all rows keep no copy of them."""

    prepared: Prepared
    digest: str
    shared: bool


@dataclass
class SearchFits:
    """Makes the fits of candidates on splits; rows are encoded once for all that can share them.

    They can where the encoder fitted to a split's training rows is the one fitted to all rows.
    """

    estimator: Network
    x: Any
    y: Any
    fit_params: Params
    splits: Sequence[Split]
    _parts: dict[tuple[Any, ...], Part] = field(default_factory=dict)
    _whole: dict[tuple[Any, ...], Prepared | None] = field(default_factory=dict)
    _feeds: dict[tuple[Any, ...], Feed] = field(default_factory=dict)

    def gather(self, candidates: Sequence[Params], seeds: Sequence[int]) -> Iterator[Wanted]:
        """The fits of these candidates, on each split with each seed.

        One that cannot be made is left out; scikit-learn's own fit will say what is wrong with it.
        """
        for number, params in enumerate(candidates):
            try:
                net = clone(self.estimator).set_params(**clone(dict(params), safe=False))
            except ValueError:
                continue
            for split in range(len(self.splits)):
                for seed in seeds:
                    if len(seeds) > 1:
                        net.set_params(random_state=seed)
                    try:
                        yield self._wanted(net, number, split)
                    except (ValueError, TypeError):
                        continue

    def _wanted(self, net: Network, number: int, split: int) -> Wanted:
        part = self._part(net, split)
        recipe = net._recipe(part.prepared)
        fit = Fit(recipe, *self._feed(net, part, split, recipe))
        return Wanted(number, split, recipe_key(recipe, part.digest), fit)

    def _part(self, net: Network, split: int) -> Part:
        key = (split, net._preparation)
        if key not in self._parts:
            train = self.splits[split][0]
            prepared = self._prepare(net, train)
            whole = self._all_rows(net)
            digest, shared = prepared.rows.digest, _is_part(prepared, whole, train)
            if shared:
                rows = prepared.rows
                empty = Rows(rows.x[:0], rows.y, rows.weights)
                prepared = Prepared(prepared.encoder, prepared.target, empty)
            self._parts[key] = Part(prepared, digest, shared)
        return self._parts[key]

    def _all_rows(self, net: Network) -> Prepared | None:
        key = net._preparation
        if key not in self._whole:
            try:
                self._whole[key] = self._prepare(net, np.arange(len(self.y)))
            except (ValueError, TypeError):
                self._whole[key] = None
        return self._whole[key]

    def _prepare(self, net: Network, rows: np.ndarray) -> Prepared:
        x, y = _safe_split(net, self.x, self.y, rows)
        params = _check_method_params(self.x, params=dict(self.fit_params), indices=rows)
        return clone(net)._prepare(x, y, params.get("sample_weight"), known=False, quiet=True)

    def _feed(self, net: Network, part: Part, split: int, recipe: Recipe) -> tuple[Feed, int]:
        """The feed on which a fit trains, and the fold of it."""
        held_out = np.array(recipe.held_out, np.int64)
        stops_early = len(held_out) > 0
        own = (split, recipe.held_out) if stops_early or not part.shared else ()
        key = (net._preparation, own)
        if key not in self._feeds:
            whole = self._all_rows(net) if part.shared else part.prepared
            rows = (whole or part.prepared).rows
            if stops_early:
                train = self.splits[split][0] if part.shared else np.arange(len(rows.x))
                folds = [Fold(np.delete(train, held_out), train[held_out])]
            else:
                folds = [Fold(*each) for each in self.splits] if part.shared else []
            self._feeds[key] = rows.feed(folds)
        return self._feeds[key], 0 if own else split


def _is_part(prepared: Prepared, whole: Prepared | None, train: np.ndarray) -> bool:
    """Whether these rows, encoded on their own, are what all rows encoded together have there."""
    if whole is None or (prepared.encoder, prepared.target) != (whole.encoder, whole.target):
        return False
    mine, theirs = prepared.rows, whole.rows
    if len(mine.x) != len(train) or len(theirs.x) <= int(train.max()):
        return False
    if (mine.weights is None) != (theirs.weights is None):
        return False
    pairs = [(mine.x, theirs.x), (mine.y, theirs.y)]
    if mine.weights is not None and theirs.weights is not None:
        pairs.append((mine.weights, theirs.weights))
    return all(np.array_equal(a, b[train], equal_nan=a.dtype.kind == "f") for a, b in pairs)
