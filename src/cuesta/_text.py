"""Text from outside, made fit for a line: of a terminal, of a message, of a page."""

from __future__ import annotations

import re
from collections.abc import Iterable

SHOWN_NAMES = 12  # names that a list shows before it says how many more there are
NAME = 60  # characters of a name, a label or a value that is shown
QUOTED = 200  # characters of a quoted text in a sentence: a path may be long
SENTENCE = 1000

# What a terminal would obey rather than show: control characters (C0 and C1, among them the
# escape), marks that turn the direction of writing, separators of lines, halves of surrogates.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
LONG_QUOTED = re.compile(rf"'[^']{{{QUOTED},}}'|\"[^\"]{{{QUOTED},}}\"")


def safe(text: str) -> str:
    r"""Text that a terminal shows and does not obey: an escape is written `\x1b`.

    >>> print(safe("red\x1b[31m"))
    red\x1b[31m
    """
    return UNSAFE.sub(lambda found: ascii(found.group())[1:-1], text)


def cut(text: object, most: int = NAME) -> str:
    """The text with no more than so many characters: its start, and its end after a "…".

    >>> cut("abcdefghijklmnopqrstuvwxyz", 10)
    'abcdefg…yz'
    """
    whole = str(text)
    if len(whole) <= most:
        return whole
    end = (most - 1) // 4
    return f"{whole[: most - 1 - end]}…{whole[len(whole) - end :]}"


def one_line(sentence: str) -> str:
    """A sentence in one safe line, whatever long texts were put into it."""
    shorter = LONG_QUOTED.sub(lambda found: cut(found.group(), QUOTED), sentence)
    return cut(safe(shorter), SENTENCE)


def listed(names: Iterable[object], most: int = SHOWN_NAMES) -> str:
    """Names with commas between, each cut, and how many more there are.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    every = list(names)
    shown = ", ".join(cut(name) for name in every[:most])
    return shown + (f" and {len(every) - most:,} more" if len(every) > most else "")


def count(n: int, one: str, many: str = "") -> str:
    """How many there are: the one plural function.

    >>> count(1, "input"), count(2000, "category", "categories")
    ('1 input', '2,000 categories')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"
