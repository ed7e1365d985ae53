"""Trains a network while it is recorded, then looks for faults."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cuesta.core.layer import Layer
from cuesta.diagnose.baseline import baseline_loss, describe_baseline
from cuesta.diagnose.doctor import examine
from cuesta.diagnose.evidence import (
    Evidence,
    describe_inputs,
    initial_gains,
    largest_target_size,
    validation_loss,
)
from cuesta.diagnose.findings import Finding
from cuesta.diagnose.record import Recording, record
from cuesta.hyperparameters import is_classes
from cuesta.training.lanes import Training


@dataclass(frozen=True)
class Diagnosis:
    """What was seen in a training, and what it means.

    Attributes
    ----------
    evidence : Evidence
        The gauges, the curves, and facts about the rows and the initial weights.
    findings : tuple of Finding
        The faults, the gravest first; empty where none was found.

    Examples
    --------
    >>> from cuesta import MLPClassifier
    >>> from sklearn.datasets import load_breast_cancer
    >>> net = MLPClassifier((16,) * 7, activation="sigmoid", epochs=10, random_state=0)
    >>> diagnosis = net.diagnose(*load_breast_cancer(return_X_y=True))
    >>> diagnosis.healthy
    False
    >>> diagnosis.findings[0].fault
    'vanishing gradients'
    """

    evidence: Evidence
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing was found, neither severe nor a warning."""
        return not self.findings

    @property
    def note(self) -> str:
        """What the baseline is, where a finding names it; else empty."""
        named = any("baseline" in finding.says for finding in self.findings)
        return describe_baseline(self.evidence.shape.loss) if named else ""

    def __str__(self) -> str:
        """The findings, a line each, then the note."""
        if not self.findings:
            return "nothing is wrong"
        note = [f"({self.note})"] if self.note else []
        return "\n".join([*map(str, self.findings), *note])


def check_up(
    training: Training,
    *,
    instruments: str = "economy",
    every: int | None = None,
    layers: list[Layer] | None = None,
    names: tuple[str, ...] = (),
    curves: np.ndarray | None = None,
) -> Diagnosis:
    """Train a lane under watch, and examine it.

    `curves` (epochs, 1 + scores) stand for those of the recording: of cross-validation, say, where
    the fold itself validates nothing. `names` are those of the inputs. Otherwise as `record`.
    """
    layers = training.first_layers() if layers is None else layers
    recording = record(training, instruments=instruments, every=every, layers=layers)
    curves = recording.curves if curves is None else curves
    evidence = gather(training, recording, layers, names, curves)
    return Diagnosis(evidence, tuple(examine(evidence)))


def gather(
    training: Training,
    recording: Recording,
    layers: list[Layer],
    names: tuple[str, ...],
    curves: np.ndarray,
) -> Evidence:
    """The evidence: a recording, and facts about the training's rows and its first `layers`."""
    feed, fold, candidate = training.feed, training.lane.fold, training.lane.candidate
    loss = training.shape.loss
    targets = feed.training_targets(fold, candidate.normalize, candidate.target_transform)
    return Evidence(
        candidate,
        training.shape,
        recording,
        baseline_loss(loss, targets, feed.training_weights(fold)),
        curves[:, 0],
        validation_loss(loss, curves[:, 1:]),
        describe_inputs(feed.training_rows(fold), candidate.normalize),
        1.0 if is_classes(loss) else largest_target_size(targets),
        initial_gains(layers[training.shape.front.depth :]),
        names,
    )
