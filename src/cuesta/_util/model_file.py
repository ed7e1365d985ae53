"""A model's file: arrays as safetensors, all else as one JSON description, and a checksum of both.

Reading one runs nothing that stands in it, and looks at all of it: whatever is wrong with a file
ends in a ModelFileError of one sentence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cuesta._util.plain_json import parse_json, shown
from cuesta._util.tensors import (
    CHECKSUM,
    TEXT,
    DamagedFileError,
    checksum,
    read_tensors,
    write_tensors,
)
from cuesta.errors import ModelFileError

FORMAT = 1  # of the description, and of each part of it that states a format of its own
FORMATS = (FORMAT, 2)  # of a description that this version reads
SPARE_BYTES = 1 << 24  # of a file beside its numbers: its description
SPARE_FACTOR = 32  # a file may hold more numbers than prediction needs, but not any number of them
BYTES_A_NUMBER = 8


def write_model_file(
    path: Path, arrays: Mapping[str, np.ndarray], description: Mapping[str, Any]
) -> None:
    """Write a file atomically, of format 1 unless the description names another.

    Raises RunFolderError where that is not possible.
    """
    text = json.dumps({"format": FORMAT, **description}, sort_keys=True, ensure_ascii=False)
    write_tensors(path, arrays, text)


def read_model_file(
    path: Path, needed: Callable[[dict[str, Any]], int] | None = None
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The description and the arrays of a file.

    `needed` counts the numbers that a description asks for: a file that is far larger is refused
    before its arrays are read. Raises ModelFileError for a file that is missing, truncated,
    altered, of another program or of another format.
    """
    description: dict[str, Any] = {}

    def expect(about: Mapping[str, str]) -> int | None:
        if TEXT not in about:
            raise ModelFileError(f"{str(path)!r} holds no model of cuesta.")
        with wrong_description(path, "a model"):
            description.update(_described(about[TEXT]))
            if needed is None:
                return None
            return SPARE_BYTES + SPARE_FACTOR * BYTES_A_NUMBER * needed(description)

    try:
        if not path.is_file():
            raise ModelFileError(f"There is no model at {str(path)!r}.")
        about, tensors = read_tensors(path, expect)
    except DamagedFileError as error:
        raise ModelFileError(f"{str(path)!r} is no whole safetensors file: {error}.") from error
    except OSError as error:
        raise ModelFileError(f"{str(path)!r} cannot be read: {error.strerror}.") from error
    if about.get(CHECKSUM) != checksum(tensors, about[TEXT]):
        raise ModelFileError(f"{str(path)!r} was altered: its checksum does not fit.")
    return description, tensors


def _described(text: str) -> dict[str, Any]:
    description = parse_json(text)
    check_format(description, FORMATS)
    return description


def check_format(description: Any, formats: tuple[int, ...] = (FORMAT,)) -> None:
    """Raise ValueError unless this is a table in a format that this version reads."""
    if not isinstance(description, dict):
        raise ValueError("it is no JSON object")
    if description["format"] not in formats:
        read = " and ".join(map(str, formats))
        raise ValueError(f"format {shown(description['format'], 20)}; this version reads {read}")


@contextmanager
def wrong_description(path: Path, what: str) -> Iterator[None]:
    """Turn any error that a wrong description leads to into a ModelFileError of one sentence."""
    try:
        yield
    except (
        ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError,
    ) as error:  # fmt: skip
        told = f"{error} is missing" if isinstance(error, KeyError) else error
        reason = shown(told).rstrip(".")
        raise ModelFileError(f"{str(path)!r} does not describe {what}: {reason}.") from error
