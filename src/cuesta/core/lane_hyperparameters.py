"""Turns a candidate's hyper-parameters into the numbers that compiled code reads."""

from __future__ import annotations

import math
from collections.abc import Iterable

from cuesta.core.activation import activation, is_bounded, is_exponential
from cuesta.core.lane import LaneHyperparameters, ProgramFeatures
from cuesta.core.noise import keep_threshold
from cuesta.core.optim import Rule, rule
from cuesta.core.schedule import DECAYS
from cuesta.hyperparameters import Candidate, is_foreign


def lane_hyperparameters(candidate: Candidate) -> LaneHyperparameters:
    """The numbers of a lane; a missing bound becomes ∞."""
    return LaneHyperparameters(
        rule=_rule(candidate),
        activation=activation(candidate.activation),
        alpha_0=candidate.learning_rate,
        alpha_t=_last_rate(candidate),
        decay=DECAYS[candidate.schedule],
        warmup=candidate.warmup,
        keep_threshold=keep_threshold(1.0 - candidate.dropout),
        clip_norm=math.inf if candidate.clip_norm is None else candidate.clip_norm,
        clip_value=math.inf if candidate.clip_value is None else candidate.clip_value,
        weight_decay=candidate.weight_decay,
        loss_number=_loss_number(candidate),
        least_share=1.0 - candidate.weight_average,
        clamped=candidate.clamp,
    )


def features_for(candidates: Iterable[Candidate]) -> ProgramFeatures:
    """The features of a program that any of the candidates needs; weights are the rows' affair."""
    candidates = list(candidates)
    return ProgramFeatures(
        memory=any(c.optimizer != "sgd" for c in candidates),
        bounded=any(is_bounded(c.activation) for c in candidates),
        dropout=any(c.dropout > 0 for c in candidates),
        weighted=False,
        exponential=any(is_exponential(c.activation) for c in candidates),
        averaged=any(c.weight_average > 0 for c in candidates),
        clamped=any(c.clamp for c in candidates),
    )


def _last_rate(candidate: Candidate) -> float:
    """α_T; where none is given a line stays at its first rate, and a wave falls to 0."""
    if candidate.final_learning_rate is not None:
        return candidate.final_learning_rate
    return candidate.learning_rate if candidate.schedule == "linear" else 0.0


def _loss_number(candidate: Candidate) -> float:
    """δ of Huber's loss, or the smoothing of labels."""
    return candidate.huber_delta if candidate.loss == "huber" else candidate.label_smoothing


def _rule(candidate: Candidate) -> Rule:
    """The candidate's row of the table; a foreign optimizer has none, and SGD's fills its place."""
    if is_foreign(candidate.optimizer):
        return rule("sgd", candidate.dialect)
    return rule(
        candidate.optimizer,
        candidate.dialect,
        epsilon=candidate.epsilon,
        momentum=candidate.momentum,
        rho=candidate.rho,
        beta_1=candidate.beta_1,
        beta_2=candidate.beta_2,
    )
