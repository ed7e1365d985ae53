"""A note about a usable table: a sentence, and the parameter that would change it."""

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
