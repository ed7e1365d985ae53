"""The network as scikit-learn's estimators are: `MLPClassifier` and `MLPRegressor`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from cuesta.data.encode import Target
from cuesta.errors import SpecError, TableError
from cuesta.estimators.base import Network
from cuesta.estimators.metadata import plain
from cuesta.training.fits import Rows


class MLPClassifier(ClassifierMixin, Network):
    """A network for classes, or for several labels that may hold at once.

    Cross-entropy −log softmax(f(x))_y (N1 to N17 for the rest), by default of the classes as they
    are; `label_smoothing` s learns (1 − s)·e_y + s/classes; `class_weight` (a dict, or "balanced":
    rows/(classes · rows of the class)) multiplies the sample weights. A `y` (rows, labels) of 0 and
    1 takes the sum of the labels' own log-losses.
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (64, 64),
        activation: str = "relu",
        *,
        init: str = "he",
        optimizer: Any = "adam",
        learning_rate: float = 3e-3,
        final_learning_rate: float | None = None,
        momentum: float = 0.9,
        rho: float = 0.9,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        dialect: str = "torch",
        dropout: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        weight_decay: float = 0.0,
        batch_size: int = 32,
        epochs: int = 50,
        normalize: str = "standard",
        precision: str = "float32",
        loss: str = "auto",
        label_smoothing: float = 0.0,
        class_weight: Any = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self._take(locals())

    def predict_proba(
        self,
        X: Any,
        return_std: bool = False,
        draws: int = 100,
    ) -> Any:
        """Shares (rows, classes), or of each label; a pair with `return_std`.

        Then, by Monte-Carlo dropout, the mean and the standard deviation over `draws` networks
        with dropped units. Raises SpecError where the network has no dropout.
        """
        if return_std:
            return self._decide(X, draws=draws, seed=0)
        return self._decide(X)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithms of the shares."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: Any, return_std: bool = False, draws: int = 100) -> Any:
        """The class of the largest share (rows,), or each label as 0 or 1 (rows, labels).

        With `return_std` also the standard deviation of that share by Monte-Carlo dropout.
        """
        spread = None
        shares = self._decide(X)
        if return_std:
            shares, spread = self._decide(X, draws=draws, seed=0)
        if self.model_.target.task == "multilabel":
            chosen = (shares > 0.5).astype(np.int64)
            return chosen if spread is None else (chosen, spread)
        best = shares.argmax(axis=1)
        chosen = self.classes_[best]
        return chosen if spread is None else (chosen, spread[np.arange(len(best)), best])

    def _read_target(self, y: Any, weights: np.ndarray | None) -> tuple[Target, np.ndarray]:
        check_classification_targets(y)
        kind = type_of_target(y)
        if kind == "multilabel-indicator":
            codes = np.asarray(y).astype(np.int32)
            self.classes_ = np.arange(codes.shape[1])
            names = tuple(f"label_{i}" for i in range(codes.shape[1]))
            return Target("multilabel", names), codes
        if kind == "multiclass-multioutput":
            raise ValueError("Several targets of more than two classes each are not supported.")
        values = column_or_1d(y, warn=True)
        known = getattr(self, "_known_classes", None)
        self.classes_ = np.unique(values) if known is None else known
        if len(self.classes_) < 2:
            raise TableError(
                f"y has 1 class only, {plain(self.classes_[0])!r}; a classifier needs two at least."
            )
        return Target("classification", ("y",), _labels(self.classes_)), self._codes(values)

    def _codes(self, y: Any) -> np.ndarray:
        if hasattr(self, "model_") and self.model_.target.task == "multilabel":
            return np.asarray(y).astype(np.int32)
        values = column_or_1d(y)
        places = np.searchsorted(self.classes_, values).clip(0, len(self.classes_) - 1)
        strange = self.classes_[places] != values
        if strange.any():
            raise TableError(
                f"y holds the class {plain(values[strange.argmax()])!r}, which is new."
            )
        return places.astype(np.int32)

    def _class_weights(self, target: Target, rows: Rows) -> np.ndarray | None:
        if self.class_weight is None:
            return rows.weights
        if target.task == "multilabel":
            raise SpecError("class_weight is for one target of classes; here are several labels.")
        labels = self.classes_[rows.y]
        present = np.unique(labels)
        of_class = dict(
            zip(
                present.tolist(),
                compute_class_weight(
                    self.class_weight, classes=present, y=labels, sample_weight=rows.weights
                ),
                strict=True,
            )
        )
        factors = np.array([of_class[label] for label in labels.tolist()], np.float64)
        if not (np.isfinite(factors).all() and (factors > 0).all()):
            raise SpecError("class_weight must be finite numbers above 0.")
        return factors if rows.weights is None else factors * rows.weights

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class MLPRegressor(RegressorMixin, Network):
    """A network for one number or several.

    Loss `squared` ½(ŷ − y)² (N3), `absolute` |ŷ − y|, or `huber` with `huber_delta` δ, all of
    targets normalized by their mean and standard deviation.
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (64, 64),
        activation: str = "relu",
        *,
        init: str = "he",
        optimizer: Any = "adam",
        learning_rate: float = 3e-3,
        final_learning_rate: float | None = None,
        momentum: float = 0.9,
        rho: float = 0.9,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        dialect: str = "torch",
        dropout: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        weight_decay: float = 0.0,
        batch_size: int = 32,
        epochs: int = 50,
        normalize: str = "standard",
        precision: str = "float32",
        loss: str = "auto",
        huber_delta: float = 1.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self._take(locals())

    def predict(self, X: Any, return_std: bool = False, draws: int = 100) -> Any:
        """Values (rows,) or (rows, targets); with `return_std` a pair, by Monte-Carlo dropout.

        Then the mean and the standard deviation over `draws` networks with dropped units. Raises
        SpecError where the network has no dropout.
        """
        if return_std:
            return tuple(map(self._shaped, self._decide(X, draws=draws, seed=0)))
        return self._shaped(self._decide(X))

    def _shaped(self, values: np.ndarray) -> np.ndarray:
        return values[:, 0] if self._one_target else values

    def _read_target(self, y: Any, weights: np.ndarray | None) -> tuple[Target, np.ndarray]:
        values = np.asarray(y, np.float64)
        if values.ndim == 2 and values.shape[1] == 1:
            values = column_or_1d(values, warn=True)
        self._one_target = values.ndim == 1
        count = 1 if self._one_target else values.shape[1]
        names = ("y",) if count == 1 else tuple(f"y{i}" for i in range(count))
        return Target("regression", names), self._codes(values)

    def _codes(self, y: Any) -> np.ndarray:
        values = np.asarray(y, np.float64)
        return values.reshape(len(values), -1)

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _labels(classes: np.ndarray) -> tuple[Any, ...]:
    """Classes as Python's own values of one type."""
    listed = classes.tolist()
    return tuple(listed) if len({type(label) for label in listed}) == 1 else tuple(map(str, listed))
