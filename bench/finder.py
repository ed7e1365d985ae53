"""The learning-rate finder beside a fine grid, over data sets and optimizers.

    python bench/finder.py [--seeds 1]

A cell is a data set and an optimizer. The finder suggests a rate with one seed; then a grid of 41
rates over the same range trains with another seed, and the suggested rate with that one too.
Counted is how often the suggested rate's final loss on rows that did not train is within 10 % of
the grid's best, or no more than a hundredth of the trivial loss above it (on tables where nearly
all rates end at nothing, a ratio of two nothings says little); both are told. Losses are means over
three seeds. Networks have one to three hidden layers; 40 epochs.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np

from cuesta.diagnose.checkup import held_out_fold
from cuesta.diagnose.evidence import trivial_loss
from cuesta.diagnose.finder import TAIL, _train, find_rate, rates_for
from cuesta.search.feed import Feed
from cuesta.search.fits import Recipe
from cuesta.search.plan import this_machine
from cuesta.search.run import Cut
from cuesta.spec import OPTIMIZERS, Candidate, loss_of
from doctor import BUNDLED, REGRESSIONS, SYNTHETIC, rows_of

HIDDEN = ((32,), (32, 32), (48, 32, 16))
EPOCHS, FINE = 40, 41


def main() -> None:
    """Print a row for each cell, and the share that is within 10 %."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    began, cells = time.perf_counter(), []
    print("| table | optimizer | suggested | of the grid | its loss over the grid's best |")
    print("|---|---|---|---|---|")
    for seed in range(given.seeds):
        for number, name in enumerate((*BUNDLED, *SYNTHETIC)):
            x, y = rows_of(name, np.random.default_rng([9, seed, number]))
            feed = Feed(x, y, [held_out_fold(len(y), 0.25, seed)], same_draws=0)
            task = "regression" if name in REGRESSIONS else "classification"
            outputs = y.shape[1] if y.ndim == 2 else int(y.max()) + 1
            for optimizer in OPTIMIZERS:
                candidate = Candidate(
                    hidden_layer_sizes=HIDDEN[number % 3], optimizer=optimizer, normalize="none"
                )
                recipe = Recipe(candidate, loss_of(candidate, task), outputs, EPOCHS, seed)
                cut = Cut(this_machine())
                found = find_rate(recipe, feed, 0, cut)
                ends = rates_for(optimizer)[[0, -1]]
                fine = np.append(np.geomspace(*ends, FINE), found.suggested)
                other = replace(recipe, seed=seed + 1000)
                losses = [
                    loss
                    for loss, _ in _train(other, feed, 0, cut, fine, EPOCHS, 3, lambda done: None)
                ]
                best = int(np.argmin(losses[:-1]))
                ratio = losses[-1] / max(losses[best], 1e-12)
                near = losses[-1] - losses[best] <= 0.01 * trivial_loss(recipe.loss, y)
                cells.append((ratio <= 1.1, ratio <= 1.1 or near))
                print(
                    f"| {name} | {optimizer} | {found.suggested:.2g} | {fine[best]:.2g} | "
                    f"{ratio:.2f} ({losses[-1]:.3g}) |",
                    flush=True,
                )
    strict, close = np.mean(cells, axis=0)
    print(
        f"\n{len(cells)} cells, mean of the last {TAIL:.0%} of the epochs: {strict:.0%} within 10 "
        f"% of "
        f"the best; {close:.0%} so, or within a hundredth of the trivial loss"
    )
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
