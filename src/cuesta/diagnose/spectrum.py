"""The largest and the smallest eigenvalue of the Hessian, followed from step to step.

Each is approached by power iteration that starts where the last one ended: training moves the
Hessian little from one recorded step to the next.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cuesta.core.clip import sum_of_products
from cuesta.core.front import fixed_places
from cuesta.core.layer import Layer
from cuesta.core.types import Params, Scalar, Tensor
from cuesta.diagnose import automatic, second_order
from cuesta.diagnose.second_order import LocalLoss
from cuesta.hyperparameters import NO_FRONT, Front

SMALLEST_DIVISOR = 1e-30  # stands for 0 below a fraction bar, so that 0/0 is 0


class EigenvalueProbe(NamedTuple):
    """Approximate eigenvectors of λmax and λmin, and the eigenvalues that they gave so far.

    `current` is the one that the next Hessian product moves, that of λmax where `towards_highest`;
    then it changes places with `other`. Each has the weights' shapes and length 1.
    """

    current: list[Layer]
    other: list[Layer]
    towards_highest: Tensor
    highest: Tensor
    lowest: Tensor


def first_probe(layers: list[Layer], seed: int, front: Front = NO_FRONT) -> EigenvalueProbe:
    """Two random directions, the same for the same seed; 0 in what the front never learns."""
    rng = np.random.default_rng([5, seed])
    first, second = (_random_direction(rng, layers, front) for _ in range(2))
    return EigenvalueProbe(first, second, np.bool_(True), np.float32(0), np.float32(0))


def _random_direction(rng: np.random.Generator, layers: list[Layer], front: Front) -> list[Layer]:
    drawn = [
        Layer(*(rng.standard_normal(leaf.shape, np.float32) for leaf in layer)) for layer in layers
    ]
    for place, (w, b) in enumerate(fixed_places(front)):
        drawn[place] = Layer(drawn[place].w * (not w), drawn[place].b * (not b))
    return jax.tree.map(np.asarray, unit_vector(drawn))


def hessian_product(at: LocalLoss, direction: list[Layer]) -> list[Layer]:
    """HV, written out where the network is plain."""
    of = second_order if at.is_plain else automatic
    return of.hessian_product(at, direction)


def power_iteration(probe: EigenvalueProbe, at: LocalLoss) -> EigenvalueProbe:
    """One step of power iteration, towards λmax or towards λmin.

    It multiplies by H − λmin·I, or by λmax·I − H, of which the eigenvalue that is looked for is
    the largest in size. The estimate is a Rayleigh quotient, and so never beyond the true end.
    """
    product = hessian_product(at, probe.current)
    value = dot(probe.current, product)
    sign = jnp.where(probe.towards_highest, 1.0, -1.0)
    below, above = jnp.maximum(0.0, -probe.lowest), jnp.maximum(probe.highest, 0.0)
    shift = jnp.where(probe.towards_highest, below, above)
    moved = jax.tree.map(lambda h, v: sign * h + shift * v, product, probe.current)
    return EigenvalueProbe(
        probe.other,
        unit_vector(moved),
        ~probe.towards_highest,
        jnp.where(probe.towards_highest, value, probe.highest),
        jnp.where(probe.towards_highest, probe.lowest, value),
    )


def dot(a: Params, b: Params) -> Array:
    """AᵀB over all layers."""
    return sum(  # type: ignore[return-value]
        sum_of_products(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    )


def unit_vector(a: Params) -> Params:
    """The vector of length 1 in the direction of a."""
    factor = ratio(1.0, jnp.sqrt(dot(a, a)))
    return jax.tree.map(lambda x: x * factor, a)


def ratio(a: Scalar, b: Scalar) -> Array:
    """a/b, where 0/0 is 0."""
    return a / jnp.where(b == 0, SMALLEST_DIVISOR, b)
