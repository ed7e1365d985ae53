"""Faults of the layers: how signals go forward and errors go back through them."""

from __future__ import annotations

import numpy as np

from cuesta.diagnose.evidence import Evidence
from cuesta.diagnose.findings import SEVERE, WARNING, Finding
from cuesta.diagnose.symptoms import Symptoms

SMALLEST_GAIN, LARGEST_GAIN = 0.05, 7.0  # of initial weights; `uniform` has 0.58, `he` 1.41
EXPLODES, VANISHES = 100.0, 1e-2  # what all layers together make of an error of 1
DEAD_AT_ONCE, DEAD_AT_LAST = 0.8, 0.6  # the share of a layer's units, at the first step, at the end
HIGH_DROPOUT = 0.6  # from which units that are dropped look like dead ones


def bad_initial_weights(e: Evidence, s: Symptoms) -> Finding | None:
    """Weights that begin far larger or smaller than what keeps a signal's size (N10)."""
    worst = int(np.argmax(np.abs(np.log(np.maximum(e.gains, 1e-30))))) + 1
    gain = float(e.gains[worst - 1])
    if SMALLEST_GAIN < gain < LARGEST_GAIN:
        return None
    wrong, better = ("large", "smaller") if gain > 1 else ("small", "larger")
    return Finding(
        "bad initial weights",
        SEVERE,
        f"the initial weights of layer {worst} are too {wrong}: its sums are about {gain:.3g} "
        f"times as large as its inputs; the first loss is {s.first_loss:.3g}, where the baseline "
        f"has {s.baseline:.3g} (N10)",
        f"begin with {better} weights",
        "init='he' or 'glorot'",
        84,
        layer=worst,
        step=1,
    )


def exploding_gradients(e: Evidence, s: Symptoms) -> Finding | None:
    """Each layer makes the error larger on its way back (N5)."""
    factors, product = s.backward_factors, s.backward_product
    if not factors.size or product < EXPLODES or e.unnormalized:
        return None
    worst = int(np.argmax(factors)) + 1
    clip = "" if e.candidate.clip_norm is None else ", before clipping limits it"
    return Finding(
        "exploding gradients",
        SEVERE,
        f"on its way back from the last layer to the first the error grows {product:.3g} times, "
        f"most in layer {worst} ({factors[worst - 1]:.3g} times); the norm of the first gradient "
        f"is {s.first_gradient:.3g}{clip} (N5)",
        "clip the gradient, or begin with smaller weights",
        "clip_norm=1.0",
        82,
        layer=worst,
        step=1,
    )


def vanishing_gradients(e: Evidence, s: Symptoms) -> Finding | None:
    """Each layer makes the error smaller on its way back: the first ones do not learn (N4)."""
    factors, product = s.backward_factors, s.backward_product
    if len(factors) < 2 or product > VANISHES:
        return None
    worst = int(np.argmin(factors)) + 1
    return Finding(
        "vanishing gradients",
        SEVERE,
        f"on its way back from the last layer to the first the error shrinks to {product:.2g} of "
        f"its size, most in layer {worst} (to {factors[worst - 1]:.2g}); with {len(factors)} "
        f"hidden layers of {e.candidate.activation} units the first layers hardly learn (N4)",
        "use ReLU, fewer layers, or larger initial weights",
        "activation='relu', init='he'",
        78,
        layer=worst,
        step=1,
    )


def dead_units(e: Evidence, s: Symptoms) -> Finding | None:
    """ReLU units whose output is 0 for every row of a batch; those that are dropped are not.

    Units of other activations have a slope everywhere, but for what a float cannot hold.
    """
    if e.candidate.activation != "relu" or e.candidate.dropout >= HIGH_DROPOUT:
        return None
    if not s.dead_last.size:
        return None
    at_once = float(s.dead_first.max()) >= DEAD_AT_ONCE
    layer = int(np.argmax(s.dead_first if at_once else s.dead_last)) + 1
    first, last = float(s.dead_first[layer - 1]), float(s.dead_last[layer - 1])
    if not at_once and last < DEAD_AT_LAST:
        return None
    return Finding(
        "dead units",
        SEVERE if at_once or not s.learns else WARNING,
        f"{first:.0%} of the units of layer {layer} output 0 for every row of the batch at the "
        f"first step, {last:.0%} at the end: such units do not learn",
        "lower the learning rate, or begin with other weights or larger biases",
        "learning_rate, init",
        83 if at_once else 60,
        layer=layer,
    )
