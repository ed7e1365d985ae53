"""What the instruments cost, on a 784-1000-500-100-10 network with batches of 128, on the CPU.

    python bench/instruments.py [--rounds 5] [--steps 200]

The time of a step under watch over that of the plain step (the program that trains lanes, one lane
in it), measured alternately, medians: economy every step, full every step and every tenth.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from cuesta.core.lane_hyperparameters import features_for
from cuesta.data.folds import Fold
from cuesta.diagnose.record import record
from cuesta.hyperparameters import Candidate, Shape
from cuesta.training.feed import Feed
from cuesta.training.lanes import Chunk, Lane, Training, train_chunk

HIDDEN, INPUTS, CLASSES, BATCH = (1000, 500, 100), 784, 10, 128
BARS = {"economy, every step": 1.15, "full, every step": 4.0, "full, every tenth step": 1.4}


def main() -> None:
    """Print a row for each set of instruments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--optimizer", default="adam")
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    rows = BATCH * given.steps
    x = rng.standard_normal((rows, INPUTS))
    y = rng.integers(0, CLASSES, rows).astype(np.int32)
    feed = Feed(x, y, [Fold(np.arange(rows), np.arange(0))], same_draws=0)
    candidate = Candidate(
        hidden_layer_sizes=HIDDEN, batch_size=BATCH, learning_rate=1e-4, optimizer=given.optimizer
    )
    shape = Shape(INPUTS, HIDDEN, CLASSES, BATCH, "cross_entropy")
    lane = Lane(candidate, 0, 0)
    training = Training(lane, feed, shape, 1, 1)
    chunk = Chunk(shape, 1, (lane,), 1, 1, features_for([candidate]))
    ways: dict[str, Callable[[], object]] = {
        "plain": lambda: train_chunk(chunk, feed),
        "economy, every step": lambda: record(training, every=1),
        "full, every step": lambda: record(training, instruments="full", every=1),
        "full, every tenth step": lambda: record(training, instruments="full", every=10),
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    for round_ in range(given.rounds + 1):
        for way, run in ways.items():
            began = time.perf_counter()
            run()
            if round_:  # the first compiles
                times[way].append((time.perf_counter() - began) / given.steps)
    plain = statistics.median(times["plain"])
    print("| instruments | ms a step | of the plain step | bar |")
    print("|---|---|---|---|")
    for way, taken in times.items():
        ratio = statistics.median(a / b for a, b in zip(taken, times["plain"], strict=True))
        bar = f"{BARS[way]:g}" if way in BARS else ""
        print(f"| {way} | {1e3 * statistics.median(taken):.1f} | {ratio:.2f} | {bar} |")
    flops = 6 * BATCH * shape.weights
    print(f"plain: {flops / plain / 1e9:.0f} GFLOP/s")


if __name__ == "__main__":
    main()
