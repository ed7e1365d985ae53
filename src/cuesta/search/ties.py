"""Which candidates the folds cannot tell from the winner."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from cuesta.data.fold_means import standard_error
from cuesta.search.select import Score


def tied_with(
    winner: Score, scores: Iterable[Score], held_out: float, level: float = 0.05
) -> list[Score]:
    """Those whose paired differences to the winner, fold by fold, could well be 0.

    |d̄| ≤ t·se with d the J differences, se their standard error (`standard_error`, which takes
    the ratio `held_out`), and t the two-sided quantile of Student's distribution with J − 1 degrees
    of freedom (Nadeau and Bengio, 2003; Bouckaert and Frank, 2004, for repeated folds). The winner
    is among them, a candidate that diverged is not. One fold tells none of the others apart.
    """
    quantile = _two_sided(len(winner.folds) - 1, level)
    return [score for score in scores if _is_tied(winner, score, held_out, quantile)]


def beyond_chance(gains: np.ndarray, held_out: float, level: float = 0.05) -> bool:
    """Whether the mean of paired gains, one a fold, is above 0 by more than chance explains.

    d̄ > t·se, with t and the standard error of `tied_with`. One fold tells nothing.
    """
    if len(gains) < 2:
        return False
    quantile = _two_sided(len(gains) - 1, level)
    return bool(gains.mean() > quantile * standard_error(gains, held_out))


def _is_tied(winner: Score, score: Score, held_out: float, quantile: float) -> bool:
    if not math.isfinite(score.loss):
        return False
    differences = np.subtract(score.folds, winner.folds)
    if len(differences) == 1:
        return True
    return bool(abs(differences.mean()) <= quantile * standard_error(differences, held_out))


def _two_sided(freedom: int, level: float) -> float:
    """The t with P(|T| > t) = level for so many degrees of freedom; NaN for none."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 1 - level / 2)) if freedom else math.nan
