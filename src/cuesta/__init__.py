"""cuesta: from a table to a tested neural network."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
    "SearchCV",
    "__version__",
    "load",
    "optim",
    "schedule",
]

__version__ = "0.1.0"


HOMES = {
    "MLPClassifier": "estimators.mlp",
    "MLPRegressor": "estimators.mlp",
    "SearchCV": "estimators.search_cv",
    "load": "estimators.storage",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import cuesta` is quick."""
    if name in ("optim", "schedule"):
        return importlib.import_module(f"cuesta.{name}")
    if name in HOMES:
        return getattr(importlib.import_module(f"cuesta.{HOMES[name]}"), name)
    raise AttributeError(f"module 'cuesta' has no attribute {name!r}")
