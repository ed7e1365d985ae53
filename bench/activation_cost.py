"""What each activation costs beside ReLU, in a whole training step.

    python bench/activation_cost.py [--rounds 9] [--width 2]

A chunk of lanes of a network with hidden layers of 128 and 64 units on batches of 32 is trained
with each; they take turns, and medians are printed. Each program has what its activation needs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import jax
import numpy as np

from cuesta.core.lane_hyperparameters import features_for
from cuesta.data.folds import make_folds
from cuesta.hyperparameters import ACTIVATIONS, Candidate, Shape
from cuesta.training.feed import Feed
from cuesta.training.lanes import Chunk, Lane, _arguments, _begin, _program

ROWS, INPUTS, EPOCHS = 1600, 40, 2
HIDDEN = (128, 64)


def prepared(name: str, width: int) -> Callable[[], None]:
    """A compiled chunk, ready to be timed."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((ROWS, INPUTS)), rng.integers(0, 10, ROWS).astype(np.int32)
    folds = make_folds(y, classes=True, k=5, protocol="kfold", groups=None, seed=0)
    feed = Feed(x, y, folds)
    shape = Shape(INPUTS, HIDDEN, 10, 32, "cross_entropy")
    candidate = Candidate(hidden_layer_sizes=HIDDEN, activation=name, learning_rate=1e-3)
    lanes = tuple(Lane(candidate, 0, seed) for seed in range(width))
    chunk = Chunk(shape, width, lanes, EPOCHS, EPOCHS, features_for([candidate]))
    arguments = _arguments(chunk, feed, *_begin(chunk, feed), 0)
    program, arguments = _program(chunk, feed, arguments), jax.device_put(arguments)
    return lambda: jax.block_until_ready(program(*arguments))


def main() -> None:
    """Print a row for each activation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--width", type=int, default=2)
    given = parser.parse_args()
    steps = EPOCHS * -(-ROWS * 4 // 5 // 32)
    runs = {name: prepared(name, given.width) for name in ACTIVATIONS}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(given.rounds + 1):
        for name, run in runs.items():
            began = time.perf_counter()
            for _ in range(5):
                run()
            times[name].append((time.perf_counter() - began) / 5 / steps * 1e6)
    print(f"| activation | µs a step of {given.width} lanes | beside relu |\n|---|---|---|")
    for name, kept in times.items():
        ratios = [a / b for a, b in zip(kept[1:], times["relu"][1:], strict=True)]
        print(f"| {name} | {statistics.median(kept[1:]):.0f} | {statistics.median(ratios):.2f} |")


if __name__ == "__main__":
    main()
