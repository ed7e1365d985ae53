"""What a file keeps of an estimator beside its model, in JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from cuesta.errors import SpecError

FORMAT = 1


def plain(value: Any) -> Any:
    """A NumPy scalar as Python's own number, lists and arrays as tuples of them."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple | np.ndarray):
        return tuple(plain(each) for each in value)
    return value


def described(net: Any) -> dict[str, Any]:
    """What a file keeps of an estimator beside its model.

    Raises SpecError for a parameter that is neither a name nor a number.
    """
    return {
        "format": FORMAT,
        "class": type(net).__name__,
        "params": {name: _jsonable(name, value) for name, value in net.get_params().items()},
        "n_features_in": int(net.n_features_in_),
        "feature_names_in": [str(name) for name in getattr(net, "feature_names_in_", [])],
        "history": net.history_,
        "best_epoch": int(net.best_epoch_),
        "one_target": bool(getattr(net, "_one_target", True)),
    }


def _jsonable(name: str, value: Any) -> Any:
    value = plain(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, dict):
        return {"dict": [[plain(k), plain(v)] for k, v in value.items()]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if name == "random_state":
        return None  # a generator: what it drew is not to be had again
    raise SpecError(f"{name} {value!r} cannot be written to a file; only names and numbers can.")
