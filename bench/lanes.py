"""The time of a whole search, cuesta beside its peers, in one run.

    python bench/lanes.py [--rounds 3] [--cases digits-32,digits-128] [--tables FOLDER]

Every time is that of the `fit` call alone, in a process of its own, imports done before: five folds
of 16 learning rates, 20 epochs, Adam, two hidden layers of H, the winner refitted. cuesta is
measured twice: cold, with no compiled program kept, and warm, in a new process after that. Peers
and cuesta take turns; the table holds medians. `mixed` is cuesta with the five optimizers, dropout,
clipping and linear decay, beside plain Adam. The floor is the arithmetic that no one can leave out
over the rate of a 2,048² product in NumPy on all cores, measured in the same rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import peers

RATES = tuple(float(rate) for rate in np.geomspace(1e-4, 1e-2, 16))
EPOCHS, FOLDS = 20, 5
# case → table, hidden sizes, batch size
CASES = {
    "digits-32": ("digits", (32, 32), 32),
    "digits-128": ("digits", (128, 128), 32),
    "digits-512": ("digits", (512, 512), 32),
    "breast_cancer-32": ("breast_cancer", (32, 32), 32),
    "housing-64": ("housing", (64, 64), 128),
}
OURS = {"cuesta, cold": "adam", "cuesta, warm": "adam", "cuesta mixed, warm": "mixed"}
BARS = {
    "scikit-learn GridSearchCV, 2 jobs": {
        "digits-32": (5, 12), "digits-128": (4.5, 6), "digits-512": (3.3, 4)},
    "torch loop, 2 jobs": {
        "digits-32": (7, 17), "digits-128": (6, 8), "digits-512": (2, 2.5)},
    "skorch GridSearchCV, 2 jobs": {
        "digits-32": (7, 17), "digits-128": (6, 8), "digits-512": (2, 2.5)},
}  # fmt: skip


def task_of(case: str, tables: str, space: str) -> tuple:
    """The table and options of a case."""
    from cuesta.data.table import read_table
    from cuesta.search.space import Choice, Space
    from cuesta.tabular.options import Options

    name, hidden, batch = CASES[case]
    shared = {"hidden_layer_sizes": Choice((hidden,)), "batch_size": Choice((batch,))}
    if space == "mixed":
        chosen = Space(
            {
                **shared,
                "optimizer": Choice(("sgd", "momentum", "adagrad", "rmsprop", "adam")),
                "learning_rate": Choice((1e-3,)),
                "dropout": Choice((0.1, 0.2, 0.3, 0.4)),
                "clip_norm": Choice((1.0,)),
                "final_ratio": Choice((0.1,)),
                "weight_decay": Choice((0.01,)),
            }
        )
        grid = {"sampler": "random", "candidates": 16}
    else:
        chosen = Space({**shared, "learning_rate": Choice(RATES)})
        grid = {"sampler": "grid"}
    table = read_table(f"{tables}/{name}.csv" if name == "housing" else name)
    target = ("median_house_value",) if name == "housing" else ()
    return table, Options(target=target, space=chosen, epochs=EPOCHS, folds=FOLDS, **grid)


def work_of(case: str, tables: str) -> peers.Work:
    """What a peer searches: the training rows and folds that cuesta takes."""
    from cuesta.tabular.prepare import prepare

    task = prepare(*task_of(case, tables, "adam"))
    mean = np.nanmean(task.x, axis=0)
    x = np.where(np.isnan(task.x), mean, task.x)
    folds = [(fold.train, fold.validation) for fold in task.feed.folds[:-1]]
    _, hidden, batch = CASES[case]
    return peers.Work(x, task.y, folds, list(RATES), hidden, batch, EPOCHS)


def measure(who: str, case: str, tables: str) -> tuple[float, float]:
    """Seconds of one fit call here and now, and the best score."""
    if who in peers.PEERS:
        if "torch" in who or "skorch" in who:
            import torch  # noqa: F401 (imports are done before)
        import sklearn.model_selection
        import sklearn.neural_network  # noqa: F401

        work = work_of(case, tables)
        began = time.perf_counter()
        best = peers.PEERS[who](work)
        return time.perf_counter() - began, best
    from cuesta.tabular.fit import fit

    table, options = task_of(case, tables, OURS[who])
    began = time.perf_counter()
    result = fit(table, options)
    return time.perf_counter() - began, result.winner.mean


def in_process(who: str, case: str, tables: str, cache: str) -> float:
    """The same in a new process, with its compiled programs in this cache folder."""
    command = [sys.executable, __file__, "--one", who, "--cases", case, "--tables", tables]
    done = subprocess.run(
        command,
        env={**os.environ, "XDG_CACHE_HOME": cache},
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout.split()[-2])


def product_rate() -> float:
    """Floating-point operations a second of a 2,048² float32 product on all cores."""
    n = 2048
    a = np.ones((n, n), np.float32)
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - began)
    return 2 * n**3 / best


def operations(case: str, tables: str) -> float:
    """Products that the search cannot leave out: training, validation of every epoch, refit."""
    work = work_of(case, tables)
    sizes = work.sizes
    weights = sum(m * n for m, n in pairwise(sizes))
    a_row = 6 * weights - 2 * sizes[0] * sizes[1]  # no one needs the derivative by the inputs
    rows = sum(len(train) for train, _ in work.folds) * len(RATES) + len(work.x)
    held = sum(len(held) for _, held in work.folds) * len(RATES)
    return EPOCHS * (rows * a_row + held * 2 * weights)


def main() -> None:
    """Run what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--tables", default="")
    parser.add_argument("--peers", default=",".join(peers.PEERS).replace(", ", "+"))
    parser.add_argument("--one")
    asked = parser.parse_args()
    if asked.one:
        print(*measure(asked.one, asked.cases, asked.tables))
        return
    wanted = [name.replace("+", ", ") for name in asked.peers.split(",") if name]
    print("| case | who | seconds | cold ratio (bar) | warm ratio (bar) | GFLOP/s | of the floor |")
    print("|---|---|---|---|---|---|---|")
    for case in asked.cases.split(","):
        if CASES[case][0] == "housing" and not asked.tables:
            print(f"| {case} | left out: --tables FOLDER tells where housing.csv is | | | | | |")
            continue
        table(case, asked.tables, asked.rounds, wanted)


def table(case: str, tables: str, rounds: int, wanted: list[str]) -> None:
    """Measure and print one case."""
    everyone = [*OURS, *wanted]
    times: dict[str, list[float]] = {who: [] for who in everyone}
    rates = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            rates.append(product_rate())
            for who in everyone:
                if "mixed" in who:  # its program has parts that plain Adam's lacks
                    in_process(who, case, tables, cache)
                times[who].append(in_process(who, case, tables, cache))
    rate, work = statistics.median(rates), operations(case, tables)
    median = {who: statistics.median(taken) for who, taken in times.items()}
    for who in everyone:
        ratios = [""] * 2
        if who in peers.PEERS:
            bars = BARS.get(who, {}).get(case)
            for place, mine in enumerate(("cuesta, cold", "cuesta, warm")):
                ratio = statistics.median(
                    theirs / ours for theirs, ours in zip(times[who], times[mine], strict=True)
                )
                ratios[place] = f"{ratio:.1f}" + (f" ({bars[place]})" if bars else "")
        elif "mixed" in who:
            ratios[1] = f"{median[who] / median['cuesta, warm']:.2f} of plain (1.25)"
        speed = work / median[who]
        print(
            f"| {case} | {who} | {median[who]:.2f} | {ratios[0]} | {ratios[1]} | "
            f"{speed / 1e9:.0f} | {speed / rate:.0%} |",
            flush=True,
        )
    print(
        f"| {case} | the floor: {work / 1e9:,.0f} GFLOP at {rate / 1e9:.0f} GFLOP/s | "
        f"{work / rate:.2f} | | | {rate / 1e9:.0f} | 100% |",
        flush=True,
    )


if __name__ == "__main__":
    main()
