"""A moving average of the weights, which validates and predicts in their place."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core.lane import State
from cuesta.core.rounding import rounded
from cuesta.core.types import Scalar, Tensor


def follow(state: State, least_share: Scalar, k: Array) -> State:
    """The state with w̄ ← d_k w̄ + (1 − d_k) w after step k (from 0), where it keeps an average.

    d_k = min(d, (1 + k)/(10 + k)), as TensorFlow's `ExponentialMovingAverage` has it with
    `num_updates`: the first steps, far from where training ends, are soon forgotten, and a short
    training has an average of its last steps. `least_share` is 1 − d, the share of w; at 1 the
    average is w itself.
    """
    if state.average is None:
        return state
    share = jnp.maximum(least_share, 9.0 / (10.0 + jnp.asarray(k, float)))

    def towards(mean: Tensor, w: Tensor) -> Array:
        return jnp.where(share < 1.0, mean + rounded(share * (w - mean), k), w)

    return state._replace(average=jax.tree.map(towards, state.average, state.layers))


def own_state(state: State, *, averages: bool) -> State:
    """The state without the average of a lane that has none, which is its weights."""
    return state if averages else state._replace(average=None)


def room_for_average(state: State, *, averaged: bool) -> State:
    """The state as a program takes it, which may keep the averages of other lanes."""
    if averaged and state.average is None:
        return state._replace(average=state.layers)
    return state
