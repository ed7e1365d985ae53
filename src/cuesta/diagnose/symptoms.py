"""Numbers computed from the evidence, which several faults use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cuesta.diagnose.evidence import Evidence
from cuesta.diagnose.gauges import FirstOrderGauges

LATE_SHARE = 0.1  # of the recordings, at the end: they show how training ends
FIRST_STEPS = 3  # recorded steps that show how long steps are
INSTEAD_OF_INFINITY = 1e9  # so that a gauge that is infinite or NaN counts as very large


@dataclass(frozen=True)
class Symptoms:
    """The symptoms in some evidence, each computed when it is first needed."""

    evidence: Evidence

    @property
    def _gauges(self) -> FirstOrderGauges:
        return self.evidence.recording.economy

    # How the weights begin, and what the first steps do.

    @property
    def first_loss(self) -> float:
        """J of the first batch."""
        return float(self._gauges.loss[0])

    @property
    def first_gradient(self) -> float:
        """‖G‖ at the first step, over all layers."""
        return float(np.linalg.norm(self._gauges.gradient[0]))

    @cached_property
    def backward_factors(self) -> np.ndarray:
        """(hidden layers,): by how much each layer changes the error on its way back (N4).

        At the first step: later the error may vanish because the network has learned.
        """
        return _finite(self._gauges.shrink[0])

    @property
    def backward_product(self) -> float:
        """By how much all layers together do."""
        return float(np.prod(self.backward_factors))

    @property
    def first_update(self) -> float:
        """The largest ‖Δ‖/‖w‖ of a layer in the first recorded steps."""
        return float(_finite(self._gauges.update[:FIRST_STEPS]).max())

    @property
    def distance(self) -> float:
        """The largest Σ ‖Δ‖/‖w‖ of a layer over all steps: how far its weights can have moved."""
        mean = _finite(self._gauges.update).mean(axis=0)
        return float((mean * self.evidence.recording.total).max())

    @property
    def dead_first(self) -> np.ndarray:
        """(hidden layers,): the share of dead units at the first step."""
        return self._gauges.dead[0]

    @property
    def dead_last(self) -> np.ndarray:
        """(hidden layers,): the share of dead units at the end."""
        late = slice(-max(1, math.ceil(LATE_SHARE * len(self._gauges.loss))), None)
        return np.nan_to_num(self._gauges.dead[late].mean(axis=0), nan=1.0)

    # What comes out.

    @property
    def diverged_at(self) -> int:
        """The step, from 1, at which the loss or the gradient became infinite or NaN; 0: none."""
        return self.evidence.recording.diverged_at

    @property
    def baseline(self) -> float:
        """The loss of a predictor that ignores the inputs."""
        return self.evidence.baseline

    @cached_property
    def train(self) -> np.ndarray:
        """The finite training losses of the epochs; infinity where there is none."""
        finite = self.evidence.train[np.isfinite(self.evidence.train)]
        return finite if len(finite) else np.array([np.inf])

    @cached_property
    def final_loss(self) -> float:
        """The mean training loss of the last tenth of the epochs."""
        return float(self.train[-max(1, len(self.train) // 10) :].mean())

    @property
    def gain(self) -> float:
        """The share of the baseline's loss that training removes."""
        return 1.0 - self.final_loss / self.baseline if self.baseline > 0 else 0.0

    @property
    def learns(self) -> bool:
        """Whether training removes a good part of the baseline's loss."""
        return self.gain > 0.5

    @property
    def recent_fall(self) -> float:
        """By how much of itself the training loss falls in the last third of the epochs."""
        before, last = float(self.train[2 * len(self.train) // 3 - 1]), float(self.train[-1])
        return before / last - 1.0 if len(self.train) > 2 and last > 0 else 0.0

    @property
    def swing(self) -> float:
        """The mean rise of the training loss from epoch to epoch, as a share of it.

        A fall counts as 0, and the first third of the epochs does not count.
        """
        later = self.train[len(self.train) // 3 :]
        if len(later) < 2:
            return 0.0
        return float(np.mean(np.maximum(0.0, np.diff(later)) / np.maximum(later[:-1], 1e-12)))

    @cached_property
    def validation(self) -> np.ndarray | None:
        """The validation losses of the epochs, infinity for NaN; None where no rows validate."""
        losses = self.evidence.validation
        return None if losses is None else np.where(np.isfinite(losses), losses, np.inf)


def _finite(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(values, nan=INSTEAD_OF_INFINITY, posinf=INSTEAD_OF_INFINITY)
