"""Saves the evidence of a diagnosis; reading it computes the findings again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cuesta._util.plain_json import parse_json, shown
from cuesta._util.tensors import read_checked, write_tensors
from cuesta.diagnose.checkup import Diagnosis
from cuesta.diagnose.doctor import examine
from cuesta.diagnose.evidence import Evidence, Inputs
from cuesta.diagnose.findings import OF_A_RUN, Finding, in_order
from cuesta.diagnose.gauges import FirstOrderGauges, SecondOrderGauges
from cuesta.diagnose.record import Recording
from cuesta.errors import RunFolderError
from cuesta.hyperparameters import Candidate, Shape

FORMAT = 1
FILE = "instruments.safetensors"
PREFIX = "recording."  # of the tensors of the recording

Arrays = Mapping[str, np.ndarray]


def write_evidence(path: Path, evidence: Evidence) -> None:
    """Write the evidence: arrays as tensors, the rest as JSON, and a checksum of both.

    Raises RunFolderError where the file cannot be written.
    """
    write_tensors(path, _evidence_arrays(evidence), json.dumps(_evidence_values(evidence)))


def _evidence_arrays(evidence: Evidence) -> dict[str, np.ndarray]:
    arrays = {PREFIX + name: values for name, values in as_arrays(evidence.recording).items()}
    arrays |= {
        "train": evidence.train,
        "sizes": evidence.inputs.sizes,
        "order": evidence.inputs.order.astype(np.int64),
        "gains": evidence.gains,
    }
    return arrays if evidence.validation is None else arrays | {"validation": evidence.validation}


def _evidence_values(evidence: Evidence) -> dict[str, Any]:
    """The evidence that is not arrays, by the names that the file has had from the first."""
    return {
        "format": FORMAT,
        "candidate": evidence.candidate.to_dict(),
        "shape": evidence.shape.to_dict(),
        "trivial": evidence.baseline,
        "target_size": evidence.target_size,
        "twins": list(evidence.inputs.duplicates),
        "names": list(evidence.names),
    }


def read_diagnosis(folder: Path) -> Diagnosis:
    """The diagnosis of a run's folder. Raises RunFolderError where there is none to read."""
    path = folder / FILE if folder.is_dir() else folder
    if not path.is_file() or path.suffix != Path(FILE).suffix:
        raise RunFolderError(_why_none(folder))
    try:
        evidence = _evidence_of(*_read(path))
        return Diagnosis(evidence, in_order([*_of_the_run(path.parent), *examine(evidence)]))
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise RunFolderError(
            f"{str(path)!r} is no whole file of instruments: {shown(error).rstrip('.')}."
        ) from error


def _of_the_run(folder: Path) -> list[Finding]:
    """The findings that the run's own result has of its whole; nothing where it cannot be read."""
    try:
        found = parse_json((folder / "result.json").read_text("utf-8"))
        return [_finding(about) for about in found["findings"] if about["fault"] in OF_A_RUN]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def _finding(about: dict[str, Any]) -> Finding:
    """A finding from its plain values. Raises LookupError, TypeError or ValueError."""
    names = ("fault", "severity", "says", "remedy", "parameter")
    fault, severity, says, remedy, parameter = (str(about[name]) for name in names)
    return Finding(fault, severity, says, remedy, parameter, float(about["weight"]))


def _why_none(folder: Path) -> str:
    """Why there is no diagnosis to read."""
    if not folder.exists():
        return f"There is no folder {str(folder)!r}."
    if not folder.is_dir():
        return f"{str(folder)!r} is no folder of a run."
    if not (folder / "run.json").is_file():
        return f"{str(folder)!r} holds no run of `cuesta fit`."
    if not (folder / "result.json").is_file():
        return f"The run in {str(folder)!r} has not ended: the same `cuesta fit` goes on with it."
    return (
        f"The run in {str(folder)!r} was not watched: `cuesta fit` with --instruments economy or "
        "full records what the doctor reads, of a winner with an optimizer of cuesta's own."
    )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The values and the arrays in a file.

    Files of versions before the checksum are read too. Raises ValueError for another format.
    """
    values, arrays = read_checked(path, with_checksum=False)
    if values["format"] != FORMAT:
        raise ValueError(f"format {values['format']!r}; this version reads {FORMAT}")
    return values, arrays


def _evidence_of(values: dict[str, Any], arrays: dict[str, np.ndarray]) -> Evidence:
    recorded = {n.removeprefix(PREFIX): v for n, v in arrays.items() if n.startswith(PREFIX)}
    shape = {**values["shape"], "hidden": tuple(values["shape"]["hidden"])}
    return Evidence(
        Candidate.from_dict(values["candidate"]),
        Shape(**shape),
        from_arrays(recorded),
        float(values["trivial"]),
        arrays["train"],
        arrays.get("validation"),
        Inputs(arrays["sizes"], arrays["order"], tuple(int(t) for t in values["twins"])),
        float(values["target_size"]),
        arrays["gains"],
        tuple(str(name) for name in values["names"]),
    )


def as_arrays(recording: Recording) -> dict[str, np.ndarray]:
    """The recording as named arrays: a gauge by its instruments and its name, `economy.loss`."""
    about = [recording.total, recording.steps_an_epoch, recording.diverged_at]
    arrays = {
        "steps": recording.steps,
        "curves": recording.curves,
        "about": np.array(about, np.int64),
    }
    for kind, gauges in (("economy", recording.economy), ("full", recording.full)):
        if gauges is not None:
            arrays |= {f"{kind}.{name}": value for name, value in gauges._asdict().items()}
    return {name: np.ascontiguousarray(value) for name, value in arrays.items()}


def from_arrays(arrays: Arrays) -> Recording:
    """The recording that `as_arrays` wrote. Raises KeyError or ValueError for another's."""
    total, steps_an_epoch, diverged_at = (int(value) for value in arrays["about"])
    economy = FirstOrderGauges(*(arrays[f"economy.{name}"] for name in FirstOrderGauges._fields))
    full = None
    if "full.actual" in arrays:
        full = SecondOrderGauges(*(arrays[f"full.{name}"] for name in SecondOrderGauges._fields))
    return Recording(
        arrays["steps"], total, steps_an_epoch, economy, full, diverged_at, arrays["curves"]
    )
