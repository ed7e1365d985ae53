"""The main job: table → encode → seal → folds → candidates → chunks → select → refit → test."""

from __future__ import annotations

import math
import time
from concurrent.futures import Executor
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import numpy as np

from cuesta import metrics
from cuesta.data.folds import REPEATS
from cuesta.data.table import Table
from cuesta.diagnose.checkup import Diagnosis, check_up, where_it_broke
from cuesta.errors import CuestaError
from cuesta.hyperparameters import Candidate, Shape, is_foreign, loss_of
from cuesta.model import FittedModel
from cuesta.search import halving
from cuesta.search.samplers import waves
from cuesta.search.select import Score, rank, score_candidate
from cuesta.search.space import default_space
from cuesta.tabular.prepare import Options, Task, prepare
from cuesta.tabular.result import FitResult, LostLane
from cuesta.tabular.run_folder import check_folder, earlier_openings, make_folder, write_run
from cuesta.training.batching import shape_of
from cuesta.training.journal import Journal
from cuesta.training.planner import this_machine
from cuesta.training.run import Run

MOST_WATCHED = 8  # lanes that diverged and are trained again to see where

Layers = tuple[tuple[np.ndarray, np.ndarray], ...]


class Listener:
    """Hears what happens in a run, and does nothing; a face overrides what it shows."""

    def said(self, text: str) -> None:
        """A sentence for the user: a warning, or what was decided."""

    def prepared(self, task: Task) -> None:
        """The table is read, encoded, sealed and folded."""

    def started(self, lane_epochs: int) -> None:
        """The search begins: this much work at most."""

    def found(self, lane_epochs: int) -> None:
        """So much of the work is in the journal already."""

    def progressed(self, lane_epochs: int) -> None:
        """So many more lane-epochs are done. May be called from any thread."""

    def finished(self) -> None:
        """All lanes are trained."""


def fit(
    table: Table,
    options: Options,
    folder: Path | None = None,
    listener: Listener | None = None,
    executor: Executor | None = None,
    test: Table | None = None,
) -> FitResult:
    """From a table to a tested network.

    Chunks train on threads of this machine, or on the executor. The test rows are a share of the
    table, or all of a table of their own. With a folder, finished chunks
    are kept there and taken from there, and the result is written to it. Raises CuestaError with
    one sentence that names the culprit.
    """
    began = time.perf_counter()
    listener = listener or Listener()
    names = options.target or table.targets
    if folder is not None:
        check_folder(folder, table, names)
    task = prepare(table, options, test)
    listener.prepared(task)
    journal = Journal(make_folder(folder, table, names) if folder else None)
    for name in journal.damaged:
        listener.said(f"The chunk file {name} is damaged; its lanes are trained again.")
    search = Run(
        feed=task.feed,
        shape=lambda c: _shape(c, task),
        epochs=options.epochs,
        seed=options.seed,
        journal=journal,
        machine=this_machine(options.threads),
        executor=executor,
    )
    scores = rank(search_candidates(search, task, options, listener))
    winner, layers, skipped = refit(search, scores)
    arrays = task.feed.arrays(task.feed.refit, winner.candidate.normalize)
    model = FittedModel(
        task.encoder, task.target, winner.candidate, arrays.inputs, arrays.targets, layers
    )
    earlier = earlier_openings(folder) if folder else []
    seen = under_watch(search, task, options, winner, scores)
    result = _test(task, model, scores, winner, options, began, skipped, earlier, seen)
    if folder is not None:
        write_run(folder, result, options)
    return result


def _shape(candidate: Candidate, task: Task) -> Shape:
    loss = loss_of(candidate, task.target.task)
    return shape_of(candidate, task.encoder.width, task.target.outputs, loss)


def search_candidates(search: Run, task: Task, options: Options, listener: Listener) -> list[Score]:
    """Train every candidate on every fold, and score it by its mean over the folds."""
    space = (options.space or default_space(len(task.x))).with_precision(options.precision)
    scores: list[Score] = []
    rounds = REPEATS if options.protocol == "repeated" else 1
    rungs = halving.rungs(options.epochs) if options.halving else [options.epochs]
    units_of = cache(partial(_units, task))  # the same for every candidate

    def scored(numbered: dict[int, Candidate], epochs: int) -> list[Score]:
        lanes = search.lanes(numbered.values())
        listener.found((len(lanes) - len(search.missing(lanes, epochs))) * epochs)
        search.train(numbered.values(), listener.progressed, epochs)
        return [
            score_candidate(
                candidate,
                index,
                [record.until(epochs) for record in search.records(candidate)],
                task.metric,
                units_of(candidate.normalize),
                rounds,
            )
            for index, candidate in numbered.items()
        ]

    def evaluate(candidates: list[Candidate]) -> list[float]:
        numbered = dict(enumerate(candidates, start=len(scores)))
        found: dict[int, Score] = {}
        for rung in rungs:
            alive = scored(numbered, rung)
            found |= {score.index: score for score in alive}
            numbered = {score.index: score.candidate for score in halving.survivors(alive)}
        scores.extend(found.values())
        return [score.loss for score in found.values()]

    for wave in waves(space, options.sampler, options.candidates, options.seed, evaluate):
        if not scores:
            count = options.candidates if options.sampler == "tpe" else len(wave)
            if count < options.candidates and options.sampler == "random":
                listener.said(f"the space holds no more than {count} different candidates")
            listener.started(halving.lane_epochs(count, rungs) * task.feed.refit)
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


def refit(search: Run, scores: list[Score]) -> tuple[Score, Layers, list[Score]]:
    """Train the winner on all training rows, for its number of epochs, in the same schedule.

    Should that diverge, the next candidate takes its place; those passed over are returned.
    """
    skipped: list[Score] = []
    for score in scores:
        if not math.isfinite(score.loss):
            break
        result = search.refit(score.candidate, score.epochs)
        layers = result.layers[0]
        if not result.diverged_at[0] and all(np.isfinite(leaf).all() for p in layers for leaf in p):
            return score, tuple((layer.w, layer.b) for layer in layers), skipped
        skipped.append(score)
    raise CuestaError(
        f"No candidate is left: all {len(scores)} diverged; give the space lower learning rates, "
        "or clipping."
    )


def under_watch(
    search: Run, task: Task, options: Options, winner: Score, scores: list[Score]
) -> tuple[Diagnosis | None, tuple[LostLane, ...]]:
    """The winner's last training once more under watch, and where lanes that diverged broke.

    The network that was fitted stays as it is; what is watched is its twin, to a rounding. Its
    validation is that of its lanes.
    """
    if options.instruments == "off":
        return None, _lost(search, scores, None)
    candidate = winner.candidate
    diagnosis = None
    if not is_foreign(candidate.optimizer):
        records = [record.until(winner.epochs) for record in search.records(candidate)]
        diagnosis = check_up(
            task.feed,
            task.feed.refit,
            candidate,
            search.shape(candidate),
            winner.epochs,
            search.seed,
            instruments=options.instruments,
            schedule_epochs=search.epochs,
            names=task.encoder.inputs,
            curves=np.mean([record.curves for record in records], axis=0),
        )
    return diagnosis, _lost(search, scores, MOST_WATCHED)


def _lost(search: Run, scores: list[Score], watched: int | None) -> tuple[LostLane, ...]:
    """Each lane that diverged; the first few are trained again to see which layer broke."""
    found = []
    for score in scores:
        lanes = zip(search.lanes([score.candidate]), search.records(score.candidate), strict=True)
        for lane, record in lanes:
            if not record.diverged_at:
                continue
            layer = 0
            if watched and not is_foreign(lane.candidate.optimizer):
                watched -= 1
                layer = where_it_broke(
                    search.feed, lane, search.shape(lane.candidate), search.epochs
                )
            found.append(
                LostLane(
                    score.index,
                    lane.candidate.optimizer,
                    lane.candidate.learning_rate,
                    lane.fold,
                    record.diverged_at,
                    layer,
                    record.norm,
                )
            )
    return tuple(found)


def _test(
    task: Task,
    model: FittedModel,
    scores: list[Score],
    winner: Score,
    options: Options,
    began: float,
    skipped: list[Score],
    earlier: list[str],
    seen: tuple[Diagnosis | None, tuple[LostLane, ...]],
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
        openings=(*earlier, opened),
        lanes=sum(len(score.diverged) for score in scores),
        diverged=diverged,
        seconds=time.perf_counter() - began,
        notes=(*task.notes, *again),
        diagnosis=seen[0],
        lost=seen[1],
    )
