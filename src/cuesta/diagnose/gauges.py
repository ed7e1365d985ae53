"""Gauges of ONE step of one network: pure functions of what the step saw and did."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core.clip import sum_of_products, sum_of_squares
from cuesta.core.lane import LaneHyperparameters
from cuesta.core.net import Activation, Layer
from cuesta.core.step import Pass
from cuesta.core.types import Params, Scalar, Tensor
from cuesta.diagnose.second_order import (
    Curved,
    bend,
    bend_of_gradient,
    first_moves,
    hessian_product,
    loss_after,
)

LEAST = 1e-30  # so that nothing over nothing is 0
PIECE = 64  # numbers of a row that are summed side by side
SATURATED = 0.05  # of its largest slope: |tanh| > 0.975


class Economy(NamedTuple):
    """What a step costs little to tell. L layers, of which L − 1 are hidden.

    `loss` J of the batch; `gradient` (L,) ‖G_l‖; `shrink` (L − 1,) ‖δ_l‖/‖δ_{l+1}‖, the factor by
    which each layer passes the error on (N4); `update` (L,) ‖Δ_l‖/‖w_l‖, w after the step;
    `clipped` the share of ‖G‖ that clipping by norm left, 1 for all of it (N5); `dead` (L − 1,) the
    share of units without slope in any row; `saturated` (L − 1,) the share of (row, unit) whose
    slope is less than a twentieth of the largest; `noise` tr Σ/‖G‖², the gradient noise scale
    (McCandlish et al., 2018), in rows; `broken` the first layer (from 1) with a number that is not
    finite, or 0.
    """

    loss: Tensor
    gradient: Tensor
    shrink: Tensor
    update: Tensor
    clipped: Tensor
    dead: Tensor
    saturated: Tensor
    noise: Tensor
    broken: Tensor


def update_ratio(step: Layer, after: Layer) -> Array:
    """‖Δ‖/‖w‖ of a layer, its biases with its weights, w as the step leaves them."""
    moved = sum(sum_of_squares(each) for each in step)
    return jnp.sqrt(_over(moved, sum(sum_of_squares(each) for each in after)))


def row_squares(tensor: Array) -> Array:
    """Σ t² of each row: (rows, n) → (rows,), n in pieces of which a processor takes one at once.

    Summed along a row number by number, this would take as long as a product.
    """
    rows, n = tensor.shape
    piece = next(size for size in range(min(n, PIECE), 0, -1) if n % size == 0)
    pieces = tensor.reshape(rows, n // piece, piece)
    sums = jax.lax.optimization_barrier(jnp.sum(pieces * pieces, axis=1))  # type: ignore[no-untyped-call]
    return jnp.sum(sums, axis=1)


def squares_of(grads: list[Layer]) -> list[Layer]:
    """Each leaf's sum of squares, which clipping needs too."""
    return jax.tree.map(sum_of_squares, grads)


def economy(
    seen: Pass,
    squares: list[Layer],
    step: list[Layer],
    after: list[Layer],
    hyperparameters: LaneHyperparameters,
    shares: Array,
    *,
    bounded: bool = True,
) -> Economy:
    """The cheap gauges of a step, with the squares of its gradient.

    Without `bounded` the activation is known not to saturate.
    """
    gradient = jnp.sqrt(jnp.stack([square.w + square.b for square in squares]))
    errors = [row_squares(delta) for delta in seen.deltas]
    passed = jnp.sqrt(jnp.stack([jnp.sum(each) for each in errors]))
    whole = jnp.sqrt(jnp.sum(gradient**2))
    return Economy(
        seen.loss,
        gradient,
        _over(passed[:-1], passed[1:]),
        jnp.stack([update_ratio(s, a) for s, a in zip(step, after, strict=True)]),
        jnp.minimum(1.0, _over(hyperparameters.clip_norm, whole)),
        _stacked([_dead(slope, shares) for slope in seen.tape.slopes]),
        _stacked(
            [_saturated(slope, hyperparameters.activation, shares) for slope in seen.tape.slopes]
        )
        if bounded
        else jnp.zeros(len(seen.tape.slopes)),
        noise_scale(seen.tape.units, errors, shares, whole),
        _broken(gradient, seen),
    )


def _stacked(values: list[Array]) -> Array:
    return jnp.stack(values) if values else jnp.zeros(0)


def _over(a: Scalar, b: Scalar) -> Array:
    return a / jnp.where(b == 0, LEAST, b)


def _dead(slope: Array, shares: Array) -> Array:
    seen = jnp.any((slope != 0) & (shares > 0)[:, None], axis=0)
    return 1.0 - jnp.mean(seen.astype(slope.dtype))


def _saturated(slope: Array, kind: Activation, shares: Array) -> Array:
    """Only bounded activations saturate; a unit that is dropped has no slope and is not counted."""
    least = SATURATED * kind.height * kind.pace
    here = (shares > 0)[:, None] & (slope != 0)
    flat = here & (jnp.abs(slope) < least)
    share = jnp.sum(flat.astype(slope.dtype)) / jnp.maximum(jnp.sum(here.astype(slope.dtype)), 1.0)
    return jnp.where(kind.bounded, share, 0.0)


def noise_scale(units: list[Array], errors: list[Array], shares: Array, norm: Array) -> Array:
    """Tr Σ/‖G‖², with Σ the covariance of one row's gradient over the batch.

    A row's gradient of a layer is the outer product of its input and its δ, so its square is
    ‖u‖²‖δ‖² + ‖δ‖² with the bias (`errors` are the rows' ‖δ‖²); no row's gradient is ever made.
    """
    squares = jnp.zeros_like(shares)
    for entered, error in zip(units, errors, strict=True):
        squares += error * (row_squares(entered) + 1.0)
    rows = jnp.sum((shares > 0).astype(shares.dtype))
    # δ carries each row's share 1/b: b² of it is the row's own.
    spread = jnp.sum(squares) * rows - norm**2
    return _over(spread * rows / jnp.maximum(rows - 1.0, 1.0), norm**2)


def _broken(gradient: Array, seen: Pass) -> Array:
    """The first layer whose outputs or gradient are not finite, counted from 1.

    Looked for only where the loss or the gradient tells that there is one.
    """
    outputs = [*seen.tape.units[1:], seen.tape.outputs]

    def first() -> Array:
        found = jnp.stack([~jnp.isfinite(jnp.sum(each)) for each in outputs])
        bad = found | ~jnp.isfinite(gradient)
        return jnp.where(jnp.any(bad), jnp.argmax(bad) + 1, 0).astype(jnp.int32)

    well = jnp.isfinite(seen.loss) & jnp.isfinite(jnp.sum(gradient))
    return jax.lax.cond(well, lambda: jnp.int32(0), first)


class Full(NamedTuple):
    """What needs more passes over the batch. Δ is the step, G the gradient of the batch.

    `actual` J(w + Δ) − J(w); `first` GᵀΔ; `second` GᵀΔ + ½ΔᵀHΔ (N8); `length` α/α* − 1 along the
    step, ΔᵀHΔ/(−GᵀΔ) − 1: −1 at its start, 0 at the minimum, 1 at the far wall; `along_gradient`
    GᵀHG/GᵀG; `along_step` ΔᵀHΔ/ΔᵀΔ; `highest` and `lowest`, of H's eigenvalues.
    """

    actual: Tensor
    first: Tensor
    second: Tensor
    length: Tensor
    along_gradient: Tensor
    along_step: Tensor
    highest: Tensor
    lowest: Tensor


class Probe(NamedTuple):
    """The vectors with which λmax and λmin are followed from step to step, and what they gave.

    `now` is the one that the next Hessian product moves, towards λmax where `upward`; they change
    places each time.
    """

    now: list[Layer]
    then: list[Layer]
    upward: Tensor
    highest: Tensor
    lowest: Tensor


def dot(a: Params, b: Params) -> Array:
    """AᵀB over all layers."""
    return sum(  # type: ignore[return-value]
        sum_of_products(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    )


def scaled(a: Params, by: Scalar) -> Params:
    """Each number of the tree times one."""
    return jax.tree.map(lambda x: x * by, a)


def unit(a: Params) -> Params:
    """The vector of length 1 in this direction."""
    return scaled(a, _over(1.0, jnp.sqrt(dot(a, a))))


def full(
    at: Curved, step: list[Layer], after: list[Layer], probe: Probe, turn: Array
) -> tuple[Full, Probe]:
    """The dear gauges of a step from where it began, and the probe for the next one.

    One Hessian product every second time: λmax and λmin are followed by turns, each from where it
    was, by power iteration on H − λmin·I and on λmax·I − H; a Rayleigh quotient is never beyond the
    end that it nears.
    """
    moves = first_moves(at, step)
    first, of_step = dot(at.seen.grads, step), bend(at, step, moves)
    moved = jax.lax.cond(turn % 2 == 0, lambda p: iterate(p, at), lambda p: p, probe)
    gauges = Full(
        loss_after(at, after, moves) - at.seen.loss,
        first,
        first + 0.5 * of_step,
        _over(of_step, -first) - 1.0,
        _over(bend_of_gradient(at), dot(at.seen.grads, at.seen.grads)),
        _over(of_step, dot(step, step)),
        moved.highest,
        moved.lowest,
    )
    return gauges, moved


def iterate(probe: Probe, at: Curved) -> Probe:
    """One power iteration, towards λmax or towards λmin."""
    turned = hessian_product(at, probe.now)
    value = dot(probe.now, turned)
    lift, fall = jnp.maximum(0.0, -probe.lowest), jnp.maximum(probe.highest, 0.0)
    # H + lift, or fall − H: what is wanted has the largest |eigenvalue| then.
    sign = jnp.where(probe.upward, 1.0, -1.0)
    shift = jnp.where(probe.upward, lift, fall)
    ahead = unit(jax.tree.map(lambda h, v: sign * h + shift * v, turned, probe.now))
    return Probe(
        probe.then,
        ahead,
        ~probe.upward,
        jnp.where(probe.upward, value, probe.highest),
        jnp.where(probe.upward, probe.lowest, value),
    )
