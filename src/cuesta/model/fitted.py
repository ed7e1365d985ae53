"""A fitted model: all that it needs to predict from a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cuesta.data.columns import find_column
from cuesta.data.encode import Encoder, Target
from cuesta.data.frames import as_frame, beside, like
from cuesta.data.scale import Scaling
from cuesta.data.unusual import check_columns_are_there, unusual
from cuesta.errors import TableError
from cuesta.hyperparameters import Candidate
from cuesta.model.activation import activate, softmax

BLOCK = 4096  # rows predicted at once: bounds the memory, not the result


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
        from cuesta.model.file import save_with  # which needs this class to read

        save_with(self, Path(path), {})
