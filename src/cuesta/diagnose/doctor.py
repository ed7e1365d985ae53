"""The doctor: from gauges, curves and rows to findings in words, the gravest first.

Each fault is one small function of the evidence that returns a finding or nothing. Its thresholds
were set on the planted faults of `bench/doctor.py` with one set of seeds, and are judged with
another (docs/diagnose.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cuesta.diagnose.evidence import FAR, Evidence
from cuesta.hyperparameters import is_classes

SEVERE, WARNING = "severe", "warning"
EARLY = 0.1  # the share of the recordings at the end that shows how training ends
LEAST_GAIN, MOST_GAIN = 0.05, 7.0  # of initial weights; `uniform` has 0.58, `he` 1.41
NO_BETTER = 0.93  # of the trivial loss: what chance alone may gain on rows that did not train
BY_HEART = 0.05  # of the loss of rows that did not train
FIRST = 3  # recorded steps that show how long steps are


@dataclass(frozen=True)
class Finding:
    """A fault: where it sits, the figures that show it, and which parameter to change.

    `weight` orders findings of one severity; `layer` counts from 1 and is 0 for none.
    """

    fault: str
    severity: str
    says: str
    remedy: str
    parameter: str
    weight: float
    layer: int = 0
    step: int = 0


# Faults in the order in which one explains the next: what the rows are like, how the weights begin,
# how the steps go, what comes out.


def examine(evidence: Evidence) -> list[Finding]:
    """The findings, the gravest first; none where nothing is wrong."""
    signs = Signs(evidence)
    found = [finding for check in CHECKS if (finding := check(evidence, signs)) is not None]
    return sorted(found, key=lambda f: (f.severity != SEVERE, -f.weight))


class Signs:
    """Figures that several faults look at."""

    def __init__(self, evidence: Evidence) -> None:
        seen = evidence.recording.economy
        late = slice(-max(1, math.ceil(EARLY * len(seen.loss))), None)
        self.diverged = evidence.recording.outcome
        self.first_loss = float(seen.loss[0])
        self.gradient = float(np.linalg.norm(seen.gradient[0]))
        # How the error passes back at the first step: later on it may vanish because all is told.
        self.factors = _finite(seen.shrink[0])
        self.passed = float(np.prod(self.factors))
        self.move = float(_finite(seen.update[:FIRST]).max())
        self.path = _finite(seen.update).mean(axis=0) * evidence.recording.total
        self.dead_first = seen.dead[0]
        self.dead_last = np.nan_to_num(seen.dead[late].mean(axis=0), nan=1.0)
        self.trivial = evidence.trivial
        finite = evidence.train[np.isfinite(evidence.train)]
        self.train = finite if len(finite) else np.array([np.inf])
        self.last = float(self.train[-max(1, len(self.train) // 10) :].mean())
        self.gain = 1.0 - self.last / self.trivial if self.trivial > 0 else 0.0
        self.falling = _fall(self.train)
        validation = evidence.validation
        if validation is not None:
            validation = np.where(np.isfinite(validation), validation, np.inf)
        self.validation = validation

    @property
    def learns(self) -> bool:
        """Whether training removes a good part of the trivial loss."""
        return self.gain > 0.5


def _finite(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(values, nan=1e9, posinf=1e9)


def unnormalized_inputs(e: Evidence, s: Signs) -> Finding | None:
    """Inputs far from 0 or of wide spread: the gradient is proportional to them (N3)."""
    if e.inputs.largest < FAR or e.inputs.alone:
        return None
    name, size = _name(e, int(e.inputs.order[0])), e.inputs.largest
    return Finding(
        "unnormalized inputs",
        SEVERE,
        f"input {name} is of size {size:.3g} (root mean square), and so are others, where about 1 "
        f"is "
        "wanted: the gradient of its weights is as many times larger (N3)",
        "normalize the inputs",
        "normalize='standard'",
        90 + min(4.0, math.log10(size)),
    )


def unnormalized_outputs(e: Evidence, s: Signs) -> Finding | None:
    """Targets of wide spread: the gradient is proportional to the residual (N3)."""
    if is_classes(e.shape.loss) or 0.1 < e.target_size < FAR:
        return None
    return Finding(
        "unnormalized outputs",
        SEVERE,
        f"targets are of size {e.target_size:.3g}, where about 1 is wanted: residuals, and so the "
        f"gradient ({s.gradient:.3g} at the first step), are as many times off (N3)",
        "normalize the targets",
        "normalize='standard'",
        96,
    )


def dominating_feature(e: Evidence, s: Signs) -> Finding | None:
    """One column far from 0, or many times over, outweighs the others."""
    if e.inputs.alone and len(e.inputs.sizes) > 1:
        name = _name(e, int(e.inputs.order[0]))
        return Finding(
            "dominating feature",
            SEVERE,
            f"input {name} is of size {e.inputs.largest:.3g}, the next one of "
            f"{e.inputs.sizes[1]:.3g}: "
            "it moves every unit, and hides the others",
            "normalize it, or leave it out",
            "normalize='standard'",
            95,
        )
    share = len(e.inputs.twins) / max(1, len(e.inputs.sizes))
    if len(e.inputs.twins) < 3 or share < 0.3:
        return None
    names = ", ".join(_name(e, place) for place in e.inputs.twins[:4])
    return Finding(
        "dominating feature",
        SEVERE,
        f"{len(e.inputs.twins)} of {len(e.inputs.sizes)} inputs are one column up to scale "
        f"({names} …): "
        "it weighs as many times as much as any other",
        "keep one of them",
        "columns",
        85,
    )


def bad_initial_weights(e: Evidence, s: Signs) -> Finding | None:
    """Weights that begin far larger or smaller than what keeps a signal's size (N10)."""
    worst = int(np.argmax(np.abs(np.log(np.maximum(e.gains, 1e-30))))) + 1
    gain = float(e.gains[worst - 1])
    if LEAST_GAIN < gain < MOST_GAIN:
        return None
    size = "large" if gain > 1 else "small"
    return Finding(
        "bad initial weights",
        SEVERE,
        f"the weights of layer {worst} begin {gain:.3g} times as "
        f"{size} as what keeps a signal's size; the first loss is {s.first_loss:.3g}, where one "
        f"who does not look has {s.trivial:.3g} (N10)",
        f"draw {'smaller' if size == 'large' else 'larger'} weights",
        "init='he' or 'glorot'",
        84,
        layer=worst,
        step=1,
    )


def exploding(e: Evidence, s: Signs) -> Finding | None:
    """Each layer makes the error larger on its way back (N5)."""
    if not s.factors.size or s.passed < 100 or _rows_are_off(e):
        return None
    worst = int(np.argmax(s.factors)) + 1
    clip = "" if e.candidate.clip_norm is None else ", though clipping holds the steps"
    return Finding(
        "exploding gradients",
        SEVERE,
        f"from the last layer to the first the error grows {s.passed:.3g} times, most in layer "
        f"{worst} ({s.factors[worst - 1]:.3g} times); the first gradient is {s.gradient:.3g}{clip} "
        "(N5)",
        "clip the gradient, or draw smaller weights",
        "clip_norm=1.0",
        82,
        layer=worst,
        step=1,
    )


def vanishing(e: Evidence, s: Signs) -> Finding | None:
    """Each layer makes the error smaller on its way back: the first ones do not learn (N4)."""
    if len(s.factors) < 2 or s.passed > 1e-2:
        return None
    worst = int(np.argmin(s.factors)) + 1
    kind = e.candidate.activation
    return Finding(
        "vanishing gradients",
        SEVERE,
        f"from the last layer to the first the error shrinks to {s.passed:.2g} of itself, most in "
        f"layer {worst} (to {s.factors[worst - 1]:.2g}); with {len(s.factors)} hidden layers of "
        f"{kind} the first ones hardly learn (N4)",
        "take ReLU, fewer layers, or larger initial weights",
        "activation='relu', init='he'",
        78,
        layer=worst,
        step=1,
    )


def dead_units(e: Evidence, s: Signs) -> Finding | None:
    """ReLU units that no row of a batch wakes; those that are dropped are not dead."""
    if not s.dead_last.size or e.candidate.dropout >= 0.6:
        return None
    layer = int(np.argmax(s.dead_last)) + 1
    last, first = float(s.dead_last[layer - 1]), float(s.dead_first[layer - 1])
    at_once = float(s.dead_first.max()) >= 0.8
    if at_once:
        layer = int(np.argmax(s.dead_first)) + 1
        last, first = float(s.dead_last[layer - 1]), float(s.dead_first[layer - 1])
    elif last < 0.6:
        return None
    return Finding(
        "dead units",
        SEVERE if at_once or not s.learns else WARNING,
        f"{first:.0%} of the units of layer {layer} are 0 for every row at the first step, "
        f"{last:.0%} at "
        "the end",
        "lower the learning rate or raise the biases; other initial weights",
        "learning_rate, init",
        83 if at_once else 60,
        layer=layer,
    )


def rate_too_high(e: Evidence, s: Signs) -> Finding | None:
    """Steps that are long beside the weights, or a loss that does not come down (N8)."""
    if _rows_are_off(e):
        return None
    rate = e.candidate.learning_rate
    swings = _swing(s.train)
    if s.diverged:
        says = f"the numbers are not finite from step {s.diverged:,} on, after steps"
    elif s.move > 0.2 or (swings > 0.5 and s.last > 0.3 * s.trivial):
        says = (
            f"the mean loss swings by {swings:.0%} from epoch to epoch and ends at {s.last:.3g} "
            f"(one who "
            f"does not look has {s.trivial:.3g}), with first steps"
        )
    else:
        return None
    return Finding(
        "learning rate too high",
        WARNING if s.learns and not s.diverged else SEVERE,
        f"{says} of {s.move:.2g} of the weights at α = {rate:g}",
        "lower the learning rate, let it decay, or clip",
        f"learning_rate={rate / 30:.1g}",
        81 if s.move > 0.2 or s.diverged else 62,
        step=s.diverged,
    )


def rate_too_low(e: Evidence, s: Signs) -> Finding | None:
    """Weights that hardly leave where they began, and a loss that still falls."""
    path = float(s.path.max())
    if path > 0.1 or s.learns or s.diverged:
        return None
    return Finding(
        "learning rate too low",
        SEVERE,
        f"in {e.recording.total:,} steps no layer moves further than {path:.2g} of its weights; "
        f"the "
        f"loss goes from {s.first_loss:.3g} to {s.last:.3g}",
        "raise the learning rate, or train longer",
        f"learning_rate={e.candidate.learning_rate * 30:.1g}",
        77,
    )


def too_much_dropout(e: Evidence, s: Signs) -> Finding | None:
    """So many units are dropped that what is left cannot learn (N1)."""
    if e.candidate.dropout < 0.6 or s.gain > 0.6:
        return None
    beside = ""
    if s.validation is not None:
        beside = f"; without dropping it is {s.validation.min():.3g} on rows that did not train"
    return Finding(
        "too much dropout",
        SEVERE,
        f"{e.candidate.dropout:.0%} of the units are dropped, and the training loss ends at "
        f"{s.last:.3g}, {_beside(s.gain)} the trivial {s.trivial:.3g}{beside}",
        "drop fewer units",
        "dropout=0.2",
        88,
    )


def no_signal(e: Evidence, s: Signs) -> Finding | None:
    """Training learns its rows by heart, and rows that did not train are never told better."""
    v = s.validation
    if v is None or v.min() < NO_BETTER * s.trivial or s.gain < 0.1 or s.diverged:
        return None
    return Finding(
        "no signal in the labels",
        SEVERE,
        f"training removes {s.gain:.0%} of the loss of its own rows, yet on others the best is "
        f"{v.min():.3g}, no better than not to look ({s.trivial:.3g})",
        "look at the labels and at which columns could tell them",
        "target",
        74,
    )


def over_fitting(e: Evidence, s: Signs) -> Finding | None:
    """The loss of rows that did not train rises while that of those that did falls on.

    Squared errors need not rise: they may stay where they are, far above those of rows that are
    known by heart, their noise with them. A log-loss always tells by rising.
    """
    v = s.validation
    if v is None or s.diverged or v.min() >= NO_BETTER * s.trivial:
        return None
    best = int(np.argmin(v))
    rise = float(np.median(v[-max(1, len(v) // 10) :])) - float(v[best])
    # A log-loss has no upper end, squared errors have: there less of a rise is as grave.
    share = rise / s.trivial if is_classes(e.shape.loss) else 2 * rise / float(v[best])
    by_heart = not is_classes(e.shape.loss) and s.last < BY_HEART * v[-1]
    if by_heart and v[best] > 0.3 * s.trivial:
        return _by_heart(s, float(v[-1]), best)
    if share < 0.2 or s.last > 0.5 * float(v[best]) or best > 0.8 * len(v):
        return None
    return Finding(
        "over-fitting",
        SEVERE if share > 0.5 else WARNING,
        f"on rows that did not train the loss is best after epoch {best + 1} ({v[best]:.3g}) and "
        f"ends "
        f"at {v[-1]:.3g}, while the training loss goes on to {s.last:.3g}",
        f"stop after {best + 1} epochs, drop units, decay the weights, or take a smaller network",
        "early_stopping=True, dropout, weight_decay",
        72,
    )


def _by_heart(s: Signs, ends: float, best: int) -> Finding:
    return Finding(
        "over-fitting",
        SEVERE,
        f"training ends at {s.last:.3g}, {ends / max(s.last, 1e-12):.3g} times below the "
        f"{ends:.3g} of rows that did not train (one who does not look has {s.trivial:.3g}): the "
        f"rows are known by heart, and their noise too; others are best after epoch {best + 1}",
        "drop units, decay the weights, take a smaller network or more rows",
        "dropout, weight_decay, hidden_layer_sizes",
        72,
    )


def under_fitting(e: Evidence, s: Signs) -> Finding | None:
    """The training loss stays high though the steps are right: the network cannot do it.

    A loss that still falls, or one that fell by as much as noisy rows may allow, is no more than
    a warning.
    """
    if s.gain > 0.25 or s.diverged or e.candidate.dropout >= 0.6:
        return None
    size = "–".join(map(str, e.candidate.hidden_layer_sizes)) or "no hidden layer"
    short = s.gain > 0.02 and s.falling > 0.1
    if e.candidate.weight_decay * e.candidate.learning_rate > 0.03:
        cause = f"the weight decay of {e.candidate.weight_decay:g} holds the weights"
        remedy, parameter, weight = "decay the weights less", "weight_decay", 86
    elif short:
        cause = f"it still falls, by {s.falling:.0%} in the last third of the epochs"
        remedy, parameter, weight = "train longer", "epochs", 40
    else:
        cause = f"a network of {size} ({e.candidate.activation}) can do no better"
        remedy, parameter, weight = (
            "more units or layers, another activation; or the rows tell no more",
            "hidden_layer_sizes, activation",
            40,
        )
    return Finding(
        "under-fitting",
        WARNING if short or s.gain > 0.1 else SEVERE,
        f"the training loss ends at {s.last:.3g}, {_beside(s.gain)} what one who does not look has "
        f"({s.trivial:.3g}): {cause}",
        remedy,
        parameter,
        weight,
    )


CHECKS: tuple[Callable[[Evidence, Signs], Finding | None], ...] = (
    unnormalized_inputs,
    unnormalized_outputs,
    dominating_feature,
    bad_initial_weights,
    exploding,
    vanishing,
    dead_units,
    rate_too_high,
    rate_too_low,
    too_much_dropout,
    no_signal,
    over_fitting,
    under_fitting,
)
FAULTS = (
    "unnormalized inputs",
    "unnormalized outputs",
    "dominating feature",
    "bad initial weights",
    "exploding gradients",
    "vanishing gradients",
    "dead units",
    "learning rate too high",
    "learning rate too low",
    "too much dropout",
    "no signal in the labels",
    "over-fitting",
    "under-fitting",
)


def _rows_are_off(e: Evidence) -> bool:
    """Whether inputs or targets are so far from 0 and 1 that all else follows from it."""
    targets_off = not is_classes(e.shape.loss) and not 0.1 < e.target_size < FAR
    return e.inputs.largest >= FAR or targets_off


def _beside(gain: float) -> str:
    """How far a loss is from the trivial one."""
    return f"{gain:.0%} below" if gain >= 0.005 else "not below"


def _fall(train: np.ndarray) -> float:
    """By how much of itself the loss comes down in the last third of the epochs."""
    before, last = float(train[2 * len(train) // 3 - 1]), float(train[-1])
    return before / last - 1.0 if len(train) > 2 and last > 0 else 0.0


def _swing(train: np.ndarray) -> float:
    """The mean rise of the loss from epoch to epoch, as a share of it, after the first third."""
    later = train[len(train) // 3 :]
    if len(later) < 2:
        return 0.0
    return float(np.mean(np.maximum(0.0, np.diff(later)) / np.maximum(later[:-1], 1e-12)))


def _name(e: Evidence, place: int) -> str:
    return repr(e.names[place]) if place < len(e.names) else f"{place}"
