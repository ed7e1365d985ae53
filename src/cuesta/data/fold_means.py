"""The standard error of a mean over folds, whose training rows overlap."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from cuesta.data.folds import Fold


def standard_error(values: np.ndarray, held_out: float) -> float:
    """s·√(1/J + n_val/n_train) for J folds' values (Nadeau and Bengio, 2003).

    s is their standard deviation with J − 1 degrees of freedom, J = k·r for k folds repeated r
    times, and `held_out` the ratio n_val/n_train. The second term stands for what folds have in
    common: they train on the same rows, so their mean varies more than J free values would.
    Folds without a value (NaN), as one that lacks a class may be, do not count. NaN for one fold.
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    if len(known) < 2:
        return float("nan")
    largest = np.abs(known).max()
    unit = largest if 0 < largest < np.inf else 1.0  # so that no square overflows
    with np.errstate(invalid="ignore"):
        return float(unit * np.std(known / unit, ddof=1) * np.sqrt(1 / len(known) + held_out))


def held_out_ratio(folds: Iterable[Fold]) -> float:
    """The mean over the folds of n_val/n_train, validation rows to training rows."""
    return float(np.mean([len(fold.validation) / len(fold.train) for fold in folds]))
