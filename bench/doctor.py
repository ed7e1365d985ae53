"""The doctor on planted faults: how often the planted one is the first finding.

    python bench/doctor.py [--runs 325] [--healthy 110] [--first-seed 7000] [--misses]

Each run is a data set (of scikit-learn's or synthetic), an architecture of 1 to 10 layers and an
optimizer drawn at random, healthy but for one planted fault. The thresholds of
`cuesta.diagnose.doctor` were set on seeds below 1,000; this measures on seeds from 7,000 on, and
prints the confusion matrix.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from sklearn import datasets

from cuesta.core.init import init_layers
from cuesta.core.layer import Layer
from cuesta.data.folds import hold_out
from cuesta.data.scale import fit_scaling
from cuesta.diagnose.checkup import Diagnosis, check_up
from cuesta.diagnose.doctor import FAULTS
from cuesta.hyperparameters import Candidate, loss_of
from cuesta.training.batching import shape_of
from cuesta.training.feed import Feed
from cuesta.training.lanes import Lane, Training

RATES = {"sgd": 0.1, "momentum": 0.02, "adagrad": 0.03, "rmsprop": 0.002, "adam": 0.003}
BUNDLED = ("iris", "wine", "breast_cancer", "digits", "diabetes")
SYNTHETIC = ("moons", "circles", "blobs", "classes", "friedman", "linear")
REGRESSIONS = ("diabetes", "friedman", "linear")
WIDTHS = (16, 32, 48, 64)


@dataclass
class Run:
    """One run: rows, a candidate, epochs, and what becomes of its initial weights."""

    name: str
    x: np.ndarray
    y: np.ndarray
    candidate: Candidate
    epochs: int
    seed: int
    weigh: dict[str, float] = field(default_factory=dict)


class Noise(NamedTuple):
    """How much noise synthetic tables have; `linear` in deviations of y, else 5 of its units."""

    moons: float = 0.15
    circles: float = 0.08
    blobs: float = 1.0
    apart: float = 1.5
    flipped: float = 0.01
    friedman: float = 0.5
    linear: float | None = None


LITTLE = Noise()


def rows_of(
    name: str, rng: np.random.Generator, noise: Noise = LITTLE
) -> tuple[np.ndarray, np.ndarray]:
    """A data set, its inputs standardized, so that all but the planted fault is in order."""
    seed = int(rng.integers(2**31))
    if name in BUNDLED:
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    elif name == "moons":
        x, y = datasets.make_moons(600, noise=noise.moons, random_state=seed)
    elif name == "circles":
        x, y = datasets.make_circles(600, noise=noise.circles, factor=0.5, random_state=seed)
    elif name == "blobs":
        x, y = datasets.make_blobs(
            600, n_features=6, centers=5, cluster_std=noise.blobs, random_state=seed
        )
    elif name == "classes":
        x, y = datasets.make_classification(
            800, 12, n_informative=6, n_classes=3, class_sep=noise.apart, flip_y=noise.flipped,
            random_state=seed,
        )  # fmt: skip
    elif name == "friedman":
        x, y = datasets.make_friedman1(800, noise=noise.friedman, random_state=seed)
    else:
        own = 5.0 if noise.linear is None else 0.0
        x, y = datasets.make_regression(600, 8, n_informative=8, noise=own, random_state=seed)
        if noise.linear is not None:
            y = y + noise.linear * y.std() * rng.standard_normal(len(y))
    x = fit_scaling(np.asarray(x, np.float64), "standard").apply(x)
    if name in REGRESSIONS:
        y = (y - y.mean()) / y.std()
        return x, y[:, None]
    return x, y.astype(np.int32)


def healthy(seed: int, names: tuple[str, ...] = (*BUNDLED, *SYNTHETIC)) -> Run:
    """A run in which nothing is wrong."""
    rng = np.random.default_rng([7, seed])
    name = str(rng.choice(names))
    x, y = rows_of(name, rng)
    optimizer = str(rng.choice([*RATES]))
    depth = int(rng.integers(1, {"wine": 4, "iris": 4, "breast_cancer": 7}.get(name, 11)))
    activation = str(rng.choice(["relu", "relu", "tanh"])) if depth < 6 else "relu"
    rate = RATES[optimizer] * float(rng.uniform(0.6, 1.4))
    if depth > 4:
        rate *= 0.4
    candidate = Candidate(
        hidden_layer_sizes=(int(rng.choice(WIDTHS)),) * depth,
        activation=activation,
        init="he" if activation == "relu" else "glorot",
        optimizer=optimizer,
        learning_rate=rate,
        dropout=float(rng.choice([0.0, 0.1, 0.2])) if depth < 5 else 0.0,
        clip_norm=None if rng.random() < 0.7 else 1.0,
        batch_size=int(rng.choice([16, 32])),
        normalize="none",
    )
    rows = len(y)
    epochs = int(np.clip(12_000 // rows, 12, 40))
    if name == "diabetes":  # the one with much noise and few rows: it over-fits beyond that
        epochs = 12
        candidate = replace(candidate, hidden_layer_sizes=(16,) * min(depth, 3), dropout=0.1)
    return Run(name, x, y, candidate, epochs, seed)


def planted(fault: str, seed: int) -> Run:
    """A run with one fault."""
    rng = np.random.default_rng([8, seed])
    plant = PLANTS[fault]
    return plant(seed, rng)


def _rate_too_high(seed: int, rng: np.random.Generator) -> Run:
    run = healthy(seed)
    factor = 10 ** float(rng.uniform(1.7, 2.5))
    return replace_candidate(
        run, learning_rate=run.candidate.learning_rate * factor, clip_norm=None
    )


def _rate_too_low(seed: int, rng: np.random.Generator) -> Run:
    run = healthy(seed)
    factor = 10 ** float(rng.uniform(-4.5, -3.3))
    return replace_candidate(run, learning_rate=run.candidate.learning_rate * factor)


def _vanishing(seed: int, rng: np.random.Generator) -> Run:
    run = healthy(seed)
    depth = int(rng.integers(5, 11))
    kind = str(rng.choice(["sigmoid", "sigmoid", "tanh"]))
    init = "uniform"
    run.weigh = {} if kind == "sigmoid" else {"all": 0.5}
    width = int(rng.choice(WIDTHS))
    return replace_candidate(
        run, hidden_layer_sizes=(width,) * depth, activation=kind, init=init, dropout=0.0
    )


def _exploding(seed: int, rng: np.random.Generator) -> Run:
    run = healthy(seed)
    depth = int(rng.integers(5, 11))
    width = int(rng.choice(WIDTHS))
    run.weigh = {"all": float(rng.uniform(2.5, 4.0))}
    kind = str(rng.choice(["relu", "identity"]))
    init = "he" if kind == "relu" else "glorot"
    return replace_candidate(
        run, hidden_layer_sizes=(width,) * depth, activation=kind, init=init, dropout=0.0
    )


def _inputs(seed: int, rng: np.random.Generator) -> Run:
    run = healthy(seed)
    scale = 10 ** rng.uniform(1.5, 4, run.x.shape[1])
    shift = scale * rng.uniform(-3, 3, run.x.shape[1])
    return replace(run, x=run.x * scale + shift)


def _outputs(seed: int, rng: np.random.Generator) -> Run:
    run = healthy(seed, REGRESSIONS)
    scale = 10 ** float(rng.uniform(1.5, 4))
    return replace(run, y=run.y * scale + scale * float(rng.uniform(-2, 2)))


def _dead(seed: int, rng: np.random.Generator) -> Run:
    run = healthy(seed)
    run.weigh = {"bias": -float(rng.uniform(6, 12))}
    depth = int(rng.integers(1, 4))
    width = int(rng.choice(WIDTHS))
    return replace_candidate(run, hidden_layer_sizes=(width,) * depth, activation="relu", init="he")


def _bad_weights(seed: int, rng: np.random.Generator) -> Run:
    run = healthy(seed)
    depth = int(rng.integers(1, 4))
    large = rng.random() < 0.6
    run.weigh = {"all": float(rng.uniform(8, 30)) if large else 10 ** float(rng.uniform(-9, -7))}
    width = int(rng.choice(WIDTHS))
    return replace_candidate(run, hidden_layer_sizes=(width,) * depth, activation="relu", init="he")


def _dropout(seed: int, rng: np.random.Generator) -> Run:
    run = healthy(seed)
    depth = int(rng.integers(1, 5))
    return replace_candidate(
        run,
        dropout=float(rng.uniform(0.85, 0.97)),
        hidden_layer_sizes=run.candidate.hidden_layer_sizes[:1] * depth,
    )


def _over(seed: int, rng: np.random.Generator) -> Run:
    run = healthy(seed, ("diabetes", "friedman", "classes"))
    keep = rng.permutation(len(run.y))[: int(rng.integers(150, 260))]
    x, y = run.x[keep], run.y[keep].copy()
    if run.name in REGRESSIONS:
        y = y + 0.5 * rng.standard_normal(y.shape)
    else:
        wrong = rng.random(len(y)) < 0.25
        y[wrong] = rng.integers(0, int(y.max()) + 1, int(wrong.sum()))
    run = replace(run, x=x, y=y, epochs=150)
    return replace_candidate(
        run, hidden_layer_sizes=(64, 64), activation="relu", init="he", dropout=0.0, batch_size=16,
        learning_rate=RATES[run.candidate.optimizer],
    )  # fmt: skip


def _under(seed: int, rng: np.random.Generator) -> Run:
    run = healthy(seed, ("circles",) if rng.random() < 0.5 else ("circles", "digits", "classes"))
    if run.name == "circles":
        how: dict[str, Any] = {"hidden_layer_sizes": (), "dropout": 0.0}
        if rng.random() < 0.5:
            how = {"hidden_layer_sizes": (8,), "activation": "identity", "dropout": 0.0}
        return replace_candidate(run, **how)
    decay = 0.5 / run.candidate.learning_rate * float(rng.uniform(0.3, 1.0))
    return replace_candidate(
        run, weight_decay=decay, hidden_layer_sizes=run.candidate.hidden_layer_sizes[:3]
    )


def _no_signal(seed: int, rng: np.random.Generator) -> Run:
    run = healthy(seed, ("iris", "wine", "breast_cancer", "classes", "blobs", "friedman"))
    run = replace(run, y=run.y[rng.permutation(len(run.y))], epochs=150)
    return replace_candidate(
        run, hidden_layer_sizes=(64, 64), activation="relu", init="he", dropout=0.0,
        learning_rate=RATES[run.candidate.optimizer],
    )  # fmt: skip


def _feature(seed: int, rng: np.random.Generator) -> Run:
    run = healthy(seed)
    n, width = run.x.shape
    if rng.random() < 0.5:
        # Exactly constant columns become 0 whatever the normalization; this one nearly is.
        far = 10 ** float(rng.uniform(1.5, 3.5))
        nearly = far * (1 + 1e-3 * rng.standard_normal((n, 1)))
        return replace(run, x=np.hstack([run.x, nearly]))
    place = int(rng.integers(width))
    copies = max(3, int(width * rng.uniform(0.8, 1.5)))
    factors = rng.uniform(0.5, 2.0, copies)
    return replace(run, x=np.hstack([run.x, run.x[:, [place]] * factors]))


PLANTS = {
    "learning rate too high": _rate_too_high,
    "learning rate too low": _rate_too_low,
    "vanishing gradients": _vanishing,
    "exploding gradients": _exploding,
    "unnormalized inputs": _inputs,
    "unnormalized outputs": _outputs,
    "dead units": _dead,
    "bad initial weights": _bad_weights,
    "too much dropout": _dropout,
    "over-fitting": _over,
    "under-fitting": _under,
    "no signal in the labels": _no_signal,
    "dominating feature": _feature,
}


def replace_candidate(run: Run, **changes: Any) -> Run:
    """The run with some hyper-parameters changed."""
    return replace(run, candidate=replace(run.candidate, **changes))


def diagnose(run: Run) -> Diagnosis:
    """Train the run under watch and examine it."""
    fold = hold_out(run.y, 0.3, run.seed)
    feed = Feed(run.x, run.y, [fold], same_draws=0)
    task = "regression" if run.y.ndim == 2 else "classification"
    outputs = run.y.shape[1] if run.y.ndim == 2 else int(run.y.max()) + 1
    shape = shape_of(run.candidate, run.x.shape[1], outputs, loss_of(run.candidate, task))
    layers = init_layers([0, run.seed, 0], shape.sizes, run.candidate.init)
    factor = run.weigh.get("all", 1.0)
    layers = [Layer((layer.w * factor).astype(np.float32), layer.b) for layer in layers]
    if "bias" in run.weigh:
        down = np.float32(run.weigh["bias"])
        layers = [Layer(w, b + down) for w, b in layers[:-1]] + layers[-1:]
    lane = Lane(run.candidate, 0, run.seed)
    training = Training(lane, feed, shape, run.epochs, run.epochs)
    return check_up(training, layers=layers)


def first(found: Diagnosis) -> str:
    """The first severe finding's name, or `healthy`."""
    severe = [finding.fault for finding in found.findings if finding.severity == "severe"]
    return severe[0] if severe else "healthy"


class Result(NamedTuple):
    """A run, its planted fault (or `healthy`), and what the doctor found."""

    fault: str
    run: Run
    diagnosis: Diagnosis

    @property
    def told(self) -> str:
        """The first severe finding."""
        return first(self.diagnosis)


def examined(job: tuple[str, int]) -> Result:
    """The result of a fault and a seed."""
    fault, seed = job
    run = healthy(seed) if fault == "healthy" else planted(fault, seed)
    return Result(fault, run, diagnose(run))


def print_confusion(faults: list[str], counts: Counter[tuple[str, str]]) -> None:
    """A row for each planted fault, a column for each fault that was told."""
    columns = [*FAULTS, "healthy"]
    print("| planted | " + " | ".join(columns) + " | right |")
    print("|---" * (len(columns) + 2) + "|")
    for fault in [*faults, "healthy"]:
        row = [counts[fault, told] for told in columns]
        share = counts[fault, fault] / sum(row) if sum(row) else float("nan")
        print(f"| {fault} | " + " | ".join(str(n or "") for n in row) + f" | {share:.0%} |")


def print_shares(faults: list[str], counts: Counter[tuple[str, str]]) -> None:
    """How many planted faults were told first, and how many healthy runs had no severe finding."""
    planted_runs = sum(n for (fault, _), n in counts.items() if fault != "healthy")
    if planted_runs:
        right = sum(counts[fault, fault] for fault in faults)
        print(f"\nplanted fault first: {right} of {planted_runs} ({right / planted_runs:.1%})")
    healthy_runs = sum(n for (fault, _), n in counts.items() if fault == "healthy")
    if healthy_runs:
        right = counts["healthy", "healthy"]
        share = right / healthy_runs
        print(f"healthy without a severe finding: {right} of {healthy_runs} ({share:.1%})")


def print_misses(results: list[Result]) -> None:
    """The runs of which something else was told, with all findings."""
    for fault, run, diagnosis in results:
        if fault != first(diagnosis):
            print(f"\n{fault} → {first(diagnosis)}: {run.name} seed {run.seed} {run.candidate}")
            for finding in diagnosis.findings:
                print("  ", finding.fault, finding.weight, finding.says)


def main() -> None:
    """Run, count and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=325)
    parser.add_argument("--healthy", type=int, default=110)
    parser.add_argument("--first-seed", type=int, default=7000)
    parser.add_argument("--faults", default=",".join(PLANTS))
    parser.add_argument("--misses", action="store_true")
    given = parser.parse_args()
    began = time.perf_counter()
    faults = [name for name in given.faults.split(",") if name]
    each = -(-given.runs // len(faults)) if faults else 0
    jobs = [(fault, given.first_seed + i) for fault in faults for i in range(each)]
    jobs += [("healthy", given.first_seed + i) for i in range(given.healthy)]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(examined, jobs))
    counts = Counter((result.fault, result.told) for result in results)
    print_confusion(faults, counts)
    print_shares(faults, counts)
    print(f"{time.perf_counter() - began:.0f} s")
    if given.misses:
        print_misses(results)


if __name__ == "__main__":
    main()
