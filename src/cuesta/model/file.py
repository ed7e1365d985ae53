"""A model's file: what stands in it, and what is checked before it is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cuesta._util.model_file import read_model_file, write_model_file, wrong_description
from cuesta.data.encode import Encoder, Target
from cuesta.data.scale import Scaling
from cuesta.hyperparameters import Candidate
from cuesta.model.description import feature_of, require, target_of
from cuesta.model.fitted import FittedModel

LARGEST = np.finfo(np.float64).max  # a bound that bounds nothing


def save_with(model: FittedModel, path: Path, more: Mapping[str, np.ndarray]) -> None:
    """Write a model with more arrays, which `read_with` gives back."""
    write_model_file(path, {**_arrays(model), **more}, _describe(model))


def _arrays(model: FittedModel) -> dict[str, np.ndarray]:
    arrays = {"inputs.shift": model.inputs.shift, "inputs.scale": model.inputs.scale}
    if model.inputs.low is not None and model.inputs.high is not None:
        arrays |= {
            "inputs.low": np.maximum(model.inputs.low, -LARGEST),
            "inputs.high": np.minimum(model.inputs.high, LARGEST),
        }
    if model.outputs is not None:
        arrays |= {"outputs.shift": model.outputs.shift, "outputs.scale": model.outputs.scale}
    for depth, (w, b) in enumerate(model.layers):
        arrays |= {f"{depth}.w": w, f"{depth}.b": b}
    return arrays


def _describe(model: FittedModel) -> dict[str, Any]:
    return {
        "features": [asdict(feature) for feature in model.encoder.features],
        "target": asdict(model.target),
        "candidate": model.candidate.to_dict(),
        "estimator": model.estimator,
    }


def load_model(path: Path) -> FittedModel:
    """Read a model file; nothing in it is run, all of it is checked.

    Raises ModelFileError for a file that is missing, truncated, altered, of another format or
    with arrays that do not fit its description.
    """
    return read_with(path)[0]


def read_with(path: Path) -> tuple[FittedModel, dict[str, np.ndarray]]:
    """What `load_model` reads, and all arrays of the file. Raises ModelFileError as it does."""
    description, arrays = read_model_file(path, lambda about: _Plan.of(about).numbers)
    with wrong_description(path, "a model"):
        return _Plan.of(description).filled(arrays), arrays


class _Plan(NamedTuple):
    """A model without its arrays: all that a file's description says, checked."""

    encoder: Encoder
    target: Target
    candidate: Candidate
    estimator: Mapping[str, Any] | None

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> _Plan:
        """Read a description. Raises ValueError, TypeError or LookupError for what is none."""
        features = description["features"]
        require(isinstance(features, list) and len(features) > 0, "features")
        encoder = Encoder(tuple(feature_of(about) for about in features))
        require(len(set(encoder.columns)) == len(features), "a column comes twice")
        estimator = description.get("estimator")
        require(estimator is None or isinstance(estimator, dict), "estimator is no table")
        candidate = Candidate.from_dict(description["candidate"])
        return cls(encoder, target_of(description["target"]), candidate, estimator)

    @property
    def sizes(self) -> tuple[int, ...]:
        """All layer sizes, from inputs to outputs."""
        hidden = self.candidate.hidden_layer_sizes
        return (self.encoder.width, *hidden, self.target.outputs)

    @property
    def numbers(self) -> int:
        """How many numbers its layers and scalings hold."""
        scalings = 2 * (self.encoder.width + self.target.outputs)
        return scalings + sum((m + 1) * n for m, n in pairwise(self.sizes))

    def filled(self, arrays: Mapping[str, np.ndarray]) -> FittedModel:
        """The model with its arrays. Raises ValueError or LookupError where one does not fit."""
        layers = [
            (_checked(arrays, f"{depth}.w", (m, n)), _checked(arrays, f"{depth}.b", (n,)))
            for depth, (m, n) in enumerate(pairwise(self.sizes))
        ]
        outputs = None
        if self.target.task == "regression":
            outputs = _scaling(arrays, "outputs", self.target.outputs)
        return FittedModel(
            self.encoder,
            self.target,
            self.candidate,
            _scaling(arrays, "inputs", self.encoder.width),
            outputs,
            tuple(layers),
            self.estimator,
        )


def _scaling(arrays: Mapping[str, np.ndarray], name: str, width: int) -> Scaling:
    shift, scale = (_checked(arrays, f"{name}.{part}", (width,)) for part in ("shift", "scale"))
    require(bool((scale >= 0).all()), f"{name}.scale has negative numbers")
    if f"{name}.low" not in arrays:
        return Scaling(shift, scale)
    low, high = (_checked(arrays, f"{name}.{part}", (width,)) for part in ("low", "high"))
    require(bool((low <= high).all()), f"{name}.low is above {name}.high")
    return Scaling(shift, scale, low, high)


def _checked(arrays: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...]) -> np.ndarray:
    array = arrays[name]
    if array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
        raise ValueError(f"array {name} is not {shape} finite numbers")
    return array
