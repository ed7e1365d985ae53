"""Files of named arrays and texts (safetensors): the only place that writes and reads them.

A file's checksum stands in it. Two files of the same content are the same bytes, and nothing of a
file is read before its sizes are found possible.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cuesta._util.files import write_atomically
from cuesta._util.plain_json import parse_json, shown

TEXT, CHECKSUM = "cuesta", "sha256"  # the names of a file's text and of its checksum
ALIGNMENT = 8  # bytes: where the arrays begin
LARGE = 1 << 26  # bytes from which a file's holes are looked for
HOLLOW = 1000  # a file takes at least its size by this much on the disk

Arrays = Mapping[str, np.ndarray]


class DamagedFileError(ValueError):
    """A file is no whole file of arrays; the message says why, in a few words."""


def write_tensors(path: Path, arrays: Arrays, text: str, name: str = TEXT) -> None:
    """Write arrays and a text, by its name, atomically, with a checksum of both.

    Raises RunFolderError where the file cannot be written; an older one then still stands.
    """
    tensors = {key: np.ascontiguousarray(array) for key, array in arrays.items()}
    header, body = _content(tensors, {name: text, CHECKSUM: checksum(tensors, text)})

    def write(beside: Path) -> None:
        with beside.open("wb") as file:
            file.writelines((len(header).to_bytes(8, "little"), header, body))

    write_atomically(path, write)


def _content(tensors: Arrays, about: dict[str, str]) -> tuple[bytes, memoryview]:
    """A file's header and body; safetensors itself writes the header's keys in any order."""
    from safetensors.numpy import save

    raw = memoryview(save(dict(tensors), about))
    end = 8 + int.from_bytes(raw[:8], "little")
    written = json.loads(bytes(raw[8:end]))
    header = json.dumps(written, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return header + b" " * (-len(header) % ALIGNMENT), raw[end:]


def read_tensors(
    path: Path, expect: Callable[[Mapping[str, str]], int | None] = lambda about: None
) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """The texts of a file, by their names, and its arrays; the checksum is not looked at.

    `expect` is given the texts before any array is read, and says how many bytes the arrays may
    take, where it knows. Raises DamagedFileError, and whatever `expect` raises.
    """
    from safetensors import SafetensorError, safe_open

    try:
        _refuse_holes(path)
        file: Any = safe_open(path, framework="numpy")
        about = dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        raise DamagedFileError(_reason(error)) from error
    most = expect(about)
    if most is not None and path.stat().st_size > most:
        raise DamagedFileError(f"it is larger than what it describes: {path.stat().st_size:,} B")
    try:
        with file:
            return about, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        raise DamagedFileError(_reason(error)) from error


def _reason(error: Exception) -> str:
    told = error.strerror if isinstance(error, OSError) and error.strerror else error
    return shown(told).rstrip(".")


def _refuse_holes(path: Path) -> None:
    """Raise DamagedFileError for a large file of which almost nothing is on the disk."""
    about = path.stat()
    held = 512 * getattr(about, "st_blocks", 0)  # bytes; some systems do not say
    if about.st_size > LARGE and 0 < held < about.st_size / HOLLOW:
        raise DamagedFileError(f"{about.st_size:,} B, of which {held:,} are there")


def read_checked(
    path: Path, name: str = TEXT, *, with_checksum: bool = True
) -> tuple[Any, dict[str, np.ndarray]]:
    """The value of a file's text, in JSON, and its arrays, once the checksum fits.

    `with_checksum`: whether a file without one is damaged, too. Raises DamagedFileError.
    """
    about, arrays = read_tensors(path)
    if name not in about:
        raise DamagedFileError(f"it has no text named {name!r}")
    found = about.get(CHECKSUM)
    if found is None and with_checksum:
        raise DamagedFileError("it has no checksum")
    if found is not None and found != checksum(arrays, about[name]):
        raise DamagedFileError("its checksum does not fit")
    try:
        return parse_json(about[name]), arrays
    except ValueError as error:
        raise DamagedFileError(_reason(error)) from error


def checksum(tensors: Arrays, text: str) -> str:
    """SHA-256 of the text and of every array with its name, in hexadecimal."""
    sha = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        sha.update(name.encode())
        sha.update(np.ascontiguousarray(tensors[name]).data if tensors[name].size else b"")
    return sha.hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
