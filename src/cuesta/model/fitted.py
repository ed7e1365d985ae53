"""A fitted model: one network or a committee, with all that it needs to predict from a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cuesta._text import count
from cuesta.data.encode import Encoder, Target
from cuesta.data.frames import as_frame, beside, like
from cuesta.data.layout import Layout
from cuesta.data.scale import Scaling
from cuesta.data.unusual import check_columns_are_there, unusual
from cuesta.errors import SpecError, TableError
from cuesta.hyperparameters import Candidate
from cuesta.model import conformal
from cuesta.model.asked import Asked, check_level
from cuesta.model.calibration import UNCALIBRATED, Calibration
from cuesta.model.member import Member, check_weights, mixed
from cuesta.model.network import BLOCK, Layers, Network
from cuesta.model.predictions import (
    Prediction,
    bound_columns,
    decided_columns,
    kept_names,
    output_names,
    set_column,
)
from cuesta.model.temperature import sharpened


@dataclass(frozen=True)
class FittedModel:
    """One trained network or a committee of them, with all that it needs to predict; no JAX.

    A committee decides Σ weight · share, or value, of its members. Shares of classes are then
    sharpened by the temperature: p^(1/T)/Σ p^(1/T).

    Parameters
    ----------
    encoder : Encoder
        How the columns of a table become inputs.
    target : Target
        What is predicted: its task, its names, and the labels of its classes.
    members : tuple of Member
        The networks and their weights, which add up to 1.
    calibration : Calibration, default=Calibration()
        The temperature, the threshold and the residuals of the folds.
    estimator : dict or None, default=None
        What an estimator's file holds of it beside the model, in JSON.

    Attributes
    ----------
    candidate, inputs, outputs, layers, sizes
        Those of the network, where a single one decides.
    folds : tuple of int
        The numbers of the folds whose networks the model holds.

    Raises
    ------
    SpecError
        When made, for weights that do not add up to 1 or a calibration of another model.
    TableError
        By `predict`, for what is no table, a missing column or an unusable value.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks".

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
    members: tuple[Member, ...]
    calibration: Calibration = UNCALIBRATED
    estimator: Mapping[str, Any] | None = None  # what an estimator keeps of itself, for JSON

    @classmethod
    def single(
        cls,
        encoder: Encoder,
        target: Target,
        candidate: Candidate,
        inputs: Scaling,
        outputs: Scaling | None,
        layers: Layers,
        estimator: Mapping[str, Any] | None = None,
    ) -> FittedModel:
        """A model of one network, of which the last four arguments but one are `Network`'s."""
        network = Network(candidate, inputs, outputs, layers, Layout.of(encoder))
        return cls(encoder, target, (Member(network),), estimator=estimator)

    def __post_init__(self) -> None:
        check_weights(self.members)
        self._check_calibration()

    def _check_calibration(self) -> None:
        """Raise SpecError for a calibration that is not of such a model."""
        about, task = self.calibration, self.target.task
        if about.temperature != 1 and task != "classification":
            raise SpecError(f"A temperature is for classes, not for {task}.")
        if about.threshold is not None and len(self.target.labels) != 2:
            raise SpecError("A threshold is for two classes.")
        if not about.residuals:
            return
        if tuple(each.fold for each in about.residuals) != self.folds:
            raise SpecError("The residuals are not of the folds whose networks the model holds.")
        width = 1 if task == "classification" else self.target.outputs
        if any(each.values.shape[1] != width for each in about.residuals):
            raise SpecError(f"The residuals need {count(width, 'column')}.")

    def __repr__(self) -> str:
        """In one line, without its arrays."""
        about = f"{self.target.task}, {count(len(self.encoder.features), 'column')}"
        voters = self._voters
        if len(voters) == 1:
            return f"<FittedModel: {about}, layers of {self.sizes} units>"
        candidates = len({member.network.candidate for member in voters})
        return f"<FittedModel: {about}, {len(voters)} networks of {count(candidates, 'candidate')}>"

    @property
    def _voters(self) -> tuple[Member, ...]:
        """The members that decide."""
        return tuple(member for member in self.members if member.weight > 0)

    @property
    def network(self) -> Network:
        """The network, where a single one decides. Raises AttributeError for a committee."""
        voters = self._voters
        if len(voters) > 1:
            raise AttributeError(f"the model is a committee of {len(voters)} networks")
        return voters[0].network

    @property
    def candidate(self) -> Candidate:
        """The hyper-parameters of the network."""
        return self.network.candidate

    @property
    def inputs(self) -> Scaling:
        """The scaling of the network's inputs."""
        return self.network.inputs

    @property
    def outputs(self) -> Scaling | None:
        """The scaling of the network's values."""
        return self.network.outputs

    @property
    def layers(self) -> Layers:
        """The network's weights and biases."""
        return self.network.layers

    @property
    def sizes(self) -> tuple[int, ...]:
        """All layer sizes of the network from inputs to outputs."""
        return self.network.sizes

    @property
    def folds(self) -> tuple[int, ...]:
        """The folds whose networks the model holds, in the order of their numbers."""
        return tuple(sorted({m.fold for m in self.members if m.fold is not None and m.fold_weight}))

    def decide(self, x: np.ndarray) -> np.ndarray:
        """Encoded rows (rows, columns) → class probabilities, or values in their own units.

        A row without any value gets the classes' shares, or the mean, of the training rows.
        """
        votes = [(member.weight, member.network) for member in self._voters]
        return self._calibrated(x, mixed(votes, x, self.target.task))

    def decide_folds(self, x: np.ndarray) -> np.ndarray:
        """What the networks of each fold decide (folds, rows, outputs), in the order of `folds`.

        A fold's networks count by their fold_weight, and the temperature is that of the model.
        """
        if not self.folds:
            return np.empty((0, len(x), self.target.outputs))
        decided = [mixed(self._votes(fold), x, self.target.task) for fold in self.folds]
        return self._calibrated(x, np.stack(decided))

    def _votes(self, fold: int) -> list[tuple[float, Network]]:
        """A fold's networks that count, with weights that add up to 1."""
        members = [m for m in self.members if m.fold == fold and m.fold_weight > 0]
        total = sum(member.fold_weight for member in members)
        return [(member.fold_weight / total, member.network) for member in members]

    def _calibrated(self, x: np.ndarray, decided: np.ndarray) -> np.ndarray:
        """Sharpened; rows of which nothing is known get the base. Changes what it is given."""
        decided = sharpened(decided, self.calibration.temperature)
        if self.target.base and len(x):
            decided[..., self.encoder.without_value(x), :] = self.target.base
        return decided

    def choose(self, decided: np.ndarray) -> np.ndarray:
        """(rows,) the number of each row's class, by the shares (rows, classes) that are decided.

        With a threshold, the second of two classes where its share is at least that; else the class
        with the largest share, of equals the first.
        """
        if self.calibration.threshold is not None:
            return (decided[:, 1] >= self.calibration.threshold).astype(np.intp)
        return decided.argmax(axis=1)

    def sample(self, x: np.ndarray, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of Monte-Carlo dropout: `Network.sample`, whatever the temperature."""
        return self.network.sample(x, self.target.task, draws, seed)

    def interval(self, x: np.ndarray, level: float) -> conformal.Bounds:
        """Encoded rows → lower and upper bounds (rows, targets): 0.9 holds 9 truths of 10.

        By `conformal.bounds` (CV+). Raises SpecError for a level outside (0, 1), for a model of
        classes, or of which no residuals are known.
        """
        check_level(self, "interval", level)
        residuals = self.calibration.residuals
        parts = [conformal.bounds(at, residuals, level) for at in self._folds_by_block(x)]
        lower, upper = (np.concatenate(part) for part in zip(*parts, strict=True))
        return lower, upper

    def label_sets(self, x: np.ndarray, level: float) -> np.ndarray:
        """Encoded rows → (rows, classes) whether a label is in the row's set: 0.9 holds 9 of 10.

        By `conformal.label_sets` (CV+); the label that is predicted is always in its row's set, so
        no set is empty. Raises SpecError as `interval`.
        """
        check_level(self, "sets", level)
        residuals = self.calibration.residuals
        parts = [conformal.label_sets(at, residuals, level) for at in self._folds_by_block(x)]
        sets = np.concatenate(parts)
        sets[np.arange(len(x)), self.choose(self.decide(x))] = True
        return sets

    def _folds_by_block(self, x: np.ndarray) -> Iterator[np.ndarray]:
        for at in range(0, max(len(x), 1), BLOCK):
            yield self.decide_folds(x[at : at + BLOCK])

    def predict(
        self,
        table: Any,
        keep: str | Sequence[str] = (),
        interval: float | None = None,
        sets: float | None = None,
    ) -> Any:
        """A table of predictions: the target's own column, and for each class a column `p_<class>`.

        It is of the kind that was given: pandas, polars or pyarrow. The columns of `keep` ("all":
        all of them) stand before the predictions as they were; one that is named like a prediction
        is called `given_<name>`. With a level of `interval`, as 0.9, each target has two columns
        more, `<target>_lower` and `<target>_upper`, between which 9 of 10 truths lie; with `sets` a
        column `<target>_set` has labels, ` | ` between them, among which 9 of 10 truths are.
        Raises TableError for what is no table, a missing column or an unusable value, and
        SpecError as the methods `interval` and `label_sets`.
        """
        frame = as_frame(table)
        if frame is None:
            raise TableError(
                "predict needs a table of pandas, polars or pyarrow, not one of type "
                f"{type(table).__name__}."
            )
        asked = Asked.of(self, interval, sets)
        kept = kept_names(frame, keep, asked.names(self.target))
        return beside(table, kept, like(table, self._named(self._encode(frame), asked)))

    def predict_and_tell(
        self,
        frame: pl.DataFrame,
        keep: str | Sequence[str] = (),
        interval: float | None = None,
        sets: float | None = None,
    ) -> Prediction:
        """The predictions of a polars frame, and what of it is unlike the training rows.

        Raises TableError and SpecError as `predict`.
        """
        asked = Asked.of(self, interval, sets)
        kept = kept_names(frame, keep, asked.names(self.target))
        x = self._encode(frame)
        notes = [*unusual(self.encoder, frame, x, kept), *asked.notes(self)]
        return Prediction(beside(frame, kept, self._named(x, asked)), kept, tuple(notes))

    def _encode(self, frame: pl.DataFrame) -> np.ndarray:
        check_columns_are_there(self.encoder, frame)
        return self.encoder.encode(frame)

    @property
    def output_names(self) -> list[str]:
        """The columns of a table of predictions."""
        return output_names(self.target)

    def _named(self, x: np.ndarray, asked: Asked) -> pl.DataFrame:
        """What is decided of encoded rows, as columns with their names."""
        decided = self.decide(x)
        columns = decided_columns(self.target, decided, self.choose(decided))
        if asked.interval is not None:
            columns += bound_columns(*self.interval(x, asked.interval))
        if asked.sets is not None:
            columns.append(set_column(self.target.labels, self.label_sets(x, asked.sets)))
        return pl.DataFrame(dict(zip(asked.names(self.target), columns, strict=True)))

    def save(self, path: str | Path) -> None:
        """Write the model atomically: weights and scalings as arrays, the rest as JSON."""
        from cuesta.model.file import save_with  # which needs this class to read

        save_with(self, Path(path), {})
