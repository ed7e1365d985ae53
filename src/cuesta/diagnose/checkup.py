"""A check-up: train a network under watch on some rows, and let the doctor look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cuesta.core.net import Layer
from cuesta.diagnose.doctor import Finding, examine
from cuesta.diagnose.evidence import (
    Evidence,
    gains_of,
    look_at_inputs,
    trivial_loss,
    validation_loss,
)
from cuesta.diagnose.record import record
from cuesta.hyperparameters import Candidate, Shape, is_classes
from cuesta.training.feed import Feed
from cuesta.training.lanes import Lane, first_layers


@dataclass(frozen=True)
class Diagnosis:
    """What was seen, and what it means; the gravest finding first."""

    evidence: Evidence
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing is severe."""
        return all(finding.severity != "severe" for finding in self.findings)

    def __str__(self) -> str:
        """The doctor's words, a line each."""
        if not self.findings:
            return "nothing is wrong"
        return "\n".join(
            f"{f.severity} {f.fault}: {f.says} → {f.remedy} ({f.parameter})" for f in self.findings
        )


def check_up(
    feed: Feed,
    fold: int,
    candidate: Candidate,
    shape: Shape,
    epochs: int,
    seed: int,
    *,
    instruments: str = "economy",
    schedule_epochs: int | None = None,
    every: int | None = None,
    layers: list[Layer] | None = None,
    names: tuple[str, ...] = (),
    curves: np.ndarray | None = None,
) -> Diagnosis:
    """Train one fold's network under watch, and examine it.

    `curves` (epochs, 1 + scores) stand for those of the recording: of cross-validation, say, where
    the fold itself validates nothing.
    """
    lane = Lane(candidate, fold, seed)
    if layers is None:
        layers = first_layers(lane, shape, feed)
    recording = record(
        lane,
        feed,
        shape,
        epochs,
        instruments=instruments,
        schedule_epochs=schedule_epochs,
        every=every,
        layers=layers,
    )
    curves = recording.curves if curves is None else curves
    targets = feed.training_targets(fold, candidate.normalize)
    evidence = Evidence(
        candidate,
        shape,
        recording,
        trivial_loss(shape.loss, targets, feed.training_weights(fold)),
        curves[:, 0],
        validation_loss(shape.loss, curves[:, 1:]),
        look_at_inputs(feed.training_rows(fold), candidate.normalize),
        1.0 if is_classes(shape.loss) else float(np.max(_size(targets))),
        gains_of(layers),
        names,
    )
    return Diagnosis(evidence, tuple(examine(evidence)))


def _size(targets: np.ndarray) -> np.ndarray:
    """How far from 0 each target is: its root mean square."""
    return np.sqrt((targets**2).mean(axis=0))


def where_it_broke(feed: Feed, lane: Lane, shape: Shape, epochs: int) -> int:
    """The first layer (from 1) of a diverging lane with a number that is not finite; 0 if none.

    Trained again under watch to the end of the span in which it breaks, every step recorded where
    there is room for it.
    """
    seen = record(lane, feed, shape, min(epochs, feed.span), schedule_epochs=epochs, every=1)
    broken = seen.economy.broken[seen.economy.broken > 0]
    return int(broken[0]) if len(broken) else 0
