"""Fits that are made before they are asked for: a search trains them together, then hands them out.

While a session is open, an estimator's fit first looks here for its result. So scikit-learn's own
code can slice, fit and score one network at a time, and find each already trained.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path

from cuesta.search.fits import Fitted, Recipe, Rows
from cuesta.search.journal import digest


def recipe_key(recipe: Recipe, rows_digest: str) -> str:
    """A hash of all that a fit depends on, but for its seed."""
    return digest(repr(replace(recipe, seed=0)).encode(), rows_digest.encode())


@dataclass
class Session:
    """Results by what they depend on; of several seeds each is handed out in turn.

    `seeds` are those of estimators that name none. With a folder, results are files there too,
    and a later session finds them.
    """

    seeds: tuple[int, ...]
    folder: Path | None = None
    ready: dict[str, deque[Fitted]] = field(default_factory=dict)

    def take(self, recipe: Recipe, rows: Rows) -> Fitted | None:
        """The result of this fit, if it was made before."""
        waiting = self.ready.get(recipe_key(recipe, rows.digest))
        if not waiting:
            return None
        fitted = waiting[0]
        waiting.rotate(-1)
        return fitted


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
