"""cuesta: from a table to a tested neural network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
    "SearchCV",
    "TabularClassifier",
    "TabularRegressor",
    "__version__",
    "load",
    "optim",
    "schedule",
]

__version__ = "0.1.0"  # the only place: pyproject.toml reads it from here

if TYPE_CHECKING:
    from cuesta import optim, schedule
    from cuesta.estimators.mlp import MLPClassifier, MLPRegressor
    from cuesta.estimators.search_cv import SearchCV
    from cuesta.estimators.storage import load
    from cuesta.estimators.tabular import TabularClassifier, TabularRegressor
else:
    # Imported when first asked for, so that `import cuesta` is quick; type checkers read the above.
    _HOMES = {
        "MLPClassifier": "estimators.mlp",
        "MLPRegressor": "estimators.mlp",
        "SearchCV": "estimators.search_cv",
        "TabularClassifier": "estimators.tabular",
        "TabularRegressor": "estimators.tabular",
        "load": "estimators.storage",
    }

    def __getattr__(name: str) -> Any:
        import importlib

        if name in ("optim", "schedule"):
            return importlib.import_module(f"cuesta.{name}")
        if name in _HOMES:
            return getattr(importlib.import_module(f"cuesta.{_HOMES[name]}"), name)
        raise AttributeError(f"module 'cuesta' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
