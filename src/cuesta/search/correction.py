"""The optimism of a choice: what the best of many candidates loses on rows that did not choose it.

The least of many validation losses is less than the loss that its candidate has on new rows, for
it was chosen for its luck too. Bootstrap bias-corrected cross-validation (Tsamardinos, Greasidou
and Borboudakis, 2018) chooses again and again, each time by a sample of the validated rows, and
scores what was chosen on the rows outside that sample. No network is trained for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from cuesta.training.journal import LaneRecord

DRAWS = 500  # samples of units
COMMITTEE_DRAWS = 200  # samples of rows, each of which chooses a committee anew
NORMAL = 1.959964  # of 95 %, two-sided
AT_ONCE = 1 << 22  # losses held at once, 32 MiB


class UnitLosses(NamedTuple):
    """Validation losses of all candidates, unit by unit of all folds.

    `sums` (candidates, epochs, units) are sums of the losses of a unit's rows, and `weights`
    (units,) what its rows weigh; Σ sums / Σ weights is the validation loss.
    """

    sums: np.ndarray
    weights: np.ndarray


class Corrected(NamedTuple):
    """A corrected validation loss, a 95 % interval of the true one, and the uncorrected one."""

    value: float
    low: float
    high: float
    uncorrected: float

    def root(self) -> Corrected:
        """The same of the root: an RMSE, from mean squared errors."""
        return Corrected(*np.sqrt(self).tolist())


def unit_losses(
    records: Sequence[Sequence[LaneRecord]],
    weights: np.ndarray,
    scales: np.ndarray | None = None,
) -> UnitLosses:
    """The losses of candidates from their records, fold by fold; each fold counts the same.

    `weights` (folds, UNITS) are those of `Feed.unit_weights`. `scales` (candidates, folds) turn the
    root of a loss into the target's units: the scale of a fold's one target. Log-losses, and
    squared errors of several targets, which have no unit in common, need none. Units without rows
    are left out. Candidates need as many epochs as each other.
    """
    seen = np.flatnonzero(weights)
    share = 1 / (len(weights) * weights.sum(axis=1))
    factors = np.ones((len(records), len(weights))) if scales is None else scales**2
    sums = [
        np.concatenate([r.units * (f * s) for r, f, s in zip(lanes, of, share, strict=True)], 1)
        for lanes, of in zip(records, factors, strict=True)
    ]
    return UnitLosses(np.stack(sums)[:, :, seen], (weights * share[:, None]).ravel()[seen])


def correct_choice(
    losses: UnitLosses,
    *,
    seed: int,
    rounds: int = 1,
    draws: int = DRAWS,
    inflation: float = 0.0,
) -> Corrected:
    """The loss on new rows of the best (candidate, epoch), corrected for its having been chosen.

    The mean over samples b of L_out(best of b), where b draws units with replacement, and L_out is
    the loss over the units that it did not draw. Where folds were repeated, `rounds` of the same
    rows tell no more than one: a sample has as many units as one round.

    The interval is value·exp(±1.96·se/value), se² = (1 + `inflation`)·r·mean of
    ((L_out − value)²·n_out/n_in): n_out units without replacement out of n_out + n_in vary
    n_in/n_out times as much as the mean over all. Choices that are not finite are never made.
    """
    pairs, weights = losses.sums.reshape(-1, len(losses.weights)), losses.weights
    pairs = pairs[np.isfinite(pairs).all(axis=1)].astype(np.float64)
    uncorrected = float((pairs.sum(axis=1) / weights.sum()).min())
    at_once = max(1, AT_ONCE // len(pairs))

    def outside(counts: np.ndarray) -> np.ndarray:
        chosen = np.argmin(pairs @ counts.T / (weights @ counts.T), axis=0)
        left = counts == 0
        return (pairs[chosen] * left).sum(axis=1) / (left @ weights)

    rng = np.random.default_rng(seed)
    counts = _samples(rng, len(weights), rounds, draws)
    parts = [counts[start : start + at_once] for start in range(0, len(counts), at_once)]
    found = np.concatenate([outside(part) for part in parts])
    return _corrected(found, counts, uncorrected, rounds, inflation)


def correct_committee(
    predictions: np.ndarray,
    y: np.ndarray,
    choose: Callable[[np.ndarray, np.ndarray], np.ndarray],
    loss: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *,
    seed: int,
    draws: int = COMMITTEE_DRAWS,
    inflation: float = 0.0,
    preselected: float = 0.0,
) -> Corrected:
    """The same for a committee: each sample of rows chooses its weights anew.

    `predictions` (candidates, rows, outputs) are out of fold, `y` (rows, ...) the truth;
    `choose` (predictions, y) → weights (candidates,), and `loss` (predictions of the committee
    (rows, outputs), y) → (rows,). `preselected` is the optimism of the candidates' having been
    chosen out of more (`preselection`), which these rows alone cannot tell; it is added.
    """
    whole = np.arange(len(y))

    def losses(sample: np.ndarray, on: np.ndarray) -> np.ndarray:
        weights = choose(predictions[:, sample], y[sample])
        return loss(np.tensordot(weights, predictions[:, on], 1), y[on])

    uncorrected = float(losses(whole, whole).mean())
    counts = _samples(np.random.default_rng(seed), len(y), 1, draws)
    found = np.array([losses(np.repeat(whole, c), whole[c == 0]).mean() for c in counts])
    return _corrected(found + preselected, counts, uncorrected, 1, inflation)


def preselection(losses: UnitLosses, count: int, *, seed: int, draws: int = DRAWS) -> float:
    """By how much the mean loss of the best `count` candidates is too low, each at its best epoch.

    The mean over samples of L_out of the best in the sample, less the mean loss over all units of
    the best over all.
    """
    weights = losses.weights
    sums = losses.sums[np.isfinite(losses.sums).all(axis=(1, 2))].astype(np.float64)
    count = min(count, len(sums))

    def best(counts: np.ndarray, on: np.ndarray) -> float:
        means = sums @ counts / (weights @ counts)
        epochs = means.argmin(axis=1)
        chosen = np.argsort(means.min(axis=1), kind="stable")[:count]
        return float((sums[chosen, epochs[chosen]] @ on).mean() / (weights @ on))

    whole = np.ones(len(weights))
    counts = _samples(np.random.default_rng(seed), len(weights), 1, draws)
    found = [best(c, (c == 0).astype(np.float64)) for c in counts.astype(np.float64)]
    return float(np.mean(found)) - best(whole, whole)


def _samples(rng: np.random.Generator, size: int, rounds: int, draws: int) -> np.ndarray:
    """(draws, size): how often each sample drew each place; those that left none out are no use."""
    counts = rng.multinomial(max(1, size // rounds), np.full(size, 1 / size), draws)
    return counts[(counts == 0).any(axis=1)]


def _corrected(
    outside: np.ndarray, counts: np.ndarray, uncorrected: float, rounds: int, inflation: float
) -> Corrected:
    """The mean of the losses outside the samples, and its interval."""
    if not len(outside):
        return Corrected(uncorrected, 0.0, np.inf, uncorrected)
    value = float(outside.mean())
    out = (counts == 0).mean(axis=1)
    squares = (outside - value) ** 2 * (1 + inflation) * rounds * out / (1 - out)
    se = float(np.sqrt(squares.mean()))
    if value <= 0:
        return Corrected(value, value, value, uncorrected)
    width = np.exp(NORMAL * se / value)
    return Corrected(value, value / float(width), value * float(width), uncorrected)
