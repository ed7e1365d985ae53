"""One trained network: its forward pass in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cuesta.data.layout import Layout
from cuesta.data.scale import Scaling
from cuesta.data.target_scale import unlearned
from cuesta.hyperparameters import NO_FRONT, Candidate, Front
from cuesta.model.activation import activate, softmax
from cuesta.model.front import enter
from cuesta.model.residual import normalized

BLOCK = 4096  # rows predicted at once: bounds the memory, not the result

Layers = tuple[tuple[np.ndarray, np.ndarray], ...]


@dataclass(frozen=True)
class Network:
    """A trained network, from encoded rows to shares of classes or values; no JAX.

    The forward pass is in float64, so that a row's prediction does not depend on its neighbours.

    Parameters
    ----------
    candidate : Candidate
        The hyper-parameters of the training.
    inputs : Scaling
        Shift and scale of each input (N3).
    outputs : Scaling or None
        Shift, scale and perhaps knots of each value of a regression, and the bounds within which
        it is held, if any; None for classes and labels.
    layers : tuple of pairs of arrays
        Weights (inputs, outputs) and biases (outputs,) of each layer, in float32; first those of
        the embeddings and the scale, where there are such.
    layout : Layout, optional
        What the inputs are, where embeddings go by it.

    References
    ----------
    Gal and Ghahramani (2016), "Dropout as a Bayesian approximation" (`sample`).
    """

    candidate: Candidate
    inputs: Scaling
    outputs: Scaling | None
    layers: Layers
    layout: Layout | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without what is made anew: the weights in float64, the inputs' order."""
        made = ("_exact", "_order", "front")
        return {name: value for name, value in vars(self).items() if name not in made}

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of inputs, and the sizes of the dense layers."""
        return (len(self.inputs.shift), *(len(b) for _, b in self.layers[self.front.depth :]))

    @cached_property
    def front(self) -> Front:
        """What stands before the first dense layer."""
        return NO_FRONT if self.layout is None else self.layout.front(self.candidate)

    @cached_property
    def _order(self) -> np.ndarray | None:
        """The inputs' order where some are embedded."""
        return None if self.layout is None else self.layout.order(self.front)

    @cached_property
    def _exact(self) -> Layers:
        """The layers in float64."""
        return tuple((w.astype(np.float64), b.astype(np.float64)) for w, b in self.layers)

    def decide(self, x: np.ndarray, task: str) -> np.ndarray:
        """Encoded rows (rows, columns) → shares of classes or labels, or values in their units."""
        if not len(x):
            return np.empty((0, self.sizes[-1]))
        blocks = [self._forward(x[at : at + BLOCK], task) for at in range(0, len(x), BLOCK)]
        return np.concatenate(blocks)

    def _forward(self, x: np.ndarray, task: str, masks: Sequence[np.ndarray] = ()) -> np.ndarray:
        """The forward pass: shares or values; `masks` multiply the units of each hidden layer."""
        units, dense = self._enter(x)
        for depth, (w, b) in enumerate(dense):
            hidden = depth < len(dense) - 1
            adds = hidden and depth and self.candidate.architecture == "resnet" and len(w) == len(b)
            entering = units
            units = (normalized(units) if adds else units) @ w
            units += b  # in place: new memory would cost more than the sum
            if hidden:
                units = activate(self.candidate.activation, units, out=units)
                if len(masks):
                    units *= masks[depth]
            if adds:
                units += entering
        return self._finish(units, task)

    def _enter(self, x: np.ndarray) -> tuple[np.ndarray, Layers]:
        """What enters the first dense layer, and the dense layers."""
        units = self.inputs.inputs(x)
        if self._order is not None:
            units = units[:, self._order]
        if self.front.depth:
            units = enter(self.front, self._exact[: self.front.depth], units)
        return units, self._exact[self.front.depth :]

    def _finish(self, units: np.ndarray, task: str) -> np.ndarray:
        """From the last layer's sums to shares or values."""
        if self.outputs is not None:
            return unlearned(self.outputs, units)
        return activate("sigmoid", units) if task == "multilabel" else softmax(units)

    def sample(
        self, x: np.ndarray, task: str, draws: int, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of what networks with dropped units decide (rows, outputs).

        Monte-Carlo dropout (Gal and Ghahramani, 2016): units are dropped as in training, by N1,
        anew in each of the draws; one mask serves all rows of a draw, so that a row's answer
        does not depend on its neighbours.
        """
        rng = np.random.default_rng([4, seed])
        keep = 1.0 - self.candidate.dropout
        mean = np.zeros((len(x), self.sizes[-1]))
        squares = np.zeros_like(mean)
        for draw in range(draws):
            hidden = self.layers[self.front.depth : -1]
            masks = [(rng.random(len(b)) < keep) / max(keep, 1e-12) for _, b in hidden]
            decided = self._forward(x, task, masks)
            step = decided - mean
            mean += step / (draw + 1)  # Welford, 1962
            squares += step * (decided - mean)
        return mean, np.sqrt(squares / draws)
