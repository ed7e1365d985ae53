"""The recording of one training: its gauges at many steps, and its curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from cuesta.core.lane import LaneHyperparameters, Span, State, initial_state
from cuesta.core.lane_hyperparameters import features_for, lane_hyperparameters
from cuesta.core.layer import Layer
from cuesta.diagnose.gauges import FirstOrderGauges, Gauges, SecondOrderGauges
from cuesta.diagnose.spectrum import first_probe
from cuesta.diagnose.watch import SpanInputs, WatchProgram, watch_span
from cuesta.errors import SpecError
from cuesta.training.lanes import PROGRAMS, Training, compiler_options, float32, noise_key
from cuesta.training.programs import Program

SMALLEST_ROOM, LARGEST_ROOM = 512, 1 << 14  # recordings of one span of epochs
USUAL_RECORDINGS = 400  # of a whole training, unless more are asked for


@dataclass(frozen=True)
class Recording:
    """The gauges of the recorded steps of one training, and its curves.

    Attributes
    ----------
    steps : int array (recordings,)
        The numbers of the recorded steps, from 1.
    total : int
        How many steps the training has.
    steps_an_epoch : int
        How many of them make an epoch.
    economy : FirstOrderGauges
        Each gauge an array (recordings, ...).
    full : SecondOrderGauges or None
        Likewise; None with the instruments `economy`.
    diverged_at : int
        The first step, from 1, whose loss or gradient was infinite or NaN; 0 if none was.
    curves : float array (epochs, 1 + scores)
        The mean training loss of each epoch, then the validation scores after it: log-loss and
        accuracy, or the squared error of each target. NaN where no rows validate.
    """

    steps: np.ndarray
    total: int
    steps_an_epoch: int
    economy: FirstOrderGauges
    full: SecondOrderGauges | None
    diverged_at: int
    curves: np.ndarray


@dataclass(frozen=True)
class Sampling:
    """Which steps are recorded: every so many, in compiled calls of so many epochs (`span`)."""

    steps_an_epoch: int
    every: int
    span: int

    @classmethod
    def of(cls, training: Training, every: int | None = None) -> Sampling:
        """Every so many steps, by default so that there are about 400 recordings in all.

        It is more where a span has more recordings than there is room for.
        """
        steps, span = steps_an_epoch(training), min(training.feed.span, training.epochs)
        wanted = every or max(1, steps * training.epochs // USUAL_RECORDINGS)
        return cls(steps, max(wanted, -(-steps * span // LARGEST_ROOM)), span)

    @property
    def room(self) -> int:
        """Places for the recordings of a span: a power of 2, so that programs are shared."""
        most = -(-self.steps_an_epoch * self.span // self.every)
        return max(SMALLEST_ROOM, 1 << (most - 1).bit_length())

    def recordings_before(self, epoch: int) -> int:
        """How many steps are recorded in the epochs before this one, counted from 0."""
        return -(-epoch * self.steps_an_epoch // self.every)


class SpanRecord(NamedTuple):
    """What a span of epochs left: gauges (recordings, ...), curves, the state after it."""

    gauges: Gauges
    curves: np.ndarray
    state: State


def steps_an_epoch(training: Training) -> int:
    """How many batches the training rows make."""
    return -(-len(training.feed.folds[training.lane.fold].train) // training.shape.batch_size)


def record(
    training: Training,
    *,
    instruments: str = "economy",
    every: int | None = None,
    layers: list[Layer] | None = None,
) -> Recording:
    """Train the lane under watch.

    Gauges are taken `every` so many steps, by default so that there are about 400 of them. Other
    initial `layers` may be given. Raises SpecError for an optimizer from elsewhere, such as optax.
    """
    sampling = Sampling.of(training, every)
    spans = [*watch_spans(training, sampling, instruments=instruments, layers=layers)]
    gauges = jax.tree.map(lambda *leaves: np.concatenate(leaves), *[span.gauges for span in spans])
    total = sampling.steps_an_epoch * training.epochs
    return Recording(
        np.arange(0, total, sampling.every) + 1,
        total,
        sampling.steps_an_epoch,
        gauges.economy,
        gauges.full,
        int(spans[-1].state.outcome.diverged_at),
        np.concatenate([span.curves for span in spans]),
    )


def watch_spans(
    training: Training,
    sampling: Sampling,
    *,
    instruments: str = "economy",
    layers: list[Layer] | None = None,
) -> Iterator[SpanRecord]:
    """Train the lane under watch, span by span. Raises SpecError as `record` does."""
    lane, shape = training.lane, training.shape
    if shape.foreign:
        raise SpecError(f"The instruments cannot read the optimizer {shape.foreign}.")
    features = features_for([lane.candidate])._replace(weighted=training.feed.weighted)
    program = WatchProgram(shape, features, sampling.room)
    layers = training.first_layers() if layers is None else layers
    rule = _hyperparameters(training).rule
    state = initial_state(layers, rule, shape, averaged=features.averaged)
    probe = first_probe(layers, lane.seed, shape.front) if instruments == "full" else None
    for start in range(0, training.epochs, sampling.span):
        stop = min(start + sampling.span, training.epochs)
        arguments = (state, probe, _inputs(training, sampling, start, stop))
        state, probe, gauges, curves = _compiled(program, arguments)(*arguments)
        count = sampling.recordings_before(stop) - sampling.recordings_before(start)
        kept = jax.tree.map(lambda leaf, n=count: np.asarray(leaf)[:n], gauges)
        yield SpanRecord(kept, np.asarray(curves)[: stop - start], state)


def _hyperparameters(training: Training) -> LaneHyperparameters:
    return float32(lane_hyperparameters(training.lane.candidate))


def _inputs(training: Training, sampling: Sampling, start: int, stop: int) -> SpanInputs:
    """What the epochs from start to stop are trained with."""
    lane, feed = training.lane, training.feed
    return SpanInputs(
        _hyperparameters(training),
        feed.span_data(
            lane.fold,
            lane.candidate.normalize,
            lane.seed,
            start,
            stop,
            training.shape.front,
            lane.candidate.target_transform,
        ),
        Span(np.int32(start), np.int32(stop), np.int32(training.schedule_epochs), np.int32(0)),
        np.int32(sampling.every),
        noise_key(lane.seed, feed.draws(lane.fold)),
    )


def _compiled(program: WatchProgram, arguments: tuple[Any, ...]) -> Program:
    """The compiled `watch_span`."""
    state, probe, _ = arguments
    economy = FirstOrderGauges(*[0] * len(FirstOrderGauges._fields))
    full = None if probe is None else SecondOrderGauges(*[0] * len(SecondOrderGauges._fields))
    return PROGRAMS.get(
        ("watch", program),
        partial(watch_span, program),
        arguments,
        like=(state, probe, Gauges(economy, full), 0),
        options=compiler_options(program.shape),
    )
