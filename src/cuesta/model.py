"""A fitted model: its weights, its prediction in NumPy, its file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from cuesta._util.model_file import read_model_file, write_model_file, wrong_description
from cuesta.data.columns import find_column
from cuesta.data.encode import Encoder, Feature, Target
from cuesta.data.frames import as_frame, beside, like
from cuesta.data.numerals import parse_numerals
from cuesta.data.scale import Scaling
from cuesta.data.unusual import check_columns_are_there, unusual
from cuesta.errors import TableError
from cuesta.hyperparameters import Candidate

LARGEST = np.finfo(np.float64).max  # a bound that bounds nothing
BLOCK = 4096  # rows predicted at once: bounds the memory, not the result


def activate(name: str, z: np.ndarray) -> np.ndarray:
    """The named activation, element by element."""
    if name == "relu":
        return np.maximum(z, 0.0)
    if name == "tanh":
        return np.tanh(z)
    if name == "sigmoid":
        return 0.5 + 0.5 * np.tanh(0.5 * z)  # σ(z), without overflow
    if name == "identity":
        return z
    raise ValueError(f"activation {name!r} has no form in NumPy")


def softmax(outputs: np.ndarray) -> np.ndarray:
    """exp(oᵢ)/Σ exp(oⱼ), row by row."""
    shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Prediction:
    """A table of predictions, new names of the columns that it keeps, and what is to be said."""

    table: pl.DataFrame
    kept: Mapping[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class FittedModel:
    """A trained network with all that it needs to predict from a table; no JAX.

    The forward pass is in float64, so that a row's prediction does not depend on its neighbours.

    Parameters
    ----------
    encoder : Encoder
        How the columns of a table become inputs.
    target : Target
        What is predicted: its task, its names, and the labels of its classes.
    candidate : Candidate
        The hyper-parameters of the training.
    inputs : Scaling
        Shift and scale of each input (N3).
    outputs : Scaling or None
        Shift and scale of each value of a regression; None for classes and labels.
    layers : tuple of pairs of arrays
        Weights (inputs, outputs) and biases (outputs,) of each layer, in float32.
    estimator : dict or None, default=None
        What an estimator's file holds of it beside the model, in JSON.

    Attributes
    ----------
    sizes : tuple of int
        All layer sizes, from inputs to outputs.

    Raises
    ------
    TableError
        By `predict`, for what is no table, a missing column or an unusable value.

    References
    ----------
    Gal and Ghahramani (2016), "Dropout as a Bayesian approximation" (`sample`).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from cuesta import MLPClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = MLPClassifier((8,), epochs=5, random_state=0).fit(X, y).model_
    >>> model.sizes
    (4, 8, 3)
    >>> list(model.predict(X).columns)
    ['y', 'p_0', 'p_1', 'p_2']
    """

    encoder: Encoder
    target: Target
    candidate: Candidate
    inputs: Scaling
    outputs: Scaling | None
    layers: tuple[tuple[np.ndarray, np.ndarray], ...]
    estimator: Mapping[str, Any] | None = None  # what an estimator keeps of itself, for JSON

    def __repr__(self) -> str:
        """In one line, without its arrays."""
        columns = len(self.encoder.features)
        return f"<FittedModel: {self.target.task}, {columns} columns, layers of {self.sizes} units>"

    @property
    def sizes(self) -> tuple[int, ...]:
        """All layer sizes from inputs to outputs."""
        return (self.encoder.width, *(len(b) for _, b in self.layers))

    def decide(self, x: np.ndarray) -> np.ndarray:
        """Encoded rows (rows, columns) → class probabilities, or values in their own units.

        A row without any value gets the classes' shares, or the mean, of the training rows.
        """
        if not len(x):
            return np.empty((0, self.target.outputs))
        blocks = [self._forward(x[at : at + BLOCK]) for at in range(0, len(x), BLOCK)]
        decided = np.concatenate(blocks)
        if self.target.base:
            decided[self.encoder.without_value(x)] = self.target.base
        return decided

    def _forward(self, x: np.ndarray, masks: Sequence[np.ndarray] = ()) -> np.ndarray:
        """The forward pass: shares or values; `masks` multiply the units of each hidden layer."""
        units = self.inputs.inputs(x)
        for depth, (w, b) in enumerate(self.layers):
            units = units @ w.astype(np.float64) + b
            if depth < len(self.layers) - 1:
                units = activate(self.candidate.activation, units)
                if len(masks):
                    units = units * masks[depth]
        return self._finish(units)

    def _finish(self, units: np.ndarray) -> np.ndarray:
        """From the last layer's sums to shares or values."""
        if self.outputs is not None:
            return self.outputs.undo(units)
        if self.target.task == "multilabel":
            return activate("sigmoid", units)
        return softmax(units)

    def sample(self, x: np.ndarray, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of what networks with dropped units decide (rows, outputs).

        Monte-Carlo dropout (Gal and Ghahramani, 2016): units are dropped as in training, by N1,
        anew in each of the draws; one mask serves all rows of a draw, so that a row's answer
        does not depend on its neighbours.
        """
        rng = np.random.default_rng([4, seed])
        keep = 1.0 - self.candidate.dropout
        total = np.zeros((len(x), self.target.outputs))
        squares = np.zeros_like(total)
        for draw in range(draws):
            masks = [(rng.random(len(b)) < keep) / max(keep, 1e-12) for _, b in self.layers[:-1]]
            decided = self._forward(x, masks)
            step = decided - total
            total += step / (draw + 1)  # Welford, 1962
            squares += step * (decided - total)
        return total, np.sqrt(squares / draws)

    def predict(self, table: Any, keep: str | Sequence[str] = ()) -> Any:
        """A table of predictions: the target's own column, and for each class a column `p_<class>`.

        It is of the kind that was given: pandas, polars or pyarrow. The columns of `keep` ("all":
        all of them) stand before the predictions as they were; one that is named like a prediction
        is called `given_<name>`. Raises TableError for what is no table, a missing column or an
        unusable value.
        """
        frame = as_frame(table)
        if frame is None:
            raise TableError(
                "predict needs a table of pandas, polars or pyarrow, not one of type "
                f"{type(table).__name__}."
            )
        kept = self._kept_names(frame, keep)
        return beside(table, kept, like(table, self._named(self._encode(frame))))

    def predict_and_tell(self, frame: pl.DataFrame, keep: str | Sequence[str] = ()) -> Prediction:
        """The predictions of a polars frame, and what of it is unlike the training rows.

        Raises TableError as `predict`.
        """
        kept = self._kept_names(frame, keep)
        x = self._encode(frame)
        notes = unusual(self.encoder, frame, x, kept)
        return Prediction(beside(frame, kept, self._named(x)), kept, tuple(notes))

    def _encode(self, frame: pl.DataFrame) -> np.ndarray:
        check_columns_are_there(self.encoder, frame)
        return self.encoder.encode(frame)

    def _kept_names(self, frame: pl.DataFrame, keep: str | Sequence[str]) -> dict[str, str]:
        """The columns to keep, and what each is called beside the predictions."""
        names = [keep] if isinstance(keep, str) else keep
        if isinstance(keep, str) and keep == "all":
            names = frame.columns
        taken = {*self.output_names, *names}
        kept = {}
        for name in names:
            find_column(frame, name, "The table")
            kept[name] = name
            if name in self.output_names:
                while kept[name] in taken:
                    kept[name] = f"given_{kept[name]}"
                taken.add(kept[name])
        return kept

    @property
    def output_names(self) -> list[str]:
        """The columns of a table of predictions."""
        if self.target.task == "regression":
            return list(self.target.names)
        of = self.target.labels if self.target.task == "classification" else self.target.names
        return [*self.target.names, *(f"p_{label}" for label in of)]

    def _named(self, x: np.ndarray) -> pl.DataFrame:
        """What is decided of encoded rows, as columns with their names."""
        decided = self.decide(x)
        columns: list[Any] = list(decided.T)
        if self.target.task == "multilabel":
            columns = [*(decided > 0.5).astype(np.int64).T, *columns]
        elif self.target.task == "classification":
            labels = pl.Series(self.target.labels)
            columns = [labels[decided.argmax(axis=1).tolist()], *columns]
        return pl.DataFrame(dict(zip(self.output_names, columns, strict=True)))

    def save(self, path: str | Path) -> None:
        """Write the model atomically: weights and scalings as arrays, the rest as JSON."""
        save_with(self, Path(path), {})


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
        _require(isinstance(features, list) and len(features) > 0, "features")
        encoder = Encoder(tuple(_feature(about) for about in features))
        _require(len(set(encoder.columns)) == len(features), "a column comes twice")
        estimator = description.get("estimator")
        _require(estimator is None or isinstance(estimator, dict), "estimator is no table")
        candidate = Candidate.from_dict(description["candidate"])
        return cls(encoder, _target(description["target"]), candidate, estimator)

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


def _require(so: bool, what: str) -> None:
    if not so:
        raise ValueError(what)


def _all_are(kind: type, values: Any) -> bool:
    """Whether this is a list of nothing but this type (a bool is no int here)."""
    return isinstance(values, list) and all(type(value) is kind for value in values)


def _are_texts(values: Any) -> bool:
    """Whether this is a list of texts that can be written: JSON may hold half a character."""
    return _all_are(str, values) and not any(
        "\ud800" <= character <= "\udfff" for value in values for character in value
    )


def _feature(about: dict[str, Any]) -> Feature:
    feature = Feature(**about)
    _require(
        feature.kind in ("number", "boolean", "date", "time", "category"), f"kind {feature.kind!r}"
    )
    _require(_are_texts([feature.name, feature.format]), f"column {feature.name!r}")
    _require(_all_are(bool, [feature.missing, feature.other]), f"column {feature.name!r}")
    _require(_are_texts(about["categories"]), f"categories of {feature.name!r}")
    _require(_are_texts(about.get("marks", [])), f"marks of {feature.name!r}")
    if feature.kind == "number" and feature.format:
        parse_numerals(feature.format)
    _require(feature.width > feature.missing, f"column {feature.name!r} has no input")
    categories, marks = tuple(about["categories"]), tuple(about.get("marks", ()))
    return replace(feature, categories=categories, marks=marks)


def _target(about: dict[str, Any]) -> Target:
    task, names, labels = about["task"], about["names"], about["labels"]
    _require(_are_texts(names) and 0 < len(names) == len(set(names)), "target's names")
    if task == "classification":
        _require(len(names) == 1 and _are_labels(labels), "labels")
        _require(names[0] not in [f"p_{label}" for label in labels], "labels")
    else:
        _require(task in ("regression", "multilabel"), f"task {task!r}")
        _require(labels == [], f"labels of a {task}")
    base = about.get("base", [])
    _require(base == [] or _all_are(float, base), "base of the target")
    _require(all(map(math.isfinite, base)), "base of the target")
    target = Target(task, tuple(names), tuple(labels), tuple(base))
    _require(len(base) in (0, target.outputs), "base of the target")
    return target


def _are_labels(labels: Any) -> bool:
    """Whether this is a list of two labels or more, all different and of one type."""
    if not isinstance(labels, list) or not _are_texts([str(label) for label in labels]):
        return False
    of_one_type = any(_all_are(kind, labels) for kind in (str, bool, int, float))
    if not of_one_type or not len(set(labels)) == len(labels) > 1:
        return False
    return all(map(math.isfinite, labels)) if type(labels[0]) is float else True


def _scaling(arrays: Mapping[str, np.ndarray], name: str, width: int) -> Scaling:
    shift, scale = (_checked(arrays, f"{name}.{part}", (width,)) for part in ("shift", "scale"))
    _require(bool((scale >= 0).all()), f"{name}.scale has negative numbers")
    if f"{name}.low" not in arrays:
        return Scaling(shift, scale)
    low, high = (_checked(arrays, f"{name}.{part}", (width,)) for part in ("low", "high"))
    _require(bool((low <= high).all()), f"{name}.low is above {name}.high")
    return Scaling(shift, scale, low, high)


def _checked(arrays: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...]) -> np.ndarray:
    array = arrays[name]
    if array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
        raise ValueError(f"array {name} is not {shape} finite numbers")
    return array
