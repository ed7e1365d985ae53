"""Faults of the rows: what the network is given is too large, too small or repeated."""

from __future__ import annotations

import math

from cuesta.diagnose.evidence import Evidence
from cuesta.diagnose.findings import SEVERE, Finding
from cuesta.diagnose.symptoms import Symptoms

FEWEST_COPIES, LEAST_SHARE_OF_COPIES = 3, 0.3  # of one column, from which they outweigh the others


def unnormalized_inputs(e: Evidence, s: Symptoms) -> Finding | None:
    """Inputs far from 0 or of wide spread: the gradient is proportional to them (N3)."""
    if not e.inputs.unnormalized or e.inputs.only_one_large:
        return None
    name, size = e.input_name(int(e.inputs.order[0])), e.inputs.largest
    return Finding(
        "unnormalized inputs",
        SEVERE,
        f"input {name} has a root mean square of {size:.3g}, where about 1 is expected, and other "
        "inputs are large too: the gradient of the first layer grows with its inputs (N3)",
        "normalize the inputs",
        "normalize='standard'",
        90 + min(4.0, math.log10(size)),
    )


def unnormalized_outputs(e: Evidence, s: Symptoms) -> Finding | None:
    """Targets of wide spread: the gradient is proportional to the residual (N3)."""
    if not e.unnormalized_targets:
        return None
    return Finding(
        "unnormalized outputs",
        SEVERE,
        f"the targets have a root mean square of {e.target_size:.3g}, where about 1 is expected: "
        "the gradient grows with the residuals, and these with the targets; its norm is "
        f"{s.first_gradient:.3g} at the first step (N3)",
        "normalize the targets",
        "normalize='standard'",
        96,
    )


def dominating_feature(e: Evidence, s: Symptoms) -> Finding | None:
    """One column that is large, or there many times, outweighs the others."""
    if e.inputs.only_one_large and len(e.inputs.sizes) > 1:
        return _large_column(e)
    copies = len(e.inputs.duplicates)
    share = copies / max(1, len(e.inputs.sizes))
    if copies < FEWEST_COPIES or share < LEAST_SHARE_OF_COPIES:
        return None
    return _copied_column(e)


def _large_column(e: Evidence) -> Finding:
    name = e.input_name(int(e.inputs.order[0]))
    return Finding(
        "dominating feature",
        SEVERE,
        f"input {name} has a root mean square of {e.inputs.largest:.3g}, the next largest input "
        f"one of {e.inputs.sizes[1]:.3g}: it outweighs all others in every unit of the first layer",
        "normalize this input, or leave it out",
        "normalize='standard'",
        95,
    )


def _copied_column(e: Evidence) -> Finding:
    copies = e.inputs.duplicates
    names = ", ".join(e.input_name(place) for place in copies[:4])
    return Finding(
        "dominating feature",
        SEVERE,
        f"{len(copies)} of {len(e.inputs.sizes)} inputs are copies of one column, up to a factor "
        f"and a shift ({names}{', …' if len(copies) > 4 else ''}): together they outweigh the "
        "other inputs",
        "keep one of them",
        "columns",
        85,
    )
