"""The estimators `MLPClassifier` and `MLPRegressor`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from cuesta.estimators.base import Network
from cuesta.estimators.our_names import with_our_names


class MLPClassifier(ClassifierMixin, Network):
    """A network for classes, or for several labels that may hold at once.

    It learns by cross-entropy, J = (1/b) Σ wᵢ · (−log softmax(f(xᵢ))_yᵢ) over the b rows of a batch
    (N11). A `y` (rows, labels) of 0 and 1 takes the sum of the labels' own log-losses in its place.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(64, 64)
        The units of each hidden layer, each from 1 to 65,536; `()` is a linear model.
    activation : str, default="relu"
        φ of the hidden layers (N4): "relu", "tanh", "sigmoid", "identity", "leaky_relu", "silu",
        "gelu", "mish" or "selu".
    preset : {"tabular"} or None, default=None
        "tabular" takes the best single configuration that was found for tables, in which
        `batch_size` follows the number of rows. It replaces defaults alone: a parameter that is set
        to another value stays. `model_.candidate` tells what was taken.
    architecture : {"mlp", "resnet"}, default="mlp"
        Whether the units of a hidden layer take the place of those before it, or, in "resnet" and
        where both layers have the same size, are added to them: u + φ(N(u)W + b), N the
        normalization of a row.
    init : {"uniform", "normal", "glorot", "he"}, default="he"
        How the initial weights are drawn (N10); biases start at 0. SELU was made for "normal".
    optimizer : str or callable, default="adam"
        "sgd" (N11), "momentum" (N13), "adagrad" (N14), "rmsprop" (N15), "adam" (N16), or
        "optax.NAME"; or a function of a module that takes `learning_rate` and returns an optimizer
        in optax's protocol.
    learning_rate : float, default=0.003
        α, above 0.
    final_learning_rate : float or None, default=None
        α_T, at least 0, of the last step: α goes there by the `schedule`. None keeps α with
        "linear", and is 0 with the others.
    schedule : {"linear", "cosine", "one_cycle", "coslog4"}, default="linear"
        The way of the rate at t = k/T, step k of T, from α to α_T: a line (N12); half a cosine; up
        from α/25 to α while t < 0.3, then down to α_T, by half cosines; or four waves,
        α_T + ½(α − α_T)(1 − cos(2π log₂(1 + 15t))).
    warmup : float, default=0.0
        The share of the steps, from 0 to 1, in which α first rises in a line from 0.
    momentum : float, default=0.9
        γ of "momentum" (N13), from 0 to 1.
    rho : float, default=0.9
        ρ of "rmsprop" (N15), from 0 to 1.
    beta_1 : float, default=0.9
        ρ₁ of "adam" (N16), from 0 to 1.
    beta_2 : float, default=0.999
        ρ₂ of "adam" (N16), from 0 to 1.
    epsilon : float or None, default=None
        ε of "adagrad", "rmsprop" and "adam", at least 0. None takes the dialect's.
    dialect : {"notes", "torch", "optax", "keras"}, default="torch"
        Whose form of the optimizer's rule is meant: where ε stands, where α stands, how the
        moments start.
    dropout : float, default=0.0
        1 − p (N1), from 0 to 1: the share of hidden units that each step drops.
    clip_norm : float or None, default=None
        Largest norm of the gradient of all layers together (N5), at least 0. None does not clip.
    clip_value : float or None, default=None
        Largest size of each element of the gradient (N5), at least 0. None does not clip.
    weight_decay : float, default=0.0
        λ in w ← w − αλw, beside the optimizer's rule; at least 0.
    batch_size : int, default=32
        b, the rows of a step; at least 1.
    epochs : int, default=50
        How often all rows are trained on; at least 1. With `early_stopping`, at most so often.
    normalize : {"standard", "robust", "quantile", "minmax", "none"}, default="standard"
        How inputs, and a regression's targets, are normalized by the rows that train (N3): targets
        by mean and standard deviation, unless "none". "robust" takes inputs by median and quartile
        range and bends them, z/√(1 + (z/3)²); "quantile" by their ranks to a normal distribution.
    numeric_embedding : str, default="none"
        What each numeric column x becomes before the first dense layer: "plr", ReLU of a linear map
        of sin 2πcx and cos 2πcx with learned c; "plr-lite", with one map for all columns; "pbld", x
        beside a linear map of cosines with learned phases; "piecewise" and "piecewise-tree", ReLU
        of a linear map of its place in bins between quantiles, or at the splits of a tree.
    embedding_size : int, default=8
        Units of each numeric column's embedding, at least 2.
    embedding_frequencies : int, default=16
        Frequencies c of each column, at least 1, for "plr", "plr-lite" and "pbld".
    embedding_sigma : float, default=0.3
        The standard deviation of the first c, above 0, in turns for each unit of the normalized
        column.
    embedding_bins : int, default=16
        Bins of each column, at least 2, for "piecewise" and "piecewise-tree".
    category_embedding : {"one-hot", "learned"}, default="one-hot"
        Whether a category of a table with more than 8 levels has a learned embedding of 8 units in
        place of a 0 or 1 for each level. An array has no categories.
    input_scale : bool, default=False
        Whether each unit that enters the first dense layer has a learned scale.
    precision : {"float32", "bfloat16"}, default="float32"
        Of the matrix products; weights, moments and losses are float32 always.
    loss : {"auto", "cross_entropy", "logistic"}, default="auto"
        "auto" takes "cross_entropy" for classes, and "logistic" for several labels.
    label_smoothing : float, default=0.0
        s, from 0 to 1: learns (1 − s)·e_y + s/classes in place of e_y.
    weight_average : float, default=0.0
        d, from 0 to below 1, in w̄ ← d·w̄ + (1 − d)·w after each step: w̄ is what validates and
        predicts.
    class_weight : dict, "balanced" or None, default=None
        Class → factor, above 0, of the sample weights of its rows; "balanced" takes
        rows/(classes · rows of the class). None counts all classes the same.
    early_stopping : bool, default=False
        Hold rows out of training, stop once their loss no longer falls, and keep the weights of the
        best epoch.
    validation_fraction : float or splitter, default=0.1
        The share of the rows that `early_stopping` holds out, above 0 and below 1: each class
        trains, and copies of a row are on one side. Or a splitter of scikit-learn's, whose last
        split is taken: `TimeSeriesSplit()` holds out the last rows in order. `fit` takes rows of
        one's own by `validation_set`.
    n_iter_no_change : int, default=10
        The epochs without a lower validation loss after which `early_stopping` stops; at least 1.
    warm_start : bool, default=False
        Whether a further `fit` goes on from where the last one ended, to `epochs` in all.
    verbose : bool, default=False
        Whether to show a progress bar with the losses, or in a log file some lines of them.
    random_state : int, numpy Generator, RandomState or None, default=None
        From what the seed of weights, batches and dropout comes: a number from 0 to 2³² − 1 makes
        the fit repeatable, None draws a new one each time.

    Attributes
    ----------
    classes_ : array of shape (classes,)
        The classes in order; for several labels their numbers.
    model_ : FittedModel
        The network: weights, scalings and encoder, with a forward pass in NumPy.
    history_ : dict of lists of length n_epochs_
        Each epoch's "loss", and with `early_stopping` "validation_log_loss" and
        "validation_accuracy" of the rows that were held out; NaN for epochs without such rows.
    n_epochs_ : int
        The epochs that were trained.
    best_epoch_ : int
        The epoch, from 1, whose weights `model_` has: the last, unless `early_stopping`.
    loss_curve_ : list of length n_epochs_
        As scikit-learn names it: `history_["loss"]`.
    n_iter_ : int
        As scikit-learn names it: `n_epochs_`.
    best_loss_ : float or None
        The lowest loss of `loss_curve_`; None with `early_stopping`, where another one decides.
    n_features_in_ : int
        The columns of the fit's `X`.
    feature_names_in_ : array of shape (n_features_in_,)
        Their names, where `X` had names that are text.

    Raises
    ------
    SpecError
        By `fit`, for a parameter that cannot be used; the sentence names it.
    TableError
        By `fit` and `predict`, for a column or a class that cannot be used.
    DivergedError
        By `fit`, where the weights do not stay finite.

    References
    ----------
    Kingma and Ba (2015), "Adam: a method for stochastic optimization".
    He, Zhang, Ren and Sun (2016), "Deep residual learning for image recognition" (`architecture`).
    Gorishniy, Rubachev and Babenko (2022), "On embeddings for numerical features in tabular deep
    learning" ("plr", "piecewise").
    Holzmüller, Grinsztajn and Steinwart (2024), "Better by default: strong pre-tuned MLPs and
    boosted trees on tabular data" ("pbld", "robust", "coslog4", `input_scale`).
    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), "Dropout: a simple way to
    prevent neural networks from overfitting".
    Szegedy, Vanhoucke, Ioffe, Shlens and Wojna (2016), "Rethinking the Inception architecture for
    computer vision" (label smoothing).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from cuesta import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> net = MLPClassifier((16,), epochs=20, random_state=0).fit(X, y)
    >>> net.score(X, y) > 0.9
    True
    >>> net.predict_proba(X).shape
    (150, 3)
    >>> len(net.history_["loss"])
    20
    """

    @with_our_names
    def __init__(
        self,
        hidden_layer_sizes: Any = (64, 64),
        activation: str = "relu",
        *,
        preset: str | None = None,
        architecture: str = "mlp",
        init: str = "he",
        optimizer: Any = "adam",
        learning_rate: float = 3e-3,
        final_learning_rate: float | None = None,
        schedule: str = "linear",
        warmup: float = 0.0,
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
        numeric_embedding: str = "none",
        embedding_size: int = 8,
        embedding_frequencies: int = 16,
        embedding_sigma: float = 0.3,
        embedding_bins: int = 16,
        category_embedding: str = "one-hot",
        input_scale: bool = False,
        precision: str = "float32",
        loss: str = "auto",
        label_smoothing: float = 0.0,
        weight_average: float = 0.0,
        class_weight: Any = None,
        early_stopping: bool = False,
        validation_fraction: Any = 0.1,
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
        """Predict the share that each class gets, softmax(f(x)), or each label, σ(f(x)).

        Parameters
        ----------
        X : array of shape (rows, columns), or a table
            As in `fit`.
        return_std : bool, default=False
            Whether to give mean and standard deviation over networks with dropped units
            (Monte-Carlo dropout), rather than the shares of the whole network.
        draws : int, default=100
            How many such networks.

        Returns
        -------
        shares : array of shape (rows, classes) or (rows, labels)
            With `return_std` a pair of such arrays.

        Raises
        ------
        SpecError
            For `return_std`, where the network has no dropout.
        """
        return self._sampled_outputs(X, draws) if return_std else self._outputs(X)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithms of `predict_proba`'s shares."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: Any, return_std: bool = False, draws: int = 100) -> Any:
        """Predict the class of the largest share, or for each label whether its share is above ½.

        Parameters
        ----------
        X : array of shape (rows, columns), or a table
            As in `fit`.
        return_std : bool, default=False
            Whether to give also the standard deviation of that share over networks with dropped
            units (Monte-Carlo dropout); the class is then that of the largest mean share.
        draws : int, default=100
            How many such networks.

        Returns
        -------
        classes : array of shape (rows,), or of 0 and 1 of shape (rows, labels)
            With `return_std` a pair of it and the standard deviations, of the same shape.

        Raises
        ------
        SpecError
            For `return_std`, where the network has no dropout.
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

    It learns by the squared error, J = (1/b) Σ wᵢ · ½‖f(xᵢ) − yᵢ‖² over the b rows of a batch (N3,
    N11), or another `loss`, of targets that are normalized by their mean and standard deviation.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(64, 64)
        The units of each hidden layer, each from 1 to 65,536; `()` is a linear model.
    activation : str, default="relu"
        φ of the hidden layers (N4): "relu", "tanh", "sigmoid", "identity", "leaky_relu", "silu",
        "gelu", "mish" or "selu".
    preset : {"tabular"} or None, default=None
        "tabular" takes the best single configuration that was found for tables, in which
        `batch_size` follows the number of rows. It replaces defaults alone: a parameter that is set
        to another value stays. `model_.candidate` tells what was taken.
    architecture : {"mlp", "resnet"}, default="mlp"
        Whether the units of a hidden layer take the place of those before it, or, in "resnet" and
        where both layers have the same size, are added to them: u + φ(N(u)W + b), N the
        normalization of a row.
    init : {"uniform", "normal", "glorot", "he"}, default="he"
        How the initial weights are drawn (N10); biases start at 0. SELU was made for "normal".
    optimizer : str or callable, default="adam"
        "sgd" (N11), "momentum" (N13), "adagrad" (N14), "rmsprop" (N15), "adam" (N16), or
        "optax.NAME"; or a function of a module that takes `learning_rate` and returns an optimizer
        in optax's protocol.
    learning_rate : float, default=0.003
        α, above 0.
    final_learning_rate : float or None, default=None
        α_T, at least 0, of the last step: α goes there by the `schedule`. None keeps α with
        "linear", and is 0 with the others.
    schedule : {"linear", "cosine", "one_cycle", "coslog4"}, default="linear"
        The way of the rate at t = k/T, step k of T, from α to α_T: a line (N12); half a cosine; up
        from α/25 to α while t < 0.3, then down to α_T, by half cosines; or four waves,
        α_T + ½(α − α_T)(1 − cos(2π log₂(1 + 15t))).
    warmup : float, default=0.0
        The share of the steps, from 0 to 1, in which α first rises in a line from 0.
    momentum : float, default=0.9
        γ of "momentum" (N13), from 0 to 1.
    rho : float, default=0.9
        ρ of "rmsprop" (N15), from 0 to 1.
    beta_1 : float, default=0.9
        ρ₁ of "adam" (N16), from 0 to 1.
    beta_2 : float, default=0.999
        ρ₂ of "adam" (N16), from 0 to 1.
    epsilon : float or None, default=None
        ε of "adagrad", "rmsprop" and "adam", at least 0. None takes the dialect's.
    dialect : {"notes", "torch", "optax", "keras"}, default="torch"
        Whose form of the optimizer's rule is meant: where ε stands, where α stands, how the
        moments start.
    dropout : float, default=0.0
        1 − p (N1), from 0 to 1: the share of hidden units that each step drops.
    clip_norm : float or None, default=None
        Largest norm of the gradient of all layers together (N5), at least 0. None does not clip.
    clip_value : float or None, default=None
        Largest size of each element of the gradient (N5), at least 0. None does not clip.
    weight_decay : float, default=0.0
        λ in w ← w − αλw, beside the optimizer's rule; at least 0.
    batch_size : int, default=32
        b, the rows of a step; at least 1.
    epochs : int, default=50
        How often all rows are trained on; at least 1. With `early_stopping`, at most so often.
    normalize : {"standard", "robust", "quantile", "minmax", "none"}, default="standard"
        How inputs, and a regression's targets, are normalized by the rows that train (N3): targets
        by mean and standard deviation, unless "none". "robust" takes inputs by median and quartile
        range and bends them, z/√(1 + (z/3)²); "quantile" by their ranks to a normal distribution.
    numeric_embedding : str, default="none"
        What each numeric column x becomes before the first dense layer: "plr", ReLU of a linear map
        of sin 2πcx and cos 2πcx with learned c; "plr-lite", with one map for all columns; "pbld", x
        beside a linear map of cosines with learned phases; "piecewise" and "piecewise-tree", ReLU
        of a linear map of its place in bins between quantiles, or at the splits of a tree.
    embedding_size : int, default=8
        Units of each numeric column's embedding, at least 2.
    embedding_frequencies : int, default=16
        Frequencies c of each column, at least 1, for "plr", "plr-lite" and "pbld".
    embedding_sigma : float, default=0.3
        The standard deviation of the first c, above 0, in turns for each unit of the normalized
        column.
    embedding_bins : int, default=16
        Bins of each column, at least 2, for "piecewise" and "piecewise-tree".
    category_embedding : {"one-hot", "learned"}, default="one-hot"
        Whether a category of a table with more than 8 levels has a learned embedding of 8 units in
        place of a 0 or 1 for each level. An array has no categories.
    input_scale : bool, default=False
        Whether each unit that enters the first dense layer has a learned scale.
    precision : {"float32", "bfloat16"}, default="float32"
        Of the matrix products; weights, moments and losses are float32 always.
    loss : {"auto", "squared", "absolute", "huber"}, default="auto"
        ½(ŷ − y)², |ŷ − y|, or Huber's: ½r² where |r| ≤ δ and δ|r| − ½δ² beyond, r = ŷ − y. "auto"
        takes "squared".
    huber_delta : float, default=1.0
        δ, above 0, in standard deviations of the target.
    target_transform : {"none", "log", "quantile"}, default="none"
        In which scale the targets are learned: as they are, by log(1 + (y − least)/m) with an m
        that makes them symmetric, or by ranks to the normal distribution. Scores and predictions
        are in the targets' own units.
    clamp : bool, default=False
        Whether predictions are held between the least and the greatest target that trained.
    weight_average : float, default=0.0
        d, from 0 to below 1, in w̄ ← d·w̄ + (1 − d)·w after each step: w̄ is what validates and
        predicts.
    early_stopping : bool, default=False
        Hold rows out of training, stop once their loss no longer falls, and keep the weights of the
        best epoch.
    validation_fraction : float or splitter, default=0.1
        The share of the rows that `early_stopping` holds out, above 0 and below 1: each class
        trains, and copies of a row are on one side. Or a splitter of scikit-learn's, whose last
        split is taken: `TimeSeriesSplit()` holds out the last rows in order. `fit` takes rows of
        one's own by `validation_set`.
    n_iter_no_change : int, default=10
        The epochs without a lower validation loss after which `early_stopping` stops; at least 1.
    warm_start : bool, default=False
        Whether a further `fit` goes on from where the last one ended, to `epochs` in all.
    verbose : bool, default=False
        Whether to show a progress bar with the losses, or in a log file some lines of them.
    random_state : int, numpy Generator, RandomState or None, default=None
        From what the seed of weights, batches and dropout comes: a number from 0 to 2³² − 1 makes
        the fit repeatable, None draws a new one each time.

    Attributes
    ----------
    model_ : FittedModel
        The network: weights, scalings and encoder, with a forward pass in NumPy.
    history_ : dict of lists of length n_epochs_
        Each epoch's "loss", and with `early_stopping` "validation_rmse" of the rows that were held
        out: the mean over the targets, each in its own units; NaN for epochs without such rows.
    n_epochs_ : int
        The epochs that were trained.
    best_epoch_ : int
        The epoch, from 1, whose weights `model_` has: the last, unless `early_stopping`.
    loss_curve_ : list of length n_epochs_
        As scikit-learn names it: `history_["loss"]`.
    n_iter_ : int
        As scikit-learn names it: `n_epochs_`.
    best_loss_ : float or None
        The lowest loss of `loss_curve_`; None with `early_stopping`, where another one decides.
    n_features_in_ : int
        The columns of the fit's `X`.
    feature_names_in_ : array of shape (n_features_in_,)
        Their names, where `X` had names that are text.

    Raises
    ------
    SpecError
        By `fit`, for a parameter that cannot be used; the sentence names it.
    TableError
        By `fit` and `predict`, for a column or a class that cannot be used.
    DivergedError
        By `fit`, where the weights do not stay finite.

    References
    ----------
    Kingma and Ba (2015), "Adam: a method for stochastic optimization".
    He, Zhang, Ren and Sun (2016), "Deep residual learning for image recognition" (`architecture`).
    Gorishniy, Rubachev and Babenko (2022), "On embeddings for numerical features in tabular deep
    learning" ("plr", "piecewise").
    Holzmüller, Grinsztajn and Steinwart (2024), "Better by default: strong pre-tuned MLPs and
    boosted trees on tabular data" ("pbld", "robust", "coslog4", `input_scale`).
    Huber (1964), "Robust estimation of a location parameter".
    Gal and Ghahramani (2016), "Dropout as a Bayesian approximation" (`return_std`).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from cuesta import MLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = MLPRegressor((16,), epochs=20, dropout=0.1, random_state=0).fit(X, y)
    >>> net.score(X, y) > 0.4
    True
    >>> mean, spread = net.predict(X, return_std=True)
    >>> mean.shape, spread.shape
    ((442,), (442,))
    """

    @with_our_names
    def __init__(
        self,
        hidden_layer_sizes: Any = (64, 64),
        activation: str = "relu",
        *,
        preset: str | None = None,
        architecture: str = "mlp",
        init: str = "he",
        optimizer: Any = "adam",
        learning_rate: float = 3e-3,
        final_learning_rate: float | None = None,
        schedule: str = "linear",
        warmup: float = 0.0,
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
        numeric_embedding: str = "none",
        embedding_size: int = 8,
        embedding_frequencies: int = 16,
        embedding_sigma: float = 0.3,
        embedding_bins: int = 16,
        category_embedding: str = "one-hot",
        input_scale: bool = False,
        precision: str = "float32",
        loss: str = "auto",
        huber_delta: float = 1.0,
        target_transform: str = "none",
        clamp: bool = False,
        weight_average: float = 0.0,
        early_stopping: bool = False,
        validation_fraction: Any = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self._keep_arguments(locals())

    def predict(self, X: Any, return_std: bool = False, draws: int = 100) -> Any:
        """Predict the targets, in their own units.

        Parameters
        ----------
        X : array of shape (rows, columns), or a table
            As in `fit`.
        return_std : bool, default=False
            Whether to give mean and standard deviation over networks with dropped units
            (Monte-Carlo dropout), rather than the values of the whole network.
        draws : int, default=100
            How many such networks.

        Returns
        -------
        values : array of shape (rows,) or (rows, targets), as `y` was
            With `return_std` a pair of such arrays.

        Raises
        ------
        SpecError
            For `return_std`, where the network has no dropout.
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
