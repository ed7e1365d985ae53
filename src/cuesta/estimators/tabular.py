"""`TabularClassifier` and `TabularRegressor`: the main job of `cuesta fit` as estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from cuesta.estimators.our_names import with_our_names
from cuesta.estimators.tabular_base import TabularEstimator, checked_level
from cuesta.estimators.targets import plain_labels


class TabularClassifier(ClassifierMixin, TabularEstimator):
    """From a table with a column of classes to chosen, trained networks.

    What `cuesta fit` does, in Python: columns are taken as they come and encoded; candidates are
    trained on K folds, all at once, and chosen by their mean metric over the folds (N2); a
    committee of the best candidates' networks, or the winner trained on all rows, is delivered.
    With `test_size=0.2` and the command's seed as `random_state` the result is the command's, to
    the bit.

    Parameters
    ----------
    metric : str, default="auto"
        What chooses the winner: "log_loss", which "auto" is, "accuracy", "balanced_accuracy" (it
        also weighs the rows in training, so that each class counts the same), "roc_auc",
        "average_precision", "f1" or "brier"; or the name of a scorer of scikit-learn's.
    model : {"auto", "committee", "single"}, default="auto"
        What is delivered: a weighted mean of the best candidates' networks of all folds, or the
        winner trained on all rows; "auto" is the committee, unless the single network is clearly
        better on rows that neither saw.
    choose : {"best", "one-se"}, default="best"
        Which candidate wins: the best, or of those within one standard error of it the simplest.
    threshold : float, "auto" or None, default=None
        Of two classes, from which share on the second is decided, above 0 and below 1; "auto" is
        the best for the metric on rows that the networks did not see. None decides the likelier
        one. The second is the later in order, of numbers the larger, even where they are text.
    costs : pair of float or None, default=None
        Of two classes, what a false alarm and a miss of the second cost: the threshold is then the
        one that costs least.
    folds : int, default=5
        K of the K-fold cross-validation (N2), at least 2.
    protocol : str, default="kfold"
        How rows are split: "kfold"; "repeated", in K folds three times; "grouped", by the `groups`
        of `fit`; "ordered", in order of time, later rows validate; "single", once; "nested", where
        each of the `outer` folds tests a whole search on the others.
    outer : int, default=5
        The number of outer folds of "nested", at least 2.
    candidates : int or "auto", default="auto"
        How many sets of hyper-parameters to try, at least 1; a grid has its own number. "auto" are
        those of the built-in space, or 64 of another one, of large tables 20.
    epochs : int or "auto", default="auto"
        The largest number of epochs, at least 1; how many are used is chosen by the folds. "auto"
        gives all candidates about as many steps, and the better ones that still learn at their
        end twice the epochs.
    space : dict, str, pathlib.Path or None, default=None
        What candidates may be: for each hyper-parameter a value, a list of values or a range
        {"low": 1e-4, "high": 1e-1, "log": True}, an optimizer's own under its name; or the path of
        a TOML file of the same form; or "notes", the rows of the notes. None takes the built-in
        space: good configurations, and what is near them.
    sampler : {"random", "grid", "tpe"}, default="random"
        How candidates are chosen: evenly spread, every combination of the lists in `space`, or 16
        at a time by what was learned of those before.
    halving : bool, default=False
        Whether candidates that are behind stop early.
    test_size : float, default=0.0
        The share of rows that is kept aside for a test, below 1. With 0 all rows train and
        validate: whoever calls `fit` keeps test rows back, as everywhere in scikit-learn.
    columns : dict or None, default=None
        Column → "number", "boolean", "category", "date" (or "date:%d/%m/%Y"), "time" or "drop",
        where the guess is wrong.
    drop : str, sequence of str or None, default=None
        Columns to leave out.
    decimal : {"auto", ".", ","}, default="auto"
        The mark before decimals in text that may be read in two ways, as 1,234.
    missing : str, sequence of str or None, default=None
        Words or numbers that mean a missing value, beside the usual ones.
    precision : {"float32", "bfloat16"} or None, default=None
        Of the matrix products. None takes float32, or what the space says.
    instruments : {"off", "economy", "full"}, default="economy"
        How closely the winner's training is watched for the diagnosis in `result_`.
    baselines : bool, default=True
        Whether the linear model and boosted trees are fitted to the same rows and folds, to stand
        beside the networks in `result_` and `summary_`.
    out : str, pathlib.Path or None, default=None
        The run's folder, where finished work is kept and results are written, as by `cuesta fit`:
        after an interrupt the same `fit` goes on from there. None writes nothing.
    threads : int or None, default=None
        Threads that train, at least 1; None takes all cores.
    verbose : bool, default=False
        Whether to print what the command prints: the table, the progress, the result.
    random_state : int, numpy Generator, RandomState or None, default=0
        The seed of everything random, from 0 to 2³² − 1; None draws a new one each time.

    Attributes
    ----------
    classes_ : array of shape (classes,)
        The classes in order.
    model_ : FittedModel
        All that predicts, in NumPy: the encoder of the columns, the networks, what calibrates them.
    result_ : FitResult
        All that the run found, with its encoded rows; an estimator from a file or a pickle has
        none.
    summary_ : dict
        The same in plain values, as `result.json` of the command has it: "models", with what to
        expect of each on new rows, corrected for the choice, "winner", "test", "notes" and more.
    leaderboard_ : table with a row a candidate
        Best first: the scores fold by fold, and the hyper-parameters; of pandas where X was, else
        of polars.
    best_params_ : dict
        The winner's hyper-parameters.
    cv_score_ : float
        The metric of what is delivered, the mean over the folds' validation rows.
    n_features_in_ : int
        The columns of the fit's `X`.
    feature_names_in_ : array of shape (n_features_in_,)
        Their names, where `X` had names that are text.

    Raises
    ------
    SpecError
        By `fit`, for a parameter that cannot be used; the sentence names it.
    TableError
        By `fit` and `predict`, for a column, a row or a class that cannot be used.
    RunFolderError
        By `fit`, where `out` cannot be written, or holds another run.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from cuesta import TabularClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> net = TabularClassifier(candidates=2, epochs=20, folds=3).fit(X, y)
    >>> net.score(X, y) > 0.9
    True
    >>> net.predict_proba(X).shape
    (150, 3)
    >>> len(net.leaderboard_)
    2
    """

    @with_our_names
    def __init__(
        self,
        *,
        metric: str = "auto",
        model: str = "auto",
        choose: str = "best",
        threshold: float | str | None = None,
        costs: Any = None,
        folds: int = 5,
        protocol: str = "kfold",
        outer: int = 5,
        candidates: int | str = "auto",
        epochs: int | str = "auto",
        space: Any = None,
        sampler: str = "random",
        halving: bool = False,
        test_size: float = 0.0,
        columns: Any = None,
        drop: Any = None,
        decimal: str = "auto",
        missing: Any = None,
        precision: str | None = None,
        instruments: str = "economy",
        baselines: bool = True,
        out: Any = None,
        threads: int | None = None,
        verbose: bool = False,
        random_state: Any = 0,
    ) -> None:
        self._keep_arguments(locals())

    def predict(self, X: Any) -> np.ndarray:
        """Predict the class of each row.

        Parameters
        ----------
        X : table, or array of shape (rows, columns)
            As in `fit`.

        Returns
        -------
        classes : array of shape (rows,)
        """
        outputs = self._outputs(X)
        return self.classes_[self._places()[self.model_.choose(outputs)]]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the share that each class gets.

        Parameters
        ----------
        X : table, or array of shape (rows, columns)
            As in `fit`.

        Returns
        -------
        shares : array of shape (rows, classes), in the order of `classes_`
        """
        return self._by_class(self._outputs(X))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithms of `predict_proba`'s shares."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict_set(self, X: Any, level: float = 0.9) -> np.ndarray:
        """Predict for each row a set of classes that holds the true one, 9 times of 10.

        Cross-conformal sets (CV+; Romano, Sesia and Candès, 2020), from the networks of the folds
        and their shares of the rows that they did not see. The class that is predicted is always in
        the set.

        Parameters
        ----------
        X : table, or array of shape (rows, columns)
            As in `fit`.
        level : float, default=0.9
            How often a set is to hold the true class, above 0 and below 1.

        Returns
        -------
        sets : array of bool of shape (rows, classes)
            Whether each class of `classes_` is in the row's set.

        Raises
        ------
        SpecError
            For a level that cannot be used.
        """
        share = checked_level(level)
        return self._by_class(self.model_.label_sets(self._encoded(X), share))

    def _by_class(self, columns: np.ndarray) -> np.ndarray:
        """Columns in the order of the model's labels in that of `classes_`."""
        ordered = np.empty_like(columns)
        ordered[:, self._places()] = columns
        return ordered

    def _places(self) -> np.ndarray:
        """The place in `classes_` of each label of the model: texts of numbers may differ in it."""
        places = {label: place for place, label in enumerate(plain_labels(self.classes_))}
        return np.array([places[label] for label in self.model_.target.labels], np.intp)


class TabularRegressor(RegressorMixin, TabularEstimator):
    """From a table with one column of numbers to predict, or several, to chosen, trained networks.

    What `cuesta fit` does, in Python: columns are taken as they come and encoded; candidates are
    trained on K folds, all at once, and chosen by their mean metric over the folds (N2); a
    committee of the best candidates' networks, or the winner trained on all rows, is delivered.
    With `test_size=0.2` and the command's seed as `random_state` the result is the command's, to
    the bit.

    Parameters
    ----------
    metric : str, default="auto"
        What chooses the winner: "rmse", which "auto" is, "mae" or "r2", in the mean over the
        targets; or the name of a scorer of scikit-learn's.
    model : {"auto", "committee", "single"}, default="auto"
        What is delivered: a weighted mean of the best candidates' networks of all folds, or the
        winner trained on all rows; "auto" is the committee, unless the single network is clearly
        better on rows that neither saw.
    choose : {"best", "one-se"}, default="best"
        Which candidate wins: the best, or of those within one standard error of it the simplest.
    folds : int, default=5
        K of the K-fold cross-validation (N2), at least 2.
    protocol : str, default="kfold"
        How rows are split: "kfold"; "repeated", in K folds three times; "grouped", by the `groups`
        of `fit`; "ordered", in order of time, later rows validate; "single", once; "nested", where
        each of the `outer` folds tests a whole search on the others.
    outer : int, default=5
        The number of outer folds of "nested", at least 2.
    candidates : int or "auto", default="auto"
        How many sets of hyper-parameters to try, at least 1; a grid has its own number. "auto" are
        those of the built-in space, or 64 of another one, of large tables 20.
    epochs : int or "auto", default="auto"
        The largest number of epochs, at least 1; how many are used is chosen by the folds. "auto"
        gives all candidates about as many steps, and the better ones that still learn at their
        end twice the epochs.
    space : dict, str, pathlib.Path or None, default=None
        What candidates may be: for each hyper-parameter a value, a list of values or a range
        {"low": 1e-4, "high": 1e-1, "log": True}, an optimizer's own under its name; or the path of
        a TOML file of the same form; or "notes", the rows of the notes. None takes the built-in
        space: good configurations, and what is near them.
    sampler : {"random", "grid", "tpe"}, default="random"
        How candidates are chosen: evenly spread, every combination of the lists in `space`, or 16
        at a time by what was learned of those before.
    halving : bool, default=False
        Whether candidates that are behind stop early.
    test_size : float, default=0.0
        The share of rows that is kept aside for a test, below 1. With 0 all rows train and
        validate: whoever calls `fit` keeps test rows back, as everywhere in scikit-learn.
    columns : dict or None, default=None
        Column → "number", "boolean", "category", "date" (or "date:%d/%m/%Y"), "time" or "drop",
        where the guess is wrong.
    drop : str, sequence of str or None, default=None
        Columns to leave out.
    decimal : {"auto", ".", ","}, default="auto"
        The mark before decimals in text that may be read in two ways, as 1,234.
    missing : str, sequence of str or None, default=None
        Words or numbers that mean a missing value, beside the usual ones.
    precision : {"float32", "bfloat16"} or None, default=None
        Of the matrix products. None takes float32, or what the space says.
    instruments : {"off", "economy", "full"}, default="economy"
        How closely the winner's training is watched for the diagnosis in `result_`.
    baselines : bool, default=True
        Whether the linear model and boosted trees are fitted to the same rows and folds, to stand
        beside the networks in `result_` and `summary_`.
    out : str, pathlib.Path or None, default=None
        The run's folder, where finished work is kept and results are written, as by `cuesta fit`:
        after an interrupt the same `fit` goes on from there. None writes nothing.
    threads : int or None, default=None
        Threads that train, at least 1; None takes all cores.
    verbose : bool, default=False
        Whether to print what the command prints: the table, the progress, the result.
    random_state : int, numpy Generator, RandomState or None, default=0
        The seed of everything random, from 0 to 2³² − 1; None draws a new one each time.

    Attributes
    ----------
    model_ : FittedModel
        All that predicts, in NumPy: the encoder of the columns, the networks, what calibrates them.
    result_ : FitResult
        All that the run found, with its encoded rows; an estimator from a file or a pickle has
        none.
    summary_ : dict
        The same in plain values, as `result.json` of the command has it: "models", with what to
        expect of each on new rows, corrected for the choice, "winner", "test", "notes" and more.
    leaderboard_ : table with a row a candidate
        Best first: the scores fold by fold, and the hyper-parameters; of pandas where X was, else
        of polars.
    best_params_ : dict
        The winner's hyper-parameters.
    cv_score_ : float
        The metric of what is delivered, the mean over the folds' validation rows.
    n_features_in_ : int
        The columns of the fit's `X`.
    feature_names_in_ : array of shape (n_features_in_,)
        Their names, where `X` had names that are text.

    Raises
    ------
    SpecError
        By `fit`, for a parameter that cannot be used; the sentence names it.
    TableError
        By `fit` and `predict`, for a column, a row or a class that cannot be used.
    RunFolderError
        By `fit`, where `out` cannot be written, or holds another run.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from cuesta import TabularRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> net = TabularRegressor(candidates=2, epochs=20, folds=3).fit(X, y)
    >>> net.score(X, y) > 0.4
    True
    >>> net.predict(X).shape
    (442,)
    """

    @with_our_names
    def __init__(
        self,
        *,
        metric: str = "auto",
        model: str = "auto",
        choose: str = "best",
        folds: int = 5,
        protocol: str = "kfold",
        outer: int = 5,
        candidates: int | str = "auto",
        epochs: int | str = "auto",
        space: Any = None,
        sampler: str = "random",
        halving: bool = False,
        test_size: float = 0.0,
        columns: Any = None,
        drop: Any = None,
        decimal: str = "auto",
        missing: Any = None,
        precision: str | None = None,
        instruments: str = "economy",
        baselines: bool = True,
        out: Any = None,
        threads: int | None = None,
        verbose: bool = False,
        random_state: Any = 0,
    ) -> None:
        self._keep_arguments(locals())

    def predict(self, X: Any) -> np.ndarray:
        """Predict the targets, in their own units.

        Parameters
        ----------
        X : table, or array of shape (rows, columns)
            As in `fit`.

        Returns
        -------
        values : array of shape (rows,) or (rows, targets), as `y` was
        """
        return self._like_y(self._outputs(X))

    def predict_interval(self, X: Any, level: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
        """Predict bounds between which the targets lie, 9 times of 10.

        CV+ (Barber, Candès, Ramdas and Tibshirani, 2021): from the networks of the folds and their
        errors on the rows that they did not see.

        Parameters
        ----------
        X : table, or array of shape (rows, columns)
            As in `fit`.
        level : float, default=0.9
            How often the bounds are to hold the target, above 0 and below 1.

        Returns
        -------
        lower, upper : arrays of shape (rows,) or (rows, targets), as `y` was
            In the units of the target; infinite where the folds have too few rows for the level.

        Raises
        ------
        SpecError
            For a level that cannot be used.
        """
        share = checked_level(level)
        lower, upper = self.model_.interval(self._encoded(X), share)
        return self._like_y(lower), self._like_y(upper)

    def _like_y(self, values: np.ndarray) -> np.ndarray:
        """Values (rows, targets) as (rows,) where the targets of the fit were so."""
        return values[:, 0] if self._one_column else values

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
