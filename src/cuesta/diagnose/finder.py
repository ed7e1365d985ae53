"""A learning-rate finder: lanes at many rates at once, not one curve of a growing rate.

All rates train for a ninth of the epochs, the better half for a third, the best of those to the
end with several seeds. A growing rate shows one noisy loss at each rate, and weights that the rates
before have moved; here each rate is judged by a training of its own.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from cuesta._text import count
from cuesta.diagnose.baseline import baseline_loss
from cuesta.diagnose.evidence import validation_loss
from cuesta.diagnose.record import record, steps_an_epoch
from cuesta.errors import DivergedError
from cuesta.training.batching import Batching
from cuesta.training.feed import Feed
from cuesta.training.fits import Fit, Fitted, Recipe, fit_many
from cuesta.training.lanes import Lane, Training
from cuesta.training.workers import Progress

RATES = 26
LARGE_RATES = ("sgd", "momentum", "adagrad")  # whose steps are as long as the gradient says
FINALISTS, SEEDS = 8, 5


class Rung(NamedTuple):
    """A stage of the search: 1/`share` of the epochs, `seeds` trainings a rate, `keep` go on."""

    share: int
    keep: int
    seeds: int


RUNGS = (Rung(9, RATES // 2, 1), Rung(3, FINALISTS, 1), Rung(1, 1, SEEDS))
LAST_EPOCHS = 0.1  # whose mean validation loss is a rate's loss
FALLEN = 0.95  # of the first epoch's training loss, and of the baseline's
CURVATURE_STEPS = 200  # that leave the weights where they are while λmax is approached
NO_RATE = 1e-30
ENOUGH_ROWS = 10  # held-out rows below which the order of rates is mostly chance


@dataclass(frozen=True)
class FoundRate:
    """A learning rate, the range in which the loss falls, and what the curvature at the start says.

    Attributes
    ----------
    suggested : float
        The rate with the lowest loss at the end.
    low, high : float
        The lowest and the highest rate with which the training loss falls clearly.
    rates : float array (rates,)
        All rates that were tried.
    losses : float array (rates,)
        The validation loss of each, as far as it was trained; infinity where it diverged.
    epochs : int array (rates,)
        For how many epochs each was trained.
    best_step : float
        α* = GᵀG/GᵀHG: with this rate a step of gradient descent goes to the lowest point of the
        parabola along it (N8). The median over batches at the initial weights; infinity where J
        is not convex along the gradient.
    limit : float
        2/λmax: with higher rates gradient descent climbs on the quadratic that J is locally (N8).
    doubt : str
        Why the suggestion may be chance, in words; empty where nothing speaks against it.

    Examples
    --------
    >>> from cuesta import MLPClassifier
    >>> from sklearn.datasets import load_iris
    >>> net = MLPClassifier((8,), epochs=9, random_state=0)
    >>> found = net.find_learning_rate(*load_iris(return_X_y=True))
    >>> found.low <= found.suggested <= found.high
    True
    """

    suggested: float
    low: float
    high: float
    rates: np.ndarray
    losses: np.ndarray
    epochs: np.ndarray
    best_step: float
    limit: float
    doubt: str = ""

    @property
    def verdict(self) -> str:
        """With which rates the loss falls, or why that cannot be told."""
        if self.doubt:
            return f"this may be chance: {self.doubt}"
        return f"the loss falls with rates from {self.low:.2g} to {self.high:.2g}"

    def __str__(self) -> str:
        """What was found, in a sentence."""
        return (
            f"learning_rate={self.suggested:.2g}; {self.verdict}; at the initial weights α* is "
            f"{self.best_step:.2g} and 2/λmax is {self.limit:.2g}"
        )


class Ladder(NamedTuple):
    """What the search has seen of each rate: loss, epochs, whether the training loss fell.

    `places` (rates left,) are the numbers of the rates that are still in the search.
    """

    places: np.ndarray
    losses: np.ndarray
    epochs: np.ndarray
    falls: np.ndarray


def rates_for(optimizer: str) -> np.ndarray:
    """(26,): rates from far too low to far too high for the optimizer, evenly in the logarithm."""
    low, high = (1e-4, 10.0) if optimizer in LARGE_RATES else (1e-5, 1.0)
    return np.geomspace(low, high, RATES)


def find_rate(
    recipe: Recipe,
    feed: Feed,
    fold: int,
    batching: Batching,
    progress: Progress = lambda done: None,
) -> FoundRate:
    """The rate with which this recipe ends lowest on the fold's validation rows.

    `progress` is told of lane-epochs. Raises DivergedError where every rate diverges.
    """
    fit = Fit(recipe, feed, fold)
    # The curvature has a program of its own, which compiles while the rates train.
    with ThreadPoolExecutor(1) as beside:
        curvature = beside.submit(_initial_curvature, fit)
        seen = _climb(fit, batching, progress)
        best_step, limit = curvature.result()
    rates = rates_for(recipe.candidate.optimizer)
    suggested = rates[seen.places[0]]
    # The last training may choose a rate with which the loss fell less clearly than with others.
    good = np.append(rates[seen.falls], suggested)
    return FoundRate(
        float(suggested),
        float(good.min()),
        float(good.max()),
        rates,
        seen.losses,
        seen.epochs,
        best_step,
        limit,
        _doubt(seen, len(feed.folds[fold].validation)),
    )


def _doubt(seen: Ladder, held_out: int) -> str:
    """What makes the choice uncertain: few rows to judge by, or no rate that trains."""
    reasons = []
    if held_out < ENOUGH_ROWS:
        rows = count(held_out, "held-out row")
        reasons.append(f"{rows} cannot tell rates apart, give at least {ENOUGH_ROWS}")
    if not seen.falls.any():
        reasons.append("the training loss clearly falls with no rate; give more epochs")
    return ", and ".join(reasons)


def _climb(fit: Fit, batching: Batching, progress: Progress) -> Ladder:
    """The search, rung by rung."""
    rates = rates_for(fit.recipe.candidate.optimizer)
    many = len(rates)
    seen = Ladder(np.arange(many), np.full(many, np.inf), np.zeros(many, int), np.zeros(many, bool))
    for rung in RUNGS:
        epochs = -(-fit.recipe.epochs // rung.share)
        ended = train_rates(fit, rates[seen.places], epochs, rung.seeds, batching, progress)
        seen = _judged(seen, rung, epochs, ended)
    return seen


def _judged(seen: Ladder, rung: Rung, epochs: int, ended: list[tuple[float, bool]]) -> Ladder:
    """What is known after a rung, and the rates that go on. Raises DivergedError if none does."""
    places, losses, followed, falls = (values.copy() for values in seen)
    losses[places], followed[places] = [loss for loss, _ in ended], epochs
    falls[places] |= [fell for _, fell in ended]
    order = places[np.argsort(_smoothed(losses[places]), kind="stable")]
    places = np.sort(order[np.isfinite(losses[order])][: rung.keep])
    if not len(places):
        raise DivergedError("Every learning rate diverges; normalize the rows, or clip.")
    if rung.share > 1:  # a long training may need a lower rate than a short one
        places = np.union1d(places, [max(0, places[0] - 1)])
    return Ladder(places, losses, followed, falls)


def _smoothed(losses: np.ndarray) -> np.ndarray:
    """Each loss with its neighbours' (1 : 2 : 1), so that one lucky rate does not lead."""
    padded = np.concatenate([losses[:1], losses, losses[-1:]])
    return 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]


def find_work(epochs: int) -> int:
    """About how many lane-epochs a search for a rate takes."""
    rates, work = RATES, 0
    for rung in RUNGS:
        work += rates * rung.seeds * -(-epochs // rung.share)
        rates = rung.keep + 1  # and the one below
    return work


def train_rates(
    fit: Fit,
    rates: np.ndarray,
    epochs: int,
    seeds: int,
    batching: Batching,
    progress: Progress,
) -> list[tuple[float, bool]]:
    """Of each rate: the mean loss of its last epochs over the seeds, and whether it fell."""
    fits = [_with_rate(fit, rate, epochs, seed) for rate in rates for seed in range(seeds)]
    candidate = fit.recipe.candidate
    targets = fit.feed.training_targets(fit.fold, candidate.normalize, candidate.target_transform)
    baseline = baseline_loss(fit.recipe.loss, targets, fit.feed.training_weights(fit.fold))
    found: dict[int, tuple[float, bool]] = {}

    def done(place: int, fitted: Fitted) -> None:
        found[place] = _loss_at_the_end(fit.recipe.loss, fitted, baseline)

    fit_many(fits, batching, progress, done)
    each = [[found[i * seeds + s] for s in range(seeds)] for i in range(len(rates))]
    return [(float(np.mean([loss for loss, _ in e])), all(fell for _, fell in e)) for e in each]


def _with_rate(fit: Fit, rate: float, epochs: int, seed: int) -> Fit:
    """The fit at another rate, for the first epochs of its schedule, with another seed."""
    recipe = fit.recipe
    changed = replace(
        recipe,
        candidate=replace(recipe.candidate, learning_rate=float(rate)),
        epochs=epochs,
        schedule_epochs=recipe.epochs,
        seed=recipe.seed + seed,
    )
    return fit._replace(recipe=changed)


def _loss_at_the_end(loss: str, fitted: Fitted, baseline: float) -> tuple[float, bool]:
    """The mean validation loss of the last epochs, and whether the training loss fell clearly."""
    curve = validation_loss(loss, fitted.curves[:, 1:])
    if fitted.diverged_at or curve is None or not np.isfinite(curve).all():
        return np.inf, False
    last = max(1, round(LAST_EPOCHS * len(curve)))
    train = fitted.curves[:, 0]
    return float(curve[-last:].mean()), bool(train[-1] < FALLEN * min(train[0], baseline))


def _initial_curvature(fit: Fit) -> tuple[float, float]:
    """α* and 2/λmax at the initial weights, from many batches while the weights stay there."""
    recipe, feed, fold = fit
    still = replace(recipe.candidate, learning_rate=NO_RATE, final_learning_rate=None,
                    weight_decay=0.0, optimizer="sgd")  # fmt: skip
    lane = Lane(still, fold, recipe.seed)
    one = Training(lane, feed, recipe.shape(feed.layout), 1, 1)
    epochs = -(-CURVATURE_STEPS // steps_an_epoch(one))
    training = replace(one, epochs=epochs, schedule_epochs=epochs)
    seen = record(training, instruments="full", every=1).full
    assert seen is not None  # noqa: S101 (the full set was asked for)
    late = seen.highest[-max(2, len(seen.highest) // 3) :]
    along_gradient, highest = float(np.median(seen.along_gradient)), float(np.median(late))
    return _quotient(1.0, along_gradient), _quotient(2.0, highest)


def _quotient(a: float, curvature: float) -> float:
    """a/curvature; infinity where J is not convex."""
    return a / curvature if curvature > 0 else float("inf")
