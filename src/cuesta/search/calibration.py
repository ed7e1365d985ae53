"""What out-of-fold predictions teach about new ones: temperature and threshold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cuesta.metrics import LEAST

COLDEST, HOTTEST = 0.05, 20.0
MOST_STEPS = 100
CLOSE = 1e-10  # of log T: far below what any sample can tell
MOST_THRESHOLDS = 1000

Decide = Callable[[np.ndarray, np.ndarray], float]


def fit_temperature(shares: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The T in [0.05, 20] with the least log-loss of shares p^(1/T)/Σ p^(1/T) (Guo et al., 2017).

    It minimizes −Σ wᵢ log qᵢ(yᵢ) − (1/K) Σₖ Σᵢ (wᵢ/W) log qᵢ(k), W = Σ wᵢ, q the shares at T: the
    second part is one more row on which each of K classes is as likely. So of n rows that are all
    right about one mistake in 2(n + 1) is still expected for two classes, in the manner of
    Laplace's rule of succession, where without that row T would go to its bound. A simulation (20
    to 1,000 rows, two and five classes) preferred it to nothing, to a normal prior on log T and to
    more rows drawn from the shares themselves; from 200 rows on it changes next to nothing.
    `shares` (rows, classes) are out of fold, `y` (rows,) are class numbers, and a row of weight 2
    is two rows. 1 where every T is as good.
    """
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    slope = _Slope.of(shares, y, w)
    low, high = 1 / HOTTEST, 1 / COLDEST
    at_low, at_high = slope(low)[0], slope(high)[0]
    if at_low >= 0 >= at_high:  # the slope never falls, so it is 0 all the way
        return 1.0
    if at_low >= 0:
        return HOTTEST
    return COLDEST if at_high <= 0 else 1 / _root(slope, low, high)


@dataclass(frozen=True)
class _Slope:
    """The derivative of the loss by b = 1/T, which never falls as b grows, and its own derivative.

    Σ wᵢ ((1 + 1/W) Σⱼ qᵢⱼ ℓᵢⱼ − ℓᵢ(yᵢ) − (1/W) meanⱼ ℓᵢⱼ), ℓ = log p less the row's largest; its
    derivative is (1 + 1/W) Σ wᵢ varⱼ ℓᵢⱼ, the variance over the classes by q.
    """

    logs: np.ndarray
    weights: np.ndarray
    target: float

    @classmethod
    def of(cls, shares: np.ndarray, y: np.ndarray, weights: np.ndarray) -> _Slope:
        logs = _centred(np.log(np.clip(shares, LEAST, 1.0)))
        total = float(weights.sum())
        told = logs[np.arange(len(y)), y] + logs.mean(axis=1) / total
        return cls(logs, weights * (1 + 1 / total), float(weights @ told))

    def __call__(self, b: float) -> tuple[float, float]:
        q = np.exp(b * self.logs)
        q /= q.sum(axis=1, keepdims=True)
        mean = (q * self.logs).sum(axis=1)
        q *= self.logs
        spread = (q * self.logs).sum(axis=1) - mean**2
        return float(self.weights @ mean) - self.target, float(self.weights @ spread)


def _root(slope: Callable[[float], tuple[float, float]], low: float, high: float) -> float:
    """Where the slope is 0 between two positive ends of other sign.

    By Newton's steps in log b; where one leaves the bracket, its middle is taken instead.
    """
    b = 1.0
    for _ in range(MOST_STEPS):
        value, rise = slope(b)
        low, high = (b, high) if value < 0 else (low, b)
        middle = np.sqrt(low * high)
        step = value / (b * rise) if rise > 0 else np.inf
        following = float(b * np.exp(-np.clip(step, -9.0, 9.0)))
        if abs(np.log(following / b)) < CLOSE or high / low < 1 + CLOSE:
            break
        b = following if low < following < high else float(middle)
    return b


def _centred(logs: np.ndarray) -> np.ndarray:
    """Each row less its largest, so that no power overflows and equal shares are exactly 0."""
    return logs - logs.max(axis=1, keepdims=True)


def best_threshold(y: np.ndarray, share_of_second: np.ndarray, score: Decide) -> float:
    """The threshold t with the best score(y, share ≥ t), higher is better; for two classes.

    Tried are 0.5 and the midpoints between neighbouring distinct shares, 0 and 1 among them; of
    more than 1,000, that many evenly spaced by rank. Of equals the one nearest to 0.5 is taken, of
    two as near the lower. `y` (rows,) is 0 or 1; `share_of_second` (rows,) is out of fold; `score`
    takes the truth and what is decided, both 0 or 1; where it is NaN, nothing is worse.
    """
    ends = np.unique(np.concatenate([[0.0, 1.0], share_of_second]))
    midpoints = _thinned((ends[1:] + ends[:-1]) / 2)
    tried = np.unique(np.concatenate([[0.5], midpoints]))
    scores = np.array([score(y, (share_of_second >= t).astype(np.int64)) for t in tried])
    scores = np.where(np.isnan(scores), -np.inf, scores)
    best = tried[scores == scores.max()]
    return float(best[np.argmin(np.abs(best - 0.5))])


def _thinned(values: np.ndarray) -> np.ndarray:
    """At most 1,000 of sorted values, evenly spaced by rank, both ends among them."""
    if len(values) <= MOST_THRESHOLDS:
        return values
    return values[np.linspace(0, len(values) - 1, MOST_THRESHOLDS).round().astype(np.int64)]


def less_cost(costs: Sequence[Sequence[float]]) -> Decide:
    """A score for `best_threshold`: −(1/n) Σ cost, by [[tn, fp], [fn, tp]] (truth, decided)."""
    table = np.asarray(costs, dtype=np.float64)

    def score(y: np.ndarray, decided: np.ndarray) -> float:
        return -float(table[y, decided].mean())

    return score


@dataclass(frozen=True)
class Decided:
    """What a threshold gives for the second label: recall and precision, NaN where none is."""

    threshold: float
    recall: float
    precision: float


def decided_at(y: np.ndarray, share_of_second: np.ndarray, threshold: float) -> Decided:
    """Recall tp/(tp + fn) and precision tp/(tp + fp) of share ≥ threshold; shapes as above."""
    decided = share_of_second >= threshold
    hits = float((decided & (y == 1)).sum())
    true, told = float((y == 1).sum()), float(decided.sum())
    return Decided(threshold, hits / true if true else np.nan, hits / told if told else np.nan)
