"""The temperature of a model's shares: how sure of itself it is."""

from __future__ import annotations

import numpy as np


def sharpened(shares: np.ndarray, temperature: float) -> np.ndarray:
    """p^(1/T)/Σ p^(1/T) over the last axis: T below 1 makes shares surer, above 1 less sure.

    Of one network's softmax this is the softmax of its sums divided by T (Guo, Pleiss, Sun and
    Weinberger, 2017). Shares (..., classes) of a temperature of 1 are given back as they are.
    """
    if temperature == 1:
        return shares
    # Of the largest share, so that no power of all of them is too small for a number.
    powers = (shares / shares.max(axis=-1, keepdims=True)) ** (1 / temperature)
    return powers / powers.sum(axis=-1, keepdims=True)
