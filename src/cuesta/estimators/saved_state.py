"""The state of a training in a model's file: arrays and JSON from which it goes on after `load`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cuesta.core.lane import Best, State, initial_state
from cuesta.core.lane_hyperparameters import lane_hyperparameters
from cuesta.core.layer import Layer
from cuesta.data.layout import Layout
from cuesta.errors import SpecError
from cuesta.estimators.seen import Seen, Statistics
from cuesta.hyperparameters import loss_of
from cuesta.model import FittedModel
from cuesta.training.batching import shape_of
from cuesta.training.fits import ResumePoint
from cuesta.training.lanes import float32

Arrays = dict[str, np.ndarray]
COMMON = ("common", "own")  # statistics that an older file lacks, and one without such numbers
LEAF, INPUTS, TARGETS, CLASSES = "state.{}", "seen.inputs.{}", "seen.targets.{}", "seen.classes"


def state_to_file(point: ResumePoint | None, seen: Seen | None) -> tuple[Any, Arrays]:
    """What JSON and arrays hold of the state; None and no arrays where there is none to hold.

    The weights that the fit chose are the model's own: those of the best epoch, or the average, or
    the last. Which others there are, the candidate and the best epoch tell.
    """
    if point is None or seen is None:
        return None, {}
    state, best = point.state, point.state.best
    leaves = jax.tree.leaves((state.moments, state.outcome, _not_chosen(state)))
    if any(jnp.issubdtype(leaf.dtype, jax.dtypes.extended) for leaf in leaves):
        return None, {}  # random keys of an optimizer of optax's
    arrays = {LEAF.format(i): np.asarray(leaf) for i, leaf in enumerate(leaves)}
    arrays |= _of_statistics(INPUTS, seen.inputs)
    arrays |= {} if seen.targets is None else _of_statistics(TARGETS, seen.targets)
    arrays |= {} if seen.classes is None else {CLASSES: seen.classes}
    about = {
        "epochs": point.epochs,
        "steps": point.steps,
        "seed": point.seed,
        "rows": seen.rows,
        "best": None if best is None else [int(best.epoch), float(best.score)],
    }
    return about, arrays


def state_of_file(
    about: Mapping[str, Any] | None, model: FittedModel, arrays: Arrays
) -> tuple[ResumePoint | None, Seen | None]:
    """What `state_to_file` wrote of this model's training; None where the file has none.

    Raises ValueError, TypeError or LookupError for anything else.
    """
    if about is None:
        return None, None
    state = _state(about, model, arrays)
    if state is None:
        return None, None
    epochs, steps, seed = (int(about[name]) for name in ("epochs", "steps", "seed"))
    point = ResumePoint(state, epochs, steps, seed, model.inputs, model.outputs)
    width, outputs = model.encoder.width, model.target.outputs
    classes = None
    if model.target.task == "classification":
        classes = _checked(arrays, CLASSES, np.zeros(outputs))
    return point, Seen(
        int(about["rows"]),
        _to_statistics(INPUTS, arrays, width),
        None if model.outputs is None else _to_statistics(TARGETS, arrays, outputs),
        classes,
    )


def _state(about: Mapping[str, Any], model: FittedModel, arrays: Arrays) -> State | None:
    """The state; None where its optimizer is not installed here."""
    layers = [Layer(w, b) for w, b in model.layers]
    candidate = model.candidate
    averaged = candidate.weight_average > 0
    layout, loss = Layout.of(model.encoder), loss_of(candidate, model.target.task)
    shape = shape_of(candidate, layout.width, model.target.outputs, loss, layout)
    try:
        rule = float32(lane_hyperparameters(candidate).rule)
        first = initial_state(layers, rule, shape, averaged=averaged)
    except SpecError:
        return None
    best = None
    if about["best"] is not None:
        epoch, score = about["best"]
        best = Best(np.int32(epoch), np.float32(score), layers)
    like = (first.moments, first.outcome, _not_chosen(first._replace(best=best)))
    leaves, structure = jax.tree.flatten(like)
    found = [_checked(arrays, LEAF.format(i), np.asarray(leaf)) for i, leaf in enumerate(leaves)]
    moments, outcome, others = jax.tree.unflatten(structure, found)
    last, *average = others if best else [*others, layers]
    return State(last, moments, outcome, best, average[0] if averaged else None)


def _not_chosen(state: State) -> list[list[Layer]]:
    """The last weights, then their average, without those that the fit chose."""
    every = [state.layers] if state.average is None else [state.layers, state.average]
    return every if state.best is not None else every[:-1]


def _of_statistics(name: str, found: Statistics) -> Arrays:
    parts = found._asdict()
    if not found.own.any():
        parts = {part: value for part, value in parts.items() if part not in COMMON}
    return {name.format(part): value for part, value in parts.items()}


def _to_statistics(name: str, arrays: Arrays, width: int) -> Statistics:
    none = np.zeros(width)
    likes = dict.fromkeys(Statistics._fields, none) | {"binary": np.zeros(width, bool)}
    found = {
        part: none
        if part in COMMON and name.format(part) not in arrays
        else _checked(arrays, name.format(part), like)
        for part, like in likes.items()
    }
    return Statistics(**found)


def _checked(arrays: Arrays, name: str, like: np.ndarray) -> np.ndarray:
    """The array. Raises LookupError or ValueError unless it is of the kind that is wanted."""
    found = arrays[name]
    if like.ndim == 0 and found.size == 1:
        found = found.reshape(())  # a file's arrays have one dimension at least
    if found.shape != like.shape or found.dtype != like.dtype:
        raise ValueError(f"the array {name} is {found.dtype} {list(found.shape)}")
    return found
