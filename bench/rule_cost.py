"""What the one-table update costs beside a rule written alone, in a whole training step.

    python bench/rule_cost.py [--rounds 9]

A chunk of lanes of a 128-128-128-10 network on batches of 32 is trained with the table's update,
and with SGD's or Adam's own three lines in its place; the two take turns, and medians are printed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np

from cuesta.core import step
from cuesta.core.lane_hyperparameters import features_for
from cuesta.core.optim import Moments
from cuesta.data.folds import make_folds
from cuesta.hyperparameters import Candidate, Shape
from cuesta.training import lanes as lanes_module
from cuesta.training.feed import Feed
from cuesta.training.lanes import Chunk, Lane, _arguments, _begin, _program
from cuesta.training.programs import Programs

ROWS, INPUTS, WIDTH, EPOCHS = 1600, 128, 4, 2


def sgd_alone(alpha: Any, step: Any, grads: Any) -> Any:
    """Plain descent, w ← w − αG, and nothing else."""
    return jax.tree.map(lambda g: -alpha * g, grads)


def adam_alone(rule: Any, alpha: Any, step: Any, grads: Any, moments: Moments) -> Any:
    """Adam as published, with its usual numbers as constants."""
    v = jax.tree.map(lambda v, g: 0.9 * v + 0.1 * g, moments.v, grads)
    f = jax.tree.map(lambda f, g: 0.999 * f + 0.001 * g * g, moments.f, grads)
    a, b = 1 - 0.9**step, 1 - 0.999**step
    delta = jax.tree.map(lambda v, f: -alpha * (v / a) / (jnp.sqrt(f / b) + 1e-8), v, f)
    return delta, Moments(v, f)


# A run of SGD alone keeps no moments: its part of the table is `descend`.
ALONE: dict[str, tuple[str, Callable[..., Any]]] = {
    "sgd": ("descend", sgd_alone),
    "adam": ("apply_rule", adam_alone),
}


def prepared(optimizer: str) -> Callable[[], None]:
    """A compiled chunk, ready to be timed."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((ROWS, INPUTS)), rng.integers(0, 10, ROWS).astype(np.int32)
    folds = make_folds(y, classes=True, k=5, protocol="kfold", groups=None, seed=0)
    feed = Feed(x, y, folds)
    shape = Shape(INPUTS, (128, 128), 10, 32, "cross_entropy")
    candidate = Candidate(hidden_layer_sizes=(128, 128), optimizer=optimizer, learning_rate=1e-3)
    lanes = tuple(Lane(candidate, 0, seed) for seed in range(WIDTH))
    chunk = Chunk(shape, WIDTH, lanes, EPOCHS, EPOCHS, features_for([candidate]))
    arguments = _arguments(chunk, feed, *_begin(chunk, feed), 0)
    with mock.patch.object(lanes_module, "PROGRAMS", Programs()):
        program = _program(chunk, feed, arguments)
    arguments = jax.device_put(arguments)
    return lambda: jax.block_until_ready(program(*arguments))


def main() -> None:
    """Print a row for each optimizer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    steps = EPOCHS * -(-ROWS * 4 // 5 // 32)
    print("| optimizer | one table, µs a step of 4 lanes | alone | ratio |")
    print("|---|---|---|---|")
    for name, (part, alone) in ALONE.items():
        runs = [prepared(name)]
        with mock.patch.object(step, part, alone):
            runs.append(prepared(name))
        times: list[list[float]] = [[], []]
        for _ in range(rounds + 1):
            for run, kept in zip(runs, times, strict=True):
                began = time.perf_counter()
                for _ in range(5):
                    run()
                kept.append((time.perf_counter() - began) / 5 / steps * 1e6)
        table, plain = (statistics.median(kept[1:]) for kept in times)
        ratios = [a / b for a, b in zip(times[0][1:], times[1][1:], strict=True)]
        print(
            f"| {name} | {table:.0f} | {plain:.0f} | {statistics.median(ratios):.2f} |", flush=True
        )


if __name__ == "__main__":
    main()
