"""One finding: a fault, the figures that show it, and what to change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SEVERE, WARNING = "severe", "warning"
# The names of what is found in a whole run, rather than in a training.
OF_A_RUN = frozenset(
    {
        "target given away",
        "test far from validation",
        "loses to a baseline",
        "unearned confidence",
        "trained to its last epoch",
    }
)


@dataclass(frozen=True)
class Finding:
    """A fault: the figures that show it, where it is, and which parameter to change.

    Attributes
    ----------
    fault : str
        Its name: one of `cuesta.diagnose.doctor.FAULTS`; or, of a whole run, `target given away`,
        `test far from validation`, `loses to a baseline`, `unearned confidence` or
        `trained to its last epoch`.
    severity : str
        `severe` or `warning`.
    says : str
        What is wrong, with the figures.
    remedy : str
        What to do, in words.
    parameter : str
        The parameter to change, with a value where one can be named.
    weight : float
        Orders findings of the same severity, the largest first.
    layer : int
        The layer, from 1; 0 for none.
    step : int
        The step, from 1; 0 for none.

    Examples
    --------
    >>> found = Finding("dead units", "warning", "70% of …", "lower the rate", "learning_rate", 60)
    >>> print(found)
    warning dead units: 70% of … → lower the rate (learning_rate)
    """

    fault: str
    severity: str
    says: str
    remedy: str
    parameter: str
    weight: float
    layer: int = 0
    step: int = 0

    def __str__(self) -> str:
        """The finding in one line."""
        words = f"{self.severity} {self.fault}: {self.says}"
        return f"{words} → {self.remedy} ({self.parameter})"


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The gravest first."""
    return tuple(sorted(findings, key=lambda each: (each.severity != SEVERE, -each.weight)))
