"""Fits that are made before they are asked for: a search trains them together, then hands them out.

While a session is open, an estimator's fit first looks here for its result. So scikit-learn's own
code can slice, fit and score one network at a time, and find each already trained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from cuesta.training.batching import Batching
from cuesta.training.fits import Fitted, Recipe, Rows
from cuesta.training.journal import digest


def recipe_key(recipe: Recipe, rows_digest: str) -> str:
    """A hash of all that a fit depends on, but for its seed."""
    return digest(repr(replace(recipe, seed=0)).encode(), rows_digest.encode())


@dataclass
class Session:
    """Results by what they depend on and their seed; several seeds are handed out in turn.

    `seeds` are those of estimators that name none, or of all where there are several.
    """

    seeds: tuple[int, ...]
    batching: Batching
    places: int = 0  # validation rows for which the search's programs have room
    ready: dict[tuple[str, int], Fitted] = field(default_factory=dict)
    turns: Counter[str] = field(default_factory=Counter)

    def take(self, recipe: Recipe, rows: Rows) -> Fitted | None:
        """The result of this fit, if it was made before."""
        key, seed = recipe_key(recipe, rows.digest), recipe.seed
        if len(self.seeds) > 1:
            seed = self.seeds[self.turns[key] % len(self.seeds)]
            self.turns[key] += 1
        return self.ready.get((key, seed))


_SESSION: ContextVar[Session | None] = ContextVar("session", default=None)


def current_session() -> Session | None:
    """The session that is open, if one is."""
    return _SESSION.get()


@contextmanager
def opened(session: Session) -> Iterator[Session]:
    """Open a session for the fits inside."""
    token = _SESSION.set(session)
    try:
        yield session
    finally:
        _SESSION.reset(token)
