"""Trains the lanes of bench/portfolio.py and keeps what they predict, a file for each lane."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

import cuesta
from cuesta._util.files import write_atomically
from cuesta._util.locks import LockedError, locked
from cuesta.data.table import read_table
from cuesta.hyperparameters import PARAMETERS, Candidate
from cuesta.metrics import LEAST
from cuesta.tabular.find import Means
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import Task, prepare
from cuesta.tabular.selection import _network
from cuesta.training.batching import Batching
from cuesta.training.checkpoints import checkpoints
from cuesta.training.lanes import Chunk, Lane, compile_chunk, lane_states, train_spans
from cuesta.training.planner import this_machine
from cuesta.training.run import Ended
from portfolio_entries import Entry, TableSize

FORMAT = 1  # of the files
SOURCES = ("core", "data", "training", "model")  # of what a lane's result depends on


@dataclass(frozen=True)
class Settings:
    """How all entries are judged: what is not told by an entry itself."""

    cache: Path
    epochs: int = 100
    folds: int = 5
    parts: int = 5  # of the folds, how many are trained
    seed: int = 0


@dataclass(frozen=True)
class TrainingTable:
    """The training file of a table of a suite; its test file is never opened."""

    path: Path
    name: str
    target: str
    size: TableSize

    @cached_property
    def digest(self) -> str:
        """A hash of the file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()[:12]

    @property
    def classes(self) -> bool:
        """Whether classes are predicted, and log-loss is the metric; else RMSE."""
        return self.size.task == "classification"

    def folder(self, fold: int, settings: Settings) -> Path:
        """Where the files of a fold's lanes lie."""
        split = f"{settings.folds}-{settings.seed}"
        return settings.cache / f"{self.name}-{self.digest}" / split / str(fold)

    def file(self, entry: Entry, fold: int, settings: Settings) -> Path:
        """The file of an entry's lane."""
        key = lane_key(entry.on(self.size, settings.epochs, settings.folds))
        return self.folder(fold, settings) / f"{key}.npz"


def training_tables(suite: Path, names: str | None) -> list[TrainingTable]:
    """A suite's tables, or those named, smallest first. Raises ValueError for an unknown name."""
    about = json.loads((suite / "suite.json").read_text(encoding="utf-8"))
    wanted = names.split(",") if names else list(about)
    if unknown := set(wanted) - set(about):
        raise ValueError(f"the suite has no {', '.join(sorted(unknown))}")
    found = [_training_table(suite / name, about[name]) for name in about if name in wanted]
    return sorted(found, key=lambda table: table.size.rows)


def _training_table(folder: Path, about: dict[str, Any]) -> TrainingTable:
    size = TableSize(about["train_rows"], about["columns"], about["task"])
    return TrainingTable(folder / "train.csv", folder.name, about["target"], size)


def lane_key(candidate: Candidate) -> str:
    """A hash of all that an entry says: defaults left out, so that new ones change no key."""
    plain = Candidate()
    values = {name: getattr(candidate, name) for name in PARAMETERS}
    changed = {n: v for n, v in values.items() if v != getattr(plain, n)}
    about = {"format": FORMAT, "checkpoints": checkpoints(100, 100), "candidate": changed}
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:24]


def sources() -> str:
    """A hash of the package's code by which lanes train."""
    root = Path(cuesta.__file__).parent
    sha = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*.py")):
            sha.update(path.read_bytes())
    return sha.hexdigest()[:12]


@dataclass
class Trainer:
    """Trains what is missing, with workers that take one fold of one table at a time.

    Other processes may do the same with the same cache: a fold that one is at, the others pass by.
    """

    tables: Sequence[TrainingTable]
    entries: Sequence[Entry]
    settings: Settings
    threads: int
    seconds: float
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.seconds
        self._lock = Lock()
        self._tasks: dict[str, Task] = {}
        self._sources = sources()

    def train(self) -> None:
        """Train all that is missing, as far as the time allows.

        First one fold of all tables, then the next, so that comparisons can be made early.
        """
        parts = range(self.settings.parts)
        units = [(table, fold) for fold in parts for table in self.tables]
        for _ in range(2):  # once more for what others were at
            todo = iter(units)
            with ThreadPoolExecutor(self.threads) as pool:
                for future in [pool.submit(self._work, todo) for _ in range(self.threads)]:
                    future.result()

    def _work(self, todo: Iterator[tuple[TrainingTable, int]]) -> None:
        while self._in_time():
            with self._lock:
                unit = next(todo, None)
            if unit is None:
                return
            with suppress(LockedError):
                self._train_fold(*unit)

    def _in_time(self) -> bool:
        return time.monotonic() < self._until

    def _train_fold(self, table: TrainingTable, fold: int) -> None:
        """Train the fold's missing lanes, chunk by chunk."""
        if not self._missing(table, fold):
            return
        folder = table.folder(fold, self.settings)
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            missing = self._missing(table, fold)
            if not missing:
                return
            task, options = self._task(table)
            run = Means().run(task, options)
            batching = Batching(this_machine(self.threads))
            lanes = [Lane(candidate, fold, self.settings.seed) for candidate in missing]
            for chunk in batching.chunks(lanes, run.shape, lambda c: c.epochs or 0):
                if not self._in_time():
                    return
                with self._told(table, chunk.lanes):
                    self._train_chunk(table, task, chunk)

    @contextmanager
    def _told(self, table: TrainingTable, lanes: Sequence[Lane]) -> Iterator[None]:
        """Say what failed, and go on with the others: such lanes are missing in the end."""
        try:
            yield
        except Exception as error:
            self.say(f"FAILED {table.name}, {len(lanes)} lanes: {type(error).__name__}: {error}")

    def _missing(self, table: TrainingTable, fold: int) -> list[Candidate]:
        """The candidates without a file, each once."""
        settings = self.settings
        found: dict[str, Candidate] = {}
        for entry in self.entries:
            candidate = entry.on(table.size, settings.epochs, settings.folds)
            if not table.file(entry, fold, settings).exists():
                found[lane_key(candidate)] = candidate
        return list(found.values())

    def _task(self, table: TrainingTable) -> tuple[Task, Options]:
        """The prepared table: all of the file's rows train and validate."""
        options = Options(
            target=(table.target,),
            task=table.size.task,
            folds=self.settings.folds,
            test_size=0.0,
            seed=self.settings.seed,
            threads=self.threads,
        )
        with self._lock:
            if table.name not in self._tasks:
                self._tasks[table.name] = prepare(read_table(str(table.path)), options)
        return self._tasks[table.name], options

    def _train_chunk(self, table: TrainingTable, task: Task, chunk: Chunk) -> None:
        """Train a chunk, and write a file for each of its lanes."""
        epochs = tuple(checkpoints(chunk.epochs, chunk.epochs))
        chunk = dataclasses.replace(chunk, stops=epochs)
        compile_chunk(chunk, task.feed)
        fold = chunk.lanes[0].fold
        clock = time.process_time if self.threads == 1 else time.perf_counter
        seconds, ended, pieces = 0.0, 0, []
        outcomes: list[list[np.ndarray]] = [[] for _ in chunk.lanes]
        spans = train_spans(chunk, task.feed)
        began = clock()
        for state, curves, _ in spans:
            seconds += clock() - began
            pieces.append(curves)
            ended += curves.shape[1]
            if ended in epochs:
                for place, each in enumerate(lane_states(state, len(chunk.lanes))):
                    ending = Ended(chunk.lanes[place], ended)
                    layers = [] if each.outcome.diverged_at else each.chosen
                    outcomes[place].append(outcome(task, ending, layers))
            began = clock()
        whole = np.concatenate(pieces, axis=1)
        for place, lane in enumerate(chunk.lanes):
            self._keep(
                table.folder(fold, self.settings) / f"{lane_key(lane.candidate)}.npz",
                outcomes=np.stack(outcomes[place]).astype(np.float32),
                epochs=np.array(epochs),
                curves=whole[place],
                seconds=np.array(seconds / len(chunk.lanes)),
                shared=np.array(len(chunk.lanes)),
                sources=np.array(self._sources),
            )
        told = f"{table.name}, fold {fold + 1}: {len(chunk.lanes)} of {chunk.epochs} epochs"
        self.say(f"{told}, {seconds:.1f} s")

    def _keep(self, path: Path, **arrays: Any) -> None:
        def write(beside: Path) -> None:
            with beside.open("wb") as file:
                np.savez(file, **arrays)

        write_atomically(path, write)


def outcome(task: Task, ended: Ended, layers: list[Any]) -> np.ndarray:
    """Of each validation row the share of its class, or the errors of its values (rows, targets).

    NaN where the lane diverged. A row without any value gets what `FittedModel.decide` gives it.
    """
    rows = task.feed.folds[ended.lane.fold].validation
    y = task.y[rows]
    if not layers:
        return np.full(y.shape, np.nan)
    decided = _network(task, ended, layers).decide(task.x[rows], task.target.task)
    if task.target.base:
        decided[task.without_value(rows)] = task.target.base
    if y.ndim == 1:
        return np.maximum(decided[np.arange(len(y)), y], LEAST)
    return decided - y
