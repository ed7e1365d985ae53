"""The terminal as all commands write to it: it obeys nothing that comes from a table or a name."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from cuesta._text import NAME, cut, one_line, safe

LEAST_WIDTH = 20  # columns, for a text that is indented


class SafeConsole(Console):
    """A console that shows the control characters of a text instead of sending them on.

    Rich's own colours and bars are not touched; `:name:` stays as it is, and is no emoji.
    """

    def __init__(self, *, stderr: bool = False, **settings: Any) -> None:
        super().__init__(stderr=stderr, emoji=False, **settings)

    def render_str(self, text: str, **settings: Any) -> Text:
        """Text with rich's markup as something to print."""
        return super().render_str("\n".join(map(safe, text.split("\n"))), **settings)


def print_hanging(console: Console, line: str, indent: int) -> None:
    """Print a line of rich's markup; on a terminal that is narrower, what follows is indented.

    In a file it stays one line, so that a search finds it.
    """
    text = console.render_str(line)
    width = console.width - indent
    if not console.is_terminal or text.cell_len <= console.width or width < LEAST_WIDTH:
        console.print(line, highlight=False, soft_wrap=not console.is_terminal)
        return
    first, *rest = text[indent:].wrap(console, width)
    console.print(text[:indent] + first, highlight=False)
    for part in rest:
        console.print(Text(" " * indent) + part, highlight=False)


def shown(text: object, most: int = NAME) -> str:
    """A name or a value from outside, cut, and without markup: "[red]" is printed so."""
    return escape(one_line(cut(text, most)))


def sentence(text: str) -> str:
    """A sentence with texts from outside, in one line and without markup."""
    return escape(one_line(text))
