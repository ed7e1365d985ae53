"""The fits of a search, made so that all can be trained together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sklearn.base import clone

from cuesta.estimators.base import Network
from cuesta.estimators.fitting import recipe_for, seed_of
from cuesta.estimators.prepared_splits import UNUSABLE, PreparedSplits, SearchData, prepare_splits
from cuesta.estimators.pretrained import fit_key
from cuesta.estimators.rows import Preparation
from cuesta.training.fits import Fit

Params = Mapping[str, Any]


class SearchFit(NamedTuple):
    """One fit: of which candidate, at which place among the splits and seeds, under which key."""

    candidate: int
    split: int
    seed: int
    key: str
    fit: Fit


@dataclass
class SearchFits:
    """Makes the fits of candidates; rows are prepared once for all that can share them."""

    estimator: Network
    data: SearchData
    prepared: dict[Preparation, PreparedSplits] = field(default_factory=dict)

    def of(self, candidates: Sequence[Params], seeds: Sequence[int]) -> Iterator[SearchFit]:
        """The fits of these candidates on each split, with each of several seeds.

        A fit that cannot be made is left out; scikit-learn's own fit will say what is wrong.
        """
        for place, params in enumerate(candidates):
            try:
                net = clone(self.estimator).set_params(**clone(dict(params), safe=False))
                # As each of scikit-learn's clones will draw it: the first of its random state.
                own = seeds if len(seeds) > 1 else [seed_of(net)]
            except UNUSABLE:
                continue
            yield from self._of_candidate(place, net, own)

    def _of_candidate(
        self, candidate: int, net: Network, seeds: Sequence[int]
    ) -> Iterator[SearchFit]:
        prepared = self._prepared_for(net)
        for place, split in enumerate(prepared.splits):
            if split is None:
                continue
            for number, seed in enumerate(seeds):
                try:
                    recipe = recipe_for(net, split.target, split, seed, split.held_out)
                except UNUSABLE:
                    continue
                feed, fold = prepared.feed(place, split, recipe.held_out)
                key = fit_key(recipe, split.digest)
                yield SearchFit(candidate, place, number, key, Fit(recipe, feed, fold))

    def _prepared_for(self, net: Network) -> PreparedSplits:
        key = Preparation.of(net)
        if key not in self.prepared:
            self.prepared[key] = prepare_splits(net, self.data)
        return self.prepared[key]
