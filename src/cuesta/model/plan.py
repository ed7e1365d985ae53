"""The members and the calibration of a model without their arrays: what a file's description says.

All that is read here may have been written by anyone: whatever is wrong ends in ValueError,
TypeError or LookupError.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from cuesta._util.checks import check_count
from cuesta.data.encode import Target
from cuesta.data.knots import MOST_KNOTS
from cuesta.data.layout import Layout
from cuesta.data.scale import Scaling
from cuesta.hyperparameters import Candidate
from cuesta.model.calibration import LARGEST_ROWS, Calibration, FoldResiduals, check_fold
from cuesta.model.description import require
from cuesta.model.member import Member
from cuesta.model.network import Layers, Network

FIELDS = {"candidate", "weight", "fold", "fold_weight", "inputs", "outputs"}

# Hyper-parameters that earlier versions have not. At these values they are left out of a file, so
# that a plain network is written as it always was, and an earlier version reads it. They stand here
# for good: should a default of `Candidate` change, what a file leaves out still means these.
LEFT_OUT: dict[str, Any] = {
    "architecture": "mlp",
    "schedule": "linear",
    "warmup": 0.0,
    "numeric_embedding": "none",
    "embedding_size": 8,
    "embedding_frequencies": 16,
    "embedding_sigma": 0.3,
    "embedding_bins": 16,
    "category_embedding": "one-hot",
    "input_scale": False,
    "target_transform": "none",
    "clamp": False,
    "weight_average": 0.0,
    "epochs": None,
}


def describe_candidate(candidate: Candidate) -> dict[str, Any]:
    """A candidate for JSON, without what is as `LEFT_OUT` says."""
    values = candidate.to_dict()
    return {n: v for n, v in values.items() if n not in LEFT_OUT or v != LEFT_OUT[n]}


def candidate_of(about: Mapping[str, Any]) -> Candidate:
    """The candidate of a description, which may leave fields out."""
    return Candidate.from_dict({**LEFT_OUT, **about})


class LayerShapes(NamedTuple):
    """The names of a layer's weights and biases, and their shapes."""

    w: str
    w_shape: tuple[int, ...]
    b: str
    b_shape: tuple[int, ...]


class MemberPlan(NamedTuple):
    """A member, the numbers of its scalings, and its own number; None where it stands alone."""

    candidate: Candidate
    weight: float = 1.0
    fold: int | None = None
    fold_weight: float = 0.0
    inputs: int | None = None
    outputs: int | None = None
    place: int | None = None

    @property
    def alone(self) -> bool:
        """Whether it is the only network of a file of format 1."""
        return self.place is None

    @classmethod
    def read_all(cls, about: Any, target: Target) -> list[MemberPlan]:
        """The members of a description."""
        require(isinstance(about, list) and len(about) > 0, "members")
        return [cls._read(each, place, target) for place, each in enumerate(about)]

    @classmethod
    def _read(cls, about: Mapping[str, Any], place: int, target: Target) -> MemberPlan:
        require(isinstance(about, dict) and set(about) == FIELDS, f"member {place}")
        plan = cls(**{**about, "candidate": candidate_of(about["candidate"])}, place=place)
        require(_is_number(plan.inputs), f"scaling of member {place}")
        if target.task == "regression":
            require(_is_number(plan.outputs), f"scaling of member {place}")
        else:
            require(plan.outputs is None, f"scaling of member {place}")
        return plan

    def describe(self) -> dict[str, Any]:
        """The member for JSON."""
        about = {name: value for name, value in self._asdict().items() if name in FIELDS}
        return about | {"candidate": describe_candidate(self.candidate)}

    @property
    def inputs_name(self) -> str:
        """What the arrays of its inputs' scaling are called."""
        return "inputs" if self.alone else f"scaling.{self.inputs}"

    @property
    def outputs_name(self) -> str:
        """What the arrays of its values' scaling are called."""
        return "outputs" if self.alone else f"scaling.{self.outputs}"

    @property
    def input_parts(self) -> int:
        """How many numbers its inputs' scaling has for a column, at most about."""
        return 2 * MOST_KNOTS if self.candidate.normalize == "quantile" else 2

    @property
    def output_parts(self) -> int:
        """Likewise its values' scaling."""
        return 2 * MOST_KNOTS if self.candidate.target_transform != "none" else 2

    def layer_name(self, depth: int, part: str) -> str:
        """What the weights (w) or the biases (b) of a layer are called."""
        return f"{depth}.{part}" if self.alone else f"{self.place}.{depth}.{part}"

    def shapes(self, layout: Layout, outputs: int) -> Iterator[LayerShapes]:
        """Of each layer the names of its weights and biases, and their shapes."""
        front = layout.front(self.candidate)
        sizes = (front.features(layout.width), *self.candidate.hidden_layer_sizes, outputs)
        dense = [((m, n), (n,)) for m, n in pairwise(sizes)]
        for depth, (w, b) in enumerate([*front.shapes(layout.width), *dense]):
            yield LayerShapes(self.layer_name(depth, "w"), w, self.layer_name(depth, "b"), b)

    def numbers(self, layout: Layout, outputs: int) -> int:
        """How many weights and biases it has."""
        shapes = self.shapes(layout, outputs)
        return sum(math.prod(each.w_shape) + math.prod(each.b_shape) for each in shapes)

    def member(
        self, inputs: Scaling, outputs: Scaling | None, layers: Layers, layout: Layout
    ) -> Member:
        """The member with its arrays."""
        network = Network(self.candidate, inputs, outputs, layers, layout)
        return Member(network, self.weight, self.fold, self.fold_weight)


def _is_number(value: Any) -> bool:
    return type(value) is int and value >= 0


class CalibrationPlan(NamedTuple):
    """A calibration; of each fold's residuals its number, its rows, and how many are kept."""

    temperature: float = 1.0
    threshold: float | None = None
    residuals: tuple[tuple[int, int, int], ...] = ()

    @classmethod
    def of(cls, calibration: Calibration) -> CalibrationPlan:
        """The plan of a calibration."""
        residuals = tuple((r.fold, r.rows, len(r.values)) for r in calibration.residuals)
        return cls(calibration.temperature, calibration.threshold, residuals)

    @classmethod
    def read(cls, about: Any) -> CalibrationPlan:
        """The calibration of a description."""
        require(isinstance(about, dict) and set(about) == set(cls._fields), "calibration")
        require(isinstance(about["residuals"], list), "residuals")
        residuals = []
        for each in about["residuals"]:
            require(set(each) == {"fold", "rows", "kept"}, "residuals of a fold")
            check_fold(each["fold"])
            check_count("kept", each["kept"], LARGEST_ROWS)
            residuals.append((each["fold"], each["rows"], each["kept"]))
        return cls(about["temperature"], about["threshold"], tuple(residuals))

    def describe(self) -> dict[str, Any]:
        """The calibration for JSON."""
        names = ("fold", "rows", "kept")
        residuals = [dict(zip(names, each, strict=True)) for each in self.residuals]
        return {**self._asdict(), "residuals": residuals}

    @property
    def kept(self) -> int:
        """How many residuals a target has."""
        return sum(kept for _, _, kept in self.residuals)

    def filled(self, values: Mapping[int, np.ndarray]) -> Calibration:
        """The calibration with its arrays, by the numbers of the folds."""
        residuals = (FoldResiduals(fold, rows, values[fold]) for fold, rows, _ in self.residuals)
        return Calibration(self.temperature, self.threshold, tuple(residuals))
