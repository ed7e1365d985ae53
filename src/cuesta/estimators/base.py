"""What both estimators share: reading rows, fitting, going on, predicting."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from cuesta._util.checks import check_choice, check_count, check_range
from cuesta._util.progress import Bar
from cuesta.data.columns import Kind, convert_columns, read_columns, tidy_frame
from cuesta.data.encode import Encoder, Target, fit_encoder, fit_matrix_encoder
from cuesta.data.folds import hold_out
from cuesta.data.frames import as_frame
from cuesta.diagnose.checkup import Diagnosis, check_up
from cuesta.diagnose.finder import FoundRate, find_rate, find_work
from cuesta.diagnose.surface import WAYS, Landscape, landscape
from cuesta.errors import DivergedError, SpecError, TableError
from cuesta.estimators.metadata import described, plain
from cuesta.estimators.prefit import current_session
from cuesta.hyperparameters import INSTRUMENTS, PARAMETERS, Candidate, loss_of
from cuesta.model import FittedModel
from cuesta.training.batching import Batching
from cuesta.training.fits import Fitted, Recipe, ResumePoint, Rows, fit_one
from cuesta.training.planner import this_machine

LARGEST_SEED = 2**32
MOST_EPOCHS = 1_000_000


@dataclass(frozen=True)
class Prepared:
    """What a fit learns from: encoded rows, how they were encoded, and what is to be predicted."""

    encoder: Encoder
    target: Target
    rows: Rows


class Network(BaseEstimator):
    """What the two estimators share; each says itself what a target is."""

    hidden_layer_sizes: Any
    optimizer: Any
    batch_size: int
    epochs: int
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    warm_start: bool
    verbose: bool
    random_state: Any

    def _take(self, given: dict[str, Any]) -> None:
        """Keep the arguments of `__init__` as they are, as scikit-learn's `clone` needs them."""
        for name, value in given.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    _kinds: dict[str, Kind]

    # What the subclasses say of their targets.

    def _read_target(self, y: Any, weights: np.ndarray | None) -> tuple[Target, np.ndarray]:
        raise NotImplementedError

    def _codes(self, y: Any) -> np.ndarray:
        raise NotImplementedError

    def _class_weights(self, target: Target, rows: Rows) -> np.ndarray | None:
        return rows.weights

    # Fitting.

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train on rows `X` (rows, columns) with targets `y` (rows,) or (rows, targets).

        `X` is an array of numbers, NaN where one is missing, or a table of pandas, polars or
        pyarrow, whose categories, booleans and dates are encoded. J = (1/b) Σ wᵢ ℓᵢ over the b rows
        of a batch (N11), with the sample weights wᵢ scaled to a mean of 1. An interrupt keeps what
        was trained so far; with `warm_start` the next call goes on from there, to `epochs` epochs
        in all, as if nothing had come between. Raises SpecError or TableError naming the culprit,
        and DivergedError where the weights do not stay finite.
        """
        if self.warm_start and hasattr(self, "_beginning"):
            return self._go_on(X, y, sample_weight)
        prepared = self._prepare(X, y, sample_weight, known=False)
        recipe = self._recipe(prepared)
        session = current_session()
        found = session.take(recipe, prepared.rows) if session else None
        if found is None:
            self._train(recipe, prepared, None)
        else:
            self._adopt(recipe, prepared, found)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch on these rows, from where the last one ended.

        Columns, normalization and classes are those of the first call, which may name all
        `classes`.
        """
        started = hasattr(self, "_beginning")
        if not started and classes is not None:
            self._known_classes = np.unique(np.asarray(classes))
        try:
            prepared = self._prepare(X, y, sample_weight, known=started)
        finally:
            self.__dict__.pop("_known_classes", None)
        begun = self._beginning if started else None
        one_more = begun.epochs + 1 if begun else 1
        recipe = self._recipe(prepared, begun.seed if begun else None)
        once = replace(recipe, epochs=one_more, patience=None, held_out=())
        self._train(once, prepared, begun)
        return self

    def _go_on(self, X: Any, y: Any, sample_weight: Any) -> Self:
        """Train on to `epochs` epochs in all."""
        prepared = self._prepare(X, y, sample_weight, known=True)
        recipe = self._recipe(prepared, self._beginning.seed)
        sizes = recipe.shape(prepared.encoder.width).sizes
        if sizes != self.model_.sizes:
            raise SpecError(
                "A warm start goes on with the network that is there, of sizes "
                f"{self.model_.sizes}; hidden_layer_sizes now asks for {sizes}."
            )
        if recipe.epochs <= self._beginning.epochs:
            warnings.warn(
                f"{self._beginning.epochs} epochs are trained; a warm start trains on to `epochs`, "
                f"which is {recipe.epochs}: nothing is left to do.",
                ConvergenceWarning,
                stacklevel=3,
            )
            return self
        self._train(recipe, prepared, self._beginning)
        return self

    @property
    def _preparation(self) -> tuple[Any, ...]:
        """The parameters on which prepared rows depend."""
        weights = getattr(self, "class_weight", None)
        return type(self).__name__, plain(self.batch_size), repr(weights)

    def _prepare(
        self, X: Any, y: Any, sample_weight: Any, *, known: bool, quiet: bool = False
    ) -> Prepared:
        """Check, encode and weigh rows; what is `known` from an earlier fit is kept."""
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                "is None."
            )
        table, x, y = self._checked(X, y, reset=not known)
        count = len(y)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(
                sample_weight, np.empty((count, 1)), dtype=np.float64, ensure_non_negative=True
            )
            kept = weights > 0
            if not kept.any():
                raise ValueError("All sample weights are zero: no row is left to learn from.")
            if not kept.all():
                x, y, weights = x[kept], y[kept], weights[kept]
                table = None if table is None else table.filter(pl.Series(kept))
        if known:
            encoder, target = self.model_.encoder, self.model_.target
            codes = self._codes(y)
        else:
            encoder = self._fit_encoder(table, x, quiet)
            target, codes = self._read_target(y, weights)
        encoded = encoder.encode_matrix(x) if table is None else encoder.encode_tidied(table)
        rows = Rows(encoded, codes, weights)
        batch = check_count("batch_size", plain(self.batch_size), 1_000_000)
        rows = _one_batch(rows, batch)
        weights = self._class_weights(target, rows)
        if weights is not None and np.ptp(weights) == 0:
            weights = None  # equal weights are none
        return Prepared(encoder, target, Rows(rows.x, rows.y, weights))

    def _checked(self, X: Any, y: Any, *, reset: bool) -> tuple[pl.DataFrame | None, Any, Any]:
        """A table settled, or else a checked matrix; and the targets as an array."""
        table = as_frame(X)
        numeric = isinstance(self, RegressorMixin)
        if table is None:
            x, y = validate_data(
                self,
                X,
                y,
                reset=reset,
                dtype=np.float64,
                ensure_all_finite="allow-nan",
                multi_output=True,
                y_numeric=numeric,
            )
            return None, x, y
        validate_data(self, _named(X, table), reset=reset, skip_check_array=True)
        how = "numeric" if numeric else None
        y = check_array(y, ensure_2d=False, dtype=how, input_name="y")
        check_consistent_length(table, y)
        if reset:
            table, self._kinds = read_columns(table)
        else:
            table = convert_columns(tidy_frame(table), self._kinds)
        return table, np.empty((len(y), 0)), y

    def _fit_encoder(self, table: pl.DataFrame | None, x: np.ndarray, quiet: bool) -> Encoder:
        if table is None:
            names = getattr(self, "feature_names_in_", None)
            listed = [f"x{i}" for i in range(x.shape[1])] if names is None else list(names)
            return fit_matrix_encoder(x, listed)
        encoder = fit_encoder(table, self._kinds)
        for note in () if quiet else encoder.notes:
            warnings.warn(f"{note}.", stacklevel=5)
        return encoder

    def _candidate(self) -> Candidate:
        given = {name: plain(getattr(self, name)) for name in PARAMETERS if hasattr(self, name)}
        sizes = given["hidden_layer_sizes"]
        given["hidden_layer_sizes"] = (sizes,) if isinstance(sizes, int) else sizes
        return Candidate(**given)

    def _recipe(self, prepared: Prepared, seed: int | None = None) -> Recipe:
        candidate, target, rows = self._candidate(), prepared.target, prepared.rows
        wanted = check_count("epochs", plain(self.epochs), MOST_EPOCHS)
        patience = None
        held_out: tuple[int, ...] = ()
        seed = self._seed() if seed is None else seed
        if self.early_stopping:
            patience = check_count("n_iter_no_change", plain(self.n_iter_no_change), MOST_EPOCHS)
            held_out = self._held_out(rows, seed)
        return Recipe(
            candidate,
            loss_of(candidate, target.task),
            target.outputs,
            wanted,
            seed,
            patience,
            held_out,
            schedule_epochs=wanted,
        )

    def _seed(self) -> int:
        """The seed of a fit: `random_state` where it is a number, else drawn."""
        session = current_session()
        if self.random_state is None and session is not None:
            return session.seeds[0]
        return draw_seed(self.random_state)

    def _held_out(self, rows: Rows, seed: int) -> tuple[int, ...]:
        share = plain(self.validation_fraction)
        check_range("validation_fraction", share, 0, 1, open_low=True)
        return tuple(hold_out(rows.y, share, seed).validation.tolist())

    def _train(self, recipe: Recipe, prepared: Prepared, begun: ResumePoint | None) -> None:
        fitted = state = None
        session = current_session()
        batching, places = (
            (session.batching, session.places) if session else (Batching(this_machine()), 0)
        )
        spans = fit_one(recipe, prepared.rows, batching, begun, places)
        done = begun.epochs if begun else 0
        with Bar(recipe.epochs - done, "epochs", shown=bool(self.verbose)) as bar:
            try:
                for state, fitted in spans:  # noqa: B007 (the last ones count)
                    bar.advance_to(len(fitted.curves))
            except KeyboardInterrupt:
                if fitted is None:
                    raise
                warnings.warn(
                    f"Interrupted after {len(fitted.curves)} epochs; what was trained is kept.",
                    ConvergenceWarning,
                    stacklevel=3,
                )
        if fitted is None or state is None:
            raise SpecError("There is no epoch left to train.")
        before = getattr(self, "history_", None) if begun else None
        self._adopt(recipe, prepared, fitted, before)
        ended = done + len(fitted.curves)
        self._beginning = ResumePoint(state, ended, recipe.seed, fitted.inputs, fitted.targets)

    def _adopt(
        self,
        recipe: Recipe,
        prepared: Prepared,
        fitted: Fitted,
        before: dict[str, list[float]] | None = None,
    ) -> None:
        """Take what training gave. Raises DivergedError where that is not finite."""
        finite = all(np.isfinite(leaf).all() for layer in fitted.layers for leaf in layer)
        if fitted.diverged_at or not finite:
            raise DivergedError(diverged(recipe.candidate, fitted))
        self.model_ = FittedModel(
            prepared.encoder,
            prepared.target,
            recipe.candidate,
            fitted.inputs,
            fitted.targets,
            tuple((layer.w, layer.b) for layer in fitted.layers),
        )
        history = _history(recipe, fitted)
        self.history_ = {n: (before or {}).get(n, []) + v for n, v in history.items()}
        self.n_epochs_ = len(self.history_["loss"])
        self.best_epoch_ = fitted.best or self.n_epochs_

    # Predicting.

    def _decide(self, X: Any, **how: Any) -> Any:
        check_is_fitted(self, "model_")
        table = as_frame(X)
        encoder = self.model_.encoder
        if table is None:
            x = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
            if any(feature.kind != "number" for feature in encoder.features):
                raise TableError(
                    "The network was fitted to a table; give it a table, not an array."
                )
            encoded = encoder.encode_matrix(x)
        else:
            validate_data(self, _named(X, table), reset=False, skip_check_array=True)
            encoded = encoder.encode(table)
        if not how:
            return self.model_.decide(encoded)
        if not self.model_.candidate.dropout:
            raise SpecError("return_std needs a network that was trained with dropout above 0.")
        return self.model_.sample(encoded, **how)

    # Looking inside.

    def _twin(self, X: Any, y: Any, sample_weight: Any) -> tuple[Prepared, Recipe]:
        """Rows and recipe of a network like this one that trains to the end; this one stays."""
        net = clone(self)
        prepared = net._prepare(X, y, sample_weight, known=False)
        return prepared, replace(net._recipe(prepared), patience=None, held_out=())

    def diagnose(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        instruments: str = "economy",
        validation_fraction: float = 0.2,
    ) -> Diagnosis:
        """Train a network like this one under watch, and say what is wrong, if anything.

        A share of the rows is held out, to see what the others teach of them. The estimator itself
        stays as it is, fitted or not. `print` the result for the doctor's words.
        """
        check_choice("instruments", instruments, INSTRUMENTS[1:])
        prepared, recipe = self._twin(X, y, sample_weight)
        fold = hold_out(prepared.rows.y, validation_fraction, recipe.seed)
        return check_up(
            prepared.rows.feed([fold]),
            0,
            recipe.candidate,
            recipe.shape(prepared.encoder.width),
            recipe.epochs,
            recipe.seed,
            instruments=instruments,
            names=prepared.encoder.inputs,
        )

    def find_learning_rate(
        self, X: Any, y: Any, sample_weight: Any = None, *, validation_fraction: float = 0.2
    ) -> FoundRate:
        """Train at many learning rates at once, and say which ends lowest on rows held out.

        The estimator itself stays as it is: `net.set_params(learning_rate=found.suggested)`.
        """
        prepared, recipe = self._twin(X, y, sample_weight)
        fold = hold_out(prepared.rows.y, validation_fraction, recipe.seed)
        with Bar(find_work(recipe.epochs), "lane-epochs", shown=bool(self.verbose)) as bar:
            return find_rate(
                recipe, prepared.rows.feed([fold]), 0, Batching(this_machine()), bar.advance
            )

    def landscape(
        self, X: Any, y: Any, ways: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Landscape:
        """J of this network on the plane that holds most of the paths of several trainings.

        `ways` names them, each with the parameters that it changes; by default the five optimizers,
        and SGD clipped. `cuesta.report.surface.page.render` makes a page of it.
        """
        prepared, recipe = self._twin(X, y, None)
        return landscape(
            recipe, prepared.rows, WAYS if ways is None else ways, Batching(this_machine())
        )

    # On disk.

    def save(self, path: str | Path) -> None:
        """Write the fitted network to one file, safetensors and JSON; `cuesta.load` reads it."""
        check_is_fitted(self, "model_")
        replace(self.model_, estimator=described(self)).save(Path(path))

    def __sklearn_is_fitted__(self) -> bool:
        """Whether there is a model."""
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def diverged(candidate: Candidate, fitted: Fitted) -> str:
    """What is said of a network that diverged."""
    step = f"at step {fitted.diverged_at:,}" if fitted.diverged_at else "in its last step"
    return (
        f"Training diverged {step} ({candidate.optimizer}, learning_rate "
        f"{candidate.learning_rate:g}; the last finite gradient norm was {fitted.norm:.3g}): lower "
        "the learning_rate, or set clip_norm."
    )


def _history(recipe: Recipe, fitted: Fitted) -> dict[str, list[float]]:
    """Each epoch's mean loss, and what its held-out rows said where there are such."""
    history = {"loss": fitted.curves[:, 0].tolist()}
    scores = fitted.curves[:, 1:]
    if not recipe.held_out:
        return history
    if fitted.targets is not None:
        rmse = (np.sqrt(scores) * fitted.targets.scale).mean(axis=1)
        return history | {"validation_rmse": rmse.tolist()}
    return history | {
        "validation_log_loss": scores[:, 0].tolist(),
        "validation_accuracy": scores[:, 1].tolist(),
    }


def _one_batch(rows: Rows, batch: int) -> Rows:
    """Rows that all fit one batch, in an order of their own, equal ones as one with their weights.

    There J is a sum over all rows, whatever their order and however they repeat; so neither may
    change a bit of the result, and a weight of 2 is the same as a row that stands there twice.
    """
    weights = np.ones(len(rows.x)) if rows.weights is None else rows.weights
    if weights.sum() > batch or len(rows.x) > batch:
        return rows
    # A missing value equals another, which NaN does not.
    joined = np.column_stack([np.nan_to_num(rows.x), np.isnan(rows.x), rows.y])
    _, first, place = np.unique(joined, axis=0, return_index=True, return_inverse=True)
    return Rows(rows.x[first], rows.y[first], np.bincount(place.ravel(), weights))


def draw_seed(random_state: Any) -> int:
    """A seed from what scikit-learn calls a random state: a number, a generator, or None.

    Raises SpecError for anything else.
    """
    if random_state is None:
        random_state = np.random.default_rng()
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(LARGEST_SEED))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(LARGEST_SEED, dtype=np.uint32))
    if isinstance(random_state, int | np.integer) and not isinstance(random_state, bool):
        if 0 <= random_state < LARGEST_SEED:
            return int(random_state)
        raise SpecError(f"random_state must be from 0 to {LARGEST_SEED - 1}, not {random_state}.")
    raise SpecError(f"random_state must be a whole number or a generator, not {random_state!r}.")


def _named(X: Any, table: pl.DataFrame) -> Any:
    """The table in a form whose column names scikit-learn reads."""
    return table if type(X).__module__.partition(".")[0] == "pyarrow" else X
