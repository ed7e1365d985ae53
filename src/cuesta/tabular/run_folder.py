"""Makes a run's folder, checks that it is this run's, writes results completely or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cuesta._util.files import write_text
from cuesta.data.table import Table
from cuesta.data.write import to_text
from cuesta.diagnose.storage import FILE, write_evidence
from cuesta.errors import RunFolderError
from cuesta.tabular.options import Options
from cuesta.tabular.result import FitResult, candidates_table, summary, to_json

MARK = "run.json"
RESULT = "result.json"


def check_folder(folder: Path, table: Table, targets: Sequence[str]) -> None:
    """Raise RunFolderError if something else than a run on this target stands there."""
    mark = folder / MARK
    run = _mark(table, targets)
    try:
        is_folder, is_something = folder.is_dir(), folder.exists()
    except OSError as error:
        raise RunFolderError(f"{str(folder)!r} cannot be a folder: {error.strerror}.") from error
    if is_something and not is_folder:
        raise RunFolderError(f"{str(folder)!r} is a file; a run needs a folder.")
    if mark.is_file():
        if (held := _read_mark(mark)) != run:
            raise RunFolderError(
                f"{str(folder)!r} holds a run on {held['table']!r} with the target "
                f"{', '.join(held['target'])!r} and {len(held['columns'])} columns; give this one "
                "another folder.",
                parameter="out",
            )
    elif is_folder and any(folder.iterdir()):
        raise RunFolderError(
            f"{str(folder)!r} is not empty and holds no run; give another folder.",
            parameter="out",
        )


def make_folder(folder: Path, table: Table, targets: Sequence[str]) -> Path:
    """Make the run's folder and in it the one for its chunks, which is returned.

    Raises RunFolderError.
    """
    try:
        (folder / "chunks").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"{str(folder)!r} cannot be made: {error.strerror}.") from error
    write_text(folder / MARK, json.dumps(_mark(table, targets), indent=2) + "\n")
    return folder / "chunks"


def _mark(table: Table, targets: Sequence[str]) -> dict[str, Any]:
    return {"table": table.name, "target": list(targets), "columns": table.frame.columns}


def _read_mark(mark: Path) -> dict[str, Any]:
    try:
        held = json.loads(mark.read_text(encoding="utf-8"))
        names = {key: [str(name) for name in held[key]] for key in ("target", "columns")}
        return {"table": str(held["table"]), **names}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFolderError(
            f"{str(mark)!r} is damaged; give another folder.", parameter="out"
        ) from error


def earlier_openings(folder: Path) -> list[str]:
    """When earlier results in this folder opened their test rows; none that cannot be read."""
    try:
        told = json.loads((folder / RESULT).read_text(encoding="utf-8"))["test_openings"]
        return [str(time) for time in told]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def write_run(folder: Path, result: FitResult, options: Options) -> None:
    """Write model, candidates and, last, the result: where that stands, it is of this model."""
    (folder / RESULT).unlink(missing_ok=True)
    result.model.save(folder / "model.safetensors")
    (folder / FILE).unlink(missing_ok=True)
    if result.diagnosis is not None:
        write_evidence(folder / FILE, result.diagnosis.evidence)
    write_text(folder / "candidates.csv", to_text(candidates_table(result)))
    write_text(folder / RESULT, to_json(summary(result, options)) + "\n")
