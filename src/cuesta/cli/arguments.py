"""Turns the texts of a command line into Python values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from cuesta.errors import SpecError

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
