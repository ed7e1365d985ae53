"""Out-of-fold predictions: what networks say of rows that they did not see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class OutOfFold:
    """Each validation row of each fold with what the fold's networks predict of it.

    Where rows validate in several rounds (repeated folds), each of them stands once for each.

    Parameters
    ----------
    rows : array (entries,)
        Numbers of training rows.
    folds : array (entries,)
        The fold in which the row validates.
    y : array (entries,) of class numbers, or (entries, targets) of values
    weights : array (entries,)
        By which rows count; their mean is 1.
    predictions : array (candidates, entries, outputs)
        Class shares, or values in the target's own units, of each candidate.
    """

    rows: np.ndarray
    folds: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    predictions: np.ndarray

    @property
    def classes(self) -> bool:
        """Whether classes are predicted, rather than numbers."""
        return self.y.ndim == 1

    def mixed(self, weights: np.ndarray) -> np.ndarray:
        """Σ wᵢ·predictionᵢ over the candidates (entries, outputs)."""
        (used,) = np.nonzero(weights)
        mixed = np.zeros(self.predictions.shape[1:])
        for place in used:  # in a fixed order, so that the sum has the same bits
            mixed += weights[place] * self.predictions[place]
        return mixed

    def at(self, places: np.ndarray) -> OutOfFold:
        """The entries at these places."""
        return OutOfFold(
            self.rows[places],
            self.folds[places],
            self.y[places],
            self.weights[places],
            self.predictions[:, places],
        )
