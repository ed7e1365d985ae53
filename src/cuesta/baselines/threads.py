"""Small fits run in one thread."""

from __future__ import annotations

from contextlib import AbstractContextManager


def one_thread() -> AbstractContextManager[object]:
    """Hold OpenMP and the matrix library to one thread.

    So sums are taken in one order on every machine, and threads that wait for each other do not
    take the cores from the networks: beside other work two threads were thirty times slower.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1)
