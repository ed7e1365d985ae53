"""A layer's weights."""

from __future__ import annotations

from typing import NamedTuple

from cuesta.core.types import Tensor


class Layer(NamedTuple):
    """One affine layer: `w` (inputs, outputs) and `b` (outputs,); a front's have other shapes."""

    w: Tensor
    b: Tensor
