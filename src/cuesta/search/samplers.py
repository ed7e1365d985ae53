"""Samplers propose candidates; all have `ask` and `tell`.

    while candidates := sampler.ask():
        sampler.tell(losses_of(candidates))

`random` and `grid` know their candidates in advance; `tpe` learns from what it is told.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from cuesta._util.checks import check_choice
from cuesta.errors import SpecError
from cuesta.hyperparameters import Candidate
from cuesta.search.near import nearby
from cuesta.search.space import Choice, Space, grid, make_candidate

SAMPLERS = ("random", "grid", "tpe")
MOST_REDRAWS = 8  # how often candidates that came twice are drawn anew
MOST_TRIES = 256  # how often in all, before a space is taken to hold no more
TPE_BATCH = 16  # candidates that TPE proposes before it learns of their losses

T = TypeVar("T")


class Sampler(Protocol[T]):
    """Proposes candidates, and may learn from their losses."""

    def ask(self) -> list[T]:
        """The next candidates; none where there are no more."""
        ...

    def tell(self, losses: Sequence[float]) -> None:
        """The losses of the candidates last asked for, lower is better, ∞ where one diverged."""
        ...


class FixedSampler(Generic[T]):
    """Candidates that are known in advance, `size` at a time; without a size all at once."""

    def __init__(self, candidates: Iterable[T], size: int | None = None) -> None:
        self._rest = iter(candidates)
        self._size = size

    def ask(self) -> list[T]:
        """The next candidates in their order."""
        return list(islice(self._rest, self._size))

    def tell(self, losses: Sequence[float]) -> None:
        """Losses change nothing here."""


class TPESampler(Generic[T]):
    """Tree-structured Parzen estimator (Bergstra et al., 2011; by Optuna), 16 candidates a time.

    No candidate comes twice. `suggest` makes a candidate of a trial of Optuna's. `first` candidates
    come before all others, and are not known to the estimator.
    """

    def __init__(
        self, suggest: Callable[[Any], T], count: int, seed: int, first: Sequence[T] = ()
    ) -> None:
        self._suggest, self._left, self._first = suggest, count, list(first)
        self._study = _new_study(seed)
        self._random = _random_sampler(seed)
        self._asked: set[Hashable] = set()
        self._trials: list[Any] = []
        self._untold = 0

    def ask(self) -> list[T]:
        """The next candidates, `count` in all; fewer once the space holds no more."""
        size = min(TPE_BATCH, self._left)
        self._left -= size
        first, self._first = self._first[:size], []
        self._asked.update(map(_key, first))
        self._untold = len(first)
        self._trials, suggested = [], []
        for _ in range(size - len(first)):
            found = self._new()
            if found is None:
                self._left = 0
                break
            self._trials.append(found[0])
            suggested.append(found[1])
        return [*first, *suggested]

    def _new(self) -> tuple[Any, T] | None:
        """A trial and its candidate, asked for never before; None where none was found.

        What TPE repeats is drawn again, and at random once it does so again and again: it would
        else keep to the best candidate of a small space.
        """
        import optuna

        own = self._study.sampler
        try:
            for draw in range(MOST_TRIES):
                if draw == MOST_REDRAWS:
                    self._study.sampler = self._random
                trial = self._study.ask()
                suggested = self._suggest(trial)
                key = _key(suggested)
                if key not in self._asked:
                    self._asked.add(key)
                    return trial, suggested
                self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        finally:
            self._study.sampler = own
        return None

    def tell(self, losses: Sequence[float]) -> None:
        """A loss that is not finite is a failure, of which nothing is learned."""
        import optuna

        for trial, loss in zip(self._trials, losses[self._untold :], strict=True):
            if math.isfinite(loss):
                self._study.tell(trial, loss)
            else:
                self._study.tell(trial, state=optuna.trial.TrialState.FAIL)


def _key(candidate: object) -> Hashable:
    """What two equal candidates have in common: themselves, or how they read."""
    return candidate if isinstance(candidate, Hashable) else repr(candidate)


def _random_sampler(seed: int) -> Any:
    """Independent draws, for where TPE repeats itself."""
    import optuna

    return optuna.samplers.RandomSampler(seed=seed)


def _new_study(seed: int) -> Any:
    """A study of Optuna's that minimizes by TPE, and knows of trials that are still running."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=TPE_BATCH, constant_liar=True)
    return optuna.create_study(sampler=sampler)


def space_sampler(space: Space, sampler: str, count: int, seed: int) -> Sampler[Candidate]:
    """The named sampler of a space, with `count` candidates (a grid: as many as it has).

    Raises SpecError for an unknown sampler, or a grid over a range.
    """
    check_choice("sampler", sampler, SAMPLERS)
    if sampler == "tpe":
        return TPESampler(lambda trial: _suggested(trial, space), count, seed, space.first)
    if sampler == "random" and space.near:
        return FixedSampler(nearby(space, count, seed))
    if sampler == "random":
        return FixedSampler(sobol(space, count, seed))
    candidates = list(grid(space))
    if not candidates:
        raise SpecError("The space has no combination of values.")
    return FixedSampler(candidates)


def sobol(space: Space, count: int, seed: int) -> list[Candidate]:
    """`count` different candidates of a scrambled Sobol sequence (Owen, 1998; by SciPy).

    Fewer where the space does not hold as many.

    It fills the space more evenly than independent draws, each value of a list equally often,
    and its first candidates are the same whatever the count.
    """
    from scipy.stats.qmc import Sobol

    names = space.names
    found = dict.fromkeys(space.first)
    with warnings.catch_warnings():
        # SciPy warns where the count is no power of two; then the balance is only nearly even.
        warnings.filterwarnings("ignore", message="The balance properties")
        draws = Sobol(len(names), scramble=True, seed=seed)
        # A small space gives the same candidate again: draw on, but not for ever.
        for _ in range(MOST_REDRAWS):
            if len(found) >= count:
                break
            for point in draws.random(count - len(found)).tolist():
                found[_candidate_at(space, dict(zip(names, point, strict=True)))] = None
    return list(found)[:count]


def _candidate_at(space: Space, shares: dict[str, float]) -> Candidate:
    """The candidate at a point of the unit cube."""
    optimizer = space.optimizers.at(shares["optimizer"])
    dimensions = space.dimensions(optimizer)
    values = {name: dimension.at(shares[name]) for name, dimension in dimensions.items()}
    return make_candidate({"optimizer": optimizer, **values})


def _suggested(trial: Any, space: Space) -> Candidate:
    """The candidate that a trial of Optuna's suggests."""
    names = list(dict.fromkeys(space.optimizers.values))
    optimizer = trial.suggest_categorical("optimizer", names)
    values = {}
    for name, dimension in space.dimensions(optimizer).items():
        own = name in space.own.get(optimizer, {})
        key = f"{optimizer}.{name}" if own else name
        if isinstance(dimension, Choice):
            # Repetition is a weight for random draws; TPE weighs by the losses.
            listed = list(dict.fromkeys(dimension.values))
            place = trial.suggest_categorical(key, list(range(len(listed))))
            values[name] = listed[place]
        else:
            values[name] = trial.suggest_float(
                key, dimension.low, dimension.high, log=dimension.log
            )
    return make_candidate({"optimizer": optimizer, **values})
