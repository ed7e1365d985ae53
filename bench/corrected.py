"""Whether the corrected validation figure means what it says.

    python bench/corrected.py [--drawn 200] [--committees 100] [--searches 100]
        [--kinds "classes,noise"]

Three parts, each with the mean bias (estimate − truth) of the uncorrected and the corrected figure
and the coverage of the corrected one's interval, 95 % wanted.

drawn: no training. Losses of candidates are drawn around true means, with row effects that all
candidates share, normal or skewed. The truth is the mean of the one chosen. Beside it nested
cross-validation: the choice by four fifths of the rows, scored on the others.
committees: predictions of candidates are drawn, the best few kept, and weights chosen for these.
searches: small real ones, on simulated tables; the truth is the log-loss, or RMSE, on 10,000 fresh
rows of the committee and of the single network, which were calibrated too.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import polars as pl

from cuesta.data.table import Table
from cuesta.search.correction import UnitLosses, correct_choice, correct_committee, preselection
from cuesta.search.space import Choice, Range, Space
from cuesta.tabular.fit import fit
from cuesta.tabular.options import Options

ROWS, FRESH = 200, 10_000
SPREADS = (0.0, 0.03, 0.1)  # of the candidates' true means, beside a row's own noise of 0.6
KINDS = ("classes", "noise", "normal errors", "t₃ errors")
SPACE = Space(
    {
        "hidden_layer_sizes": Choice(((16,),)),
        "batch_size": Choice((32,)),
        "optimizer": Choice(("adam",)),
        "activation": Choice(("relu", "tanh")),
        "dropout": Choice((0.0, 0.1, 0.3)),
        "learning_rate": Range(1e-3, 1e-1, log=True),
        "weight_decay": Range(1e-3, 1.0, log=True),
    }
)


def told(name: str, rows: list[tuple[float, ...]], others: tuple[str, ...] = ()) -> None:
    """Print a line: rows of (truth, uncorrected, corrected, low, high, other estimates…)."""
    table = np.array(rows)
    truth, low, high = table[:, 0], table[:, 3], table[:, 4]
    names = ("uncorrected", "corrected", *others)
    errors = table[:, [1, 2, *range(5, table.shape[1])]] - truth[:, None]
    error = errors[:, 0].std() / np.sqrt(len(rows))
    told = "  ".join(f"{n} {b:+.4f}" for n, b in zip(names, errors.mean(axis=0), strict=True))
    share = errors[:, 1].mean() / errors[:, 0].mean()
    covered = np.mean((low <= truth) & (truth <= high))
    print(
        f"{name:24} {told}  (± {error:.4f})  ratio {share:+.2f}  coverage {covered:.3f}", flush=True
    )


def drawn(rng: np.random.Generator, spread: float, skewed: bool) -> tuple[UnitLosses, np.ndarray]:
    """Losses (candidates, epochs, rows) of 16 candidates, and their true means."""
    candidates, epochs = 16, 10
    at = np.linspace(0, 1, epochs)
    best = rng.uniform(0.4, 1.0, (candidates, 1))
    deep = spread * rng.standard_normal((candidates, 1))
    truths = 4 + deep + 4 * spread * (at - best) ** 2
    shared = (rng.gamma(0.3, 1, ROWS) - 0.3) / np.sqrt(0.3) if skewed else rng.standard_normal(ROWS)
    size = 1 + 0.8 * shared if skewed else 1.0  # rows that are hard for all differ more
    own = rng.standard_normal((candidates, epochs, ROWS))
    for epoch in range(1, epochs):
        own[:, epoch] = 0.9 * own[:, epoch - 1] + np.sqrt(1 - 0.81) * own[:, epoch]
    noise = 0.5 * rng.standard_normal((candidates, 1, ROWS)) + 0.3 * own
    return UnitLosses(truths[..., None] + shared + size * noise, np.ones(ROWS)), truths


def nested(losses: UnitLosses, folds: int = 5) -> float:
    """The mean loss of what four fifths of the rows choose, on the others."""
    pairs = losses.sums.reshape(-1, len(losses.weights))
    found = []
    for fold in range(folds):
        out = np.arange(pairs.shape[1]) % folds == fold
        found.append(pairs[pairs[:, ~out].mean(axis=1).argmin(), out].mean())
    return float(np.mean(found))


def show_drawn(count: int) -> None:
    """Part one."""
    every = []
    for skewed in (False, True):
        for spread in SPREADS:
            rows = []
            for seed in range(count):
                losses, truths = drawn(np.random.default_rng([1, seed]), spread, skewed)
                truth = truths.ravel()[losses.sums.mean(axis=2).argmin()]
                c = correct_choice(losses, seed=seed, draws=200, inflation=0.0)
                rows.append((truth, c.uncorrected, c.value, c.low, c.high, nested(losses)))
            told(f"{'skewed' if skewed else 'normal'}, spread {spread}", rows, ("nested",))
            every += rows
    told("all", every, ("nested",))


def greedy(predictions: np.ndarray, y: np.ndarray, members: int = 10) -> np.ndarray:
    """Weights of a committee: again and again the one that helps the mean the most."""
    total, weights = np.zeros(predictions.shape[1]), np.zeros(len(predictions))
    for member in range(1, members + 1):
        errors = (((total + predictions[:, :, 0]) / member - y) ** 2).mean(axis=1)
        best = errors.argmin()
        total, weights[best] = total + predictions[best, :, 0], weights[best] + 1
    return weights / members


def squared(predictions: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(ŷ − y)², row by row."""
    return (predictions[:, 0] - y) ** 2


def show_committees(count: int) -> None:
    """Part two: 64 candidates, of which the best 12 are kept."""
    kept = 12
    for spread in (0.0, 0.1, 0.3):
        plain, added = [], []
        for seed in range(count):
            rng = np.random.default_rng([2, seed])
            y = rng.standard_normal(ROWS + FRESH)
            common = 0.5 * rng.standard_normal(len(y))
            sizes = 0.5 * np.exp(spread * rng.standard_normal((64, 1)))
            errors = common + sizes * rng.standard_normal((64, len(y)))
            losses = UnitLosses((errors[:, None, :ROWS] ** 2), np.ones(ROWS))
            best = np.argsort(losses.sums.mean(axis=2)[:, 0])[:kept]
            predictions = (y + errors[best])[:, :, None]
            seen = predictions[:, :ROWS], y[:ROWS]
            weights = greedy(*seen)

            def choose(rows: np.ndarray, seen: tuple[np.ndarray, np.ndarray] = seen) -> np.ndarray:
                return greedy(seen[0][:, rows], seen[1][rows])

            def loss(
                weights: np.ndarray,
                rows: np.ndarray,
                seen: tuple[np.ndarray, np.ndarray] = seen,
            ) -> np.ndarray:
                return squared(np.tensordot(weights, seen[0][:, rows], 1), seen[1][rows])

            fresh = np.tensordot(weights, predictions[:, ROWS:], 1)
            truth = squared(fresh, y[ROWS:]).mean()
            optimism = preselection(losses, best.tolist(), seed=seed, draws=200)
            for rows, more in ((plain, 0.0), (added, optimism)):
                c = correct_committee(
                    ROWS, choose, loss, seed=seed, draws=100, preselected=more, inflation=0.0
                )
                rows.append((truth, c.uncorrected, c.value, c.low, c.high))
        told(f"committee, spread {spread}", plain)
        told("  with preselection", added)


def simulated(kind: str, rng: np.random.Generator, rows: int) -> Table:
    """Two classes or numbers with eight inputs, four of which matter; "noise": none does."""
    x = rng.standard_normal((rows, 8))
    f = x[:, 0] + x[:, 1] * x[:, 2] + 0.7 * np.sin(2 * x[:, 3])
    columns = {f"x{i}": x[:, i] for i in range(8)}
    if kind == "normal errors":
        y = f + 0.7 * rng.standard_normal(rows)
    elif kind == "t₃ errors":
        y = f + 0.5 * rng.standard_t(3, rows)
    else:
        odds = 1.5 * f * (kind == "classes")
        y = np.where(rng.random(rows) < 1 / (1 + np.exp(-odds)), "a", "b")
    return Table(kind, pl.DataFrame(columns | {"y": y}), (), ())


def search(kind: str, seed: int) -> dict[str, tuple[float, ...]]:
    """A search: of each of its models the truth, and what validation said of it."""
    rng = np.random.default_rng([3, seed])
    options = Options(
        target=("y",), candidates=16, epochs=16, seed=seed, space=SPACE,
        baselines=False, instruments="off",
    )  # fmt: skip
    result = fit(simulated(kind, rng, ROWS), options, test=simulated(kind, rng, FRESH))
    metric = result.task.metric
    return {
        name: (result.outcome.models[name].metrics[metric], each.mean, *each.promised)
        for name, each in result.delivery.models.items()
    }


def show_searches(count: int, kinds: list[str]) -> None:
    """Part three."""
    for kind in kinds:
        found = [search(kind, seed) for seed in range(count)]
        for name in found[0]:
            told(f"{kind}: {name}", [one[name] for one in found])


def main() -> None:
    """Print all three parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drawn", type=int, default=200)
    parser.add_argument("--committees", type=int, default=100)
    parser.add_argument("--searches", type=int, default=100)
    parser.add_argument("--kinds", default=",".join(KINDS))
    given = parser.parse_args()
    began = time.perf_counter()
    if given.drawn:
        show_drawn(given.drawn)
    if given.committees:
        show_committees(given.committees)
    if given.searches:
        show_searches(given.searches, given.kinds.split(","))
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
