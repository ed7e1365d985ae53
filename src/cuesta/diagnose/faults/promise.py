"""A test figure that validation did not promise."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cuesta.diagnose.findings import SEVERE, Finding

FAR = 4.0  # standard errors of the validation mean
SHARE = 0.1  # of the validation mean


def far_from_validation(
    metric: str, mean: float, se: float, test: float, interval: Sequence[float], *, higher: bool
) -> Finding | None:
    """The test is worse than validation by more than chance explains.

    Even the better end of the test's 95 % interval is worse than the mean of the folds by more
    than four of its standard errors, and the test by more than a tenth of that mean. `higher` says
    that a higher metric is better. None where a figure is missing or not finite.
    """
    if not all(map(math.isfinite, (mean, se, test, *interval))):
        return None
    sign = -1.0 if higher else 1.0
    nearest = min(sign * end for end in interval)
    if nearest - sign * mean <= FAR * se or sign * (test - mean) <= SHARE * abs(mean):
        return None
    low, high = interval
    return Finding(
        "test far from validation",
        SEVERE,
        f"the test {metric} is {test:.3g} (95% interval {low:.3g} to {high:.3g}), where the folds "
        f"have {mean:.3g} with a standard error of {se:.2g}: the test rows are unlike the "
        "training rows, or rows of the folds know of each other",
        "look for rows that belong together (the same person, place or day) and split by them; "
        "see whether the test rows come from elsewhere",
        "groups, test",
        90,
    )
