"""The main job: table → encode → seal → folds → candidates → chunks → select → refit → test."""

from __future__ import annotations

import json
import math
import platform
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cuesta import metrics
from cuesta.data.columns import find_column, tidy
from cuesta.data.encode import Encoder, Target, encode_target, fit_encoder, fit_target
from cuesta.data.folds import PROTOCOLS, Sealed, make_folds, split_test
from cuesta.data.table import Table
from cuesta.errors import CuestaError, RunFolderError, SpecError, TableError
from cuesta.files import write_text
from cuesta.model import FittedModel
from cuesta.search.feed import Feed
from cuesta.search.journal import Journal
from cuesta.search.lanes import Chunk, Lane, train_chunk, use_compilation_cache
from cuesta.search.propose import SAMPLERS, waves
from cuesta.search.run import Search, shape_of, thread_count
from cuesta.search.select import METRICS, Score, rank, score_candidate
from cuesta.search.space import Space, default_space
from cuesta.spec import Candidate, check_choice

TASKS = ("auto", "classification", "regression")
Layers = tuple[tuple[np.ndarray, np.ndarray], ...]
LARGEST_SEED = 2**32 - 1  # what scikit-learn's splitters take


@dataclass(frozen=True)
class Options:
    """What the user may set of a run; checked when made. Raises SpecError."""

    target: tuple[str, ...] = ()
    task: str = "auto"
    metric: str = "auto"
    folds: int = 5
    protocol: str = "kfold"
    groups: str | None = None
    drop: tuple[str, ...] = ()
    candidates: int = 64
    epochs: int = 50
    space: Space | None = None
    sampler: str = "random"
    test_size: float = 0.2
    seed: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        check_choice("task", self.task, TASKS)
        check_choice("protocol", self.protocol, PROTOCOLS)
        check_choice("sampler", self.sampler, SAMPLERS)
        check_choice("metric", self.metric, ("auto", *METRICS["classification"], "rmse"))
        for name, least in (("candidates", 1), ("epochs", 1), ("folds", 2)):
            if getattr(self, name) < least:
                raise SpecError(f"{name} must be at least {least}, not {getattr(self, name)}.")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise SpecError(f"seed must be from 0 to {LARGEST_SEED}, not {self.seed}.")
        if not 0 < self.test_size < 1:
            raise SpecError(f"test_size must be between 0 and 1, not {self.test_size:g}.")
        if self.threads is not None and self.threads < 1:
            raise SpecError(f"threads must be at least 1, not {self.threads}.")


class Listener:
    """Hears what happens in a run, and does nothing; a face overrides what it shows."""

    def said(self, text: str) -> None:
        """A sentence for the user: a warning, or what was decided."""

    def prepared(self, task: Task) -> None:
        """The table is read, encoded, sealed and folded."""

    def started(self, lane_epochs: int, lanes: int, known: int) -> None:
        """Training begins: this much work, `known` lanes being in the journal already."""

    def progressed(self, lane_epochs: int) -> None:
        """So many more lane-epochs are done. May be called from any thread."""

    def finished(self) -> None:
        """All lanes are trained."""


@dataclass(frozen=True)
class Task:
    """A prepared table: encoded training rows, the sealed test rows, the folds."""

    table: str
    encoder: Encoder
    target: Target
    metric: str
    x: np.ndarray
    y: np.ndarray
    feed: Feed
    sealed: Sealed[tuple[np.ndarray, np.ndarray]]
    test_rows: int
    notes: tuple[str, ...]

    @property
    def loss(self) -> str:
        """The loss that a network for this target minimizes."""
        return "cross_entropy" if self.target.task == "classification" else "squared"


@dataclass(frozen=True)
class FitResult:
    """What a run found."""

    task: Task
    scores: list[Score]  # best first
    winner: Score
    model: FittedModel
    test: dict[str, float]
    test_interval: tuple[float, float]
    trivial: dict[str, float]
    opened: str
    lanes: int
    diverged: dict[str, tuple[int, int]]  # optimizer → diverged lanes, all lanes
    seconds: float
    notes: tuple[str, ...] = field(default=())


def fit(
    table: Table,
    options: Options,
    folder: Path | None = None,
    listener: Listener | None = None,
) -> FitResult:
    """From a table to a tested network.

    With a folder, finished chunks are kept there and taken from there, and the result is
    written to it. Raises CuestaError with one sentence that names the culprit.
    """
    began = time.perf_counter()
    listener = listener or Listener()
    use_compilation_cache()
    task = prepare(table, options)
    listener.prepared(task)
    journal = Journal(_chunks_folder(folder, table.name, task.target.names))
    for name in journal.damaged:
        listener.said(f"The chunk file {name} is damaged; its lanes are trained again.")
    search = Search(
        feed=task.feed,
        shape=lambda c: shape_of(c, task.encoder.width, task.target.outputs, task.loss),
        epochs=options.epochs,
        seed=options.seed,
        journal=journal,
        threads=options.threads or thread_count(),
    )
    scores = rank(search_candidates(search, task, options, listener))
    winner, layers, skipped = refit(search, scores)
    arrays = task.feed.arrays(task.feed.refit, winner.candidate.normalize)
    model = FittedModel(
        task.encoder, task.target, winner.candidate, arrays.inputs, arrays.targets, layers
    )
    result = _test(task, model, scores, winner, options, began, skipped)
    if folder is not None:
        write_run(folder, result, options)
    return result


def prepare(table: Table, options: Options) -> Task:
    """Read the target, seal the test rows, encode the training rows, make the folds."""
    frame, names, notes = _with_target(table, options)
    groups = None
    if options.groups is not None:
        groups = find_column(frame, options.groups, "The table").to_physical().to_numpy()
    target = fit_target(frame, names, options.task)
    metric = _metric(options.metric, target.task)
    y = encode_target(frame, target)
    classes = target.task == "classification"
    inputs = frame.drop([*names, *([options.groups] if options.groups else [])])
    train, test = split_test(
        y,
        classes=classes,
        share=options.test_size,
        protocol=options.protocol,
        groups=groups,
        seed=options.seed,
    )
    encoder = fit_encoder(inputs[train])
    x = encoder.encode(inputs[train])
    folds = make_folds(
        y[train],
        classes=classes,
        k=options.folds,
        protocol=options.protocol,
        groups=None if groups is None else groups[train],
        seed=options.seed,
    )
    if classes:
        notes += _rare_classes(y[train], target, options)
    sealed = Sealed(lambda: (encoder.encode(inputs[test]), y[test]))
    return Task(
        table.name,
        encoder,
        target,
        metric,
        x,
        y[train],
        Feed(x, y[train], folds),
        sealed,
        len(test),
        (*encoder.notes, *notes),
    )


def _with_target(table: Table, options: Options) -> tuple[pl.DataFrame, list[str], list[str]]:
    """The table without dropped columns and without rows that lack a target; targets; notes."""
    names = list(options.target or table.targets)
    if not names:
        columns = ", ".join(table.frame.columns[:12])
        raise SpecError(f"Which column is to be predicted? Give --target; there are: {columns}.")
    frame = table.frame
    for name in (*names, *options.drop):
        find_column(frame, name, "The table")
    others = [name for name in table.targets if name not in names]
    for name in options.drop:
        if name in names:
            raise SpecError(f"The column {name!r} cannot be both the target and dropped.")
    frame = frame.drop(options.drop, strict=False).drop(others, strict=False)
    frame = frame.with_columns([tidy(frame[name]) for name in names])
    known = frame.drop_nulls(names).filter(
        *[pl.col(n).is_not_nan() for n in names if frame[n].dtype.is_float()]
    )
    lost = frame.height - known.height
    if not known.height:
        raise TableError(f"The target {', '.join(names)!r} has no value in any row.")
    notes = [f"{lost:,} rows without a target are left out"] if lost else []
    return known, names, notes


def _metric(wanted: str, task: str) -> str:
    if wanted == "auto":
        return METRICS[task][0]
    if wanted not in METRICS[task]:
        fitting = " or ".join(METRICS[task])
        raise SpecError(f"The metric {wanted!r} does not suit {task}; take {fitting}.")
    return wanted


def _rare_classes(y: np.ndarray, target: Target, options: Options) -> list[str]:
    counts = np.bincount(y, minlength=len(target.labels))
    rare = [(label, n) for label, n in zip(target.labels, counts, strict=True) if n < options.folds]
    return [
        f"class {label!r} has {n} training rows for {options.folds} folds; some validate without it"
        for label, n in rare
    ]


def search_candidates(
    search: Search, task: Task, options: Options, listener: Listener
) -> list[Score]:
    """Train every candidate on every fold, and score it by its mean over the folds."""
    space = options.space or default_space(len(task.x))
    scores: list[Score] = []
    folds = len(task.feed.folds) - 1

    def evaluate(candidates: list[Candidate]) -> list[float]:
        search.train(candidates, listener.progressed)
        for candidate in candidates:
            units = _units(task, candidate.normalize)
            records = search.records(candidate)
            scores.append(score_candidate(candidate, len(scores), records, task.metric, units))
        return [score.loss for score in scores[-len(candidates) :]]

    started = False
    for wave in waves(space, options.sampler, options.candidates, options.seed, evaluate):
        if not started:
            total = len(wave) if options.sampler == "grid" else options.candidates
            known = len(search.lanes(wave)) - len(search.missing(search.lanes(wave)))
            work = (total * folds - known) * options.epochs
            listener.started(work, total * folds, known)
            started = True
        if options.sampler != "tpe":
            evaluate(wave)
    listener.finished()
    return scores


def _units(task: Task, normalize: str) -> np.ndarray:
    """(folds, targets): the scale of each fold's targets; empty for classes."""
    if task.feed.classes:
        return np.empty((task.feed.refit, 0))
    folds = range(task.feed.refit)
    scalings = [task.feed.target_scaling(fold, normalize) for fold in folds]
    return np.stack([scaling.scale for scaling in scalings])


def refit(search: Search, scores: list[Score]) -> tuple[Score, Layers, list[Score]]:
    """Train the winner on all training rows, for its number of epochs, in the same schedule.

    Should that diverge, the next candidate takes its place; those passed over are returned.
    """
    skipped: list[Score] = []
    for score in scores:
        if not math.isfinite(score.loss):
            break
        lane = Lane(score.candidate, search.feed.refit, search.seed)
        shape = search.shape(score.candidate)
        width = search.width(score.candidate)
        chunk = Chunk(shape, width, (lane,), score.epochs, search.epochs)
        result = train_chunk(chunk, search.feed)
        layers = result.layers[0]
        if not result.diverged_at[0] and all(np.isfinite(leaf).all() for p in layers for leaf in p):
            return score, tuple((layer.w, layer.b) for layer in layers), skipped
        skipped.append(score)
    raise CuestaError(
        f"All {len(scores)} candidates diverged; give the space lower learning rates, or clipping."
    )


def _test(
    task: Task,
    model: FittedModel,
    scores: list[Score],
    winner: Score,
    options: Options,
    began: float,
    skipped: list[Score],
) -> FitResult:
    """Open the test rows, once, and measure."""
    x, y = task.sealed.open()
    opened = datetime.now(UTC).isoformat(timespec="seconds")
    decided = model.decide(x)
    naive = metrics.trivial(task.y, len(y), task.target.outputs)
    classes = task.feed.classes
    measure = metrics.classification_metrics if classes else metrics.regression_metrics
    diverged: dict[str, tuple[int, int]] = {}
    for score in scores:
        name = score.candidate.optimizer
        bad, all_ = diverged.get(name, (0, 0))
        diverged[name] = (bad + sum(d > 0 for d in score.diverged), all_ + len(score.diverged))
    again = [f"candidate {s.index} diverged when refitted; the next one was taken" for s in skipped]
    return FitResult(
        task=task,
        scores=scores,
        winner=winner,
        model=model,
        test=measure(y, decided),
        test_interval=metrics.interval(task.metric, y, decided, options.seed),
        trivial=measure(y, naive),
        opened=opened,
        lanes=sum(len(score.diverged) for score in scores),
        diverged=diverged,
        seconds=time.perf_counter() - began,
        notes=(*task.notes, *again),
    )


# --- the run's folder -------------------------------------------------------------------------


def _chunks_folder(folder: Path | None, table: str, targets: tuple[str, ...]) -> Path | None:
    """Make the run's folder, and the one for its chunks, unless something else stands there."""
    if folder is None:
        return None
    mark = folder / "run.json"
    run = {"table": table, "target": list(targets)}
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(f"{str(folder)!r} is a file; a run needs a folder.")
    if mark.is_file():
        if (held := _read_mark(mark)) != run:
            raise RunFolderError(
                f"{str(folder)!r} holds a run on {held['table']!r} for the target "
                f"{', '.join(held['target'])!r}; give this one another folder (--out)."
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise RunFolderError(
            f"{str(folder)!r} is not empty and holds no run; give another (--out)."
        )
    try:
        (folder / "chunks").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"{str(folder)!r} cannot be made: {error.strerror}.") from error
    write_text(mark, json.dumps(run, indent=2) + "\n")
    return folder / "chunks"


def _read_mark(mark: Path) -> dict[str, Any]:
    try:
        held = json.loads(mark.read_text(encoding="utf-8"))
        return {"table": str(held["table"]), "target": [str(name) for name in held["target"]]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFolderError(f"{str(mark)!r} is damaged; give another folder (--out).") from error


def write_run(folder: Path, result: FitResult, options: Options) -> None:
    """Write model, candidates and, last, the result: where that stands, the run is whole."""
    result.model.save(folder / "model.safetensors")
    write_text(folder / "candidates.csv", candidates_table(result).write_csv())
    write_text(folder / "result.json", json.dumps(summary(result, options), indent=2) + "\n")


def candidates_table(result: FitResult) -> pl.DataFrame:
    """A row a candidate, best first: its scores fold by fold, and its hyper-parameters."""
    rows = []
    for place, score in enumerate(result.scores, start=1):
        folds = {f"fold_{i}": value for i, value in enumerate(score.folds)}
        steps = ";".join(str(step) for step in score.diverged) if any(score.diverged) else ""
        plain = score.candidate.to_dict()
        plain["hidden_layer_sizes"] = " ".join(map(str, score.candidate.hidden_layer_sizes))
        rows.append(
            {
                "rank": place,
                "candidate": score.index,
                "mean": score.mean,
                "se": score.se,
                "epochs": score.epochs,
                "diverged_at": steps,
                **folds,
                **plain,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def summary(result: FitResult, options: Options) -> dict[str, Any]:
    """The run's result in plain values: what result.json holds."""
    task, winner = result.task, result.winner
    return {
        "table": task.table,
        "task": task.target.task,
        "target": list(task.target.names),
        "rows": {"training": len(task.x), "test": task.test_rows},
        "metric": task.metric,
        "cv_mean": winner.mean,
        "cv_se": _finite(winner.se),
        "test": result.test[task.metric],
        "test_interval": list(result.test_interval),
        "test_metrics": {name: _finite(value) for name, value in result.test.items()},
        "trivial_metrics": {name: _finite(value) for name, value in result.trivial.items()},
        "test_opened": result.opened,
        "winner": winner.candidate.to_dict(),
        "epochs": winner.epochs,
        "candidates": len(result.scores),
        "folds": task.feed.refit,
        "protocol": options.protocol,
        "sampler": options.sampler,
        "seed": options.seed,
        "max_epochs": options.epochs,
        "lanes": result.lanes,
        "diverged": sum(bad for bad, _ in result.diverged.values()),
        "diverged_by_optimizer": {name: bad for name, (bad, _) in result.diverged.items()},
        "notes": list(result.notes),
        "seconds": round(result.seconds, 3),
        "versions": versions(),
    }


def _finite(value: float) -> float | None:
    """The value, or null: JSON knows neither NaN nor infinity."""
    return value if math.isfinite(value) else None


def versions() -> dict[str, str]:
    """The versions that a result depends on."""
    names = ("cuesta", "jax", "jaxlib", "numpy", "polars", "scikit-learn")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
