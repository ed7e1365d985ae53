"""The network as scikit-learn's estimators are: `MLPClassifier` and `MLPRegressor`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from cuesta.estimators.base import Network


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
        self._keep_arguments(locals())

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
        return self._sampled_outputs(X, draws) if return_std else self._outputs(X)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithms of the shares."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: Any, return_std: bool = False, draws: int = 100) -> Any:
        """The class of the largest share (rows,), or each label as 0 or 1 (rows, labels).

        With `return_std` also the standard deviation of that share by Monte-Carlo dropout.
        """
        shares, spread = self._sampled_outputs(X, draws) if return_std else (self._outputs(X), None)
        if self.model_.target.task == "multilabel":
            chosen = (shares > 0.5).astype(np.int64)
            return chosen if spread is None else (chosen, spread)
        best = shares.argmax(axis=1)
        chosen = self.classes_[best]
        return chosen if spread is None else (chosen, spread[np.arange(len(best)), best])

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
        self._keep_arguments(locals())

    def predict(self, X: Any, return_std: bool = False, draws: int = 100) -> Any:
        """Values (rows,) or (rows, targets); with `return_std` a pair, by Monte-Carlo dropout.

        Then the mean and the standard deviation over `draws` networks with dropped units. Raises
        SpecError where the network has no dropout.
        """
        if return_std:
            mean, spread = self._sampled_outputs(X, draws)
            return self._like_y(mean), self._like_y(spread)
        return self._like_y(self._outputs(X))

    def _like_y(self, values: np.ndarray) -> np.ndarray:
        """Values (rows, targets) as (rows,) where the targets of the fit were so."""
        return values[:, 0] if self._encoding.target.one_column else values

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
