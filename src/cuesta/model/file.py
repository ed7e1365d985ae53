"""A model's file: what stands in it, and what is checked before it is believed.

A model of one network without calibration is written as it always was (format 1): one candidate in
its description, arrays `inputs.shift`, `0.w`, `0.b` and so on. Every other one has format 2: a list
of members, the arrays `2.0.w` of the member with number 2, `scaling.1.shift` of a scaling, which
several members may share, and `residuals.0` of the first fold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cuesta._util.model_file import FORMAT, read_model_file, write_model_file, wrong_description
from cuesta.data.encode import Encoder, Target
from cuesta.data.layout import Layout
from cuesta.data.scale import Scaling
from cuesta.model.calibration import UNCALIBRATED
from cuesta.model.description import feature_of, require, target_of
from cuesta.model.fitted import FittedModel
from cuesta.model.member import Member
from cuesta.model.plan import CalibrationPlan, MemberPlan, candidate_of, describe_candidate
from cuesta.model.scaling import checked, scaling_of_arrays, scaling_to_arrays

FORMAT_OF_MEMBERS = 2


def save_with(model: FittedModel, path: Path, more: Mapping[str, np.ndarray]) -> None:
    """Write a model with more arrays, which `read_with` gives back."""
    write_model_file(path, {**_arrays(model), **more}, _describe(model))


def _arrays(model: FittedModel) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for member, plan in zip(model.members, _plans(model), strict=True):
        network = member.network
        arrays |= scaling_to_arrays(plan.inputs_name, network.inputs)
        if network.outputs is not None:
            arrays |= scaling_to_arrays(plan.outputs_name, network.outputs)
        for depth, (w, b) in enumerate(network.layers):
            arrays |= {plan.layer_name(depth, "w"): w, plan.layer_name(depth, "b"): b}
    for residuals in model.calibration.residuals:
        arrays[f"residuals.{residuals.fold}"] = residuals.values
    return arrays


def _describe(model: FittedModel) -> dict[str, Any]:
    about = {
        "features": [asdict(feature) for feature in model.encoder.features],
        "target": asdict(model.target),
        "estimator": model.estimator,
    }
    plans = _plans(model)
    if plans[0].alone:
        return {**about, "candidate": describe_candidate(plans[0].candidate)}
    return {
        **about,
        "format": FORMAT_OF_MEMBERS,
        "members": [plan.describe() for plan in plans],
        "calibration": CalibrationPlan.of(model.calibration).describe(),
    }


def _plans(model: FittedModel) -> list[MemberPlan]:
    """Each member without its arrays; scalings of the same numbers have one number."""
    if model.calibration == UNCALIBRATED and len(model.members) == 1:
        (member,) = model.members
        if member.fold is None:
            return [MemberPlan(member.network.candidate)]
    numbers: dict[tuple[bytes | None, ...], int] = {}

    def number(scaling: Scaling | None) -> int | None:
        if scaling is None:
            return None
        parts = (getattr(scaling, field.name) for field in fields(scaling))
        key = tuple(None if part is None else part.tobytes() for part in parts)
        return numbers.setdefault(key, len(numbers))

    return [
        MemberPlan(
            member.network.candidate,
            member.weight,
            member.fold,
            member.fold_weight,
            number(member.network.inputs),
            number(member.network.outputs),
            place,
        )
        for place, member in enumerate(model.members)
    ]


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
    members: list[MemberPlan]
    calibration: CalibrationPlan
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
        target = target_of(description["target"])
        if description["format"] == FORMAT:
            members = [MemberPlan(candidate_of(description["candidate"]))]
            calibration = CalibrationPlan()
        else:
            members = MemberPlan.read_all(description["members"], target)
            calibration = CalibrationPlan.read(description["calibration"])
        return cls(encoder, target, members, calibration, estimator)

    @property
    def layout(self) -> Layout:
        """What the inputs are."""
        return Layout.of(self.encoder)

    @property
    def errors(self) -> int:
        """How many errors a row has: one of each number, or one of the class."""
        return 1 if self.target.task == "classification" else self.target.outputs

    @property
    def numbers(self) -> int:
        """How many numbers its layers, scalings and residuals hold."""
        width, outputs = self.encoder.width, self.target.outputs
        scalings = {plan.inputs_name: width * plan.input_parts for plan in self.members}
        if self.target.task == "regression":
            scalings |= {plan.outputs_name: outputs * plan.output_parts for plan in self.members}
        layers = sum(plan.numbers(self.layout, outputs) for plan in self.members)
        return layers + sum(scalings.values()) + self.errors * self.calibration.kept

    def filled(self, arrays: Mapping[str, np.ndarray]) -> FittedModel:
        """The model with its arrays. Raises ValueError or LookupError where one does not fit."""
        scalings: dict[tuple[str, int], Scaling] = {}

        def scaling(name: str, width: int) -> Scaling:
            if (name, width) not in scalings:
                scalings[name, width] = scaling_of_arrays(arrays, name, width)
            return scalings[name, width]

        members = []
        for plan in self.members:
            inputs = scaling(plan.inputs_name, self.encoder.width)
            outputs = None
            if self.target.task == "regression":
                outputs = scaling(plan.outputs_name, self.target.outputs)
            layers = tuple(
                (checked(arrays, each.w, each.w_shape), checked(arrays, each.b, each.b_shape))
                for each in plan.shapes(self.layout, self.target.outputs)
            )
            members.append(plan.member(inputs, outputs, layers, self.layout))
        return self._made(tuple(members), arrays)

    def _made(self, members: tuple[Member, ...], arrays: Mapping[str, np.ndarray]) -> FittedModel:
        residuals = {
            fold: checked(arrays, f"residuals.{fold}", (kept, self.errors))
            for fold, _, kept in self.calibration.residuals
        }
        calibration = self.calibration.filled(residuals)
        return FittedModel(self.encoder, self.target, members, calibration, self.estimator)
