"""Checks of values that a user gives: each raises SpecError with one sentence."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import Any

from cuesta.errors import SpecError

LARGEST_FLOAT32 = 3.4e38
LARGEST_SEED = 2**32 - 1  # what scikit-learn's splitters take


def check_choice(name: str, value: object, choices: Iterable[str]) -> None:
    """Raise SpecError, offering the nearest name, unless the value is one of the choices."""
    choices = tuple(choices)
    if value in choices:
        return
    near = difflib.get_close_matches(str(value), choices, n=1)
    hint = f"; did you mean {near[0]!r}? Choose from" if near else "; choose from"
    raise SpecError(f"{name} {value!r} is unknown{hint}: {', '.join(choices)}.")


def check_count(name: str, value: object, largest: int, *, least: int = 1) -> int:
    """The value. Raises SpecError unless it is a whole number from the least to the largest."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= largest:
        raise SpecError(
            f"{name} must be a whole number from {least} to {largest:,}, not {value!r}."
        )
    return value


def check_flag(name: str, value: object) -> None:
    """Raise SpecError unless the value is True or False."""
    if not isinstance(value, bool):
        raise SpecError(f"{name} must be true or false, not {value!r}.")


def check_seed(value: int) -> None:
    """Raise SpecError unless the value can seed NumPy, JAX and scikit-learn alike."""
    if not 0 <= value <= LARGEST_SEED:
        raise SpecError(f"seed must be from 0 to {LARGEST_SEED}, not {value!r}.")


def check_range(
    name: str,
    value: Any,
    low: float,
    high: float,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> None:
    """Raise SpecError unless the value is a finite number in [low, high], without open ends."""
    inside = _is_finite(value) and low <= value <= high
    if not inside or (open_low and value == low) or (open_high and value == high):
        above = f"above {low:g}" if open_low else f"at least {low:g}"
        limit = above if math.isinf(high) else f"from {low:g} to {high:g}"
        limit = f"{above} and below {high:g}" if open_high else limit
        raise SpecError(f"{name} must be a finite number {limit}, not {value!r}.")


def _is_finite(value: Any) -> bool:
    """Whether this is a number, of Python's own, that float32 holds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return abs(float(value)) <= LARGEST_FLOAT32
    except OverflowError:  # a whole number of more than 308 digits
        return False
