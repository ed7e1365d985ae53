"""How often the doctor names a fault in a healthy network.

    python bench/doctor_healthy.py [--runs 200] [--first-seed 0]

Subsets of scikit-learn's bundled tables, networks drawn by seed with rates over a range of eight. A
run is healthy by its result alone: on held-out rows its loss is far below the baseline's, and no
less low at the end than at its best. Whatever the doctor then names is a false alarm.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sklearn import datasets

from cuesta.data.scale import fit_scaling
from cuesta.diagnose.checkup import Diagnosis
from cuesta.hyperparameters import Candidate
from doctor import RATES, Run, diagnose

TABLES = ("iris", "wine", "breast_cancer", "digits", "diabetes", "linnerud")
NUMBERS = ("diabetes", "linnerud")
LEARNED = 0.5  # of the baseline's loss that is left on held-out rows
HOLDS = 0.05  # of the baseline's loss by which the end may lie above the best epoch
ALLOWED = 0.01


def drawn(seed: int) -> Run:
    """A subset of a bundled table, and a network for it."""
    rng = np.random.default_rng([9, seed])
    name = str(rng.choice(TABLES))
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    keep = rng.permutation(len(y))[: max(20, int(len(y) * rng.uniform(0.6, 1.0)))]
    x, y = fit_scaling(np.asarray(x[keep], np.float64), "standard").apply(x[keep]), y[keep]
    if name in NUMBERS:
        y = np.reshape((y - y.mean(axis=0)) / y.std(axis=0), (len(y), -1))
    optimizer = str(rng.choice([*RATES]))
    candidate = Candidate(
        hidden_layer_sizes=(int(rng.choice((16, 32, 64))),) * int(rng.integers(1, 4)),
        activation=str(rng.choice(["relu", "relu", "tanh"])),
        optimizer=optimizer,
        learning_rate=RATES[optimizer] * 8.0 ** float(rng.uniform(-0.5, 0.5)),
        dropout=float(rng.choice([0.0, 0.1, 0.2])),
        batch_size=int(rng.choice([16, 32])),
        normalize="none",
    )
    return Run(name, x, y if name in NUMBERS else y.astype(np.int32), candidate, 40, seed)


def is_healthy(found: Diagnosis) -> bool:
    """Whether the held-out loss says that nothing is wrong."""
    losses, baseline = found.evidence.validation, found.evidence.baseline
    if losses is None or not np.isfinite(losses).all():
        return False
    end = float(np.median(losses[-4:]))
    return end < LEARNED * baseline and end - losses.min() < HOLDS * baseline


def main() -> None:
    """Run until enough runs are healthy, count and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=0)
    given = parser.parse_args()
    began, seed = time.perf_counter(), given.first_seed
    healthy: list[tuple[Run, Diagnosis]] = []
    with ThreadPoolExecutor(2) as pool:
        while len(healthy) < given.runs:
            runs = [drawn(s) for s in range(seed, seed + 20)]
            seed += 20
            found = zip(runs, pool.map(diagnose, runs), strict=True)
            healthy += [(run, seen) for run, seen in found if is_healthy(seen)]
    healthy = healthy[: given.runs]
    alarms = [(run, finding) for run, seen in healthy for finding in seen.findings]
    wrong = len({run.seed for run, _ in alarms})
    share = wrong / len(healthy)
    print(f"{wrong} of {len(healthy)} healthy runs with a finding ({share:.1%}; bar {ALLOWED:.0%})")
    print(dict(Counter(finding.fault for _, finding in alarms)))
    for run, finding in alarms:
        c = run.candidate
        print(f"  {run.name} {run.seed} {c.optimizer} {c.learning_rate:.2g}: {finding}")
    print(f"{seed - given.first_seed} runs in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
