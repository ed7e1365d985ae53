"""What the folds taught of a model's errors: temperature, threshold, residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cuesta._util.checks import check_count, check_range
from cuesta.errors import SpecError

LARGEST_FOLD = 1_000_000
LARGEST_ROWS = 10**9  # of a fold
COLDEST, HOTTEST = 0.01, 100.0


@dataclass(frozen=True)
class FoldResiduals:
    """How far a fold's networks are from the rows that did not train them.

    Parameters
    ----------
    fold : int
        The fold's number.
    rows : int
        How many rows the fold holds out: each of the values stands for an equal share of them.
    values : array (values, targets) or (values, 1)
        |y − ŷ| of each target, or for classes 1 − p of the true class; each column sorted.

    Raises
    ------
    SpecError
        For values that are no such numbers.
    """

    fold: int
    rows: int
    values: np.ndarray

    def __post_init__(self) -> None:
        check_fold(self.fold)
        check_count("rows of a fold", self.rows, LARGEST_ROWS)
        values = self.values
        if values.ndim != 2 or not 0 < len(values) <= self.rows:
            raise SpecError(
                f"The residuals of fold {self.fold} must be a table of at most {self.rows:,} rows, "
                f"not {values.shape}."
            )
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise SpecError(f"The residuals of fold {self.fold} must be numbers of at least 0.")
        if (np.diff(values, axis=0) < 0).any():
            raise SpecError(f"The residuals of fold {self.fold} must be sorted.")

    @classmethod
    def of(cls, fold: int, residuals: np.ndarray, most: int = 1000) -> FoldResiduals:
        """Sorts the residuals (rows, targets) of a fold, and keeps at most so many of them.

        Of n rows, m values are kept: those of ranks ⌊jn/m⌋, j = 1 … m. Each is at least as large as
        those that it stands for, so intervals get wider by the thinning, never narrower.
        """
        ranks = _ranks(len(residuals), min(len(residuals), most))
        kept = np.sort(residuals, axis=0)[ranks - 1].astype(np.float64)
        return cls(fold, len(residuals), kept)

    @property
    def counts(self) -> np.ndarray:
        """(values + 1,) how many rows the first j values stand for, from j = 0: ⌊j·rows/values⌋."""
        return np.concatenate([[0], _ranks(self.rows, len(self.values))])


def _ranks(rows: int, kept: int) -> np.ndarray:
    return np.arange(1, kept + 1) * rows // kept


@dataclass(frozen=True)
class Calibration:
    """What is done to a model's shares, and how far its predictions may be from the truth.

    Parameters
    ----------
    temperature : float, default 1
        T of `sharpened`, for classes.
    threshold : float, optional
        Of two classes the second is chosen where its share is at least this one; without a
        threshold the larger share decides.
    residuals : tuple of FoldResiduals, default ()
        One for each fold whose networks the model holds, in the order of their numbers.

    Raises
    ------
    SpecError
        For a temperature or a threshold that is out of range.
    """

    temperature: float = 1.0
    threshold: float | None = None
    residuals: tuple[FoldResiduals, ...] = ()

    def __post_init__(self) -> None:
        check_range("temperature", self.temperature, COLDEST, HOTTEST)
        if self.threshold is not None:
            check_range("threshold", self.threshold, 0, 1)


UNCALIBRATED = Calibration()


def check_fold(fold: object) -> None:
    """Raise SpecError unless this is the number of a fold."""
    if isinstance(fold, bool) or not isinstance(fold, int) or not 0 <= fold < LARGEST_FOLD:
        raise SpecError(
            f"fold must be a whole number from 0 to {LARGEST_FOLD - 1:,}, not {fold!r}."
        )
