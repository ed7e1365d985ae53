"""The UCI regression sets of Hernández-Lobato, Gal and Ghahramani on their fixed splits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Gal and Ghahramani (2016), the grid-search rerun of 2018: mean and standard error over the splits
# of RMSE, and of the log-likelihood.
PUBLISHED = {
    "bostonHousing": ((2.90, 0.18), (-2.40, 0.04)),
    "energy": ((0.539, 0.014), (-1.21, 0.01)),
    "kin8nm": ((0.0789, 0.0006), (1.14, 0.01)),
    "naval-propulsion-plant": ((0.00074, 0.00005), (4.45, 0.00)),
    "protein-tertiary-structure": ((4.274, 0.021), (-2.87, 0.00)),
    "yacht": ((0.666, 0.049), (-1.25, 0.01)),
}


@dataclass(frozen=True)
class Split:
    """Numbers of the rows that train, in the file's order, and of those that test."""

    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class UciSet:
    """A set: inputs (rows, columns), target (rows, 1), its splits, and the published settings."""

    name: str
    x: np.ndarray
    y: np.ndarray
    splits: tuple[Split, ...]
    hidden: int
    epochs: int
    dropouts: tuple[float, ...]
    taus: np.ndarray


def read_set(folder: Path, most: int) -> UciSet:
    """A set's folder, with at most so many of its splits."""

    def numbers(name: str) -> np.ndarray:
        return np.loadtxt(folder / f"{name}.txt", ndmin=1)

    def rows(name: str) -> np.ndarray:
        return numbers(name).astype(int)

    table = np.loadtxt(folder / "data.txt")
    count = min(most, int(numbers("n_splits")[0]))
    return UciSet(
        folder.name,
        table[:, rows("index_features")],
        table[:, rows("index_target")],
        tuple(Split(rows(f"index_train_{i}"), rows(f"index_test_{i}")) for i in range(count)),
        int(numbers("n_hidden")[0]),
        10 * int(numbers("n_epochs")[0]),  # as the rerun multiplies them
        tuple(numbers("dropout_rates").tolist()),
        numbers("tau_values"),
    )
