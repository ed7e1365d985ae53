"""From a prepared table to its models: candidates, their choice, the committee; no test row."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, field

from cuesta.hyperparameters import Candidate, Shape, loss_of
from cuesta.search.length import base_epochs
from cuesta.tabular.candidates import score_candidates
from cuesta.tabular.delivery import Delivery, deliver
from cuesta.tabular.listener import Listener
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import Task
from cuesta.tabular.promise import Promises
from cuesta.tabular.selection import Selection, select
from cuesta.training.batching import shape_of
from cuesta.training.journal import Journal
from cuesta.training.networks import NetworkStore
from cuesta.training.planner import this_machine
from cuesta.training.run import Run


@dataclass(frozen=True)
class Means:
    """What a run trains with and keeps its work in, whichever rows it trains on."""

    executor: Executor | None = None
    journal: Journal = field(default_factory=Journal)
    store: NetworkStore = field(default_factory=NetworkStore)

    def run(self, task: Task, options: Options) -> Run:
        """The lanes of a prepared table."""

        def shape(candidate: Candidate) -> Shape:
            loss = loss_of(candidate, task.target.task)
            return shape_of(
                candidate, task.encoder.width, task.target.outputs, loss, task.feed.layout
            )

        return Run(
            feed=task.feed,
            shape=shape,
            epochs=_epochs(task, options),
            seed=options.seed,
            journal=self.journal,
            machine=this_machine(options.threads),
            executor=self.executor,
            store=self.store,
        )


def _epochs(task: Task, options: Options) -> int:
    """Those of candidates without a number of their own."""
    if isinstance(options.epochs, int):
        return options.epochs
    return base_epochs(len(task.feed.folds[0].train), Candidate.batch_size)


def find(run: Run, task: Task, options: Options, listener: Listener) -> tuple[Selection, Delivery]:
    """Score the candidates, choose among them, and make the models. Raises CuestaError."""
    scores = score_candidates(run, task, options, listener)
    selection = select(run, task, options, scores, listener)
    listener.finished()
    promises = Promises(run, task, scores, options.seed)
    return selection, deliver(task, options, selection, promises)
