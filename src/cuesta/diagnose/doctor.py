"""Turns measurements and loss curves into findings in words, the most serious first.

The thresholds of the faults were set on the planted faults of `bench/doctor.py` with one set of
seeds, and are judged with another (docs/diagnose.md).
"""

from __future__ import annotations

from collections.abc import Callable

from cuesta.diagnose.evidence import Evidence
from cuesta.diagnose.faults.layers import (
    bad_initial_weights,
    dead_units,
    exploding_gradients,
    vanishing_gradients,
)
from cuesta.diagnose.faults.results import (
    no_signal,
    over_fitting,
    too_much_dropout,
    under_fitting,
)
from cuesta.diagnose.faults.rows import (
    dominating_feature,
    unnormalized_inputs,
    unnormalized_outputs,
)
from cuesta.diagnose.faults.steps import rate_too_high, rate_too_low
from cuesta.diagnose.findings import Finding, in_order
from cuesta.diagnose.symptoms import Symptoms

# In the order in which one fault explains the next: the rows, the initial weights, the steps, the
# results.
CHECKS: dict[str, Callable[[Evidence, Symptoms], Finding | None]] = {
    "unnormalized inputs": unnormalized_inputs,
    "unnormalized outputs": unnormalized_outputs,
    "dominating feature": dominating_feature,
    "bad initial weights": bad_initial_weights,
    "exploding gradients": exploding_gradients,
    "vanishing gradients": vanishing_gradients,
    "dead units": dead_units,
    "learning rate too high": rate_too_high,
    "learning rate too low": rate_too_low,
    "too much dropout": too_much_dropout,
    "no signal in the labels": no_signal,
    "over-fitting": over_fitting,
    "under-fitting": under_fitting,
}
FAULTS = tuple(CHECKS)


def examine(evidence: Evidence) -> list[Finding]:
    """The findings, the gravest first; none where no fault is found."""
    symptoms = Symptoms(evidence)
    checked = (check(evidence, symptoms) for check in CHECKS.values())
    return list(in_order(finding for finding in checked if finding is not None))
