"""Where 10,000 starts end, for five optimizers at once, beside a plain NumPy loop over the starts.

    python bench/basins.py [--function himmelblau] [--rounds 3] [--loops 20]

Each round is a new process, compilation included, without a compilation cache: 10,000 starts × 5
optimizers × 1,000 steps. The loop takes `--loops` of the starts and its time is scaled to all.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

STARTS, STEPS = 10_000, 1_000
RATES = {"sgd": 0.01, "momentum": 0.003, "adagrad": 0.5, "rmsprop": 0.01, "adam": 0.05}


def slope(x: float, y: float) -> np.ndarray:
    """Himmelblau's gradient."""
    a, b = x * x + y - 11, x + y * y - 7
    return np.array([4 * x * a + 2 * b, 2 * a + 4 * y * b])


def sgd(w: np.ndarray, v: np.ndarray, f: np.ndarray, a: float) -> np.ndarray:
    """W ← w − αG."""
    return w - a * slope(*w)


def momentum(w: np.ndarray, v: np.ndarray, f: np.ndarray, a: float) -> np.ndarray:
    """V ← γV + αG; w ← w − V."""
    v *= 0.9
    v += a * slope(*w)
    return w - v


def adagrad(w: np.ndarray, v: np.ndarray, f: np.ndarray, a: float) -> np.ndarray:
    """F ← F + G⊙G; w ← w − (α/√F)⊙G."""
    g = slope(*w)
    f += g * g
    return w - a * g / np.sqrt(f + 1e-300)


def rmsprop(w: np.ndarray, v: np.ndarray, f: np.ndarray, a: float) -> np.ndarray:
    """Γ ← ρΓ + (1−ρ)G⊙G; w ← w − (α/√Γ)⊙G."""
    g = slope(*w)
    f *= 0.9
    f += 0.1 * g * g
    return w - a * g / np.sqrt(f + 1e-300)


def adam(w: np.ndarray, v: np.ndarray, f: np.ndarray, a: float) -> np.ndarray:
    """V ← ρ₁V + (1−ρ₁)G; F ← ρ₂F + (1−ρ₂)G⊙G; w ← w − (α/√F)⊙V."""
    g = slope(*w)
    v *= 0.9
    v += 0.1 * g
    f *= 0.999
    f += 0.001 * g * g
    return w - a * v / np.sqrt(f + 1e-300)


LOOPS: dict[str, Callable[..., np.ndarray]] = {
    "sgd": sgd, "momentum": momentum, "adagrad": adagrad, "rmsprop": rmsprop, "adam": adam
}  # fmt: skip


def grid() -> np.ndarray:
    """The starts, (10,000, 2)."""
    side = np.linspace(-6, 6, 100)
    return np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)


def looped(starts: np.ndarray) -> float:
    """Seconds that a loop over the starts takes, for all five."""
    began = time.perf_counter()
    for name, step in LOOPS.items():
        for start in starts:
            w, v, f = start.copy(), np.zeros(2), np.zeros(2)
            for _ in range(STEPS):
                w = step(w, v, f, RATES[name])
    return time.perf_counter() - began


def at_once(function: str) -> None:
    """The lab's own way, in this process."""
    from cuesta.core.optim import usual_rule
    from cuesta.lab.descent import CompiledDescent, Optimizer, all_pairs, stack
    from cuesta.lab.functions import function as find

    optimizers = stack([Optimizer(usual_rule(name, "notes"), a, a) for name, a in RATES.items()])
    lanes = all_pairs(optimizers, grid(), np.zeros(STARTS))
    ends = CompiledDescent(find(function).value).run(*lanes, STEPS)
    print(np.isfinite(ends.j).mean())


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--function", default="himmelblau")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--loops", type=int, default=20)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.once:
        at_once(asked.function)
        return
    picked = grid()[np.random.default_rng(0).choice(STARTS, asked.loops, replace=False)]
    ours, loops = [], []
    for _ in range(asked.rounds):
        began = time.perf_counter()
        command = [sys.executable, __file__, "--once", "--function", asked.function]
        subprocess.run(command, check=True, capture_output=True)
        ours.append(time.perf_counter() - began)
        loops.append(looped(picked) * STARTS / len(picked))
    mine, loop = statistics.median(ours), statistics.median(loops)
    print(f"{STARTS:,} starts × {len(RATES)} optimizers × {STEPS:,} steps on {asked.function}")
    print(f"all at once, whole process   {mine:8.1f} s   bar 10 s")
    print(f"NumPy loop (himmelblau)      {loop:8.1f} s   from {len(picked)} of the starts")
    print(f"ratio                        {loop / mine:8.0f}")


if __name__ == "__main__":
    main()
