"""What stands before the first dense layer, in NumPy float64: the twin of `core.front`."""

from __future__ import annotations

import numpy as np

from cuesta.hyperparameters import PIECEWISE, Front

TURN = 2 * np.pi


def enter(
    front: Front, layers: tuple[tuple[np.ndarray, np.ndarray], ...], x: np.ndarray
) -> np.ndarray:
    """Rows x (rows, inputs), embedded columns first → units (rows, features)."""
    pieces: list[np.ndarray] = []
    place = 0
    if front.numbers:
        pieces.append(_numbers(front, layers[:2], x[:, : front.numbers]))
        place = 2
    begin = front.numbers
    for levels, _ in front.categories:
        w, b = layers[place]
        pieces.append(x[:, begin : begin + levels] @ w + b)
        begin, place = begin + levels, place + 1
    units = np.concatenate([*pieces, x[:, begin:]], axis=1)
    if front.scaled:
        w, b = layers[place]
        units *= w
        units += b
    return units


def _numbers(
    front: Front, layers: tuple[tuple[np.ndarray, np.ndarray], ...], x: np.ndarray
) -> np.ndarray:
    """Numeric columns (rows, numbers) → their embeddings side by side (rows, numbers · width)."""
    (first, second), (maps, bias) = layers
    each = x[:, :, None]
    if front.embedding in PIECEWISE:
        parts = np.clip((each - first) * second, 0.0, 1.0)
    else:
        turns = each * first + second
        parts = np.cos(TURN * turns)
        if front.embedding != "pbld":
            parts = np.concatenate([parts, np.sin(TURN * turns)], axis=2)
    subscripts = "rnk,km->rnm" if maps.ndim == 2 else "rnk,nkm->rnm"
    made = np.einsum(subscripts, parts, maps) + bias
    if front.embedding == "pbld":
        made = np.concatenate([each, made], axis=2)
    else:
        np.maximum(made, 0.0, out=made)
    return made.reshape(len(x), -1)
