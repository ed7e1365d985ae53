"""A network that loses to a baseline: to the linear model, or to boosted trees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cuesta.data.fold_means import standard_error
from cuesta.diagnose.findings import SEVERE, WARNING, Finding
from cuesta.metrics import METRICS

LEVEL = 0.975  # of Student's t, one-sided
SHARE = 0.02  # of the network's figure: less is not worth a word
REMEDIES = {  # name of the baseline → what to do, and the parameters
    "linear model": (
        "take the linear model, or let candidates come closer to one",
        "hidden_layer_sizes=(), weight_decay, epochs",
    ),
}
OTHER = "take the baseline, or give the search more candidates and more epochs"


@dataclass(frozen=True)
class Figures:
    """What one model reached: its metric on each fold, and on the test rows.

    No folds, or a NaN, where it was not measured.
    """

    name: str
    folds: tuple[float, ...]
    test: float = math.nan


def loses_to_baseline(
    metric: str,
    network: Figures,
    interval: Sequence[float],
    baselines: Sequence[Figures],
    share: float,
    *,
    higher: bool,
) -> Finding | None:
    """A baseline is better than the network, by validation or by the test.

    By validation: t = d̄/(s√(1/k + `share`)) of the paired differences d of k folds is beyond
    Student's t of k − 1 degrees of freedom, where `share` is n_validation/n_training (Nadeau and
    Bengio, 2003). By the test: its figure is better than the better end of the network's 95 %
    `interval`. Both by more than a fiftieth of the network's figure (or of its distance from 1,
    where `higher` says that a higher metric is better). It is severe where both say so. The
    baseline that leads by most is named.
    """
    found = [_compared(network, interval, each, share, higher=higher) for each in baselines]
    losing = [each for each in found if each.by_folds or each.by_test]
    if not losing:
        return None
    worst = max(losing, key=lambda each: (each.by_folds + each.by_test, each.lead))
    where = " and ".join(["in validation"] * worst.by_folds + ["in the test"] * worst.by_test)
    others = [f"the {each.baseline.name} too" for each in losing if each is not worst]
    remedy, parameter = REMEDIES.get(worst.baseline.name, (OTHER, "candidates, epochs"))
    return Finding(
        "loses to a baseline",
        SEVERE if worst.by_folds and worst.by_test else WARNING,
        "; ".join(
            [
                f"the network loses to the {worst.baseline.name} {where}: "
                f"{worst.says(metric, network)}",
                *others,
            ]
        ),
        remedy,
        parameter,
        80,
    )


@dataclass(frozen=True)
class _Compared:
    """A baseline beside the network: whether it is better, and its lead in shares of its figure."""

    baseline: Figures
    by_folds: bool
    by_test: bool
    lead: float

    def says(self, metric: str, network: Figures) -> str:
        """Both figures, the network's first, of validation and of the test."""
        told = []
        if _paired(network, self.baseline).size:
            ours, theirs = _paired(network, self.baseline).mean(axis=1)
            told.append(f"{ours:.3g} against {theirs:.3g} in validation")
        if math.isfinite(network.test) and math.isfinite(self.baseline.test):
            told.append(f"{network.test:.3g} against {self.baseline.test:.3g} in the test")
        return f"{_words(metric)} {', '.join(told)}"


def _compared(
    network: Figures, interval: Sequence[float], baseline: Figures, share: float, *, higher: bool
) -> _Compared:
    sign = -1.0 if higher else 1.0

    def worth(ours: float, theirs: float) -> float:
        size = abs(1 - ours) if higher else abs(ours)
        return sign * (ours - theirs) / size if size > 0 else 0.0

    leads = [0.0]
    by_folds = by_test = False
    both = _paired(network, baseline)
    if both.shape[1] > 1:
        leads.append(worth(*both.mean(axis=1).tolist()))
        differences = sign * (both[0] - both[1])
        by_folds = leads[-1] > SHARE and _beyond_noise(differences, share)
    ends = [sign * end for end in interval]
    if all(map(math.isfinite, (network.test, baseline.test, *ends))):
        leads.append(worth(network.test, baseline.test))
        by_test = leads[-1] > SHARE and sign * baseline.test < min(ends)
    return _Compared(baseline, by_folds, by_test, max(leads))


def _paired(network: Figures, baseline: Figures) -> np.ndarray:
    """(2, folds) the metrics of the folds that both have: a fold may lack a class."""
    if len(network.folds) != len(baseline.folds):
        return np.empty((2, 0))
    both = np.array([network.folds, baseline.folds])
    return both[:, np.isfinite(both).all(axis=0)]


def _words(metric: str) -> str:
    """A metric's name as people write it."""
    return METRICS[metric].words if metric in METRICS else metric


def _beyond_noise(differences: np.ndarray, share: float) -> bool:
    """Whether the mean of paired differences is above 0 by more than chance explains."""
    from scipy.stats import t

    error = standard_error(differences, share)
    return bool(differences.mean() > t.ppf(LEVEL, len(differences) - 1) * error)
