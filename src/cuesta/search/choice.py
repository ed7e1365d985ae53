"""The choice of a winner: the best candidate, or the simplest of those about as good."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from cuesta._util.checks import check_choice
from cuesta.hyperparameters import Candidate
from cuesta.search.select import Score, rank

CHOICES = ("best", "one-se")


def choose(
    scores: Sequence[Score],
    how: str,
    weights_of: Callable[[Candidate], int],
    default: Candidate | None = None,
) -> Score:
    """The winner among the scores, of which there is at least one.

    "best" is the first by `rank`. "one-se" is the simplest of those whose loss is within one
    standard error of the best one's (Breiman, Friedman, Olshen and Stone, 1984) and that saw as
    large a part of their epochs: the one of fewest weights; of equals the default candidate, then
    the first by its number. Raises SpecError for another `how`.
    """
    check_choice("choose", how, CHOICES)
    best = rank(list(scores))[0]
    if how == "best" or not math.isfinite(best.loss) or math.isnan(best.se):
        return best

    def simplicity(score: Score) -> tuple[int, bool, int]:
        return weights_of(score.candidate), score.candidate != default, score.index

    near = [s for s in scores if s.share == best.share and s.loss <= best.loss + best.se]
    return min(near, key=simplicity)
