"""The data of each fold: its normalized rows, and the order in which they train."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from cuesta.core.lane import FoldData
from cuesta.core.layer import Layer
from cuesta.core.own_units import OwnUnits
from cuesta.core.train import UNITS
from cuesta.data.bins import bin_edges, bins_of
from cuesta.data.folds import Fold
from cuesta.data.layout import Layout
from cuesta.data.scale import Scaling, fit_input_scaling
from cuesta.data.target_scale import KNOTS, fit_target_scaling, learned, own_scale, unlearned
from cuesta.hyperparameters import NO_FRONT, Candidate, Front

LARGEST_ORDER = 1 << 22  # row numbers of shuffles held at once, 16 MiB
LONGEST_SPAN = 16  # epochs between two looks at whether to stop


@dataclass(frozen=True)
class FoldArrays:
    """A fold ready to train: arrays padded to the feed's capacities, and its scalings."""

    x: jax.Array
    y: jax.Array
    weights: jax.Array
    validation: jax.Array
    inputs: Scaling
    targets: Scaling | None
    bounds: np.ndarray | None = None
    own: OwnUnits | None = None


def pad_to_few(n: int) -> int:
    """The next of 2ᵏ or 3·2ᵏ⁻¹ (at least 64): few sizes, so that compiled programs are shared."""
    n = max(n, 64)
    power = 1 << (n - 1).bit_length()
    return 3 * power // 4 if n <= 3 * power // 4 else power


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    return np.pad(values, [(0, length - len(values)), *[(0, 0)] * (values.ndim - 1)])


class Feed:
    """Rows, targets and folds of one run; a fold's arrays are made when first asked for.

    `x` (rows, columns) float64 with NaN for missing; `y` class numbers (rows,) or labels (rows,
    labels), whole numbers, or values (rows, targets); `weights` (rows,) above 0, by which a row
    counts in the loss and in normalization. The fold after the last one trains on all rows: the
    refit's. The draws of a fold (initial weights, shuffles, noise) are made from its number, or
    from `same_draws` for all: then a lane is what a network fitted to its rows alone would be.
    `balanced` weighs classes so that each counts the same, in training and in validation.
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        folds: list[Fold],
        kept: int = 3,
        weights: np.ndarray | None = None,
        same_draws: int | None = None,
        least_places: int = 0,
        balanced: bool = False,
        layout: Layout | None = None,
    ) -> None:
        everything = Fold(np.arange(len(x)), np.arange(0))
        self.folds = [*folds, everything]
        self.refit = len(folds)
        self._x, self._y, self._weights = x, y, weights
        self._same_draws, self._balanced = same_draws, balanced
        self.layout = layout or Layout(x.shape[1], tuple(range(x.shape[1])))
        self._given: dict[str, tuple[Scaling, Scaling | None]] = {}
        self._scalings: dict[tuple[int, str, str], tuple[Scaling, Scaling | None]] = {}
        self._kept: OrderedDict[tuple[int, str, bytes, str], FoldArrays] = OrderedDict()
        self._bins: dict[tuple[int, str, Front], Layer] = {}
        self._most_kept = kept
        self._lock = threading.Lock()
        self.rows = pad_to_few(len(x))
        places = max((len(f.validation) for f in folds), default=0)
        self.validation_places = pad_to_few(max(places, least_places))
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
        """A hash of the rows, of what their columns are, of the targets and the weights."""
        sha = hashlib.sha256()
        sha.update(repr(self.layout).encode())
        sha.update(b"balanced" if self._balanced else b"")
        for array in (self._x, self._y, *([] if self._weights is None else [self._weights])):
            sha.update(repr((array.shape, array.dtype.str)).encode())
            sha.update(array.tobytes())
        return sha.digest()

    @property
    def sizes(self) -> tuple[int, int]:
        """The capacities to which its arrays are padded: they are part of a program's shapes."""
        return self.rows, self.validation_places

    @property
    def classes(self) -> bool:
        """Whether the targets are class numbers or labels, which nothing normalizes."""
        return self._y.dtype.kind in "iu"

    @property
    def weighted(self) -> bool:
        """Whether rows have weights."""
        return self._weights is not None or self._balanced

    @property
    def inputs(self) -> int:
        """How many inputs a network for these rows has."""
        return self._x.shape[1]

    def keep_scalings(self, normalize: str, inputs: Scaling, targets: Scaling | None) -> None:
        """Normalize by these instead of by the rows: for training that goes on with other rows."""
        self._given[normalize] = inputs, targets

    def draws(self, fold: int) -> int:
        """The number from which the fold's draws are made."""
        return fold if self._same_draws is None else self._same_draws

    def arrays(
        self, fold: int, normalize: str, front: Front = NO_FRONT, transform: str = "none"
    ) -> FoldArrays:
        """The fold's arrays; the least recently used are dropped, so memory stays bounded.

        The columns stand as a network with this front takes them.
        """
        order = self.layout.order(front)
        with self._lock:
            found = self._arrays(fold, normalize, order, "none")
            if transform == "none" or found.targets is None:
                return found
            return self._arrays(fold, normalize, order, transform)

    def _arrays(
        self, fold: int, normalize: str, order: np.ndarray | None, transform: str
    ) -> FoldArrays:
        key = (fold, normalize, b"" if order is None else order.tobytes(), transform)
        if key not in self._kept:
            if transform == "none":
                self._kept[key] = self._make(fold, normalize, order)
            else:
                plain = self._arrays(fold, normalize, order, "none")
                self._kept[key] = self._transformed(plain, fold, normalize, transform)
            if len(self._kept) > self._most_kept:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def scalings(
        self, fold: int, normalize: str, transform: str = "none"
    ) -> tuple[Scaling, Scaling | None]:
        """How the fold's inputs and, for numbers, its targets are normalized (N3)."""
        if normalize in self._given:
            return self._given[normalize]
        key = (fold, normalize, transform)
        if key not in self._scalings:
            rows = self.folds[fold].train
            inputs = fit_input_scaling(self._x[rows], normalize, self._weights_of(rows))
            targets = None if self.classes else self.target_scaling(*key)
            self._scalings[key] = inputs, targets
        return self._scalings[key]

    def scalings_of(self, fold: int, candidate: Candidate) -> tuple[Scaling, Scaling | None]:
        """Those of a candidate's network; with the bounds within which its predictions are held."""
        inputs, targets = self.scalings(fold, candidate.normalize, candidate.target_transform)
        if targets is None or not candidate.clamp:
            return inputs, targets
        low, high = self._bounds(fold, targets)
        return inputs, replace(targets, low=low, high=high)

    def _bounds(self, fold: int, targets: Scaling) -> np.ndarray:
        """(2, targets): the least and the greatest targets that train, and that trained before."""
        y = self._y[self.folds[fold].train]
        bounds = np.stack([y.min(axis=0), y.max(axis=0)])
        if targets.low is None or targets.high is None:
            return bounds
        return np.stack([np.minimum(bounds[0], targets.low), np.maximum(bounds[1], targets.high)])

    def training_rows(self, fold: int) -> np.ndarray:
        """The fold's training rows as they are."""
        return self._x[self.folds[fold].train]

    def training_targets(self, fold: int, normalize: str, transform: str = "none") -> np.ndarray:
        """The targets of the fold's training rows as the loss sees them."""
        y = self._y[self.folds[fold].train]
        return y if self.classes else learned(self.target_scaling(fold, normalize, transform), y)

    def training_weights(self, fold: int) -> np.ndarray | None:
        """The weights of the fold's training rows in the loss, or None where all count the same."""
        if not self.weighted:
            return None
        return self._loss_weights(self.folds[fold])[self.folds[fold].train]

    def validation_weights(self, fold: int) -> np.ndarray:
        """By which the fold's validation rows count: 1 each where all count the same."""
        rows = self.folds[fold].validation
        return self._loss_weights(self.folds[fold])[rows] if self.weighted else np.ones(len(rows))

    def unit_weights(self, fold: int) -> np.ndarray:
        """(UNITS,): the weights of the validation rows of each unit (`core.train.validate`).

        A row counts 1 where all count the same; a unit has none where rows are fewer than units.
        """
        weights = self.validation_weights(fold)
        return np.bincount(np.arange(len(weights)) % UNITS, weights, UNITS)

    def target_scaling(self, fold: int, normalize: str, transform: str = "none") -> Scaling:
        """How the fold's targets are normalized, and transformed: by their training rows (N3).

        Targets are standardized under `minmax` too: a network's output has no bounds. Under `none`
        they keep their units, but for a transform: what that makes is always standardized, and
        validation then has the units of the target. The scale is that of the own units in which
        lanes validate, whatever the transform.
        """
        method = "none" if normalize == "none" else "standard"
        rows = self.folds[fold].train
        return fit_target_scaling(self._y[rows], method, transform, self._weights_of(rows))

    def _weights_of(self, rows: np.ndarray) -> np.ndarray | None:
        return None if self._weights is None else self._weights[rows]

    def _loss_weights(self, fold: Fold) -> np.ndarray:
        """Each row's weight in the loss: of mean 1 over the training rows."""
        weights = np.ones(len(self._x)) if self._weights is None else self._weights.copy()
        if self._balanced:
            for rows in (fold.train, fold.validation):
                counts = np.bincount(self._y[rows], minlength=int(self._y.max()) + 1)
                weights[rows] *= len(rows) / np.maximum(counts, 1)[self._y[rows]]
        return weights / weights[fold.train].mean()

    def bins(self, fold: int, normalize: str, front: Front) -> Layer:
        """The bins of the numeric columns: lower edges and 1/width (numbers, bins), for a lane.

        Of the normalized values of the fold's training rows alone, perhaps with their targets.
        """
        key = (fold, normalize, front)
        if key not in self._bins:
            rows = self.folds[fold].train
            x, (inputs, _) = self._x[rows], self.scalings(fold, normalize)
            numbers = list(self.layout.numbers)
            z = np.where(np.isnan(x), np.nan, inputs.inputs(x))[:, numbers]
            targets = self._y[rows] if front.embedding == "piecewise-tree" else None
            edges = bin_edges(z, front.parts, targets, classes=self.classes)
            self._bins[key] = Layer(*bins_of(edges, front.parts))
        return self._bins[key]

    def _make(self, number: int, normalize: str, order: np.ndarray | None) -> FoldArrays:
        fold = self.folds[number]
        inputs, targets = self.scalings(number, normalize)
        x = inputs.inputs(self._x)
        x = x if order is None else x[:, order]
        y, bounds = self._y, None
        if targets is not None:
            own = own_scale(targets)
            y = own.apply(y).astype(np.float32)
            bounds = own.apply(self._bounds(number, targets)).astype(np.float32)
        return FoldArrays(
            jax.device_put(_padded(x.astype(np.float32), self.rows)),
            jax.device_put(_padded(y, self.rows)),
            jax.device_put(_padded(self._loss_weights(fold).astype(np.float32), self.rows)),
            jax.device_put(_padded(fold.validation.astype(np.int32), self.validation_places)),
            inputs,
            targets,
            bounds,
        )

    def _transformed(
        self, plain: FoldArrays, fold: int, normalize: str, transform: str
    ) -> FoldArrays:
        """The fold's arrays with transformed targets; all else is the same memory."""
        _, targets = self.scalings(fold, normalize, transform)
        if targets is None:
            return plain
        y = learned(targets, self._y).astype(np.float32)
        return replace(
            plain,
            y=jax.device_put(_padded(y, self.rows)),
            targets=targets,
            own=_own_units(plain.y, targets),
        )

    def span_data(
        self,
        fold: int,
        normalize: str,
        seed: int,
        start: int,
        stop: int,
        front: Front = NO_FRONT,
        transform: str = "none",
    ) -> FoldData:
        """What a lane of this fold and seed trains on in the epochs from start to stop."""
        arrays = self.arrays(fold, normalize, front, transform)
        rows = self.folds[fold].train
        order = np.zeros((self.span, self.rows), np.int32)
        for place, epoch in enumerate(range(start, stop)):
            order[place, : len(rows)] = shuffled(rows, [seed, self.draws(fold), epoch])
        return FoldData(
            arrays.x,
            arrays.y,
            arrays.weights,
            order,
            np.int32(len(rows)),
            arrays.validation,
            np.int32(len(self.folds[fold].validation)),
            arrays.bounds,
            arrays.own,
        )


def _own_units(y: jax.Array, targets: Scaling) -> OwnUnits:
    """The way back to own units `y`, by the knots of the targets' map."""
    ends = np.array([[-1.0], [1.0]]) if targets.places is None else targets.places.T[[0, -1]]
    start, end = np.broadcast_to(ends, (2, len(targets.shift)))
    values = unlearned(replace(targets, low=None, high=None), np.linspace(start, end, KNOTS))
    knots = own_scale(targets).apply(values)
    parts = knots.T, start, (KNOTS - 1) / (end - start)
    return OwnUnits(y, *(np.ascontiguousarray(part, np.float32) for part in parts))


def shuffled(rows: np.ndarray, seed: list[int]) -> np.ndarray:
    """The rows in a random order that depends on the seed alone."""
    return np.random.default_rng([1, *seed]).permutation(rows)
