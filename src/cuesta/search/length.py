"""How long candidates train where nobody says so: the budget is steps, not epochs.

All begin with about as many steps. Those of the better third whose validation still falls at the
end are trained once more, as new candidates, for twice the epochs, the learning rate decaying over
all of these. Who is lengthened depends on scores alone, not on which of them was known first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from cuesta.hyperparameters import Candidate
from cuesta.search.select import Score, rank

STEPS = 2_000  # of a training, about
FEWEST, MOST = 20, 256  # epochs of it
LONGEST = 1_024  # epochs of a candidate that was lengthened
DOUBLINGS = 1  # how often a candidate may be lengthened
PART = 3  # one of so many is lengthened


def base_epochs(rows: int, batch_size: int) -> int:
    """The epochs that have about `STEPS` steps, from `FEWEST` to `MOST`."""
    return min(MOST, max(FEWEST, math.ceil(STEPS / math.ceil(rows / batch_size))))


def with_length(candidate: Candidate, rows: int) -> Candidate:
    """The candidate with a number of epochs for so many training rows, if it has none."""
    if candidate.epochs is not None:
        return candidate
    return replace(candidate, epochs=base_epochs(rows, candidate.batch_size))


def to_lengthen(newest: Sequence[Score], scores: Sequence[Score]) -> list[Score]:
    """Those of the newest scores that are worth twice the epochs, by their numbers.

    The better third of them, rounded up, as far as their curves still fall; what was lengthened
    before must be better than what it came from. `scores` are all.
    """
    of = {score.index: score for score in scores}
    known = {score.candidate for score in scores}
    better = rank(list(newest))[: math.ceil(len(newest) / PART)]
    found = [
        score
        for score in better
        if score.falls
        and math.isfinite(score.loss)
        and 2 * score.schedule <= LONGEST
        and (score.lengthened_from is None or score.loss < of[score.lengthened_from].loss)
        and lengthened(score) not in known
    ]
    return sorted(found, key=lambda score: score.index)


def lengthened(score: Score) -> Candidate:
    """The candidate with twice the epochs."""
    return replace(score.candidate, epochs=2 * score.schedule)


def may_go_on(winner: Score, scores: Sequence[Score]) -> bool:
    """Whether a candidate's best epoch is its last, its curve falls, and none tried it longer."""
    tried = {score.lengthened_from for score in scores}
    return winner.falls and winner.epochs == winner.schedule and winner.index not in tried
