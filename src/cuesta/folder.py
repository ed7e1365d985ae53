"""The folder of a run: made, recognized, and written so that it is never half a result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cuesta.errors import RunFolderError
from cuesta.files import write_text
from cuesta.result import FitResult, candidates_table, summary
from cuesta.task import Options


def open_folder(folder: Path | None, table: str, targets: tuple[str, ...]) -> Path | None:
    """Make the run's folder, and the one for its chunks, unless something else stands there."""
    if folder is None:
        return None
    mark = folder / "run.json"
    run = {"table": table, "target": list(targets)}
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(f"{str(folder)!r} is a file; a run needs a folder.")
    if mark.is_file():
        if (held := _read_mark(mark)) != run:
            raise RunFolderError(
                f"{str(folder)!r} holds a run on {held['table']!r} for the target "
                f"{', '.join(held['target'])!r}; give this one another folder (--out)."
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise RunFolderError(
            f"{str(folder)!r} is not empty and holds no run; give another (--out)."
        )
    try:
        (folder / "chunks").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"{str(folder)!r} cannot be made: {error.strerror}.") from error
    write_text(mark, json.dumps(run, indent=2) + "\n")
    return folder / "chunks"


def _read_mark(mark: Path) -> dict[str, Any]:
    try:
        held = json.loads(mark.read_text(encoding="utf-8"))
        return {"table": str(held["table"]), "target": [str(name) for name in held["target"]]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFolderError(f"{str(mark)!r} is damaged; give another folder (--out).") from error


def write_run(folder: Path, result: FitResult, options: Options) -> None:
    """Write model, candidates and, last, the result: where that stands, the run is whole."""
    result.model.save(folder / "model.safetensors")
    write_text(folder / "candidates.csv", candidates_table(result).write_csv())
    write_text(folder / "result.json", json.dumps(summary(result, options), indent=2) + "\n")
