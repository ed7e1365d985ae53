"""Type names of the core: one code takes plain, batched and traced numbers, so most are `Any`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Scalar = Any  # a traced scalar in a compiled lane; a NumPy or Python number outside
Tensor = Any  # a JAX array in a compiled lane; a NumPy array before and after
Params = Any  # a pytree of tensors
Schedule = Callable[[Scalar], Any]  # a step, counted from 0 → its learning rate
