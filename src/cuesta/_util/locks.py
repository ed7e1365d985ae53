"""A lock on a folder, held by one process at a time; however that ends, the lock ends with it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK = ".lock"

_ours: set[Path] = set()  # the system's lock holds between processes, not between threads
_guard = threading.Lock()


class LockedError(Exception):
    """Somebody else holds the lock."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock. Raises LockedError at once where another does, or OSError.

    Where the file system knows no locks, this holds between the threads of a process alone.
    """
    folder = folder.resolve()
    with _guard:
        if folder in _ours:
            raise LockedError
        _ours.add(folder)
    try:
        handle = _held(folder / LOCK)
        try:
            yield
        finally:
            with suppress(OSError):  # an open file cannot be removed everywhere
                (folder / LOCK).unlink()
            os.close(handle)
    finally:
        with _guard:
            _ours.discard(folder)


def _held(path: Path) -> int:
    """A handle of the lock's file, locked."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(handle)
            if _is_at(handle, path):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its last holder has removed it in between


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise LockedError from error

else:
    import fcntl

    def _lock(handle: int) -> None:
        try:
            # Of all of the system's locks the one that children do not inherit.
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            raise LockedError from error
        except OSError:
            return  # a file system without locks
