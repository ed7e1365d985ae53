"""The terminal as all commands write to it: it obeys nothing that comes from a table or a name."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from cuesta._text import NAME, cut, one_line, safe


class SafeConsole(Console):
    """A console that shows the control characters of a text instead of sending them on.

    Rich's own colours and bars are not touched; `:name:` stays as it is, and is no emoji.
    """

    def __init__(self, *, stderr: bool = False, **settings: Any) -> None:
        super().__init__(stderr=stderr, emoji=False, **settings)

    def render_str(self, text: str, **settings: Any) -> Text:
        """Text with rich's markup as something to print."""
        return super().render_str("\n".join(map(safe, text.split("\n"))), **settings)


def shown(text: object, most: int = NAME) -> str:
    """A name or a value from outside, cut, and without markup: "[red]" is printed so."""
    return escape(one_line(cut(text, most)))


def sentence(text: str) -> str:
    """A sentence with texts from outside, in one line and without markup."""
    return escape(one_line(text))
