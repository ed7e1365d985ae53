"""A model's file: arrays as safetensors, all else as one JSON description, and a checksum of both.

Reading one runs nothing that stands in it, and looks at all of it: whatever is wrong with a file
ends in a ModelFileError of one sentence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cuesta._util.files import write_atomically
from cuesta.errors import ModelFileError

FORMAT = 1  # of the description, and of each part of it that states a format of its own


def write_model_file(
    path: Path, arrays: Mapping[str, np.ndarray], description: Mapping[str, Any]
) -> None:
    """Write a file atomically. Raises RunFolderError where that is not possible."""
    from safetensors.numpy import save_file

    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    text = json.dumps({"format": FORMAT, **description}, sort_keys=True, ensure_ascii=False)
    about = {"cuesta": text, "sha256": checksum(tensors, text)}
    write_atomically(path, lambda beside: save_file(tensors, beside, about))


def read_model_file(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The description and the arrays of a file.

    Raises ModelFileError for a file that is missing, truncated, altered, of another program or of
    another format.
    """
    about, tensors = _read(path)
    if "cuesta" not in about:
        raise ModelFileError(f"{str(path)!r} holds no model of cuesta.")
    if about.get("sha256") != checksum(tensors, about["cuesta"]):
        raise ModelFileError(f"{str(path)!r} was altered: its checksum does not fit.")
    with wrong_description(path, "a model"):
        description = json.loads(about["cuesta"])
        check_format(description)
    return description, tensors


def _read(path: Path) -> tuple[Mapping[str, str], dict[str, np.ndarray]]:
    from safetensors import SafetensorError, safe_open

    try:
        if not path.is_file():
            raise ModelFileError(f"There is no model at {str(path)!r}.")
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (its API)
            return file.metadata() or {}, tensors
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"{str(path)!r} is no whole safetensors file: {error}.") from error


def checksum(tensors: Mapping[str, np.ndarray], text: str) -> str:
    """SHA-256 of the description and of every array with its name, in hexadecimal."""
    sha = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        sha.update(name.encode())
        sha.update(tensors[name].tobytes())
    return sha.hexdigest()


def check_format(description: Any) -> None:
    """Raise ValueError unless this is a table in the format that this version reads."""
    if not isinstance(description, dict):
        raise ValueError("it is no JSON object")
    if description["format"] != FORMAT:
        raise ValueError(f"format {description['format']!r}; this version reads {FORMAT}")


@contextmanager
def wrong_description(path: Path, what: str) -> Iterator[None]:
    """Turn any error that a wrong description leads to into a ModelFileError of one sentence."""
    try:
        yield
    except (
        ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError,
    ) as error:  # fmt: skip
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error).rstrip(".")
        raise ModelFileError(f"{str(path)!r} does not describe {what}: {reason}.") from error
