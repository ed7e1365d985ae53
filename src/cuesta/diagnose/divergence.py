"""Where in the network a training diverges."""

from __future__ import annotations

from dataclasses import replace

from cuesta.diagnose.record import LARGEST_ROOM, Sampling, steps_an_epoch, watch_spans
from cuesta.training.lanes import Training


def locate_divergence(training: Training, diverged_at: int) -> int:
    """The first layer, from 1, with an infinite or NaN output or gradient; 0 if none is seen.

    The lane, which diverged at step `diverged_at` (from 1), is trained again under watch. Every
    step is recorded, for one step later the first layer is broken whichever was so at first. The
    rounding of another program may bring the divergence a few steps later: one more span is tried.
    """
    steps = steps_an_epoch(training)
    span = max(1, min(training.feed.span, LARGEST_ROOM // steps))
    epochs = min(training.epochs, -(-diverged_at // steps) + span)
    sampling = Sampling(steps, every=1, span=span)
    for seen in watch_spans(replace(training, epochs=epochs), sampling):
        broken = seen.gauges.economy.broken
        if broken.any():
            return int(broken[broken > 0][0])
    return 0
