"""Turns the texts of a command line into Python values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from cuesta.errors import SpecError

PAGES, PICTURES = (".html", ".htm"), (".png",)

Settings = TypeVar("Settings")


def make_settings(kind: type[Settings], arguments: Mapping[str, Any], **others: Any) -> Settings:
    """A settings dataclass from a command's arguments (its `locals()`), matched by name.

    Arguments that are no fields are passed over; `others` replace an argument or add a field.
    """
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: arguments[name] for name in names & arguments.keys()} | others)


def split_names(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def split_numbers(parameter: str, text: str | None) -> list[float] | None:
    """Numbers with commas between. Raises SpecError."""
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise SpecError(f"{parameter} must be numbers with commas between, not {text!r}.") from None


def pair_of_numbers(parameter: str, text: str | None) -> tuple[float, float] | None:
    """Two numbers with a comma between. Raises SpecError."""
    found = split_numbers(parameter, text)
    if found is None:
        return None
    if len(found) != 2:
        raise SpecError(f"{parameter} must be two numbers with a comma between, not {text!r}.")
    return found[0], found[1]


def number_or_word(parameter: str, text: str | None) -> float | str | None:
    """A number, where the text is one, or the word auto. Raises SpecError."""
    if text in (None, "auto"):
        return text
    try:
        return float(str(text))
    except ValueError:
        raise SpecError(f"{parameter} must be a number or auto, not {text!r}.") from None


def count_or_auto(parameter: str, text: str) -> int | str:
    """A whole number, where the text is one, or the word auto. Raises SpecError."""
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise SpecError(f"{parameter} must be a whole number or auto, not {text!r}.") from None


def check_output(parameter: str, path: Path, endings: tuple[str, ...]) -> None:
    """Raise SpecError or RunFolderError, before long work, where its result could not be written.

    A name without an ending is taken as it is.
    """
    from cuesta._util.files import check_writable

    if path.suffix and path.suffix.lower() not in endings:
        raise SpecError(
            f"{str(path)!r} would be no {path.suffix} file; its name must end with {endings[0]}.",
            parameter=parameter,
        )
    check_writable(path)
