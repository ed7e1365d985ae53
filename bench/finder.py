"""The learning-rate finder beside a fine grid, over tables and optimizers.

    python bench/finder.py [--first-seed 100] [--seeds 1]

A cell is a table and an optimizer. The finder suggests a rate; then the suggested rate and a grid
of 41 over the same range train with ten other seeds, and the mean validation loss at the end is
compared with the grid's lowest. No search can do better than the seeds allow, so a second grid of
41 rates with ten seeds of its own is judged likewise: what it finds is the ceiling.

Two groups of tables: those with noise in them, as real tables have, and synthetic ones without,
where many rates end at nearly 0. There the ratio of two losses says little, and beside it is
counted what is within a hundredth of the baseline's loss. Networks have one to three hidden layers;
40 epochs. The finder's constants were set on seeds below 100.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np

from cuesta.data.folds import hold_out
from cuesta.diagnose.baseline import baseline_loss
from cuesta.diagnose.finder import find_rate, rates_for, train_rates
from cuesta.hyperparameters import OPTIMIZERS, Candidate, loss_of
from cuesta.training.batching import Batching
from cuesta.training.feed import Feed
from cuesta.training.fits import Fit, Recipe
from cuesta.training.planner import this_machine
from doctor import BUNDLED, LITTLE, REGRESSIONS, SYNTHETIC, Noise, rows_of

HIDDEN = ((32,), (32, 32), (48, 32, 16))
EPOCHS, FINE, JUDGES = 40, 41, 10
NOISY_TABLES = Noise(
    moons=0.35, circles=0.2, blobs=5.0, apart=1.0, flipped=0.1, friedman=1.5, linear=0.5
)
GROUPS = (
    ("with noise", (*BUNDLED, *SYNTHETIC), NOISY_TABLES),
    ("without", SYNTHETIC, LITTLE),
)


def main() -> None:
    """Print a row for each cell, and each group's shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    began = time.perf_counter()
    print("| table | optimizer | suggested | of the grid | over the grid's best | ceiling |")
    print("|---|---|---|---|---|---|")
    totals = []
    for group, names, noise in GROUPS:
        cells = []
        for seed in range(given.first_seed, given.first_seed + given.seeds):
            for number, name in enumerate(names):
                x, y = rows_of(name, np.random.default_rng([9, seed, number]), noise)
                cells += [cell(name, number, x, y, optimizer, seed) for optimizer in OPTIMIZERS]
        found, close, ceiling, ceiling_close = np.mean(cells, axis=0)
        totals.append(
            f"tables {group}: of {len(cells)} cells {found:.0%} within 10 % of the grid's best "
            f"(ceiling {ceiling:.0%}); {close:.0%} so or within a hundredth of the baseline's loss "
            f"(ceiling {ceiling_close:.0%})"
        )
    print("", *totals, f"{time.perf_counter() - began:.0f} s", sep="\n")


def cell(
    name: str, number: int, x: np.ndarray, y: np.ndarray, optimizer: str, seed: int
) -> tuple[bool, bool, bool, bool]:
    """Whether the suggested rate is near the grid's best, strictly and not; and the ceiling's."""
    feed = Feed(x, y, [hold_out(y, 0.25, seed)], same_draws=0)
    task = "regression" if name in REGRESSIONS else "classification"
    outputs = y.shape[1] if y.ndim == 2 else int(y.max()) + 1
    candidate = Candidate(
        hidden_layer_sizes=HIDDEN[number % 3], optimizer=optimizer, normalize="none"
    )
    recipe = Recipe(candidate, loss_of(candidate, task), outputs, EPOCHS, seed)
    batching = Batching(this_machine())
    fine = np.geomspace(*rates_for(optimizer)[[0, -1]], FINE)

    def losses(rates: np.ndarray, first_seed: int) -> np.ndarray:
        fit = Fit(replace(recipe, seed=first_seed), feed, 0)
        trained = train_rates(fit, rates, EPOCHS, JUDGES, batching, lambda _: None)
        return np.array([loss for loss, _ in trained])

    suggested = find_rate(recipe, feed, 0, batching).suggested
    judged = losses(np.append(fine, suggested), seed + 1000)
    other = int(np.argmin(losses(fine, seed + 2000)))
    best, baseline = judged[:-1].min(), baseline_loss(recipe.loss, y)

    def near(loss: float) -> tuple[bool, bool]:
        strictly = loss <= 1.1 * best
        return strictly, strictly or loss - best <= 0.01 * baseline

    print(
        f"| {name} | {optimizer} | {suggested:.2g} | {fine[judged[:-1].argmin()]:.2g} | "
        f"{judged[-1] / max(best, 1e-12):.2f} ({judged[-1]:.3g}) | "
        f"{judged[other] / max(best, 1e-12):.2f} |",
        flush=True,
    )
    return *near(judged[-1]), *near(judged[other])


if __name__ == "__main__":
    main()
