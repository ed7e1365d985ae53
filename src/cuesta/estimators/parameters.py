"""Converts an estimator's parameters to the types of the rest of the system."""

from __future__ import annotations

from typing import Any

import numpy as np

from cuesta.errors import SpecError
from cuesta.hyperparameters import PARAMETERS, Candidate

LARGEST_SEED = 2**32
MOST_EPOCHS = 1_000_000


def plain(value: Any) -> Any:
    """A NumPy scalar as Python's own number, lists and arrays as tuples of them."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple | np.ndarray):
        return tuple(plain(each) for each in value)
    return value


def candidate_of(net: Any) -> Candidate:
    """The hyper-parameters of an estimator (N17). Raises SpecError for one that cannot be used."""
    # An estimator's own `epochs` are all that it trains; a candidate's are beside those of a run.
    names = [name for name in PARAMETERS if name != "epochs" and hasattr(net, name)]
    given = {name: plain(getattr(net, name)) for name in names}
    if given["activation"] == "logistic":
        raise SpecError("activation 'logistic' of scikit-learn is 'sigmoid' here.")
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
