"""What both estimators share: fitting, going on, predicting, saving."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from cuesta._util.checks import check_count
from cuesta.errors import SpecError
from cuesta.estimators.description import Description, to_json
from cuesta.estimators.distributions import short
from cuesta.estimators.fitting import (
    History,
    Trained,
    add_history,
    check_same_network,
    find_or_train,
    history_of,
    model_of,
    recipe_for,
    seed_of,
    train,
    training_rows,
)
from cuesta.estimators.inspection import InspectionMixin
from cuesta.estimators.our_names import OurNames
from cuesta.estimators.parameters import plain
from cuesta.estimators.rows import Encoding, Prepared, encode_for_prediction, prepare_rows
from cuesta.estimators.saved_state import state_of_file, state_to_file
from cuesta.estimators.seen import Seen, go_on, seen_of
from cuesta.estimators.targets import target_of_file
from cuesta.model import FittedModel, save_with
from cuesta.training.fits import Recipe, ResumePoint

MOST_DRAWS = 1_000_000


class Network(InspectionMixin, OurNames):
    """What the two estimators share; what begins with a low line is what a fit leaves.

    Weights, optimizer's state, normalization, class counts and curves are one state: training goes
    on from all of it, and a file holds all of it.
    """

    epochs: int
    early_stopping: bool
    warm_start: bool
    verbose: bool
    _encoding: Encoding
    _resume_point: ResumePoint | None = None
    _seen: Seen | None = None

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        validation_set: Any = None,
        X_val: Any = None,  # noqa: N803 (scikit-learn's name)
        y_val: Any = None,
    ) -> Self:
        """Train the network: J = (1/b) Σ wᵢ ℓᵢ over the b rows of a batch (N11).

        Parameters
        ----------
        X : array of shape (rows, columns), or a table of pandas, polars or pyarrow
            Numbers, NaN where one is missing; a table may also have columns of categories,
            booleans, dates and times, which are encoded.
        y : array of shape (rows,) or (rows, targets)
            What is to be predicted.
        sample_weight : array of shape (rows,), default=None
            Each row's wᵢ, at least 0; scaled to a mean of 1.
        validation_set : (X, y) or (X, y, weights), default=None
            Rows that validate each epoch, in place of some of these. With `early_stopping` they
            decide when training ends; without, `history_` has their scores all the same.
        X_val, y_val : default=None
            The same, by scikit-learn's names.

        Returns
        -------
        self
            An interrupt keeps what was trained so far. With `warm_start` the next call goes on from
            there, to `epochs` epochs in all, as if nothing had come between.

        Raises
        ------
        SpecError, TableError
            For a parameter, a column or a row that cannot be used; the sentence names it.
        DivergedError
            Where the weights do not stay finite.
        """
        if X_val is not None or y_val is not None:
            if validation_set is not None or X_val is None or y_val is None:
                raise SpecError("Give X_val and y_val together, or validation_set=(X_val, y_val).")
            validation_set = X_val, y_val
        if self.warm_start and hasattr(self, "model_"):
            return self._continue_training(X, y, sample_weight, validation_set)
        prepared = prepare_rows(self, X, y, sample_weight, validation_set=validation_set)
        recipe = self._recipe(prepared)
        trained = find_or_train(recipe, prepared.rows, shown=bool(self.verbose))
        return self._keep(recipe, prepared, trained, {})

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch on these rows, from where the last training ended.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`. Columns and classes are those of the first call; normalization follows the
            first 100 rows, and any column until it varies.
        classes : array, default=None
            All classes, where the first call's `y` does not have them all.

        Returns
        -------
        self

        Raises
        ------
        SpecError, TableError, DivergedError
            As `fit`.
        """
        resume, known = None, None
        if hasattr(self, "model_"):
            resume, known = self._point_to_go_on_from(), self._encoding
            self._check_classes(classes)
        prepared = prepare_rows(
            self,
            X,
            y,
            sample_weight,
            known=known,
            classes=None if classes is None else np.unique(np.asarray(classes)),
            counts=self._seen.classes if resume and self._seen else None,
            all_train=True,
        )
        recipe = self._recipe(prepared, resume)
        epochs = resume.epochs + 1 if resume else 1
        one_more = replace(recipe, epochs=epochs, patience=None)
        return self._train(one_more, prepared, resume)

    def _continue_training(self, X: Any, y: Any, sample_weight: Any, validation_set: Any) -> Self:
        """Train on to `epochs` epochs in all."""
        resume = self._point_to_go_on_from()
        prepared = prepare_rows(
            self, X, y, sample_weight, known=self._encoding, validation_set=validation_set
        )
        recipe = self._recipe(prepared, resume)
        if resume.stopped(recipe.patience):
            reason = (
                f"early stopping ended the training after epoch {resume.epochs}: nothing is left "
                "to do. Raise n_iter_no_change to train on."
            )
        elif recipe.epochs <= resume.epochs:
            reason = (
                f"warm_start=True trains on to epochs={recipe.epochs} in all, and {resume.epochs} "
                "are trained: nothing is left to do. Raise epochs to train on."
            )
        else:
            return self._train(recipe, prepared, resume)
        warnings.warn(reason, ConvergenceWarning, stacklevel=3)
        return self

    def _point_to_go_on_from(self) -> ResumePoint:
        """Where the training ended. Raises SpecError where this is not known."""
        if self._resume_point is None:
            raise SpecError(
                "This network cannot be trained on: it comes from a file (or a search) that holds "
                "its weights without the optimizer's state; load and predict with it, or fit a "
                "new one with warm_start=False."
            )
        return self._resume_point

    def _check_classes(self, classes: Any) -> None:
        """Raise SpecError for `classes` that are not those of the first call."""
        if classes is None or self._encoding.target.classes is None:
            return
        given = np.unique(np.asarray(classes))
        if not np.array_equal(given, self._encoding.target.classes):
            raise SpecError(
                f"classes={short(given.tolist())} are not those of the first call, "
                f"{short(self._encoding.target.classes.tolist())}; a network's classes stay."
            )

    def _recipe(self, prepared: Prepared, resume: ResumePoint | None = None) -> Recipe:
        seed = resume.seed if resume else seed_of(self)
        target = prepared.encoding.target.target
        recipe = recipe_for(self, target, prepared.rows, seed, prepared.held_out)
        if resume:
            check_same_network(self.model_.candidate, recipe.candidate)
        return recipe

    def _train(self, recipe: Recipe, prepared: Prepared, resume: ResumePoint | None) -> Self:
        seen = None
        if resume is not None and self._seen is not None:
            resume, seen = go_on(
                resume,
                self._seen,
                training_rows(recipe, prepared.rows),
                prepared.classes,
                recipe.candidate,
            )
        trained = train(recipe, prepared.rows, resume, shown=bool(self.verbose))
        return self._keep(recipe, prepared, trained, self.history_ if resume else {}, seen)

    def _keep(
        self,
        recipe: Recipe,
        prepared: Prepared,
        trained: Trained,
        earlier: History,
        seen: Seen | None = None,
    ) -> Self:
        """Keep what training gave. Raises DivergedError where that is not finite."""
        fitted = trained.fitted
        self.model_ = model_of(recipe.candidate, prepared.encoding, fitted)
        self.history_ = add_history(earlier, history_of(recipe, fitted))
        self.n_epochs_ = len(self.history_["loss"])
        self.best_epoch_ = fitted.best or self.n_epochs_
        self._resume_point = trained.resume_point
        self._seen = seen or seen_of(
            training_rows(recipe, prepared.rows), fitted.inputs, prepared.classes
        )
        self._keep_encoding(prepared.encoding)
        return self

    def _keep_encoding(self, encoding: Encoding) -> None:
        self._encoding = encoding
        if encoding.target.classes is not None:
            self.classes_ = encoding.target.classes

    def _outputs(self, X: Any) -> np.ndarray:
        """Shares or values (rows, outputs)."""
        check_is_fitted(self, "model_")
        return self.model_.decide(encode_for_prediction(self, X))

    def _sampled_outputs(self, X: Any, draws: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation (rows, outputs) over networks with dropped units."""
        check_is_fitted(self, "model_")
        check_count("draws", plain(draws), MOST_DRAWS)
        if not self.model_.candidate.dropout:
            raise SpecError("return_std needs a network that was trained with dropout above 0.")
        return self.model_.sample(encode_for_prediction(self, X), draws=draws, seed=0)

    @property
    def loss_curve_(self) -> list[float]:
        """Each epoch's loss."""
        return self.history_["loss"]

    @property
    def n_iter_(self) -> int:
        """The epochs that were trained."""
        return self.n_epochs_

    @property
    def best_loss_(self) -> float | None:
        """The lowest loss; None where that of validation decided, as in scikit-learn."""
        losses = self.loss_curve_
        return None if self.early_stopping else min(losses)

    def save(self, path: str | Path) -> None:
        """Write the fitted network to one file, arrays and JSON; `cuesta.load` reads it.

        Parameters
        ----------
        path : str or pathlib.Path
            The file; one that is there is replaced.

        Raises
        ------
        SpecError
            For a parameter that a file cannot hold: an optimizer that is a function.
        RunFolderError
            Where the file cannot be written.
        """
        check_is_fitted(self, "model_")
        state, arrays = state_to_file(self._resume_point, self._seen)
        kinds = self._encoding.kinds
        about = Description(
            type(self).__name__,
            self.get_params(),
            int(self.n_features_in_),
            tuple(str(name) for name in getattr(self, "feature_names_in_", [])),
            self.history_,
            int(self.best_epoch_),
            self._encoding.target.one_column,
            self._encoding.target.class_type,
            None if kinds is None else dict(kinds),
            state,
        )
        save_with(replace(self.model_, estimator=to_json(about)), Path(path), arrays)

    def __sklearn_is_fitted__(self) -> bool:
        """Whether there is a model."""
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def restore(
    kind: type[Network], about: Description, model: FittedModel, arrays: dict[str, np.ndarray]
) -> Network:
    """The estimator that was saved. Raises ValueError for a parameter that it does not have."""
    net = kind()
    unknown = set(about.params) - set(net.get_params())
    if unknown:
        raise ValueError(f"the parameter {min(unknown)!r} is unknown")
    net.set_params(**about.params)
    net.n_features_in_ = about.columns
    if about.column_names:
        net.feature_names_in_ = np.array(about.column_names, object)
    net.model_, net.history_ = model, about.history
    net.n_epochs_, net.best_epoch_ = len(about.history["loss"]), about.best_epoch
    target = target_of_file(model.target, about.class_type, one_column=about.one_column)
    net._keep_encoding(Encoding(model.encoder, about.kinds, target))
    net._resume_point, net._seen = state_of_file(about.state, model, arrays)
    return net
