"""Whether errors have tails so heavy that the variance of their squares cannot be trusted."""

from __future__ import annotations

import math

import numpy as np

from cuesta.metrics.limits import skewness

TAIL = 0.1  # of the rows, the largest errors, are the tail
FEWEST = 10  # rows of it
DEVIATIONS = 1.5  # about one table in fifteen whose tail is exponential is flagged
SWAY = 0.05  # γ²/n of the squares: below, the tail matters little to the mean square


def heavy_tails(errors: np.ndarray) -> bool:
    """Whether one target's errors (rows, targets) fall off slower than an exponential.

    The excesses of |e| over the (k + 1)-th largest have a coefficient of variation of 1 if the
    tail is exponential, less if lighter, more if it is a power's (del Castillo, Daoudi and
    Lockhart, 2014); k is a tenth of the rows, 10 at least. Heavy: it is above 1 + 1.5/√k, and the
    skewness of the squares, γ²/n > 0.05, says that the mean square hangs on a few rows.
    """
    return any(_heavy(sizes) for sizes in np.abs(errors).T)


def _heavy(sizes: np.ndarray) -> bool:
    n = len(sizes)
    k = max(round(TAIL * n), FEWEST)
    if n <= k or not sizes.any():
        return False
    sizes = sizes / sizes.max()
    largest = np.sort(sizes)[-k - 1 :]
    excesses = largest[1:] - largest[0]
    if not excesses.any():
        return False
    variation = float(excesses.std(ddof=1) / excesses.mean())
    gamma = skewness(sizes**2 - (sizes**2).mean())
    return variation > 1 + DEVIATIONS / math.sqrt(k) and gamma**2 / n > SWAY
