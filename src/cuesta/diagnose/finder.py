"""A learning-rate finder: lanes at many rates at once, not one curve of a rate that grows.

All rates train for a ninth of the epochs, the promising ones for a third, the best of those to the
end with several seeds. A ramp of rates sees one noisy loss at each of them, and weights that the
rates before have moved; here each rate is seen for what it does.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from cuesta.diagnose.evidence import trivial_loss, validation_loss
from cuesta.diagnose.record import record
from cuesta.errors import DivergedError
from cuesta.training.batching import Batching
from cuesta.training.feed import Feed
from cuesta.training.fits import Fit, Fitted, Recipe, fit_many
from cuesta.training.lanes import Lane
from cuesta.training.workers import Progress

RATES = 26
LARGE_STEPS = ("sgd", "momentum", "adagrad")  # whose steps are as long as the gradient says
FINALISTS, SEEDS = 8, 5
# Of each rung: which share of the epochs, how many rates go on, how many seeds.
RUNGS = ((9, RATES // 2, 1), (3, FINALISTS, 1), (1, 1, SEEDS))
TAIL = 0.1  # the last epochs, whose mean is a rate's loss
LOOKS = 200  # steps of no length in which λmax is neared
FALLS = 0.95  # of the first epoch's loss, and of what no network needs


@dataclass(frozen=True)
class FoundRate:
    """A learning rate, the range in which the loss falls, and what curvature says at the start.

    `rates` and `losses` (rates,): of each rate its loss on rows that did not train, as far as it
    was followed (`epochs`); ∞ where it diverged. `best_step` is α* = GᵀG/GᵀHG, the length at which
    a step of gradient descent is lowest, and `limit` 2/λmax, beyond which it climbs (N8): medians
    over the batches at the initial weights; ∞ where the surface does not bend up.
    """

    suggested: float
    low: float
    high: float
    rates: np.ndarray
    losses: np.ndarray
    epochs: np.ndarray
    best_step: float
    limit: float

    def __str__(self) -> str:
        """What was found, in a sentence."""
        return (
            f"learning_rate={self.suggested:.2g}; the loss falls from {self.low:.2g} to "
            f"{self.high:.2g}; at the start α* is {self.best_step:.2g} and 2/λmax {self.limit:.2g}"
        )


def rates_for(optimizer: str) -> np.ndarray:
    """Rates from far too low to far too high for the optimizer, evenly in the logarithm."""
    return (
        np.geomspace(1e-4, 10, RATES) if optimizer in LARGE_STEPS else np.geomspace(1e-5, 1, RATES)
    )


def find_rate(
    recipe: Recipe,
    feed: Feed,
    fold: int,
    batching: Batching,
    progress: Progress = lambda done: None,
) -> FoundRate:
    """The rate with which this recipe ends lowest on the fold's validation rows.

    Raises DivergedError where every rate diverges.
    """
    # Curvature has a program of its own, which compiles beside those that train.
    with ThreadPoolExecutor(1) as beside:
        curvature = beside.submit(_curvature, recipe, feed, fold)
        places, losses, followed, falls = _race(recipe, feed, fold, batching, progress)
        best_step, limit = curvature.result()
    rates = rates_for(recipe.candidate.optimizer)
    falling = rates[falls] if falls.any() else rates[places]
    return FoundRate(
        float(rates[places[0]]),
        float(falling.min()),
        float(falling.max()),
        rates,
        losses,
        followed,
        best_step,
        limit,
    )


def _race(
    recipe: Recipe, feed: Feed, fold: int, batching: Batching, progress: Progress
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The places of the best rates, and of each rate its loss, its epochs, whether it fell."""
    rates = rates_for(recipe.candidate.optimizer)
    losses, followed = np.full(len(rates), np.inf), np.zeros(len(rates), int)
    falls = np.zeros(len(rates), bool)
    places = np.arange(len(rates))
    for share, keep, seeds in RUNGS:
        epochs = -(-recipe.epochs // share)
        ended = train_rates(recipe, feed, fold, batching, rates[places], epochs, seeds, progress)
        losses[places], followed[places] = [loss for loss, _ in ended], epochs
        falls[places] |= [fell for _, fell in ended]
        order = places[np.argsort(_smoothed(losses[places]), kind="stable")]
        places = np.sort(order[np.isfinite(losses[order])][:keep])
        if not len(places):
            raise DivergedError("Every learning rate diverges; look at the rows, or clip.")
        if share > 1:  # a long training may want a lower rate than a short one
            places = np.union1d(places, [max(0, places[0] - 1)])
    return places, losses, followed, falls


def _smoothed(losses: np.ndarray) -> np.ndarray:
    """Each loss with its neighbours' (1 : 2 : 1), so that one lucky rate does not lead."""
    padded = np.concatenate([losses[:1], losses, losses[-1:]])
    return 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]


def find_work(epochs: int) -> int:
    """About how many lane-epochs a search for a rate takes."""
    rates, work = RATES, 0
    for share, keep, seeds in RUNGS:
        work += rates * seeds * -(-epochs // share)
        rates = keep + 1  # and the one below
    return work


def train_rates(
    recipe: Recipe,
    feed: Feed,
    fold: int,
    batching: Batching,
    rates: np.ndarray,
    epochs: int,
    seeds: int,
    progress: Progress,
) -> list[tuple[float, bool]]:
    """Of each rate: the mean loss of its last epochs over the seeds, and whether it fell."""
    fits = [
        Fit(
            replace(
                recipe,
                candidate=replace(recipe.candidate, learning_rate=float(rate)),
                epochs=epochs,
                schedule_epochs=recipe.epochs,
                seed=recipe.seed + seed,
            ),
            feed,
            fold,
        )
        for rate in rates
        for seed in range(seeds)
    ]
    targets = feed.training_targets(fold, recipe.candidate.normalize)
    trivial = trivial_loss(recipe.loss, targets, feed.training_weights(fold))
    found: dict[int, tuple[float, bool]] = {}

    def done(place: int, fitted: Fitted) -> None:
        curve = validation_loss(recipe.loss, fitted.curves[:, 1:])
        if fitted.diverged_at or curve is None or not np.isfinite(curve).all():
            found[place] = np.inf, False
            return
        tail = max(1, round(TAIL * len(curve)))
        train = fitted.curves[:, 0]
        found[place] = float(curve[-tail:].mean()), bool(train[-1] < FALLS * min(train[0], trivial))

    fit_many(fits, batching, progress, done)
    each = [[found[i * seeds + s] for s in range(seeds)] for i in range(len(rates))]
    return [(float(np.mean([loss for loss, _ in e])), all(fell for _, fell in e)) for e in each]


def _curvature(recipe: Recipe, feed: Feed, fold: int) -> tuple[float, float]:
    """α* and 2/λmax at the initial weights: followed over batches by steps of no length."""
    still = replace(recipe.candidate, learning_rate=1e-30, final_learning_rate=None,
                    weight_decay=0.0, optimizer="sgd")  # fmt: skip
    lane = Lane(still, fold, recipe.seed)
    shape = recipe.shape(feed.inputs)
    epochs = -(-LOOKS // -(-len(feed.folds[fold].train) // shape.batch_size))
    seen = record(lane, feed, shape, epochs, instruments="full", every=1).full
    assert seen is not None  # noqa: S101 (the full set was asked for)
    late = seen.highest[-max(2, len(seen.highest) // 3) :]
    return _inverse(float(np.median(seen.along_gradient)), 1.0), _inverse(
        float(np.median(late)), 2.0
    )


def _inverse(bend: float, over: float) -> float:
    return over / bend if bend > 0 else float("inf")
