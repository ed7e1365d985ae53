"""The journal of a run: what each finished lane gave, in one file for each chunk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from cuesta._util.tensors import DamagedFileError, read_checked, write_tensors
from cuesta.core.train import UNITS
from cuesta.hyperparameters import Candidate, Shape, is_foreign
from cuesta.training.code_digest import code_digest, package_version
from cuesta.training.feed import Feed
from cuesta.training.lanes import ChunkResult, Lane

FORMAT = 6  # of the records, and of the arithmetic behind them
SUFFIX = ".safetensors"
LANES = "lanes"  # the name of the text that lists a file's keys
COLUMNS = ("curves", "units", "diverged_at", "norm")  # its arrays, a row a lane
UNTOLD = "untold:"  # begins the keys of lanes that depend on what no key can tell


@dataclass(frozen=True)
class LaneRecord:
    """What a finished lane leaves: its curves (epochs, 1 + scores), its units, its outcome.

    `units` (epochs, UNITS) float32 are sums of validation losses, each over the rows of a unit
    (`core.train.validate`); `Feed.unit_weights` tells what they are to be divided by.
    """

    curves: np.ndarray
    units: np.ndarray
    diverged_at: int
    norm: float

    def until(self, epochs: int) -> LaneRecord:
        """The record of the first epochs; a divergence stands, whenever it came."""
        return replace(self, curves=self.curves[:epochs], units=self.units[:epochs])

    def at(self, epochs: Sequence[int]) -> LaneRecord:
        """The record of these epochs alone, counted from 1."""
        rows = np.array(epochs) - 1
        return replace(self, curves=self.curves[rows], units=self.units[rows])


def digest(*parts: bytes) -> str:
    """SHA-256 of the parts, each preceded by its length, in hexadecimal."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(len(part).to_bytes(8, "little"))
        sha.update(part)
    return sha.hexdigest()


class LaneKeys:
    """Keys of lanes: hashes of all that a lane's result depends on, and of nothing else.

    `epochs` are those of candidates without a number of their own.
    """

    def __init__(self, feed: Feed, shape: Callable[[Candidate], Shape], epochs: int) -> None:
        self._shape, self._epochs = shape, epochs
        self._folds = [
            digest(feed.fingerprint, fold.train.tobytes(), fold.validation.tobytes())
            for fold in feed.folds
        ]
        self._about = {
            "format": FORMAT,
            "jax": version("jax"),
            "jaxlib": version("jaxlib"),
        }

        self._keys: dict[Lane, str] = {}

    def of(self, lane: Lane) -> str:
        """The key of a lane. The fold's number counts: its seeds are made from it."""
        if lane not in self._keys:
            about = self._about | {
                "epochs": lane.candidate.epochs or self._epochs,
                "candidate": lane.candidate.to_dict() | {"epochs": None},
                "shape": self._shape(lane.candidate).to_dict(),
                "fold": [lane.fold, self._folds[lane.fold]],
                "seed": lane.seed,
            }
            own = self._of_optimizer(lane.candidate)
            key = digest(json.dumps(about | own, sort_keys=True).encode())
            self._keys[lane] = f"{UNTOLD}{key}" if "code" in own and not own["code"] else key
        return self._keys[lane]

    def _of_optimizer(self, candidate: Candidate) -> dict[str, str]:
        """What the rule of an optimizer that is not of our table depends on beside its name."""
        if not is_foreign(candidate.optimizer):
            return {}
        about = {"optax": package_version("optax")}
        if candidate.factory is None:
            return about
        return about | {"code": code_digest(candidate.factory) or ""}


class Journal:
    """Records of finished lanes by key, in memory and, given a folder, in files.

    A file that is not as it was written is `damaged`: its lanes are trained again, and it gets
    another name, out of the new file's way. So is one without a checksum, of an earlier version.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.records: dict[str, LaneRecord] = {}
        self.damaged: list[str] = []
        for path in sorted(folder.glob(f"*{SUFFIX}")) if folder else []:
            try:
                self.records.update(_read(path))
            except DamagedFileError:
                self.damaged.append(path.name)
                _set_aside(path)

    def add(self, keys: list[str], result: ChunkResult) -> None:
        """Keep what a chunk gave; with a folder, its file is there when this returns.

        Lanes whose keys do not tell all that they depend on stay in memory.
        """
        columns = result.curves, result.units, result.diverged_at, result.norm
        self.records.update(_records(keys, *columns))
        if self.folder is None or any(key.startswith(UNTOLD) for key in keys):
            return
        path = self.folder / f"{digest(*[key.encode() for key in keys])[:20]}{SUFFIX}"
        write_tensors(path, dict(zip(COLUMNS, columns, strict=True)), json.dumps(keys), LANES)


def _read(path: Path) -> dict[str, LaneRecord]:
    """The records in a chunk's file. Raises DamagedFileError."""
    if not path.is_file():
        raise DamagedFileError("it is no file")
    keys, arrays = read_checked(path, LANES)
    if isinstance(keys, list) and set(arrays) == set(COLUMNS) - {"units"}:
        return {}  # whole, of an earlier version, whose lanes have other keys
    if not isinstance(keys, list) or set(arrays) != set(COLUMNS):
        raise DamagedFileError("it holds no lanes")
    curves, units, diverged_at, norm = columns = [arrays[name] for name in COLUMNS]
    lanes = (len(keys),)
    if curves.ndim != 3 or not curves.shape[:1] == diverged_at.shape == norm.shape == lanes:
        raise DamagedFileError("its arrays are not a row for each lane")
    if units.shape != (*curves.shape[:2], UNITS):
        raise DamagedFileError("its units are not those of its curves")
    if [array.dtype.kind for array in columns] != ["f", "f", "i", "f"]:
        raise DamagedFileError("its arrays are of other numbers")
    return _records([str(key) for key in keys], *columns)


def _records(
    keys: list[str],
    curves: np.ndarray,
    units: np.ndarray,
    diverged_at: np.ndarray,
    norm: np.ndarray,
) -> dict[str, LaneRecord]:
    rows = zip(keys, curves, units, diverged_at.tolist(), norm.tolist(), strict=True)
    return {
        key: LaneRecord(curve, sums, int(step), float(size))
        for key, curve, sums, step, size in rows
    }


def _set_aside(path: Path) -> None:
    """Give what is damaged another name; should that fail, the new file cannot be written."""
    with suppress(OSError):
        path.replace(path.with_name(f"{path.name}.damaged"))
