"""Writes a file completely or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cuesta.errors import RunFolderError


def write_atomically(path: Path, write: Callable[[Path], object], permissions: int = 0o666) -> None:
    """Have `write` fill a file beside the path, then move it there in one step.

    `permissions` are what the user's mask leaves of them. Raises RunFolderError where the folder
    cannot be written; the old file then still stands.
    """
    path = path.resolve()  # a link stays a link
    if path.exists() and not path.is_file():
        _write_through(path, write)  # a pipe or a device: there is nothing to replace
        return
    beside = _beside(path)
    try:
        write(beside)
        beside.chmod(permissions & ~_umask())
        beside.replace(path)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        with suppress(OSError):  # of a folder that is gone, or may be read alone
            beside.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Raise RunFolderError where a file could not be written at the end of long work."""
    path = path.resolve()
    if path.is_dir():
        raise RunFolderError(f"{str(path)!r} cannot be written: it is a folder.")
    if not path.exists() or path.is_file():
        _beside(path).unlink()


def _beside(path: Path) -> Path:
    """A new, empty file in the same folder."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise _refused(path, error) from error
    return Path(name)


def _write_through(path: Path, write: Callable[[Path], object]) -> None:
    try:
        write(path)
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: OSError) -> RunFolderError:
    return RunFolderError(f"{str(path)!r} cannot be written: {error.strerror or error}.")


def _umask() -> int:
    mask = os.umask(0o077)  # it can only be read by setting it
    os.umask(mask)
    return mask


def write_text(path: Path, text: str) -> None:
    """Write text atomically, as UTF-8. Raises RunFolderError."""
    write_atomically(path, lambda beside: beside.write_text(text, encoding="utf-8"))
