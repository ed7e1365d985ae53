"""Converts an estimator's parameters to the types of the rest of the system."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

import numpy as np

from cuesta.errors import SpecError
from cuesta.estimators.presets import keep_share_of_rate, preset_values
from cuesta.hyperparameters import PARAMETERS, Candidate
from cuesta.search.portfolio import TableSize

LARGEST_SEED = 2**32
MOST_EPOCHS = 1_000_000

# Values of scikit-learn's that are called otherwise: of which parameter, and what they are here.
SCIKIT_LEARNS = (
    ("activation", ("logistic",), "'sigmoid'"),
    ("learning_rate", ("invscaling", "adaptive"), "final_learning_rate, with a schedule,"),
    ("learning_rate", ("constant",), "final_learning_rate=None"),
)


def plain(value: Any) -> Any:
    """A NumPy scalar as Python's own number, lists and arrays as tuples of them."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple | np.ndarray):
        return tuple(plain(each) for each in value)
    return value


def values_of(net: Any, size: TableSize) -> dict[str, Any]:
    """The hyper-parameters that an estimator trains by, `epochs` among them: name → value.

    Those of its preset, for a table of this size, take the place of defaults; what was set to
    another value stays. Raises SpecError for a preset that there is not.
    """
    own = {name: plain(getattr(net, name)) for name in PARAMETERS if hasattr(net, name)}
    taken = signature(type(net)).parameters
    left = {name for name in own if name in taken and _same(own[name], plain(taken[name].default))}
    preset = preset_values(getattr(net, "preset", None), size)
    if "learning_rate" not in left:
        preset = keep_share_of_rate(preset, own.get("learning_rate"))
    return own | {name: plain(value) for name, value in preset.items() if name in left}


def _same(value: Any, default: Any) -> bool:
    """Whether this is the default: 1 is neither True nor a flag's value."""
    return isinstance(value, bool) == isinstance(default, bool) and bool(value == default)


def candidate_of(values: Mapping[str, Any]) -> Candidate:
    """The candidate of an estimator's `values_of` (N17). Raises SpecError for what cannot be used.

    Without `epochs`, which are the fit's: it trains on to them, and its rate decays over them.
    """
    given = {name: value for name, value in values.items() if name != "epochs"}
    for name, theirs, ours in SCIKIT_LEARNS:
        if given[name] in theirs:
            raise SpecError(f"{name} {given[name]!r} of scikit-learn is {ours} here.")
    sizes = given["hidden_layer_sizes"]
    given["hidden_layer_sizes"] = (sizes,) if isinstance(sizes, int) else sizes
    return Candidate(**given)


def draw_seed(random_state: Any) -> int:
    """A seed from what scikit-learn calls a random state: a number, a generator, or None.

    A generator is advanced by one draw. Raises SpecError for anything else.
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
