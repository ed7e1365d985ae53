"""An estimator in one file, and back: safetensors and JSON, nothing that runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cuesta.errors import ModelFileError
from cuesta.estimators.metadata import FORMAT
from cuesta.estimators.mlp import MLPClassifier, MLPRegressor
from cuesta.model import FittedModel, load_model

ESTIMATORS: dict[str, type[MLPClassifier] | type[MLPRegressor]] = {
    "MLPClassifier": MLPClassifier,
    "MLPRegressor": MLPRegressor,
}


def load(path: str | Path) -> Any:
    """Read what `save` wrote, an estimator ready to predict; or the model of a run's folder.

    Nothing in the file is run. Raises ModelFileError for a file that is missing, truncated,
    altered, or no model of ours.
    """
    path = Path(path)
    path = path / "model.safetensors" if path.is_dir() else path
    model = load_model(path)
    if model.estimator is None:
        return model
    about = model.estimator
    try:
        return _rebuilt(model, dict(about))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"{str(path)!r} does not describe an estimator: {error}.") from error


def _rebuilt(model: FittedModel, about: dict[str, Any]) -> Any:
    if about["format"] != FORMAT:
        raise ValueError(f"format {about['format']!r}; this version reads {FORMAT}")
    net = ESTIMATORS[about["class"]]()
    net.set_params(**{name: _parameter(value) for name, value in about["params"].items()})
    if (model.target.task == "regression") != isinstance(net, MLPRegressor):
        raise ValueError(f"a {about['class']} for {model.target.task}")
    net.n_features_in_ = int(about["n_features_in"])
    if about["feature_names_in"]:
        net.feature_names_in_ = np.array([str(n) for n in about["feature_names_in"]], object)
    net.history_ = {str(n): [float(v) for v in values] for n, values in about["history"].items()}
    net.n_epochs_, net.best_epoch_ = len(net.history_["loss"]), int(about["best_epoch"])
    net.model_ = replace(model, estimator=None)
    if isinstance(net, MLPRegressor):
        net._one_target = bool(about["one_target"])
    elif model.target.task == "multilabel":
        net.classes_ = np.arange(model.target.outputs)
    else:
        net.classes_ = np.array(model.target.labels)
    return net


def _parameter(value: Any) -> Any:
    """A parameter as it was before it became JSON."""
    if isinstance(value, dict):
        return dict(value["dict"])
    return tuple(value) if isinstance(value, list) else value
