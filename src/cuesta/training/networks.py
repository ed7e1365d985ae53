"""Networks that were trained again for their weights: kept in memory and, given a folder, in files.

A search keeps curves, not weights. Those that are needed are had by training a lane anew to the
epoch in question: by idea 3 it is the same network, bit for bit.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from cuesta._util.tensors import DamagedFileError, read_checked, write_tensors
from cuesta.core.layer import Layer
from cuesta.errors import RunFolderError
from cuesta.training.journal import SUFFIX, UNTOLD, digest

NETWORK = "network"  # the name of the text that holds a file's key


class NetworkStore:
    """Weights by key: a lane's key and the epochs after which it has these weights.

    A file that is not as it was written counts for nothing: its network is trained again, and the
    new file takes its place.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._known: dict[str, list[Layer]] = {}

    def get(self, lane_key: str, epochs: int) -> list[Layer] | None:
        """The layers of the lane after these epochs, or None where they are not known."""
        key = _key(lane_key, epochs)
        if key not in self._known and self._folder is not None:
            layers = _read(self._path(self._folder, key), key)
            if layers is not None:
                self._known[key] = layers
        return self._known.get(key)

    def add(self, lane_key: str, epochs: int, layers: list[Layer]) -> None:
        """Keep a lane's layers; with a folder, their file is there when this returns.

        Raises RunFolderError where it cannot be written.
        """
        key = _key(lane_key, epochs)
        self._known[key] = layers
        if self._folder is None or lane_key.startswith(UNTOLD):
            return
        arrays: dict[str, np.ndarray] = {}
        for depth, layer in enumerate(layers):
            arrays |= {f"{depth}.w": np.asarray(layer.w), f"{depth}.b": np.asarray(layer.b)}
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise RunFolderError(
                f"{str(self._folder)!r} cannot be written: {error.strerror or error}."
            ) from error
        write_tensors(self._path(self._folder, key), arrays, json.dumps(key), NETWORK)

    def _path(self, folder: Path, key: str) -> Path:
        return folder / f"{key[:20]}{SUFFIX}"


def _key(lane_key: str, epochs: int) -> str:
    return digest(lane_key.encode(), str(epochs).encode())


def _read(path: Path, key: str) -> list[Layer] | None:
    """The layers in a file of this key; None where there is no such file, or a damaged one."""
    if not path.is_file():
        return None
    try:
        found, arrays = read_checked(path, NETWORK)
        if found != key:
            return None
        pairs = range(len(arrays) // 2)
        return [Layer(arrays[f"{depth}.w"], arrays[f"{depth}.b"]) for depth in pairs]
    except (DamagedFileError, KeyError):
        return None
