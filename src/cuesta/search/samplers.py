"""Proposing candidates from a space: in advance, or in waves that learn from the results."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from cuesta._util.checks import check_choice
from cuesta.errors import SpecError
from cuesta.hyperparameters import Candidate
from cuesta.search.space import Choice, Space, grid, make_candidate

SAMPLERS = ("random", "grid", "tpe")
TURNS = 8  # how often missing candidates are drawn anew
WAVE = 16  # candidates that TPE proposes before it learns of their scores

# Candidates of a wave → their scores, lower is better; a diverged one has infinity.
Evaluate = Callable[[list[Candidate]], list[float]]


def waves(
    space: Space, sampler: str, count: int, seed: int, evaluate: Evaluate
) -> Iterator[list[Candidate]]:
    """Candidates, wave by wave, `count` in all (a grid: as many as it has).

    `evaluate` is asked for the scores of a wave only by a sampler that learns.
    Raises SpecError for an unknown sampler, or a grid over a range.
    """
    check_choice("sampler", sampler, SAMPLERS)
    if sampler == "tpe":
        yield from _tpe(space, count, seed, evaluate)
    elif sampler == "grid":
        candidates = list(grid(space))
        if not candidates:
            raise SpecError("The grid of the space is empty.")
        yield candidates
    else:
        yield sobol(space, count, seed)


def sobol(space: Space, count: int, seed: int) -> list[Candidate]:
    """`count` different candidates of a scrambled Sobol sequence (Owen, 1998; by SciPy).

    Fewer where the space does not hold as many.

    It fills the space more evenly than independent draws, each value of a list equally often,
    and its first candidates are the same whatever the count.
    """
    from scipy.stats.qmc import Sobol

    names = space.names
    found = dict.fromkeys([space.start] if space.start else [])
    with warnings.catch_warnings():
        # SciPy warns where the count is no power of two; then the balance is only nearly even.
        warnings.filterwarnings("ignore", message="The balance properties")
        draws = Sobol(len(names), scramble=True, seed=seed)
        # A small space gives the same candidate again: draw on, but not for ever.
        for _ in range(TURNS):
            if len(found) >= count:
                break
            for point in draws.random(count - len(found)).tolist():
                found[_place(space, dict(zip(names, point, strict=True)))] = None
    return list(found)[:count]


def _place(space: Space, shares: dict[str, float]) -> Candidate:
    optimizer = space.optimizers.at(shares["optimizer"])
    dimensions = space.dimensions(optimizer)
    values = {name: dimension.at(shares[name]) for name, dimension in dimensions.items()}
    return make_candidate({"optimizer": optimizer, **values})


def _tpe(space: Space, count: int, seed: int, evaluate: Evaluate) -> Iterator[list[Candidate]]:
    """Tree-structured Parzen estimator (Bergstra et al., 2011; by Optuna), a wave at a time."""
    study = new_study(seed)
    proposed = iter(lambda: _ask(study, space), None)
    start = [space.start] if space.start else []
    for begin in range(0, count, WAVE):
        size = min(WAVE, count - begin)
        first = start if begin == 0 else []  # known to the results, not to the study
        asked = list(islice(proposed, size - len(first)))
        candidates = [*first, *(candidate for _, candidate in asked)]
        yield candidates
        scores = evaluate(candidates)[len(first) :]
        for (trial, _), score in zip(asked, scores, strict=True):
            tell(study, trial, score)


def new_study(seed: int) -> Any:
    """A study of Optuna's that minimizes by TPE, asked for a wave before it learns."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=WAVE, constant_liar=True)
    return optuna.create_study(sampler=sampler)


def tell(study: Any, trial: Any, loss: float) -> None:
    """Tell a trial's loss; one that is not finite is a failure, of which nothing is learned."""
    import optuna

    if math.isfinite(loss):
        study.tell(trial, loss)
    else:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)


def _ask(study: Any, space: Space) -> tuple[Any, Candidate]:
    trial = study.ask()
    names = list(dict.fromkeys(space.optimizers.values))
    optimizer = trial.suggest_categorical("optimizer", names)
    values = {}
    for name, dimension in space.dimensions(optimizer).items():
        own = name in space.own.get(optimizer, {})
        key = f"{optimizer}.{name}" if own else name
        if isinstance(dimension, Choice):
            # Repetition is a weight for random draws; TPE weighs by the scores.
            listed = list(dict.fromkeys(dimension.values))
            place = trial.suggest_categorical(key, list(range(len(listed))))
            values[name] = listed[place]
        else:
            values[name] = trial.suggest_float(
                key, dimension.low, dimension.high, log=dimension.log
            )
    return trial, make_candidate({"optimizer": optimizer, **values})
