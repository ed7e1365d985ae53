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
COMMITTEE_DRAWS, LEAST_DRAWS = 200, 20  # samples of rows, each of which chooses a committee anew
MOST_ROWS = 1_000_000  # in all these samples together
NORMAL = 1.959964  # of 95 %, two-sided
# What training on these rows and not on others adds to the variance that the rows' own losses give,
# in units of that. Nadeau and Bengio's term is k·n_val/n_train, 1.25 at five folds; in
# bench/corrected.py the interval covers the truth about as often as it says at 0.75.
TRAINING = 0.75
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

    def moved(self, by: float) -> Corrected:
        """The same of a loss that is larger by so much."""
        return Corrected(*(end + by for end in self))

    def times(self, factor: float) -> Corrected:
        """The same of a loss that is so many times as large."""
        return Corrected(*(end * factor for end in self))


def unit_losses(
    records: Sequence[Sequence[LaneRecord]],
    weights: np.ndarray,
    scales: np.ndarray | None = None,
) -> UnitLosses:
    """The losses of candidates from their records, fold by fold; each fold counts the same.

    `weights` (folds, UNITS) are those of `Feed.unit_weights`. `scales` (candidates, folds) turn the
    root of a loss into the target's units: the scale of a fold's one target. Log-losses, and
    squared errors of several targets, which have no unit in common, need none. Units without rows
    are left out. Epochs that a candidate was not trained for are not finite.
    """
    seen = np.flatnonzero(weights)
    share = 1 / (len(weights) * weights.sum(axis=1))
    factors = np.ones((len(records), len(weights))) if scales is None else scales**2
    sums = [
        np.concatenate([r.units * (f * s) for r, f, s in zip(lanes, of, share, strict=True)], 1)
        for lanes, of in zip(records, factors, strict=True)
    ]
    longest = max(map(len, sums))
    padded = [np.pad(s, [(0, longest - len(s)), (0, 0)], constant_values=np.nan) for s in sums]
    return UnitLosses(np.stack(padded)[:, :, seen], (weights * share[:, None]).ravel()[seen])


def correct_choice(
    losses: UnitLosses,
    *,
    seed: int,
    rounds: int = 1,
    draws: int = DRAWS,
    inflation: float = TRAINING,
) -> Corrected:
    """The loss on new rows of the best (candidate, epoch), corrected for its having been chosen.

    The mean over samples b of L_out(best of b), where b draws units with replacement, and L_out is
    the loss over the units that it did not draw. Where folds were repeated, `rounds` of the same
    rows tell no more than one: a sample has as many units as one round.

    The interval is value·exp(±1.96·se/value), se² = (1 + `inflation`)·r·mean of
    ((L_out − value)²·n_out/n_in): the mean of n_out units out of n_out + n_in varies n_in/n_out
    times as much, from sample to sample, as that of all does from table to table. Losses that are
    not finite are never the least; one pair at least is finite. One unit alone tells nothing: then
    nothing is corrected, and the interval has no end.
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
    found = np.concatenate([np.empty(0), *map(outside, parts)])
    return _corrected(found, (counts == 0).mean(axis=1), uncorrected, rounds, inflation)


def correct_committee(
    rows: int,
    choose: Callable[[np.ndarray], np.ndarray],
    loss: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *,
    seed: int,
    draws: int | None = None,
    inflation: float = TRAINING,
    preselected: float = 0.0,
) -> Corrected:
    """The same for a committee: each sample of rows chooses its weights anew.

    `choose` (numbers of rows) → weights (candidates,) by these rows, some of them repeated, and
    `loss` (weights, numbers of rows) → each row's loss. Many rows need fewer samples: 200, of more
    than 5,000 rows a million rows in all, and 20 at least. `preselected` is the optimism of the
    candidates' having been chosen out of more (`preselection`), which these rows alone cannot
    tell; it is added.
    """
    whole = np.arange(rows)
    draws = draws or max(LEAST_DRAWS, min(COMMITTEE_DRAWS, MOST_ROWS // rows))
    uncorrected = float(loss(choose(whole), whole).mean())
    rng = np.random.default_rng(seed)
    found, out = [], []
    for _ in range(draws):  # one at a time, since rows may be many
        for counts in _samples(rng, rows, 1, 1):
            left = whole[counts == 0]
            found.append(loss(choose(np.repeat(whole, counts)), left).mean())
            out.append(len(left) / rows)
    outside = np.array(found) + preselected
    return _corrected(outside, np.array(out), uncorrected, 1, inflation)


def preselection(
    losses: UnitLosses, kept: Sequence[int], *, seed: int, draws: int = DRAWS
) -> float:
    """The optimism of the best of the `kept` candidates that comes from having kept just them.

    The corrected loss of a choice among all, less that of one among the kept alone: samples of
    rows see how lucky one of the kept is beside the others, but not how lucky they all were.
    """
    among_kept = _among(losses, kept, seed=seed, draws=draws)
    return correct_choice(losses, seed=seed, draws=draws).value - among_kept.value


def _among(losses: UnitLosses, kept: Sequence[int], *, seed: int, draws: int) -> Corrected:
    """The corrected loss of a choice among the kept candidates alone."""
    return correct_choice(losses._replace(sums=losses.sums[list(kept)]), seed=seed, draws=draws)


def with_preselection(
    committee: Corrected, losses: UnitLosses, kept: Sequence[int], *, seed: int
) -> Corrected:
    """A committee's corrected loss, with its part of the optimism of having kept its candidates.

    That optimism is of a choice of one candidate (`preselection`). A committee averages, so that it
    has as small a part of it as of the optimism that its own rows tell: the part is
    (committee's value − uncorrected)/(that of a choice among the kept), between 0 and 1. The
    upper end keeps its distance as a ratio; the lower one stays, for the part is a guess.
    """
    among_kept = _among(losses, kept, seed=seed, draws=DRAWS)
    of_one = among_kept.value - among_kept.uncorrected
    own = committee.value - committee.uncorrected
    part = min(max(own / of_one, 0.0), 1.0) if of_one > 0 else 1.0
    optimism = correct_choice(losses, seed=seed).value - among_kept.value  # `preselection`
    value = committee.value + part * max(optimism, 0.0)
    ratio = value / committee.value if committee.value > 0 else 1.0
    return Corrected(value, committee.low, committee.high * ratio, committee.uncorrected)


def _samples(rng: np.random.Generator, size: int, rounds: int, draws: int) -> np.ndarray:
    """(draws, size): how often each sample drew each place; those that left none out are no use."""
    counts = rng.multinomial(max(1, size // rounds), np.full(size, 1 / size), draws)
    return counts[(counts == 0).any(axis=1)]


def _corrected(
    outside: np.ndarray, out: np.ndarray, uncorrected: float, rounds: int, inflation: float
) -> Corrected:
    """The mean of the losses outside the samples, and its interval; `out` is a share of places."""
    if not len(outside):
        return Corrected(uncorrected, 0.0, np.inf, uncorrected)
    value = float(outside.mean())
    squares = (outside - value) ** 2 * (1 + inflation) * rounds * out / (1 - out)
    se = float(np.sqrt(squares.mean()))
    if value <= 0:
        return Corrected(value, value, value, uncorrected)
    width = np.exp(NORMAL * se / value)
    return Corrected(value, value / float(width), value * float(width), uncorrected)
