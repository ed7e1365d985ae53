"""Activations and softmax in NumPy: prediction does not use JAX."""

from __future__ import annotations

import math

import numpy as np

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def activate(name: str, z: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """The named activation, element by element; `out` may be used for the result.

    The formulas are those of `core.activation`, where their sources are named.
    """
    if name == "relu":
        return np.maximum(z, 0.0, out=out)
    if name == "tanh":
        return np.tanh(z, out=out)
    if name == "sigmoid":
        return sigmoid(z)
    if name == "identity":
        return z
    if name == "leaky_relu":
        return np.maximum(z, 0.01 * z, out=out)
    if name in CURVED:
        return CURVED[name](z)
    raise ValueError(f"activation {name!r} has no form in NumPy")


def sigmoid(z: np.ndarray) -> np.ndarray:
    """σ(z) = ½ + ½ tanh(z/2), without overflow."""
    half: np.ndarray = 0.5 + 0.5 * np.tanh(0.5 * z)
    return half


def gelu(z: np.ndarray) -> np.ndarray:
    """z·½(1 + tanh(√(2/π)(z + 0.044715z³))), the tanh form."""
    return z * sigmoid(math.sqrt(8.0 / math.pi) * (z + 0.044715 * z * z * z))


def mish(z: np.ndarray) -> np.ndarray:
    """z·tanh(log(1 + e^z))."""
    product: np.ndarray = z * np.tanh(np.logaddexp(0.0, z))
    return product


def selu(z: np.ndarray) -> np.ndarray:
    """λ·(z if z > 0 else α(e^z − 1))."""
    below = SELU_ALPHA * np.expm1(np.minimum(z, 0.0))
    return SELU_SCALE * np.where(z > 0, z, below)


CURVED = {"silu": lambda z: z * sigmoid(z), "gelu": gelu, "mish": mish, "selu": selu}


def softmax(outputs: np.ndarray) -> np.ndarray:
    """exp(oᵢ)/Σ exp(oⱼ), row by row."""
    shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)
