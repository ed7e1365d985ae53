"""`load`: reads what `save` or a run wrote, and runs nothing in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cuesta._util.model_file import wrong_description
from cuesta.estimators.base import Network, restore
from cuesta.estimators.description import from_json
from cuesta.estimators.mlp import MLPClassifier, MLPRegressor
from cuesta.estimators.tabular import TabularClassifier, TabularRegressor
from cuesta.estimators.tabular_base import TabularEstimator
from cuesta.estimators.tabular_file import restore as restore_tabular
from cuesta.model import FittedModel, read_with

ESTIMATORS: dict[str, type[Network]] = {
    "MLPClassifier": MLPClassifier,
    "MLPRegressor": MLPRegressor,
}
TABULAR: dict[str, type[TabularEstimator]] = {
    "TabularClassifier": TabularClassifier,
    "TabularRegressor": TabularRegressor,
}


def load(path: str | Path) -> Any:
    """Read what `save` wrote, an estimator ready to predict; or the model of a run's folder.

    An MLP's training goes on by `partial_fit`, or `fit` with `warm_start`, as if it had
    never been saved; a file of an earlier version has no optimizer's state and can only predict.
    Nothing in the file is run: it holds arrays and JSON alone, and a checksum of both.

    Parameters
    ----------
    path : str or pathlib.Path
        A file that an estimator's or a model's `save` wrote, or the folder of a run.

    Returns
    -------
    model : MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor or FittedModel
        An estimator, where an estimator was saved; else the model of the run.

    Raises
    ------
    ModelFileError
        For a file that is missing, truncated, altered, or no model of ours.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> import cuesta
    >>> X, y = load_iris(return_X_y=True)
    >>> net = cuesta.MLPClassifier((8,), epochs=5, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     net.save(Path(folder) / "iris.safetensors")
    ...     again = cuesta.load(Path(folder) / "iris.safetensors")
    >>> bool((again.predict(X) == net.predict(X)).all())
    True
    """
    path = Path(path)
    path = path / "model.safetensors" if path.is_dir() else path
    model, arrays = read_with(path)
    if model.estimator is None:
        return model
    with wrong_description(path, "an estimator"):
        return _estimator(model, arrays)


def _estimator(model: FittedModel, arrays: dict[str, np.ndarray]) -> Network | TabularEstimator:
    told = dict(model.estimator or {})
    name, plain_model = told["class"], replace(model, estimator=None)
    numbers = model.target.task == "regression"
    if name not in (*ESTIMATORS, *TABULAR):
        raise ValueError(f"{name!r} is no estimator of cuesta")
    if numbers != name.endswith("Regressor"):
        raise ValueError(f"a {name} for {model.target.task}")
    if name in TABULAR:
        return restore_tabular(TABULAR[name], told, plain_model)
    return restore(ESTIMATORS[name], from_json(told), plain_model, arrays)
