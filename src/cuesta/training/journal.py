"""The journal of a run: what each finished lane gave, in one file for each chunk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from cuesta._util.files import write_atomically
from cuesta.hyperparameters import Candidate, Shape
from cuesta.training.feed import Feed
from cuesta.training.lanes import ChunkResult, Lane

FORMAT = 3  # of the records, and of the arithmetic behind them


@dataclass(frozen=True)
class LaneRecord:
    """What a finished lane leaves: its curves (epochs, 1 + scores) and its outcome."""

    curves: np.ndarray
    diverged_at: int
    norm: float

    def until(self, epochs: int) -> LaneRecord:
        """The record of the first epochs; a divergence stands, whenever it came."""
        return replace(self, curves=self.curves[:epochs])


def digest(*parts: bytes) -> str:
    """SHA-256 of the parts, each preceded by its length, in hexadecimal."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(len(part).to_bytes(8, "little"))
        sha.update(part)
    return sha.hexdigest()


class LaneKeys:
    """Keys of lanes: hashes of all that a lane's result depends on, and of nothing else."""

    def __init__(self, feed: Feed, shape: Callable[[Candidate], Shape], epochs: int) -> None:
        self._shape = shape
        self._folds = [
            digest(feed.fingerprint, fold.train.tobytes(), fold.validation.tobytes())
            for fold in feed.folds
        ]
        self._about = {
            "format": FORMAT,
            "epochs": epochs,
            "jax": version("jax"),
            "jaxlib": version("jaxlib"),
        }

        self._keys: dict[Lane, str] = {}

    def of(self, lane: Lane) -> str:
        """The key of a lane. The fold's number counts: its seeds are made from it."""
        if lane not in self._keys:
            about = self._about | {
                "candidate": lane.candidate.to_dict(),
                "shape": self._shape(lane.candidate).to_dict(),
                "fold": [lane.fold, self._folds[lane.fold]],
                "seed": lane.seed,
            }
            self._keys[lane] = digest(json.dumps(about, sort_keys=True).encode())
        return self._keys[lane]


class Journal:
    """Records of finished lanes by key, in memory and, given a folder, in files."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.records: dict[str, LaneRecord] = {}
        self.damaged: list[str] = []
        for path in sorted(folder.glob("*.safetensors")) if folder else []:
            self._read(path)

    def _read(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                keys = json.loads((file.metadata() or {})["lanes"])
                rows = [file.get_tensor(name) for name in ("curves", "diverged_at", "norm")]
            found = {
                key: LaneRecord(curves, int(diverged), float(norm))
                for key, curves, diverged, norm in zip(keys, *rows, strict=True)
            }
        except (SafetensorError, OSError, ValueError, KeyError, TypeError):
            self.damaged.append(path.name)  # its lanes are trained again
        else:
            self.records.update(found)

    def add(self, keys: list[str], result: ChunkResult) -> None:
        """Keep what a chunk gave; with a folder, its file is there when this returns."""
        rows = zip(keys, result.curves, result.diverged_at, result.norm, strict=True)
        for key, curves, diverged, norm in rows:
            self.records[key] = LaneRecord(curves, int(diverged), float(norm))
        if self.folder is not None:
            from safetensors.numpy import save_file

            tensors = {
                "curves": result.curves,
                "diverged_at": result.diverged_at,
                "norm": result.norm,
            }
            tensors = {name: np.ascontiguousarray(rows) for name, rows in tensors.items()}
            about: Mapping[str, str] = {"lanes": json.dumps(keys)}
            path = self.folder / f"{digest(*[key.encode() for key in keys])[:20]}.safetensors"
            write_atomically(path, lambda beside: save_file(tensors, beside, dict(about)))
