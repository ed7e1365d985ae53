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

from cuesta.diagnose.evidence import Evidence
from cuesta.spec import is_classes

SEVERE, WARNING = "severe", "warning"
EARLY = 0.1  # the share of the recordings that shows how training begins


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
        count = max(1, len(seen.loss))
        early = max(1, min(count, math.ceil(EARLY * count)))
        self.first_loss = float(seen.loss[0])
        finite = np.isfinite(seen.gradient).all(axis=1) & np.isfinite(seen.loss)
        self.diverged = evidence.recording.outcome
        used = slice(0, early)
        self.factors = _median(seen.shrink[used])
        self.passed = float(np.prod(self.factors)) if self.factors.size else 1.0
        self.moves = _median(seen.update[used])
        self.path = seen.update.mean(axis=0) * evidence.recording.total
        self.dead_first = seen.dead[:early].mean(axis=0) if seen.dead.size else np.zeros(0)
        self.dead_last = seen.dead[-early:].mean(axis=0) if seen.dead.size else np.zeros(0)
        self.saturated = seen.saturated[used].mean(axis=0) if seen.saturated.size else np.zeros(0)
        self.gradient = float(np.nanmax(np.where(finite[:, None], seen.gradient, np.nan)[0:1]))
        train = evidence.train[np.isfinite(evidence.train)]
        self.train = train if len(train) else np.array([np.inf])
        self.trivial = evidence.trivial
        tail = max(1, len(self.train) // 10)
        self.last = float(self.train[-tail:].mean())
        self.best = float(self.train.min())
        self.gain = 1.0 - self.last / self.trivial if self.trivial > 0 else 0.0
        validation = evidence.validation
        self.validation = (
            None if validation is None else np.where(np.isfinite(validation), validation, np.inf)
        )

    @property
    def learns(self) -> bool:
        """Whether training removes a good part of the trivial loss."""
        return self.gain > 0.5


def _median(values: np.ndarray) -> np.ndarray:
    if not values.size:
        return np.zeros(values.shape[1:])
    return np.nan_to_num(np.median(values, axis=0), nan=np.inf, posinf=np.inf)


def unnormalized_inputs(e: Evidence, s: Signs) -> Finding | None:
    """Inputs far from 0 or of wide spread: the gradient is proportional to them (N3)."""
    far = max(e.inputs.center, e.inputs.spread)
    if far < 8 or e.inputs.constant:
        return None
    name = _name(e, e.inputs.widest)
    return Finding(
        "unnormalized inputs",
        SEVERE,
        f"input {name} has mean {e.inputs.center:.3g} or spread {e.inputs.spread:.3g}, where "
        f"about 0 "
        "and 1 are wanted: the gradient of its weights is as many times larger (N3)",
        "normalize the inputs",
        "normalize='standard'",
        90 + min(9.0, math.log10(far)),
    )


def unnormalized_outputs(e: Evidence, s: Signs) -> Finding | None:
    """Targets of wide spread: the gradient is proportional to the residual (N3)."""
    if is_classes(e.shape.loss) or 0.1 < e.target_spread < 8:
        return None
    return Finding(
        "unnormalized outputs",
        SEVERE,
        f"targets are spread by {e.target_spread:.3g}, where about 1 is wanted: residuals, and so "
        f"the "
        f"gradient ({s.gradient:.3g} at the first step), are as many times off (N3)",
        "normalize the targets",
        "normalize='standard'",
        95,
    )


def dominating_feature(e: Evidence, s: Signs) -> Finding | None:
    """A constant far from 0, or one column many times over, outweighs the others."""
    if e.inputs.constant:
        name = _name(e, e.inputs.constant[0])
        return Finding(
            "dominating feature",
            SEVERE,
            f"input {name} is the same far from 0 in every row ({e.inputs.center:.3g}): it tells "
            "nothing and moves every unit",
            "leave it out, or normalize",
            "normalize='standard'",
            97,
        )
    share = len(e.inputs.twins) / max(1, e.inputs.width)
    if len(e.inputs.twins) < 3 or share < 0.3:
        return None
    names = ", ".join(_name(e, place) for place in e.inputs.twins[:4])
    return Finding(
        "dominating feature",
        SEVERE,
        f"{len(e.inputs.twins)} of {e.inputs.width} inputs are one column up to scale ({names} "
        f"…): it "
        "weighs as many times as much as any other",
        "keep one of them",
        "columns",
        85,
    )


def bad_initial_weights(e: Evidence, s: Signs) -> Finding | None:
    """A first loss far above the trivial one, or units that all begin flat (N10)."""
    if _rows_are_off(e):
        return None
    high = s.first_loss / max(s.trivial, 1e-12)
    flat = float(e.recording.economy.gradient[0].max()) < 1e-5 * max(s.trivial, 1e-12)
    if high > 6 and s.passed < 1e3:
        return Finding(
            "bad initial weights",
            SEVERE,
            f"the first loss is {s.first_loss:.3g}, {high:.3g} times what one who does not look "
            f"would "
            f"have ({s.trivial:.3g}): the weights begin too large (N10)",
            "draw smaller weights",
            "init='he' or 'glorot'",
            80,
            step=1,
        )
    if flat and len(s.factors) < 4:
        return Finding(
            "bad initial weights",
            SEVERE,
            f"no layer's first gradient is above {e.recording.economy.gradient[0].max():.2g}: the "
            "weights begin too small for anything to pass (N10)",
            "draw larger weights",
            "init='he' or 'glorot'",
            80,
            step=1,
        )
    return None


def exploding(e: Evidence, s: Signs) -> Finding | None:
    """Each layer makes the error larger on its way back (N5)."""
    if not s.factors.size or _rows_are_off(e):
        return None
    worst = int(np.argmax(s.factors)) + 1
    if s.passed < 1e3 and not (s.passed > 30 and s.first_loss > 10 * s.trivial):
        return None
    clip = "" if e.candidate.clip_norm is None else ", though clipping holds the steps"
    return Finding(
        "exploding gradients",
        SEVERE if not s.learns else WARNING,
        f"from the last layer to the first the error grows {s.passed:.3g} times, most in layer "
        f"{worst} ({s.factors[worst - 1]:.3g} times); the first gradient is "
        f"{s.gradient:.3g}{clip} (N5)",
        "clip the gradient, or draw smaller weights",
        "clip_norm=1.0",
        82,
        layer=worst,
        step=1,
    )


def vanishing(e: Evidence, s: Signs) -> Finding | None:
    """Each layer makes the error smaller on its way back: the first ones do not learn (N4)."""
    if len(s.factors) < 2 or s.passed > 2e-2 or s.learns:
        return None
    worst = int(np.argmin(s.factors)) + 1
    kind = e.candidate.activation
    return Finding(
        "vanishing gradients",
        SEVERE,
        f"from the last layer to the first the error shrinks to {s.passed:.2g} of itself, most in "
        f"layer "
        f"{worst} (to {s.factors[worst - 1]:.2g}); with {len(s.factors)} hidden layers of {kind} "
        f"the "
        "first ones hardly learn (N4)",
        "take ReLU, fewer layers, or larger initial weights",
        "activation='relu', init='he'",
        78,
        layer=worst,
        step=1,
    )


def dead_units(e: Evidence, s: Signs) -> Finding | None:
    """ReLU units that no row of a batch wakes."""
    if not s.dead_last.size:
        return None
    layer = int(np.argmax(s.dead_last)) + 1
    share, at_first = s.dead_last[layer - 1], s.dead_first[layer - 1]
    if share < 0.6:
        return None
    began = at_first > 0.5 * share
    return Finding(
        "dead units",
        SEVERE,
        f"{share:.0%} of the units of layer {layer} are 0 for every row"
        + (", from the first steps on" if began else f", {at_first:.0%} at first"),
        "lower the learning rate or raise the biases; other initial weights",
        "learning_rate, init",
        79 if began else 60,
        layer=layer,
    )


def rate_too_high(e: Evidence, s: Signs) -> Finding | None:
    """Steps that are long beside the weights, and a loss that does not come down (N8)."""
    move = float(s.moves.max())
    rate = e.candidate.learning_rate
    worse = s.last > 0.9 * s.trivial
    swings = _swing(s.train)
    if s.diverged and not _rows_are_off(e):
        return Finding(
            "learning rate too high",
            SEVERE,
            f"the numbers are not finite from step {s.diverged:,} on, with steps of {move:.2g} of "
            f"the "
            f"weights at α = {rate:g}",
            "lower the learning rate, or clip",
            f"learning_rate={rate / 30:.1g}",
            76,
            step=s.diverged,
        )
    long = move > 0.25 and (worse or swings > 0.15 or not s.learns)
    wild = swings > 0.5 and move > 0.03
    if (long or wild) and not _rows_are_off(e):
        return Finding(
            "learning rate too high",
            SEVERE,
            f"steps of {move:.2g} of the weights at α = {rate:g}; the mean loss swings by "
            f"{swings:.0%} "
            f"from epoch to epoch and ends at {s.last:.3g} (one who does not look has "
            f"{s.trivial:.3g})",
            "lower the learning rate, or let it decay",
            f"learning_rate={rate / 30:.1g}",
            81 if move > 0.25 else 62,
        )
    return None


def rate_too_low(e: Evidence, s: Signs) -> Finding | None:
    """Weights that hardly leave where they began, and a loss that still falls."""
    path = float(s.path.max())
    if path > 0.3 or s.learns or s.diverged:
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
        f"{s.last:.3g}, {max(0.0, s.gain):.0%} below the trivial {s.trivial:.3g}{beside}",
        "drop fewer units",
        "dropout=0.2",
        70,
    )


def no_signal(e: Evidence, s: Signs) -> Finding | None:
    """Training learns its rows by heart, and rows that did not train are never told better."""
    v = s.validation
    if v is None or v.min() < 0.96 * s.trivial or s.gain < 0.15 or s.diverged:
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
    """The loss of rows that did not train rises while that of those that did falls on."""
    v = s.validation
    if v is None or s.diverged or v.min() >= 0.96 * s.trivial:
        return None
    best = int(np.argmin(v))
    rise = (float(np.median(v[-max(1, len(v) // 10) :])) - float(v[best])) / s.trivial
    if rise < 0.25 or s.last > 0.5 * float(v[best]) or best > 0.8 * len(v):
        return None
    return Finding(
        "over-fitting",
        SEVERE,
        f"on rows that did not train the loss is best after epoch {best + 1} ({v[best]:.3g}) and "
        f"ends "
        f"at {v[-1]:.3g}, while the training loss goes on to {s.last:.3g}",
        f"stop after {best + 1} epochs, drop units, decay the weights, or take a smaller network",
        "early_stopping=True, dropout, weight_decay",
        72,
    )


def under_fitting(e: Evidence, s: Signs) -> Finding | None:
    """The training loss stays high though the steps are right: the network cannot do it."""
    if s.gain > 0.25 or s.diverged or e.candidate.dropout >= 0.6:
        return None
    size = "–".join(map(str, e.candidate.hidden_layer_sizes)) or "no hidden layer"
    held = e.candidate.weight_decay >= 0.3
    cause = (
        f"the weight decay of {e.candidate.weight_decay:g} holds the weights"
        if held
        else f"a network of {size} ({e.candidate.activation}) can do no better"
    )
    return Finding(
        "under-fitting",
        SEVERE,
        f"the training loss ends at {s.last:.3g}, {max(0.0, s.gain):.0%} below what one who does "
        f"not "
        f"look has ({s.trivial:.3g}): {cause}",
        "decay the weights less"
        if held
        else "more units or layers, another activation, more epochs",
        "weight_decay" if held else "hidden_layer_sizes, activation",
        40,
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
    off = max(e.inputs.center, e.inputs.spread) >= 8
    return off or (not is_classes(e.shape.loss) and not 0.1 < e.target_spread < 8)


def _swing(train: np.ndarray) -> float:
    """The mean rise of the loss from epoch to epoch, as a share of it, after the first third."""
    later = train[len(train) // 3 :]
    if len(later) < 2:
        return 0.0
    return float(np.mean(np.maximum(0.0, np.diff(later)) / np.maximum(later[:-1], 1e-12)))


def _name(e: Evidence, place: int) -> str:
    return repr(e.names[place]) if place < len(e.names) else f"{place}"
