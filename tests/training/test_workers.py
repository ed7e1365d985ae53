"""Executors that cannot train, or lose their workers: an error of one sentence, never a hang."""

import os
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

import numpy as np
import pytest

from cuesta.errors import WorkersError
from cuesta.hyperparameters import Candidate
from cuesta.training import workers
from cuesta.training.batching import Batching
from cuesta.training.fits import Fit, Recipe, Rows, fit_many
from cuesta.training.planner import this_machine

CANDIDATE = Candidate(hidden_layer_sizes=(4,), batch_size=16)


def fit_three(executor):
    """Three fits of different sizes: three chunks."""
    rng = np.random.default_rng(0)
    rows = Rows(rng.standard_normal((40, 2)), np.arange(40) % 2, None)
    fits = [
        Fit(Recipe(CANDIDATE, "cross_entropy", 2, epochs, 0), rows.feed([]), 0)
        for epochs in (1, 2, 3)
    ]
    found = {}
    batching = Batching(this_machine(1))
    fit_many(
        fits, batching, lambda n: None, lambda place, one: found.update({place: one}), executor
    )
    return found


class Executor:
    """Trains one chunk at once, and loses its workers then."""

    def __init__(self, loss):
        self.loss, self.done = loss, 0

    def submit(self, task, *arguments):
        future = Future()
        self.done += 1
        if self.done == 1:
            future.set_result(task(*arguments))
        elif isinstance(self.loss, CancelledError):
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_exception(self.loss)
        return future


KilledWorker = type("KilledWorker", (Exception,), {})  # as Dask's own is called


@pytest.mark.parametrize(
    "loss", [CancelledError(), BrokenProcessPool("A process. More."), KilledWorker("died 4 times")]
)
def test_lost_workers_are_told_in_a_sentence_with_what_was_trained(loss):
    with pytest.raises(WorkersError, match=r"lost its workers.*1 of 3 chunks.*fit again") as error:
        fit_three(Executor(loss))
    assert "\n" not in str(error.value)
    assert str(error.value).count(". ") == 0


def test_an_error_of_a_worker_itself_is_passed_on():
    with pytest.raises(ZeroDivisionError):
        fit_three(Executor(ZeroDivisionError("mine")))


def test_an_executor_that_is_shut_down_is_told():
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(WorkersError, match="after shutdown"):
        fit_three(pool)


def test_processes_that_are_forked_are_refused_before_anything_is_trained():
    with (
        ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool,
        pytest.raises(WorkersError, match=r"spawn.*executor"),
    ):
        fit_three(pool)


def test_a_worker_process_that_dies_ends_in_a_sentence():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(os._exit, 1)
        with pytest.raises(WorkersError, match="terminated abruptly"):
            fit_three(pool)


@pytest.mark.parametrize("kind", ["spawn", "forkserver"])
def test_processes_that_are_started_anew_may_train(kind):
    workers.check_executor(ProcessPoolExecutor(1, mp_context=get_context(kind)))


def test_a_run_that_lost_its_workers_goes_on_from_what_they_trained(tmp_path):
    from tests.training.test_run import CANDIDATES, class_feed, quiet, search

    first = search(class_feed(), tmp_path)
    first.executor = Executor(BrokenProcessPool("gone"))
    with pytest.raises(WorkersError, match=r"1 of .* chunks were trained before; they are kept"):
        first.train(CANDIDATES, quiet)
    again = search(class_feed(), tmp_path)
    assert 0 < len(again.missing(again.lanes(CANDIDATES), again.epochs)) < 5 * len(CANDIDATES)
    again.train(CANDIDATES, quiet)
    assert not again.missing(again.lanes(CANDIDATES), again.epochs)
