"""cuesta: from a table to a tested neural network."""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = ["__version__", "optim", "schedule"]

__version__ = "0.1.0"


def __getattr__(name: str) -> ModuleType:
    """Import a public module when it is first asked for, so that `import cuesta` is quick."""
    if name in ("optim", "schedule"):
        return importlib.import_module(f"cuesta.{name}")
    raise AttributeError(f"module 'cuesta' has no attribute {name!r}")
