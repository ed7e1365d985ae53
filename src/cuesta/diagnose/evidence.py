"""What the doctor looks at: a recording, the curves, and facts about the rows and the weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cuesta.core.layer import Layer
from cuesta.data.scale import fit_input_scaling
from cuesta.diagnose.record import Recording
from cuesta.hyperparameters import Candidate, Shape, is_classes

LARGE_SIZE = 8.0  # a root mean square from which a column is called not normalized
SMALL_TARGETS = 0.1  # likewise, at most


@dataclass(frozen=True)
class Inputs:
    """The rows as the network gets them: how large its columns are, and which are copies.

    Attributes
    ----------
    sizes : float array (inputs,)
        The columns' root mean squares, the largest first; about 1 where they are normalized.
    order : int array (inputs,)
        The columns' numbers in that order.
    duplicates : tuple of int
        The numbers of the largest set of columns that are one column up to a factor and a shift;
        empty where none are.
    """

    sizes: np.ndarray
    order: np.ndarray
    duplicates: tuple[int, ...]

    @property
    def largest(self) -> float:
        """The largest size of a column."""
        return float(self.sizes[0]) if len(self.sizes) else 0.0

    @property
    def unnormalized(self) -> bool:
        """Whether a column is large."""
        return self.largest >= LARGE_SIZE

    @property
    def only_one_large(self) -> bool:
        """Whether one column is large while the others are not."""
        return self.unnormalized and (len(self.sizes) == 1 or self.sizes[1] < LARGE_SIZE)


@dataclass(frozen=True)
class Evidence:
    """All that a diagnosis rests on.

    Attributes
    ----------
    candidate : Candidate
        The hyper-parameters.
    shape : Shape
        The layer sizes, the batch size and the loss.
    recording : Recording
        The gauges.
    baseline : float
        The loss of a predictor that ignores the inputs and predicts the classes' shares, or the
        mean, of the training rows.
    train : float array (epochs,)
        The mean training loss.
    validation : float array (epochs,) or None
        The same loss on the validation rows; None where no rows validate.
    inputs : Inputs
        Facts about the normalized inputs.
    target_size : float
        The largest root mean square of a target as the loss sees it; 1 for classes.
    gains : float array (layers,)
        The dense layers' initial weights' root mean square times √inputs of the layer: √2 for
        `he`, 1 for `normal`.
    names : tuple of str
        The inputs' names, where they have names.
    """

    candidate: Candidate
    shape: Shape
    recording: Recording
    baseline: float
    train: np.ndarray
    validation: np.ndarray | None
    inputs: Inputs
    target_size: float
    gains: np.ndarray
    names: tuple[str, ...] = ()

    @property
    def unnormalized_targets(self) -> bool:
        """Whether targets are numbers far larger or smaller than 1."""
        if is_classes(self.shape.loss):
            return False
        return not SMALL_TARGETS < self.target_size < LARGE_SIZE

    @property
    def unnormalized(self) -> bool:
        """Whether inputs or targets are so: then all else follows from it."""
        return self.inputs.unnormalized or self.unnormalized_targets

    def input_name(self, place: int) -> str:
        """The name of an input in quotes, or its number."""
        return repr(self.names[place]) if place < len(self.names) else f"{place}"


def describe_inputs(x: np.ndarray, normalize: str) -> Inputs:
    """The facts about rows (rows, columns) once they are normalized."""
    z = fit_input_scaling(x, normalize).inputs(x)
    sizes = np.sqrt((z**2).mean(axis=0))
    order = np.argsort(-sizes, kind="stable")
    return Inputs(sizes[order], order, _duplicates(z))


def _duplicates(z: np.ndarray) -> tuple[int, ...]:
    """The largest set of columns that are the same up to shift, factor and sign."""
    spreads = z.std(axis=0)
    varying = np.flatnonzero(spreads > 0)
    if len(varying) < 2:
        return ()
    unit = (z[:, varying] - z[:, varying].mean(axis=0)) / spreads[varying]
    largest_row = np.abs(unit).argmax(axis=0)
    unit *= np.sign(unit[largest_row, np.arange(len(varying))])
    groups: dict[bytes, list[int]] = {}
    for place, column in zip(varying, unit.T, strict=True):
        groups.setdefault((np.round(column, 6) + 0.0).tobytes(), []).append(int(place))
    largest = max(groups.values(), key=len)
    return tuple(largest) if len(largest) > 1 else ()


def initial_gains(layers: list[Layer]) -> np.ndarray:
    """(layers,): √(mean w² · inputs) of each layer, which no number of inputs changes."""
    return np.array([float(np.sqrt((w**2).mean() * w.shape[0])) for w, _ in layers])


def largest_target_size(targets: np.ndarray) -> float:
    """The largest root mean square of a target (rows, targets)."""
    return float(np.max(np.sqrt((targets**2).mean(axis=0))))


def validation_loss(loss: str, scores: np.ndarray) -> np.ndarray | None:
    """(epochs,): the loss on the validation rows, from the scores (epochs, scores) of each epoch.

    Half the squared errors stand for the absolute and the Huber loss. None without such rows.
    """
    values = scores[:, 0] if is_classes(loss) else 0.5 * scores.sum(axis=1)
    return None if np.isnan(values).all() else values
