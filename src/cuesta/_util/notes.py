"""What is said of a table that can be used, beside the sentences of errors."""

from __future__ import annotations


class Note(str):
    """A sentence about a table, with the parameter (and its value) that would change this."""

    parameter: str
    value: str

    def __new__(cls, sentence: str, parameter: str = "", value: str = "") -> Note:
        """A note that reads as its sentence."""
        note = super().__new__(cls, sentence)
        note.parameter, note.value = parameter, value
        return note
