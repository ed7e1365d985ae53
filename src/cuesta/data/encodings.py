"""Which characters the bytes of a text file are."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from cuesta._util.notes import Note
from cuesta.errors import SpecError, TableError

UTF8 = "utf-8"
MARKS = {  # a byte order mark → the encoding it stands for; the longer ones first
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: UTF8,
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
SAMPLE = 1 << 16
CONTROLS = bytes({*range(9), *range(14, 32)})  # bytes that no text holds
C1 = bytes(range(0x80, 0xA0))  # printed characters in windows-1252, none in latin-1


@dataclass(frozen=True)
class Text:
    """A text file as UTF-8: its path where it is so on disk, or its bytes; and what is told."""

    source: Path | bytes
    notes: tuple[Note, ...] = ()

    def sample(self) -> str:
        """The first characters, without a byte order mark."""
        if isinstance(self.source, bytes):
            start = self.source[:SAMPLE]
        else:
            with self.source.open("rb") as file:
                start = file.read(SAMPLE)
        return codecs.getincrementaldecoder(UTF8)().decode(start).removeprefix("\ufeff")


def read_text_file(path: Path, encoding: str | None = None, *, whole: bool = False) -> Text:
    """A file's text: in the given encoding, else as its first bytes tell, or all of them.

    Raises SpecError for an unknown encoding, TableError for bytes that it does not have or that
    are no text.
    """
    if encoding is not None:
        _check_encoding(encoding)
        known = codecs.lookup(encoding).name
        return Text(path) if known == UTF8 and _is_utf8(path) else Text(_decoded(path, known))
    guess = _guess(path, whole)
    if guess == UTF8:
        return Text(path)
    note = Note(f"the file is read as {guess}, for it is not UTF-8", "encoding", guess)
    return Text(_decoded(path, guess), (note,))


def _check_encoding(name: str) -> None:
    try:
        "".encode(name)
    except LookupError as error:
        raise SpecError(
            f"The encoding {name!r} is unknown; usual ones are: utf-8, latin-1, windows-1252, "
            "utf-16.",
        ) from error


def _decoded(path: Path, encoding: str) -> bytes:
    data = path.read_bytes()
    try:
        return data.decode(encoding).removeprefix("\ufeff").encode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TableError(
            f"{str(path)!r} is not {encoding}: line {line} holds the byte "
            f"0x{data[error.start]:02x}; name another encoding.",
            parameter="encoding",
        ) from error


def _guess(path: Path, whole: bool) -> str:
    """The encoding that a byte order mark names, or UTF-8, or one of 8 or 16 bits a character."""
    with path.open("rb") as file:
        start = file.read(SAMPLE)
    for mark, name in MARKS.items():
        if start.startswith(mark):
            return name
    if b"\0" in start:
        return _utf16(path, start)
    if _is_utf8(path, None if whole else start):
        return UTF8
    _refuse_bytes(path, start)
    data = path.read_bytes()
    if not data.translate(None, delete=_complement(C1)):
        return "latin-1"
    try:
        data.decode("windows-1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "windows-1252"


def _complement(some: bytes) -> bytes:
    return bytes(set(range(256)) - set(some))


def _utf16(path: Path, start: bytes) -> str:
    """UTF-16 without a mark: nearly every other byte of Latin text in it is zero."""
    half = len(start) // 4
    for name, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if zeros.count(0) > half:
            return name
    _refuse_bytes(path, start)
    return UTF8


def _refuse_bytes(path: Path, start: bytes) -> None:
    if start.translate(None, delete=_complement(CONTROLS)):
        raise TableError(f"{str(path)!r} is no text file: it holds bytes that are no characters.")


def _is_utf8(path: Path, start: bytes | None = None) -> bool:
    """Whether a file is UTF-8, by its start or by all of it."""
    decoder = codecs.getincrementaldecoder(UTF8)()
    try:
        if start is not None:
            decoder.decode(start)
            return True
        with path.open("rb") as file:
            while block := file.read(1 << 24):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
