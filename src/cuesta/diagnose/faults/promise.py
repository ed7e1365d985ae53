"""A test figure that validation did not promise."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cuesta.diagnose.findings import SEVERE, Finding

FAR = 4.0  # standard errors of the validation mean
SHARE = 0.1  # of the validation figure


def far_from_validation(
    metric: str, mean: float, se: float, test: float, interval: Sequence[float], *, higher: bool
) -> Finding | None:
    """The test is worse than the mean of the folds by more than chance explains.

    `outside_promise` of that mean ± four of its standard errors.
    """
    told = f"the folds have {mean:.3g} with a standard error of {se:.2g}"
    ends = mean, mean - FAR * se, mean + FAR * se
    return _outside(metric, ends, test, interval, told, higher=higher)


def outside_promise(
    metric: str,
    promised: Sequence[float],
    test: float,
    interval: Sequence[float],
    *,
    higher: bool,
) -> Finding | None:
    """The test is worse than validation promised: the two 95 % intervals do not meet.

    `promised` is the validation figure, corrected for the choice, and the ends of its interval;
    `interval` has the test's. And the test is worse by more than a tenth of that figure, or of its
    distance from 1 where `higher` says that a higher metric is better: less is not worth a word.
    A test that is better is no fault. None where a figure is missing or not finite.
    """
    value, low, high = promised
    told = f"validation promised {value:.3g} ({low:.3g} to {high:.3g})"
    return _outside(metric, promised, test, interval, told, higher=higher)


def _outside(
    metric: str,
    promised: Sequence[float],
    test: float,
    interval: Sequence[float],
    told: str,
    *,
    higher: bool,
) -> Finding | None:
    if not all(map(math.isfinite, (*promised, test, *interval))):
        return None
    value, *ends = promised
    sign = -1.0 if higher else 1.0
    worst_promised = max(sign * end for end in ends)
    best_tested = min(sign * end for end in interval)
    size = abs(1 - value) if higher else abs(value)
    if best_tested <= worst_promised or sign * (test - value) <= SHARE * size:
        return None
    low, high = interval
    return Finding(
        "test far from validation",
        SEVERE,
        f"the test {metric} is {test:.3g} (95% interval {low:.3g} to {high:.3g}), where {told}: "
        "the test rows are unlike the training rows, or rows of the folds know of each other",
        "look for rows that belong together (the same person, place or day) and split by them; "
        "see whether the test rows come from elsewhere",
        "groups, test",
        90,
    )
