"""The folder of a run: recognized, locked, and its results written completely or not at all.

::

    run.json             the table and the target: a folder is for one of these alone
    chunks/              finished lanes, from which any run in the folder goes on
    networks/            the weights of the best candidates' lanes, likewise
    openings.txt         when the test rows were opened, a line each, written before they are read
    model.safetensors, instruments.safetensors, candidates.csv, result.json   the last run's
    SHA256SUMS           the checksums of these, as `sha256sum -c` reads them
    earlier/1/ …         files of runs that gave another result
    .writing/            the files of a result that is being written
    .lock                held by the run at work
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from cuesta._util.files import write_text
from cuesta._util.locks import LOCK, LockedError, locked
from cuesta._util.plain_json import parse_json, shown
from cuesta._util.tensors import file_digest
from cuesta.data.table import Table
from cuesta.data.write import to_text
from cuesta.diagnose.storage import FILE as INSTRUMENTS
from cuesta.diagnose.storage import write_evidence
from cuesta.errors import RunFolderError
from cuesta.tabular.options import Options
from cuesta.tabular.result import FitResult, candidates_table, same_result, summary, to_json

MARK = "run.json"
RESULT = "result.json"
MODEL = "model.safetensors"
CANDIDATES = "candidates.csv"
OPENINGS = "openings.txt"
SUMS = "SHA256SUMS"
CHUNKS, NETWORKS, EARLIER, WRITING = "chunks", "networks", "earlier", ".writing"
FILES = (MODEL, INSTRUMENTS, CANDIDATES, SUMS, RESULT)  # of a result, in the order of replacing
SHOWN_TARGETS = 100  # characters of a list of names in a message


def check_folder(folder: Path, table: Table, targets: Sequence[str]) -> None:
    """Raise RunFolderError if something else than a run on this target stands there."""
    mark = folder / MARK
    run = _mark(table, targets)
    try:
        is_folder, is_something = folder.is_dir(), folder.exists()
        held = {path.name for path in folder.iterdir()} if is_folder else set()
    except OSError as error:
        raise RunFolderError(f"{str(folder)!r} cannot be a folder: {error.strerror}.") from error
    if is_something and not is_folder:
        raise RunFolderError(f"{str(folder)!r} is a file; a run needs a folder.")
    if MARK in held:
        if (other := _read_mark(mark)) != run:
            names = shown(", ".join(other["target"]), SHOWN_TARGETS)
            raise RunFolderError(
                f"{str(folder)!r} holds a run on {shown(other['table'], SHOWN_TARGETS)!r} with the "
                f"target {names!r} and {len(other['columns'])} columns; give this one another "
                "folder.",
                parameter="out",
            )
    elif held - {LOCK, CHUNKS}:
        raise RunFolderError(
            f"{str(folder)!r} is not empty and holds no run; give another folder.",
            parameter="out",
        )


@contextmanager
def open_folder(folder: Path, table: Table, targets: Sequence[str]) -> Iterator[Path]:
    """Make the run's folder where there is none, and hold it alone; gives that of its chunks.

    Raises RunFolderError where it cannot be made or holds something else, and where another run
    is at work in it.
    """
    with ExitStack() as stack:
        try:
            with _errors_told(folder):
                (folder / CHUNKS).mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(folder))
                check_folder(folder, table, targets)  # another run may just have made it
                write_text(folder / MARK, json.dumps(_mark(table, targets), indent=2) + "\n")
                _go_on_writing(folder)
        except LockedError:
            raise RunFolderError(
                f"Another run is at work in {str(folder)!r}; wait for its end, or give another "
                "folder.",
                parameter="out",
            ) from None
        yield folder / CHUNKS


@contextmanager
def _errors_told(folder: Path) -> Iterator[None]:
    """Turn an error of the system into a RunFolderError."""
    try:
        yield
    except RunFolderError:
        raise
    except OSError as error:
        reason = error.strerror or shown(error)
        raise RunFolderError(f"{str(folder)!r} cannot be written: {reason}.") from error


def _mark(table: Table, targets: Sequence[str]) -> dict[str, Any]:
    return {"table": table.name, "target": list(targets), "columns": table.frame.columns}


def _read_mark(mark: Path) -> dict[str, Any]:
    try:
        held = parse_json(mark.read_bytes())
        names = {key: [str(name) for name in held[key]] for key in ("target", "columns")}
        return {"table": str(held["table"]), **names}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise RunFolderError(
            f"{str(mark)!r} is damaged; give another folder.", parameter="out"
        ) from error


def _read_result(folder: Path) -> dict[str, Any]:
    """The result that stands in the folder. Raises OSError or ValueError where none can be read."""
    held = parse_json((folder / RESULT).read_bytes())
    if not isinstance(held, dict):
        raise ValueError("it is no JSON object")
    return held


# --- the openings of the test rows ------------------------------------------------------------


def earlier_openings(folder: Path) -> list[str]:
    """When the test rows were opened in this folder, whether or not a result came of it."""
    recorded, told = _recorded_openings(folder), _told_openings(folder)
    return recorded if len(recorded) >= len(told) else told


def _recorded_openings(folder: Path) -> list[str]:
    try:
        lines = (folder / OPENINGS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [shown(line) for line in lines if line.strip()]  # a line counts, damaged or not


def _told_openings(folder: Path) -> list[str]:
    """Those of the last result: of a version that kept no record beside it, all there are."""
    try:
        told = _read_result(folder)["test_openings"]
        return [shown(time) for time in told] if isinstance(told, list) else []
    except (OSError, ValueError, LookupError):
        return []


def record_opening(folder: Path, openings: Sequence[str]) -> None:
    """Write down all openings, in the order of their times. Raises RunFolderError."""
    write_text(folder / OPENINGS, "".join(f"{time}\n" for time in openings))


# --- the result -------------------------------------------------------------------------------


def write_run(folder: Path, result: FitResult, options: Options) -> Path | None:
    """Write all files of a result, then put them in the place of an older one's.

    Until all are written the older ones stay as they are. Those of a run that found something
    else are kept in a numbered folder, which is returned. Raises RunFolderError.
    """
    text = to_json(summary(result, options)) + "\n"
    with _errors_told(folder):
        writing = _new_folder(folder / WRITING)
        try:
            result.model.save(writing / MODEL)
            if result.diagnosis is not None:
                write_evidence(writing / INSTRUMENTS, result.diagnosis.evidence)
            write_text(writing / CANDIDATES, to_text(candidates_table(result)))
            kept = _keep_earlier(folder, parse_json(text))
            write_text(writing / SUMS, _sums(writing, text))
            # With this the files are whole: should the process end now, the next run goes on.
            write_text(writing / RESULT, text)
        except BaseException:
            shutil.rmtree(writing, ignore_errors=True)
            raise
        _go_on_writing(folder)
    return kept


def _new_folder(path: Path) -> Path:
    if path.exists():
        shutil.rmtree(path)
    path.mkdir()
    return path


def _sums(writing: Path, result: str) -> str:
    """A line for each file of a result: its checksum and its name."""
    sums = {name: file_digest(writing / name) for name in FILES if (writing / name).exists()}
    sums[RESULT] = hashlib.sha256(result.encode()).hexdigest()
    return "".join(f"{sum_}  {name}\n" for name, sum_ in sums.items())


def _go_on_writing(folder: Path) -> None:
    """Put the files of a result that is whole in their places; throw away those of one that is not.

    Stopped anywhere, it can be called again.
    """
    writing = folder / WRITING
    if not writing.exists():
        return
    if (writing / RESULT).exists():
        if _read_result(writing).get("findings") is None:
            (folder / INSTRUMENTS).unlink(missing_ok=True)
        for name in FILES:
            if (writing / name).exists():
                (writing / name).replace(folder / name)
    shutil.rmtree(writing)


def _keep_earlier(folder: Path, told: Mapping[str, Any]) -> Path | None:
    """Keep the files of a result that is another than this one; the folder where they are now."""
    if not (folder / RESULT).exists() or _is_kept(folder, told):
        return None
    earlier = folder / EARLIER
    earlier.mkdir(exist_ok=True)
    numbers = [int(path.name) for path in earlier.iterdir() if path.name.isdecimal()]
    gathered = _new_folder(folder / WRITING / EARLIER)
    for name in FILES:
        if (folder / name).is_file():
            _link(folder / name, gathered / name)
    return gathered.rename(earlier / str(max(numbers, default=0) + 1))


def _is_kept(folder: Path, told: Mapping[str, Any]) -> bool:
    """Whether nothing is lost with the folder's result: it is this one, or was kept before."""
    content = (folder / RESULT).read_bytes()
    if any(path.read_bytes() == content for path in folder.glob(f"{EARLIER}/*/{RESULT}")):
        return True
    try:
        found = _read_result(folder)
    except ValueError:
        return False
    return same_result(found, told) and _same_instruments(folder)


def _same_instruments(folder: Path) -> bool:
    """Whether the instruments' file is as the new one, or there is none to lose."""
    old, new = folder / INSTRUMENTS, folder / WRITING / INSTRUMENTS
    return not old.exists() or (new.exists() and file_digest(old) == file_digest(new))


def _link(path: Path, to: Path) -> None:
    """The same file under another name; a copy where the file system has no links."""
    try:
        to.hardlink_to(path)
    except OSError:
        shutil.copy2(path, to)
