"""Gauges of ONE step of one network: pure functions of what the step saw and did."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core.activation import Activation
from cuesta.core.clip import sum_of_squares
from cuesta.core.lane import LaneHyperparameters
from cuesta.core.layer import Layer
from cuesta.core.step import Pass
from cuesta.core.types import Tensor
from cuesta.diagnose import automatic
from cuesta.diagnose.second_order import (
    LocalLoss,
    curvature_along,
    curvature_along_gradient,
    first_tangent,
    loss_after,
)
from cuesta.diagnose.spectrum import EigenvalueProbe, dot, hessian_product, power_iteration, ratio

COLUMNS_AT_ONCE = 64  # columns of a row that are summed side by side
SATURATED_SLOPE = 0.05  # of the activation's largest slope: for tanh, |tanh| > 0.975


class FirstOrderGauges(NamedTuple):
    """What first derivatives say of a step: the instruments `economy`.

    A recording holds the same names with a leading axis of recorded steps. L is the number of
    dense layers, of which L − 1 are hidden: embeddings and a learned scale before them have no
    gauges of their own.

    Attributes
    ----------
    loss : float
        J of the batch.
    gradient : array (L,)
        ‖G_l‖, the norm of each layer's gradient.
    shrink : array (L − 1,)
        ‖δ_l‖/‖δ_{l+1}‖: the factor by which the error changes on its way back through each hidden
        layer (N4).
    update : array (L,)
        ‖Δ_l‖/‖w_l‖: each layer's update beside its weights after the step.
    clipped : float
        The share of ‖G‖, that of all weights, which clipping by norm left; 1 where it left all of
        it (N5).
    dead : array (L − 1,)
        The share of units whose slope is 0 for every row of the batch.
    saturated : array (L − 1,)
        The share of (row, unit) whose slope is below a twentieth of the activation's largest;
        0 for activations without bounds.
    noise : float
        tr Σ/‖G‖², the simple gradient noise scale [1]_, in rows; Σ is the covariance of one row's
        gradient, and both are of the dense layers.
    broken : int
        The first layer, from 1, with an infinite or NaN output or gradient; 0 if none. What stands
        before the first dense layer counts as part of it.

    References
    ----------
    .. [1] S. McCandlish, J. Kaplan, D. Amodei et al., "An Empirical Model of Large-Batch
       Training", arXiv:1812.06162, 2018.
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


class SecondOrderGauges(NamedTuple):
    """What second derivatives say of a step: the instruments `full` have these besides.

    Δ is the step, G the gradient of the batch, H its Hessian, both before the step.

    Attributes
    ----------
    actual : float
        J(w + Δ) − J(w) on the same batch.
    first : float
        GᵀΔ: the change that the first-order Taylor expansion predicts (N8).
    second : float
        GᵀΔ + ½ΔᵀHΔ: the change that the second-order expansion predicts (N8).
    length : float
        α/α* − 1 = ΔᵀHΔ/(−GᵀΔ) − 1, the length of the step on the parabola along it [1]_: −1 is
        its start, 0 its minimum, 1 the point on the other side where J is as high as at the start.
    along_gradient : float
        GᵀHG/GᵀG, the curvature along the gradient.
    along_step : float
        ΔᵀHΔ/ΔᵀΔ, the curvature along the step.
    highest : float
        λmax of H, followed by power iteration; a lower bound.
    lowest : float
        λmin of H, likewise; an upper bound.

    References
    ----------
    .. [1] F. Schneider, F. Dangel, P. Hennig, "Cockpit: A Practical Debugging Tool for the
       Training of Deep Neural Networks", NeurIPS 2021.
    """

    actual: Tensor
    first: Tensor
    second: Tensor
    length: Tensor
    along_gradient: Tensor
    along_step: Tensor
    highest: Tensor
    lowest: Tensor


class Gauges(NamedTuple):
    """The gauges of a step by the instruments that have them: `full` is None with `economy`."""

    economy: FirstOrderGauges
    full: SecondOrderGauges | None


def squares_of(grads: list[Layer]) -> list[Layer]:
    """Each leaf's sum of squares, which clipping needs too."""
    return jax.tree.map(sum_of_squares, grads)


def first_order_gauges(
    seen: Pass,
    squares: list[Layer],
    step: list[Layer],
    after: list[Layer],
    hyperparameters: LaneHyperparameters,
    shares: Array,
    *,
    bounded: bool = True,
    front: int = 0,
) -> FirstOrderGauges:
    """The gauges that a pass and the step that it led to give without another pass.

    `squares` are the gradient's `squares_of`, `after` the weights after the step, `shares` (rows,)
    the rows' shares of the loss. Without `bounded` no activation of the program can saturate. The
    first `front` layers are not dense.
    """
    norms = jnp.sqrt(jnp.stack([square.w + square.b for square in squares]))
    gradient, step, after = norms[front:], step[front:], after[front:]
    errors = [row_squares(delta) for delta in seen.deltas]
    error_norms = jnp.sqrt(jnp.stack([jnp.sum(each) for each in errors]))
    norm = jnp.sqrt(jnp.sum(gradient**2))
    slopes, kind = seen.tape.slopes, hyperparameters.activation
    return FirstOrderGauges(
        seen.loss,
        gradient,
        ratio(error_norms[:-1], error_norms[1:]),
        jnp.stack([update_ratio(s, a) for s, a in zip(step, after, strict=True)]),
        jnp.minimum(1.0, ratio(hyperparameters.clip_norm, jnp.sqrt(jnp.sum(norms**2)))),
        _stacked([_dead(slope, shares) for slope in slopes]),
        _stacked([_saturated(slope, kind, shares) for slope in slopes])
        if bounded
        else jnp.zeros(len(slopes)),
        noise_scale(seen.tape.units, errors, shares, norm),
        _first_broken_layer(gradient.at[0].add(jnp.sum(norms[:front])), seen),
    )


def _stacked(values: list[Array]) -> Array:
    return jnp.stack(values) if values else jnp.zeros(0)


def update_ratio(step: Layer, after: Layer) -> Array:
    """‖Δ‖/‖w‖ of a layer, its biases among its weights, w as the step leaves them."""
    moved = sum(sum_of_squares(each) for each in step)
    return jnp.sqrt(ratio(moved, sum(sum_of_squares(each) for each in after)))


def row_squares(tensor: Array) -> Array:
    """Σ t² of each row: (rows, n) → (rows,), in groups of columns that a processor adds at once.

    Summed number by number along a row, this would take as long as a product.
    """
    rows, n = tensor.shape
    group = next(size for size in range(min(n, COLUMNS_AT_ONCE), 0, -1) if n % size == 0)
    groups = tensor.reshape(rows, n // group, group)
    sums = jax.lax.optimization_barrier(jnp.sum(groups * groups, axis=1))  # type: ignore[no-untyped-call]
    return jnp.sum(sums, axis=1)


def _dead(slope: Array, shares: Array) -> Array:
    alive = jnp.any((slope != 0) & (shares > 0)[:, None], axis=0)
    return 1.0 - jnp.mean(alive.astype(slope.dtype))


def _saturated(slope: Array, kind: Activation, shares: Array) -> Array:
    """Only bounded activations saturate; a unit that is dropped has slope 0 and is not counted."""
    threshold = SATURATED_SLOPE * kind.height * kind.pace
    counted = (shares > 0)[:, None] & (slope != 0)
    flat = (counted & (jnp.abs(slope) < threshold)).astype(slope.dtype)
    share = jnp.sum(flat) / jnp.maximum(jnp.sum(counted.astype(slope.dtype)), 1.0)
    return jnp.where(kind.bounded, share, 0.0)


def noise_scale(units: list[Array], errors: list[Array], shares: Array, norm: Array) -> Array:
    """Tr Σ/‖G‖², with Σ the covariance of one row's gradient over the batch.

    A row's gradient of a layer is the outer product of its input u and its δ, so its square is
    ‖u‖²‖δ‖² + ‖δ‖² with the bias (`errors` are the rows' ‖δ‖²): no row's gradient is ever made.
    """
    squares = jnp.zeros_like(shares)
    for entered, error in zip(units, errors, strict=True):
        squares += error * (row_squares(entered) + 1.0)
    rows = jnp.sum((shares > 0).astype(shares.dtype))
    # δ carries each row's share 1/b of the loss: b² times its square is the row's own.
    spread = jnp.sum(squares) * rows - norm**2
    return ratio(spread * rows / jnp.maximum(rows - 1.0, 1.0), norm**2)


def _first_broken_layer(gradient: Array, seen: Pass) -> Array:
    """The first layer, from 1, whose outputs or gradient are infinite or NaN; 0 if none.

    The layers are looked at only where the loss or the gradient shows that there is one.
    """
    outputs = [*seen.tape.units[1:], seen.tape.outputs]

    def first() -> Array:
        in_outputs = jnp.stack([~jnp.isfinite(jnp.sum(each)) for each in outputs])
        broken = in_outputs | ~jnp.isfinite(gradient)
        return jnp.where(jnp.any(broken), jnp.argmax(broken) + 1, 0).astype(jnp.int32)

    finite = jnp.isfinite(seen.loss) & jnp.isfinite(jnp.sum(gradient))
    return jax.lax.cond(finite, lambda: jnp.int32(0), first)


def second_order_gauges(
    at: LocalLoss, step: list[Layer], after: list[Layer], probe: EigenvalueProbe, recording: Array
) -> tuple[SecondOrderGauges, EigenvalueProbe]:
    """The gauges that need second derivatives where the step began; the probe for the next ones.

    Every second `recording` (they are numbered) costs a Hessian product, alternately towards λmax
    and λmin.
    """
    slope, (height, curvature, along_gradient) = dot(at.seen.grads, step), _along(at, step, after)
    probe = jax.lax.cond(recording % 2 == 0, lambda p: power_iteration(p, at), lambda p: p, probe)
    gauges = SecondOrderGauges(
        height - at.seen.loss,
        slope,
        slope + 0.5 * curvature,
        ratio(curvature, -slope) - 1.0,
        ratio(along_gradient, dot(at.seen.grads, at.seen.grads)),
        ratio(curvature, dot(step, step)),
        probe.highest,
        probe.lowest,
    )
    return gauges, probe


class _Along(NamedTuple):
    """J after the step, ΔᵀHΔ and GᵀHG."""

    height: Array
    step: Array
    gradient: Array


def _along(at: LocalLoss, step: list[Layer], after: list[Layer]) -> _Along:
    grads = at.seen.grads
    if at.is_plain:
        first = first_tangent(at, step)
        curvature = curvature_along(at, step, first)
        return _Along(loss_after(at, after, first), curvature, curvature_along_gradient(at))
    return _Along(
        automatic.loss_after(at, after),
        dot(step, hessian_product(at, step)),
        dot(grads, hessian_product(at, grads)),
    )
