"""The planner's choice of a chunk's width against every width tried, on this machine.

    python bench/planner.py [--rounds 5]

For each size of two hidden layers H and each batch size, a search of 80 lanes (5 folds of 16
candidates; digits' 1,437 training rows) is modelled by its steps: chunks of each width are timed on
all threads at once, and a width's time is what its rounds of chunks would take together, the refit
among them. Printed is the time of the planner's width over that of the best one.
"""

from __future__ import annotations

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np

from cuesta.data.folds import make_folds
from cuesta.hyperparameters import Candidate, Shape
from cuesta.training.feed import Feed
from cuesta.training.lanes import Chunk, Lane, _arguments, _begin, _program
from cuesta.training.planner import Machine, chunk_width, this_machine, widths

SIZES, BATCHES = (16, 32, 128, 512), (16, 32, 128, 512)
ROWS, FOLDS, CANDIDATES = 1437, 5, 16
SLICE = 0.1  # seconds a round of one width takes, about


def digits_like() -> Feed:
    """Rows as many and as wide as digits has for training."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((ROWS, 64)), rng.integers(0, 10, ROWS).astype(np.int32)
    return Feed(x, y, make_folds(y, classes=True, k=FOLDS, protocol="kfold", groups=None, seed=0))


class Timed:
    """Chunks of one width, one a thread."""

    def __init__(self, feed: Feed, shape: Shape, width: int, machine: Machine) -> None:
        candidate = Candidate(hidden_layer_sizes=shape.hidden, batch_size=shape.batch_size)
        lanes = tuple(Lane(candidate, 0, seed) for seed in range(width))
        chunk = Chunk(shape, width, lanes, 1, 1)
        arguments = jax.device_put(_arguments(chunk, feed, *_begin(chunk, feed), 0))
        self.program, self.arguments = _program(chunk, feed, arguments), arguments
        self.width, self.threads = width, machine.threads
        self.repeats, self.seconds = 1, [0.0]
        self.repeats = max(1, round(SLICE / self.once()))
        self.seconds.clear()

    def once(self) -> float:
        """Seconds of an epoch of a chunk while every thread trains one."""

        def train(_: int) -> None:
            for _ in range(self.repeats):
                jax.block_until_ready(self.program(*self.arguments))

        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(train, range(self.threads)))
            began = time.perf_counter()
            list(pool.map(train, range(self.threads)))
            self.seconds.append((time.perf_counter() - began) / self.repeats)
        return self.seconds[-1]

    def search(self) -> float:
        """Seconds of an epoch of the whole search at this width."""
        chunks = FOLDS * -(-CANDIDATES // self.width)
        return (-(-chunks // self.threads) + 1) * statistics.median(self.seconds)


def main() -> None:
    """Print a row for each shape."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    feed, machine = digits_like(), this_machine()
    print(machine)
    print("| H | batch | chosen | best | chosen / best | ms an epoch of the search, by width |")
    print("|---|---|---|---|---|---|")
    for hidden in SIZES:
        for batch in BATCHES:
            shape = Shape(64, (hidden, hidden), 10, batch, "cross_entropy")
            tried = [Timed(feed, shape, width, machine) for width in (1, 2, 4, 8, 16)]
            for _ in range(rounds):
                for timed in tried:
                    timed.once()
            times = {timed.width: timed.search() for timed in tried}
            chosen = chunk_width(shape, [CANDIDATES] * FOLDS, machine)
            best = min(times, key=times.__getitem__)
            shown = ", ".join(f"{width}: {1e3 * taken:.1f}" for width, taken in times.items())
            ratio = times[chosen] / times[best]
            allowed = "" if best in widths(shape, machine) else "*"
            print(f"| {hidden} | {batch} | {chosen} | {best}{allowed} | {ratio:.2f} | {shown} |")


if __name__ == "__main__":
    main()
