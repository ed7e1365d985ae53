"""Activations and softmax in NumPy: prediction does not use JAX."""

from __future__ import annotations

import numpy as np


def activate(name: str, z: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """The named activation, element by element; `out` may be used for the result."""
    if name == "relu":
        return np.maximum(z, 0.0, out=out)
    if name == "tanh":
        return np.tanh(z, out=out)
    if name == "sigmoid":
        return 0.5 + 0.5 * np.tanh(0.5 * z)  # σ(z), without overflow
    if name == "identity":
        return z
    raise ValueError(f"activation {name!r} has no form in NumPy")


def softmax(outputs: np.ndarray) -> np.ndarray:
    """exp(oᵢ)/Σ exp(oⱼ), row by row."""
    shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)
