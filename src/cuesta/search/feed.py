"""What lanes are fed: each fold's normalized rows, and the order in which they train."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from cuesta.core.train import FoldData
from cuesta.data.folds import Fold
from cuesta.data.scale import Scaling, fit_scaling

LARGEST_ORDER = 1 << 22  # row numbers of shuffles held at once, 16 MiB
LONGEST_SPAN = 16  # epochs between two looks at whether to stop


@dataclass(frozen=True)
class FoldArrays:
    """A fold ready to train: arrays padded to the feed's capacities, and its scalings."""

    x: jax.Array
    y: jax.Array
    validation: jax.Array
    inputs: Scaling
    targets: Scaling | None


def pad_to_few(n: int) -> int:
    """The next of 2ᵏ or 3·2ᵏ⁻¹ (at least 64): few sizes, so that compiled programs are shared."""
    n = max(n, 64)
    power = 1 << (n - 1).bit_length()
    return 3 * power // 4 if n <= 3 * power // 4 else power


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    return np.pad(values, [(0, length - len(values)), *[(0, 0)] * (values.ndim - 1)])


class Feed:
    """Rows, targets and folds of one run; a fold's arrays are made when first asked for.

    `x` (rows, columns) float64 with NaN for missing; `y` class numbers (rows,) or values (rows,
    targets). The fold after the last one trains on all rows: the refit's.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, folds: list[Fold], kept: int = 3) -> None:
        everything = Fold(np.arange(len(x)), np.arange(0))
        self.folds = [*folds, everything]
        self.refit = len(folds)
        self._x, self._y = x, y
        self._kept: OrderedDict[tuple[int, str], FoldArrays] = OrderedDict()
        self._most_kept = kept
        self._lock = threading.Lock()
        self.rows = pad_to_few(len(x))
        self.validation_places = pad_to_few(max(len(f.validation) for f in folds))
        power = max(1, LARGEST_ORDER // self.rows).bit_length() - 1
        self.span = min(LONGEST_SPAN, 1 << power)

    def __getstate__(self) -> dict[str, Any]:
        """What travels to another process: the rows and folds, not the arrays made from them."""
        made: dict[str, Any] = {"_kept": OrderedDict(), "_lock": None}
        return {name: made.get(name, value) for name, value in vars(self).items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.Lock())

    @property
    def fingerprint(self) -> bytes:
        """A hash of the rows and the targets."""
        sha = hashlib.sha256()
        for array in (self._x, self._y):
            sha.update(repr((array.shape, array.dtype.str)).encode())
            sha.update(array.tobytes())
        return sha.digest()

    @property
    def classes(self) -> bool:
        """Whether the targets are class numbers."""
        return self._y.ndim == 1

    def arrays(self, fold: int, normalize: str) -> FoldArrays:
        """The fold's arrays; the least recently used are dropped, so memory stays bounded."""
        key = (fold, normalize)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._make(fold, normalize)
                if len(self._kept) > self._most_kept:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]

    def target_scaling(self, fold: int, normalize: str) -> Scaling:
        """How the fold's targets are normalized: by their training rows (N3).

        Targets are standardized under `minmax` too: a network's output has no bounds. One that
        is constant in these rows keeps its unit, for it may not be so in the others.
        """
        method = "none" if normalize == "none" else "standard"
        fitted = fit_scaling(self._y[self.folds[fold].train], method)
        return Scaling(fitted.shift, np.where(fitted.scale > 0, fitted.scale, 1.0))

    def _make(self, number: int, normalize: str) -> FoldArrays:
        fold = self.folds[number]
        inputs = fit_scaling(self._x[fold.train], normalize)
        targets = None if self.classes else self.target_scaling(number, normalize)
        y = self._y if targets is None else targets.apply(self._y).astype(np.float32)
        return FoldArrays(
            jax.device_put(_padded(inputs.apply(self._x).astype(np.float32), self.rows)),
            jax.device_put(_padded(y, self.rows)),
            jax.device_put(_padded(fold.validation.astype(np.int32), self.validation_places)),
            inputs,
            targets,
        )

    def span_data(self, fold: int, normalize: str, seed: int, start: int, stop: int) -> FoldData:
        """What a lane of this fold and seed trains on in the epochs from start to stop."""
        arrays = self.arrays(fold, normalize)
        rows = self.folds[fold].train
        order = np.zeros((self.span, self.rows), np.int32)
        for place, epoch in enumerate(range(start, stop)):
            order[place, : len(rows)] = shuffled(rows, [seed, fold, epoch])
        return FoldData(
            arrays.x,
            arrays.y,
            order,
            np.int32(len(rows)),
            arrays.validation,
            np.int32(len(self.folds[fold].validation)),
        )


def shuffled(rows: np.ndarray, seed: list[int]) -> np.ndarray:
    """The rows in a random order that depends on the seed alone."""
    return np.random.default_rng([1, *seed]).permutation(rows)
