"""Results that a search computed before scikit-learn asks for each of them.

scikit-learn's own code slices the rows, fits a clone and scores it, one network at a time. While a
search uses `PretrainedFits`, an estimator's `fit` first looks there for its result, and so finds
it trained already, together with all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from inspect import isfunction

from cuesta.training.batching import Batching
from cuesta.training.code_digest import code_digest
from cuesta.training.fits import Fitted, Recipe, Rows
from cuesta.training.journal import digest


def fit_key(recipe: Recipe, rows_digest: str) -> str:
    """A hash of all that a fit depends on, but for its seed."""
    factory = recipe.candidate.factory
    # A copy by scikit-learn is the same function, but another object where it is none.
    known = None if factory is None or isfunction(factory) else code_digest(factory)
    code = known or f"{id(factory)}"
    return digest(repr(replace(recipe, seed=0)).encode(), code.encode(), rows_digest.encode())


@dataclass
class PretrainedFits:
    """The results of fits by `fit_key` and seed, for the fits that scikit-learn will ask for.

    `seeds` has one seed for all estimators that have none of their own, or several: then the same
    fit, asked for several times, gets the result of one seed after the other. `batching` and
    `validation_places` are the search's own, so that a fit that is trained on the spot (a refit,
    say) can use its programs.
    """

    seeds: tuple[int, ...]
    batching: Batching
    validation_places: int = 0
    results: dict[tuple[str, int], Fitted] = field(default_factory=dict)
    times_asked: Counter[str] = field(default_factory=Counter)

    def find(self, recipe: Recipe, rows: Rows) -> Fitted | None:
        """The result of this fit, or None where it was not trained before."""
        key, seed = fit_key(recipe, rows.digest), recipe.seed
        if len(self.seeds) > 1:
            seed = self.seeds[self.times_asked[key] % len(self.seeds)]
            self.times_asked[key] += 1
        return self.results.get((key, seed))


_IN_USE: ContextVar[PretrainedFits | None] = ContextVar("pretrained fits", default=None)


def pretrained_fits() -> PretrainedFits | None:
    """Those in use, if a search is under way."""
    return _IN_USE.get()


@contextmanager
def use_pretrained(fits: PretrainedFits) -> Iterator[None]:
    """Have the fits inside look there first."""
    token = _IN_USE.set(fits)
    try:
        yield
    finally:
        _IN_USE.reset(token)
