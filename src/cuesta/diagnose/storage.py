"""A diagnosis in a file: what was seen, from which the doctor's words can be had again."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from cuesta._util.files import write_atomically
from cuesta.diagnose.checkup import Diagnosis
from cuesta.diagnose.doctor import examine
from cuesta.diagnose.evidence import Evidence, Inputs
from cuesta.diagnose.record import as_arrays, from_arrays
from cuesta.errors import RunFolderError
from cuesta.hyperparameters import Candidate, Shape

FORMAT = 1
FILE = "instruments.safetensors"


def write_evidence(path: Path, evidence: Evidence) -> None:
    """Write what was seen: arrays as tensors, the rest as JSON."""
    from safetensors.numpy import save_file

    arrays = {f"recording.{n}": v for n, v in as_arrays(evidence.recording).items()}
    arrays |= {
        "train": evidence.train,
        "sizes": evidence.inputs.sizes,
        "order": evidence.inputs.order.astype(np.int64),
        "gains": evidence.gains,
    }
    if evidence.validation is not None:
        arrays["validation"] = evidence.validation
    about = {
        "format": FORMAT,
        "candidate": evidence.candidate.to_dict(),
        "shape": asdict(evidence.shape),
        "trivial": evidence.trivial,
        "target_size": evidence.target_size,
        "twins": list(evidence.inputs.twins),
        "names": list(evidence.names),
    }
    tensors = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
    text = json.dumps(about)
    write_atomically(path, lambda beside: save_file(tensors, beside, {"cuesta": text}))


def read_diagnosis(folder: Path) -> Diagnosis:
    """The diagnosis of a run's folder. Raises RunFolderError where there is none to read."""
    from safetensors import SafetensorError, safe_open

    path = folder / FILE if folder.is_dir() else folder
    if not path.is_file():
        raise RunFolderError(
            f"There are no instruments at {str(path)!r}; fit with --instruments economy or full."
        )
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {})["cuesta"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (its API)
        if about["format"] != FORMAT:
            raise ValueError(f"format {about['format']!r}; this version reads {FORMAT}")
        prefix = "recording."
        recorded = {n.removeprefix(prefix): v for n, v in arrays.items() if n.startswith(prefix)}
        shape = {**about["shape"], "hidden": tuple(about["shape"]["hidden"])}
        evidence = Evidence(
            Candidate.from_dict(about["candidate"]),
            Shape(**shape),
            from_arrays(recorded),
            float(about["trivial"]),
            arrays["train"],
            arrays.get("validation"),
            Inputs(arrays["sizes"], arrays["order"], tuple(int(t) for t in about["twins"])),
            float(about["target_size"]),
            arrays["gains"],
            tuple(str(name) for name in about["names"]),
        )
        return Diagnosis(evidence, tuple(examine(evidence)))
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise RunFolderError(f"{str(path)!r} is no whole file of instruments: {error}.") from error
