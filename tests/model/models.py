"""Models with random weights."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl

from cuesta.data.encode import Encoder, Feature, Target
from cuesta.data.scale import Scaling
from cuesta.hyperparameters import Candidate
from cuesta.model import Calibration, FittedModel, FoldResiduals, Member

FEATURES = (
    Feature("size", "number", missing=True),
    Feature("new", "boolean"),
    Feature("kind", "category", categories=("a", "b"), other=True),
)
FRAME = pl.DataFrame(
    {"kind": ["a", "c", None], "size": [1.0, None, -3.0], "new": [True, False, True]}
)
CLASSES = Target("classification", ("y",), ("no", "yes", "año 2"))
VALUES = Target("regression", ("u", "v"))


def drawn(target=CLASSES, hidden=(5, 4), activation="relu", seed=0, **candidate):
    """A model with random weights and scalings."""
    rng = np.random.default_rng(seed)
    encoder = Encoder(FEATURES)
    sizes = (encoder.width, *hidden, target.outputs)
    layers = tuple(
        (rng.normal(size=(m, n)).astype(np.float32), rng.normal(size=n).astype(np.float32))
        for m, n in pairwise(sizes)
    )
    scalings = [
        Scaling(rng.normal(size=width), rng.uniform(0.5, 2, size=width))
        for width in (encoder.width, target.outputs)
    ]
    return FittedModel.single(
        encoder,
        target,
        Candidate(hidden_layer_sizes=hidden, activation=activation, **candidate),
        scalings[0],
        scalings[1] if target.task == "regression" else None,
        layers,
    )


def rows(n, seed=1):
    """Encoded rows of ordinary sizes, some values missing."""
    x = np.random.default_rng(seed).normal(size=(n, len(drawn().inputs.shift)))
    x[::3, 0] = np.nan
    return x


def residuals_of(target, fold, count=20, rows=40):
    """Random residuals of a fold."""
    width = 1 if target.task == "classification" else target.outputs
    values = np.random.default_rng([1, fold]).uniform(size=(count, width))
    return FoldResiduals(fold, rows, np.sort(values, axis=0))


def committee(target=CLASSES, folds=3, temperature=1.0, refit=False, **calibration):
    """Two candidates' networks of each fold; a fold's inputs have one scaling.

    With a refit, a network that all rows trained decides alone.
    """
    weights = [1 / 4, 3 / 4]
    members = []
    for fold in range(folds):
        first = drawn(target, (5, 4), seed=fold).network
        second = drawn(target, (3,), "tanh", seed=fold).network
        second = replace(second, inputs=first.inputs, outputs=first.outputs)
        for weight, network in zip(weights, (first, second), strict=True):
            members.append(Member(network, 0.0 if refit else weight / folds, fold, weight))
    if refit:
        members.append(Member(drawn(target, seed=9).network))
    about = {"residuals": tuple(residuals_of(target, fold) for fold in range(folds))}
    return FittedModel(
        Encoder(FEATURES),
        target,
        tuple(members),
        Calibration(temperature, **{**about, **calibration}),
    )
