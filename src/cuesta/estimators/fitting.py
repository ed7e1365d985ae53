"""Trains an estimator's network on prepared rows."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple, Protocol

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from cuesta._util.checks import check_count
from cuesta._util.progress import Bar
from cuesta.data.encode import Target
from cuesta.errors import DivergedError, SpecError
from cuesta.estimators.holding_out import held_out_rows
from cuesta.estimators.parameters import MOST_EPOCHS, candidate_of, draw_seed, plain, values_of
from cuesta.estimators.presets import table_size
from cuesta.estimators.pretrained import pretrained_fits
from cuesta.estimators.rows import Encoding
from cuesta.hyperparameters import Candidate, loss_of
from cuesta.model import FittedModel
from cuesta.training.batching import Batching
from cuesta.training.fits import Fitted, Recipe, ResumePoint, Rows, fit_one
from cuesta.training.planner import this_machine

History = dict[str, list[float]]


class Trained(NamedTuple):
    """A trained network, and the point from which its training can go on."""

    fitted: Fitted
    resume_point: ResumePoint | None


class HasRows(Protocol):
    """Encoded rows with their targets."""

    @property
    def x(self) -> np.ndarray:
        """(rows, columns)."""
        ...

    @property
    def y(self) -> np.ndarray:
        """(rows,) or (rows, targets)."""
        ...


def recipe_for(
    net: Any, target: Target, rows: HasRows, seed: int, held_out: tuple[int, ...] | None = None
) -> Recipe:
    """How this estimator is trained on these rows.

    `held_out` are places of rows that the user wants to validate. Raises SpecError for a parameter
    that cannot be used.
    """
    values = values_of(net, table_size(rows.x, target.task))
    candidate = candidate_of(values)
    epochs = check_count("epochs", values["epochs"], MOST_EPOCHS)
    patience = None
    if net.early_stopping:
        patience = check_count("n_iter_no_change", plain(net.n_iter_no_change), MOST_EPOCHS)
        if held_out is None:
            held_out = held_out_rows(rows.y, plain(net.validation_fraction), seed, rows.x)
    return Recipe(
        candidate,
        loss_of(candidate, target.task),
        target.outputs,
        epochs,
        seed,
        patience,
        held_out or (),
        schedule_epochs=epochs,
    )


def seed_of(net: Any) -> int:
    """The seed of a fit: from `random_state`, or that of the search for a network without one."""
    pretrained = pretrained_fits()
    if net.random_state is None and pretrained is not None:
        return pretrained.seeds[0]
    return draw_seed(net.random_state)


def find_or_train(recipe: Recipe, rows: Rows, *, shown: bool) -> Trained:
    """The result that a search has ready for this fit; else the network is trained now."""
    pretrained = pretrained_fits()
    found = pretrained.find(recipe, rows) if pretrained else None
    return train(recipe, rows, shown=shown) if found is None else Trained(found, None)


def train(recipe: Recipe, rows: Rows, resume: ResumePoint | None = None, *, shown: bool) -> Trained:
    """Train one network, from its start or on from a point, with a progress bar where `shown`.

    An interrupt keeps what was trained so far and warns, unless nothing was.
    """
    fitted = point = None
    pretrained = pretrained_fits()
    batching = pretrained.batching if pretrained else Batching(this_machine())
    places = pretrained.validation_places if pretrained else 0
    done = resume.epochs if resume else 0
    with Bar(recipe.epochs - done, "epochs", shown=shown) as bar:
        try:
            for point, fitted in fit_one(recipe, rows, batching, resume, places):  # noqa: B007
                bar.advance_to(len(fitted.curves), last_scores(recipe, fitted))
        except KeyboardInterrupt:
            if fitted is None:
                raise
            warnings.warn(
                f"Interrupted after {len(fitted.curves)} epochs; what was trained is kept.",
                ConvergenceWarning,
                stacklevel=4,  # at the line that calls fit
            )
    if fitted is None:
        raise SpecError(f"epochs={recipe.epochs} leaves nothing to train; raise epochs.")
    return Trained(fitted, point)


# What a network is, and what its optimizer's state belongs to: training cannot go on with another.
LASTING = (
    "hidden_layer_sizes",
    "architecture",
    "activation",
    "optimizer",
    "dialect",
    "normalize",
    "numeric_embedding",
    "embedding_size",
    "embedding_frequencies",
    "embedding_bins",
    "category_embedding",
    "input_scale",
    "target_transform",
    "clamp",
    "weight_average",
)


def check_same_network(was: Candidate, now: Candidate) -> None:
    """Raise SpecError where training cannot go on with these parameters."""
    for name in LASTING:
        old, new = getattr(was, name), getattr(now, name)
        if old != new:
            raise SpecError(
                f"The network that is there has {name}={old!r}, and its training cannot go on with "
                f"{new!r}; set {name} back, or fit a new one with warm_start=False."
            )


def training_rows(recipe: Recipe, rows: Rows) -> Rows:
    """The rows that train."""
    if not recipe.held_out:
        return rows
    return rows.at(np.setdiff1d(np.arange(len(rows.x)), recipe.held_out))


def model_of(candidate: Candidate, encoding: Encoding, fitted: Fitted) -> FittedModel:
    """The model of a trained network. Raises DivergedError where its weights are not finite."""
    finite = all(np.isfinite(leaf).all() for layer in fitted.layers for leaf in layer)
    if fitted.diverged_at or not finite:
        raise DivergedError(_how_it_diverged(candidate, fitted))
    return FittedModel.single(
        encoding.encoder,
        encoding.target.target,
        candidate,
        fitted.inputs,
        fitted.targets,
        tuple((layer.w, layer.b) for layer in fitted.layers),
    )


def _how_it_diverged(candidate: Candidate, fitted: Fitted) -> str:
    step = f"at step {fitted.diverged_at:,}" if fitted.diverged_at else "in its last step"
    return (
        f"Training diverged {step} ({candidate.optimizer}, learning_rate "
        f"{candidate.learning_rate:g}; the last finite gradient norm was {fitted.norm:.3g}): lower "
        "the learning_rate, or set clip_norm."
    )


def history_of(recipe: Recipe, fitted: Fitted) -> History:
    """Each epoch's mean loss, and the scores of its held-out rows where there are such."""
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


def last_scores(recipe: Recipe, fitted: Fitted) -> str:
    """The last epoch's loss and validation scores in words."""
    history = history_of(recipe, fitted)
    return " · ".join(
        f"{name.replace('_', ' ')} {curve[-1]:.4g}" for name, curve in history.items()
    )


def add_history(earlier: History, more: History) -> History:
    """All epochs' curves; NaN for epochs in which a score was not taken."""
    epochs, new = len(earlier.get("loss", [])), len(more["loss"])
    return {
        name: earlier.get(name, [np.nan] * epochs) + more.get(name, [np.nan] * new)
        for name in {**more, **earlier}
    }
