"""Faults that the losses show: the network learns too little, or what other rows do not confirm."""

from __future__ import annotations

import numpy as np

from cuesta._text import count
from cuesta.diagnose.evidence import Evidence
from cuesta.diagnose.findings import SEVERE, WARNING, Finding
from cuesta.diagnose.symptoms import Symptoms
from cuesta.hyperparameters import is_classes

HIGH_DROPOUT = 0.6
NO_BETTER = 0.93  # of the baseline's loss: chance alone may gain that much on validation rows
MEMORIZED = 0.05  # of the validation loss: a training loss below that is memorized noise
HIGH_VALIDATION = 0.3  # of the baseline's loss
WORTH_SAYING, GRAVE = 0.2, 0.5  # rises of the validation loss
LITTLE_GAIN = 0.25  # of the baseline's loss
STRONG_DECAY = 0.03  # of the weights in one step, αλ


def too_much_dropout(e: Evidence, s: Symptoms) -> Finding | None:
    """So many units are dropped that what is left cannot learn (N1)."""
    if e.candidate.dropout < HIGH_DROPOUT or s.gain > 0.6:
        return None
    without = ""
    if s.validation is not None:
        without = f"; the validation loss, without dropout, is {s.validation.min():.3g} at best"
    return Finding(
        "too much dropout",
        SEVERE,
        f"{e.candidate.dropout:.0%} of the hidden units are dropped, and the training loss ends "
        f"at {s.final_loss:.3g}, {_below_baseline(s)}{without}",
        "drop fewer units",
        "dropout=0.2",
        88,
    )


def no_signal(e: Evidence, s: Symptoms) -> Finding | None:
    """The training loss falls, and the validation loss is never better than the baseline's."""
    v = s.validation
    if v is None or v.min() < NO_BETTER * s.baseline or s.gain < 0.1 or s.diverged_at:
        return None
    return Finding(
        "no signal in the labels",
        SEVERE,
        f"the training loss ends {s.gain:.0%} below the baseline's, but the validation loss is "
        f"{v.min():.3g} at best, no clear gain over the baseline's {s.baseline:.3g}",
        "check the labels, and whether these columns can predict them",
        "target",
        74,
    )


def over_fitting(e: Evidence, s: Symptoms) -> Finding | None:
    """The validation loss rises while the training loss falls on.

    Squared errors need not rise: they may stay far above those of training rows that are memorized
    with their noise. A log-loss always rises then.
    """
    v = s.validation
    if v is None or s.diverged_at or v.min() >= NO_BETTER * s.baseline:
        return None
    best = int(np.argmin(v))
    memorized = not is_classes(e.shape.loss) and s.final_loss < MEMORIZED * v[-1]
    if memorized and v[best] > HIGH_VALIDATION * s.baseline:
        return _memorized(s, v, best)
    rise = _rise(e, s, v)
    if rise < WORTH_SAYING or s.final_loss > 0.5 * float(v[best]) or best > 0.8 * len(v):
        return None
    return _past_its_best(s, v, best, SEVERE if rise > GRAVE else WARNING)


def _rise(e: Evidence, s: Symptoms, v: np.ndarray) -> float:
    """By how much the validation loss rises after its best epoch, until the last tenth.

    As a share of the baseline's loss for a log-loss, which can rise without end; of half its own
    lowest for errors, of which less of a rise is as grave.
    """
    lowest = float(v[np.argmin(v)])
    rise = float(np.median(v[-max(1, len(v) // 10) :])) - lowest
    return rise / s.baseline if is_classes(e.shape.loss) else 2 * rise / max(lowest, 1e-30)


def _memorized(s: Symptoms, v: np.ndarray, best: int) -> Finding:
    ends = float(v[-1])
    return Finding(
        "over-fitting",
        SEVERE,
        f"the training loss ends at {s.final_loss:.3g}, {ends / max(s.final_loss, 1e-12):.3g} "
        f"times below the validation loss of {ends:.3g} (the baseline has {s.baseline:.3g}): the "
        "network has memorized the training rows with their noise; the validation loss is lowest "
        f"after epoch {best + 1}",
        "use dropout, weight decay, a smaller network or more rows",
        "dropout, weight_decay, hidden_layer_sizes",
        72,
    )


def _past_its_best(s: Symptoms, v: np.ndarray, best: int, severity: str) -> Finding:
    return Finding(
        "over-fitting",
        severity,
        f"the validation loss is lowest after epoch {best + 1} ({v[best]:.3g}) and ends at "
        f"{v[-1]:.3g}, while the training loss falls to {s.final_loss:.3g}",
        f"stop after {count(best + 1, 'epoch')}, or use dropout, weight decay or a smaller network",
        "early_stopping=True, dropout, weight_decay",
        72,
    )


def under_fitting(e: Evidence, s: Symptoms) -> Finding | None:
    """The training loss stays high though the steps are right.

    It is only a warning where the loss still falls, or fell by as much as noisy rows may allow.
    """
    if s.gain > LITTLE_GAIN or s.diverged_at or e.candidate.dropout >= HIGH_DROPOUT:
        return None
    still_falls = s.gain > 0.02 and s.recent_fall > 0.1
    cause, remedy, parameter, weight = _why_so_little(e, s, still_falls=still_falls)
    return Finding(
        "under-fitting",
        WARNING if still_falls or s.gain > 0.1 else SEVERE,
        f"the training loss ends at {s.final_loss:.3g}, {_below_baseline(s)}: {cause}",
        remedy,
        parameter,
        weight,
    )


def _why_so_little(e: Evidence, s: Symptoms, *, still_falls: bool) -> tuple[str, str, str, float]:
    """Cause, remedy, parameter and weight of an under-fitting."""
    c = e.candidate
    if c.weight_decay * c.learning_rate > STRONG_DECAY:
        cause = f"a weight decay of {c.weight_decay:g} keeps the weights small"
        return cause, "lower the weight decay", "weight_decay", 86
    if still_falls:
        cause = f"it still falls, by {s.recent_fall:.0%} in the last third of the epochs"
        return cause, "train for more epochs", "epochs", 40
    sizes = "–".join(map(str, c.hidden_layer_sizes))
    layers = f"hidden layers of {sizes} {c.activation} units" if sizes else "no hidden layer"
    return (
        f"a network with {layers} fits these rows no better",
        "use more units or layers, or another activation; or add columns that say more",
        "hidden_layer_sizes, activation",
        40,
    )


def _below_baseline(s: Symptoms) -> str:
    """How far the final loss is from the baseline's."""
    share = f"{s.gain:.0%} below" if s.gain >= 0.005 else "not below"
    return f"{share} the baseline's {s.baseline:.3g}"
