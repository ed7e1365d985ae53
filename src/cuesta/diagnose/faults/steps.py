"""Faults of the learning rate: steps that are too long or too short."""

from __future__ import annotations

from cuesta.diagnose.evidence import Evidence
from cuesta.diagnose.findings import SEVERE, WARNING, Finding
from cuesta.diagnose.symptoms import INSTEAD_OF_INFINITY, Symptoms

LONG_STEP = 0.2  # ‖Δ‖/‖w‖ of a first step
WIDE_SWING, FAR_FROM_LEARNED = 0.5, 0.3  # of the training loss; of the baseline's loss
SHORT_WAY = 0.1  # Σ ‖Δ‖/‖w‖ over a whole training
FACTOR = 30  # by which the suggested rate is lower or higher


def rate_too_high(e: Evidence, s: Symptoms) -> Finding | None:
    """Steps that are long beside the weights, or a loss that does not come down (N8)."""
    swings = s.swing > WIDE_SWING and s.final_loss > FAR_FROM_LEARNED * s.baseline
    # Long first steps harm nothing where the loss comes down after them and stays down.
    long = s.first_update > LONG_STEP and not s.learns
    if e.unnormalized or not (s.diverged_at or long or swings):
        return None
    if not s.diverged_at and within_limit(e):
        return None
    rate = e.candidate.learning_rate
    return Finding(
        "learning rate too high",
        WARNING if s.learns and not s.diverged_at else SEVERE,
        f"{_loss_in_words(s)}; {_steps_in_words(s)}, with a learning rate of {rate:g}",
        "lower the learning rate, let it decay, or clip the gradient",
        f"learning_rate={rate / FACTOR:.1g}",
        81 if s.first_update > LONG_STEP or s.diverged_at else 62,
        step=s.diverged_at,
    )


def within_limit(e: Evidence) -> bool:
    """Whether gradient descent kept its rate below 2/λmax at all recorded steps (N8).

    Where the highest curvature was recorded; the limit of other optimizers is not 2/λmax.
    """
    full = e.recording.full
    if full is None or e.candidate.optimizer != "sgd" or not len(full.highest):
        return False
    return bool((e.candidate.learning_rate * full.highest < 2.0).all())


def _loss_in_words(s: Symptoms) -> str:
    if s.diverged_at:
        return f"the loss or the gradient became infinite or NaN at step {s.diverged_at:,}"
    return (
        f"from epoch to epoch the training loss rises by {s.swing:.0%} on average (a fall counts "
        f"as 0), and it ends at {s.final_loss:.3g}, where the baseline has {s.baseline:.3g}"
    )


def _steps_in_words(s: Symptoms) -> str:
    if s.first_update >= INSTEAD_OF_INFINITY:
        return "the first steps are infinite or NaN"
    return (
        "the first steps changed the weights of a layer by up to "
        f"{s.first_update:.2g} of their norm"
    )


def rate_too_low(e: Evidence, s: Symptoms) -> Finding | None:
    """Weights that hardly leave where they began, and a loss that has not come down."""
    if s.distance > SHORT_WAY or s.learns or s.diverged_at:
        return None
    return Finding(
        "learning rate too low",
        SEVERE,
        f"in {e.recording.total:,} steps the weights of no layer moved by more than "
        f"{s.distance:.2g} of their norm; the training loss went from {s.first_loss:.3g} to "
        f"{s.final_loss:.3g}",
        "raise the learning rate, or train for more epochs",
        f"learning_rate={e.candidate.learning_rate * FACTOR:.1g}",
        77,
    )
