"""What one lane is made of: its hyper-parameters as numbers, its rows, its state, its outcome."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from jax import Array

from cuesta.core.activation import Activation
from cuesta.core.foreign import factory_of
from cuesta.core.layer import Layer
from cuesta.core.optim import Rule, init_moments
from cuesta.core.own_units import OwnUnits
from cuesta.core.schedule import Decay
from cuesta.core.types import Params, Scalar, Tensor
from cuesta.hyperparameters import Shape

Batch = tuple[Array, Array, Array, list[Array] | None]  # x, y, shares of the loss, noise


class LaneHyperparameters(NamedTuple):
    """A candidate's hyper-parameters (N17) as numbers, which can be batched and traced.

    `warmup` is a share of the steps; `least_share` is 1 − d of the average of `core.average`.
    """

    rule: Rule
    activation: Activation
    alpha_0: Scalar
    alpha_t: Scalar
    decay: Decay
    warmup: Scalar
    keep_threshold: Scalar
    clip_norm: Scalar
    clip_value: Scalar
    weight_decay: Scalar
    loss_number: Scalar
    least_share: Scalar
    clamped: Scalar


class ProgramFeatures(NamedTuple):
    """What a compiled program can do; a feature that no lane of a run needs can be left out.

    That changes no bit of any lane: `memory` keeps the moments of all but SGD, `bounded` computes
    tanh and σ, `exponential` the activations with an exponential, `dropout` draws noise. `weighted`
    reads the rows' weights, where rows have such. `averaged` keeps a moving average of the
    network's weights; `clamped` holds what validates within the bounds of the targets that train.
    """

    memory: bool = True
    bounded: bool = True
    dropout: bool = True
    weighted: bool = True
    exponential: bool = True
    averaged: bool = True
    clamped: bool = True


ALL_FEATURES = ProgramFeatures()


def needed(hyperparameters: LaneHyperparameters, features: ProgramFeatures) -> LaneHyperparameters:
    """The numbers that a program with these features reads; None for a form that it lacks."""
    if features.exponential:
        return hyperparameters
    lean = hyperparameters.activation._replace(exponential=None)
    return hyperparameters._replace(activation=lean)


class FoldData(NamedTuple):
    """One fold: normalized rows, and the order in which they train.

    `x` (rows, inputs) float32; `y` (rows,) class numbers, or (rows, targets) normalized values or
    labels; `weights` (rows,), their mean over the training rows 1;
    `order` (epochs, places): row numbers, a shuffle per epoch, of which the first `n_train`
    count; `validation` (places,): row numbers, of which the first `n_validation` count.
    For numbers, `bounds` (2, targets) are the least and the greatest that train, in own units, and
    `own` leads back to these from targets that are transformed.
    """

    x: Array
    y: Array
    weights: Array
    order: Tensor
    n_train: Scalar
    validation: Array
    n_validation: Scalar
    bounds: Tensor | None = None
    own: OwnUnits | None = None


class Span(NamedTuple):
    """Epochs from `start` (counted from 0) to `stop`; the learning rate decays over `total`.

    `patience`: a lane that stops early does so when so many epochs brought no better score.
    """

    start: Scalar
    stop: Scalar
    total: Scalar
    patience: Scalar


class Outcome(NamedTuple):
    """How a lane goes: the step (from 1) with the first non-finite loss or gradient, or 0.

    `norm` is the last finite gradient norm before clipping.
    """

    diverged_at: Scalar
    norm: Scalar


class Best(NamedTuple):
    """Of a lane that stops early: the best epoch (from 1) so far, its score and its weights."""

    epoch: Scalar
    score: Scalar
    layers: list[Layer]


class State(NamedTuple):
    """What the next step needs; `best` where the lane stops early, `average` where one is kept."""

    layers: list[Layer]
    moments: Params  # our Moments, or a foreign optimizer's own state
    outcome: Outcome
    best: Best | None = None
    average: list[Layer] | None = None

    @property
    def judged(self) -> list[Layer]:
        """The weights that validate: their moving average, where one is kept."""
        return self.layers if self.average is None else self.average

    @property
    def chosen(self) -> list[Layer]:
        """The weights that a fit keeps: those of the best epoch, where the lane stops early."""
        return self.judged if self.best is None else self.best.layers

    @property
    def best_epoch(self) -> int:
        """The epoch (from 1) of the chosen weights where the lane stops early, else 0."""
        return 0 if self.best is None else int(self.best.epoch)


def initial_state(
    layers: list[Layer], rule: Rule, shape: Shape, *, early: bool = False, averaged: bool = False
) -> State:
    """The state before the first step, in NumPy: nothing is compiled for our own optimizers."""
    moments = init_moments(rule, layers)
    if shape.foreign:
        state = factory_of(shape)(learning_rate=1.0).init(layers)  # which no rate enters
        moments = jax.tree.map(np.asarray, state)
    best = Best(np.int32(0), np.float32(np.inf), layers) if early else None
    average = layers if averaged else None
    return State(layers, moments, Outcome(np.int32(0), np.float32(0)), best, average)
