"""Trains chunks on threads or on an executor, a limited number at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from itertools import islice

from cuesta.training.feed import Feed
from cuesta.training.lanes import Chunk, ChunkResult, compile_chunk, train_chunk
from cuesta.training.planner import Machine

Progress = Callable[[int], None]
Work = tuple[Chunk, Feed]
Keep = Callable[[Chunk, Feed, ChunkResult], None]
AHEAD = 2  # chunks handed to an executor for each of its workers: what is in flight is bounded
REMOTE_WORKERS = 64  # where an executor does not say how many it has


def train_chunks(
    work: Iterable[Work],
    machine: Machine,
    executor: Executor | None,
    progress: Progress,
    keep: Keep,
) -> None:
    """Train chunks on threads of our own, or on any executor that is given; `keep` each result.

    `progress` is told of lane-epochs. On an interrupt the chunks at hand stop at their next span
    of epochs, and what is finished is kept.
    """
    pool = executor or ThreadPoolExecutor(machine.threads, "chunk")
    # Other processes tell nothing until they end, and compile for themselves.
    far = not isinstance(pool, ThreadPoolExecutor)
    work = list(work)
    stop = threading.Event()
    compiling: list[Future[None]] = []
    running: dict[Future[ChunkResult], Work] = {}

    def take(future: Future[ChunkResult], one: Work) -> None:
        keep(*one, future.result())
        if far:
            progress(one[0].epochs * len(one[0].lanes))

    try:
        if not far:
            # First the programs, in parallel; whichever thread is free then begins to train.
            first = {(c.shape, c.width, f.sizes, f.weighted): (c, f) for c, f in reversed(work)}
            compiling += [pool.submit(compile_chunk, c, f) for c, f in first.values()]
        told = () if far else (progress, stop)
        begun = ((pool.submit(train_chunk, *one, *told), one) for one in work)
        places = AHEAD * getattr(pool, "_max_workers", REMOTE_WORKERS)
        running.update(islice(begun, places))
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                take(future, running.pop(future))
            running.update(islice(begun, places - len(running)))
        for program in compiling:
            program.result()
    finally:
        stop.set()
        ending = {f: one for f, one in running.items() if not f.cancel()}
        if executor is None:
            pool.shutdown(wait=True, cancel_futures=True)
        wait(ending)
        for future, one in ending.items():
            if future.exception() is None:
                take(future, one)
