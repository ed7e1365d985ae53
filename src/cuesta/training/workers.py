"""Trains chunks on threads or on an executor, a limited number at a time."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from itertools import islice

from cuesta.errors import WorkersError
from cuesta.training.feed import Feed
from cuesta.training.lanes import Chunk, ChunkResult, compile_chunk, train_chunk
from cuesta.training.planner import Machine

Progress = Callable[[int], None]
Work = tuple[Chunk, Feed]
Keep = Callable[[Chunk, Feed, ChunkResult], None]
AHEAD = 2  # chunks handed to an executor for each of its workers: what is in flight is bounded
REMOTE_WORKERS = 64  # where an executor does not say how many it has
LOST = (CancelledError, BrokenExecutor)  # how an executor tells that a chunk will never end
LOST_IN_DASK = ("KilledWorker", "CommClosedError")  # and Dask, of whose types none is imported
LONGEST_WAIT = 10.0  # seconds for chunks that others still train, once workers were lost


def train_chunks(
    work: Iterable[Work],
    machine: Machine,
    executor: Executor | None,
    progress: Progress,
    keep: Keep,
    if_lost: str,
) -> None:
    """Train chunks on threads of our own, or on any executor that is given; `keep` each result.

    `progress` is told of lane-epochs. On an interrupt the chunks at hand stop at their next span
    of epochs, and what is finished is kept. Raises WorkersError for an executor whose processes
    cannot train, that is shut down, or whose workers are lost on the way: the sentence ends in
    `if_lost`, what is to be done then.
    """
    check_executor(executor)
    work = list(work)
    trained: list[Work] = []
    with _losses_told(trained, work, if_lost):
        _train(work, machine, executor, progress, keep, trained)


def _train(
    work: list[Work],
    machine: Machine,
    executor: Executor | None,
    progress: Progress,
    keep: Keep,
    trained: list[Work],
) -> None:
    """Train the work, and tell `trained` of each chunk that is kept."""
    pool = executor or ThreadPoolExecutor(machine.threads, "chunk")
    far = is_far(executor)
    stop = threading.Event()
    compiling: list[Future[None]] = []
    running: dict[Future[ChunkResult], Work] = {}

    def take(future: Future[ChunkResult], one: Work) -> None:
        keep(*one, future.result())
        trained.append(one)
        if far:
            progress(one[0].epochs * len(one[0].lanes))

    try:
        if not far:
            # First the programs, in parallel; whichever thread is free then begins to train.
            first = {(c.shape, c.width, f.sizes, f.weighted): (c, f) for c, f in reversed(work)}
            compiling += [_submit(pool, compile_chunk, c, f) for c, f in first.values()]
        told = () if far else (progress, stop)
        begun = ((_submit(pool, train_chunk, *one, *told), one) for one in work)
        places = AHEAD * getattr(pool, "_max_workers", REMOTE_WORKERS)
        running.update(islice(begun, places))
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=_failed):  # first what can be kept
                take(future, running.pop(future))
            running.update(islice(begun, places - len(running)))
        for program in compiling:
            program.result()
    finally:
        stop.set()
        ending = {f: one for f, one in running.items() if not f.cancel()}
        if executor is None:
            pool.shutdown(wait=True, cancel_futures=True)
        # What is lost may never end.
        longest = LONGEST_WAIT if _is_loss(sys.exception()) else None
        for future in wait(ending, longest).done:
            if not _failed(future):
                take(future, ending[future])


@contextmanager
def _losses_told(trained: Sized, work: Sized, if_lost: str) -> Iterator[None]:
    """Say in one sentence that workers were lost."""
    try:
        yield
    except Exception as error:
        if not _is_loss(error):
            raise
        raise WorkersError(
            f"The executor lost its workers, or was shut down ({_in_words(error)}); "
            f"{len(trained)} of {len(work)} chunks were trained before; {if_lost}."
        ) from error


def is_far(executor: Executor | None) -> bool:
    """Whether chunks train in other processes: they tell nothing until they end."""
    return not (executor is None or isinstance(executor, ThreadPoolExecutor))


def check_executor(executor: Executor | None) -> None:
    """Raise WorkersError for a pool of processes that are copies of this one (`fork`).

    A fork copies one thread alone, and JAX has several, so that a copy may wait for ever for the
    others. When a pool's processes were started, before JAX or after, cannot be known; so none
    that forks is taken.
    """
    context = getattr(executor, "_mp_context", None) or getattr(executor, "_context", None)
    how = getattr(context, "get_start_method", lambda: "")()
    if how == "fork":
        raise WorkersError(
            "The executor's processes are started by fork, and JAX would wait in them for ever; "
            "give ProcessPoolExecutor(mp_context=multiprocessing.get_context('spawn')).",
            parameter="executor",
        )


def _submit(pool: Executor, task: Callable[..., object], *arguments: object) -> Future:  # type: ignore[type-arg]
    """The task's future. Raises WorkersError where the executor takes no more."""
    try:
        return pool.submit(task, *arguments)
    except RuntimeError as error:  # shut down; a broken pool's error is one too
        raise BrokenExecutor(str(error)) from error


def _failed(future: Future[ChunkResult]) -> bool:
    return future.cancelled() or future.exception() is not None


def _is_loss(error: BaseException | None) -> bool:
    """Whether this says that workers are gone, rather than that one of them failed."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return isinstance(error, LOST) or bool(kinds.intersection(LOST_IN_DASK))


def _in_words(error: Exception) -> str:
    """The first sentence of the executor's own error, or the error's name."""
    text = " ".join(str(error).split()).partition(". ")[0].rstrip(".")
    return text or type(error).__name__
