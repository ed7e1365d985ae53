"""One update rule for all optimizers; each optimizer is a row of numbers for it.

    V ← aV + bG          F ← cF + dG⊙G          w ← w − α V̂ / (√(F̂ + ε_in) + ε_out)

SGD (N11), momentum (N13), AdaGrad (N14), RMSProp (N15) and Adam (N16) differ only in the
numbers, so lanes with different optimizers run in the same compiled call. Each optimizer is
written below as a person reads it, beside its formula; `ROWS` holds the dialects.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cuesta._util.checks import check_choice
from cuesta.core.clip import absolute_square
from cuesta.core.rounding import rounded
from cuesta.core.types import Params, Scalar, Tensor
from cuesta.hyperparameters import DIALECTS, OPTIMIZERS


class Rule(NamedTuple):
    """The numbers of one optimizer; every field is a scalar that can be batched and traced.

    `log_a` and `log_c` repeat log a and log c, so that 1 − aᵏ is computed as −expm1(k log a):
    in float32, 1 − 0.999 alone would carry an error of 6e-5. The last five are flags.
    """

    a: Scalar
    b: Scalar
    c: Scalar
    d: Scalar
    f0: Scalar
    eps_in: Scalar
    eps_out: Scalar
    log_a: Scalar
    log_c: Scalar
    alpha_inside: Scalar  # V ← aV + αbG, w ← w − V instead of w ← w − αV
    nesterov: Scalar  # the step looks ahead: aV + bG in place of V
    correct_v: Scalar  # V̂ = V/(1 − aᵏ)
    correct_f: Scalar  # F̂ = F/(1 − cᵏ)
    correct_root: Scalar  # √F/√(1 − cᵏ) with ε added before the division: Keras's Adam


class Moments(NamedTuple):
    """First moment V and second moment F, each shaped like the weights."""

    v: Params
    f: Params


def _log(decay: Scalar) -> Scalar:
    if isinstance(decay, int | float):
        return math.log(decay) if decay > 0 else -math.inf
    return jnp.log(decay)


def _rule(
    *,
    a: Scalar = 0.0,
    b: Scalar = 1.0,
    c: Scalar = 1.0,
    d: Scalar = 0.0,
    f0: Scalar = 0.0,
    eps_in: Scalar = 0.0,
    eps_out: Scalar = 0.0,
    **flags: bool,
) -> Rule:
    off = dict.fromkeys(
        ("alpha_inside", "nesterov", "correct_v", "correct_f", "correct_root"), False
    )
    on = {name: bool(value) for name, value in flags.items()}
    return Rule(a, b, c, d, f0, eps_in, eps_out, _log(a), _log(c), **{**off, **on})


def sgd(**_: Scalar) -> Rule:
    """Plain descent, w ← w − αG: no memory, and a second moment that stays at one (N11)."""
    return _rule(f0=1.0)


def momentum_inside(*, momentum: Scalar, nesterov: bool = False, **_: Scalar) -> Rule:
    """V ← γV + αG; w ← w − V: the notes' placement of α, and Keras's (N13).

    Nesterov's form steps by γV + αG with the new V (Sutskever et al., 2013).
    """
    return _rule(a=momentum, f0=1.0, alpha_inside=True, nesterov=nesterov)


def momentum_outside(*, momentum: Scalar, nesterov: bool = False, **_: Scalar) -> Rule:
    """V ← γV + G; w ← w − αV: equal to the notes' while α is constant (torch, optax)."""
    return _rule(a=momentum, f0=1.0, nesterov=nesterov)


def adagrad(*, f0: Scalar, eps_in: Scalar, eps_out: Scalar, **_: Scalar) -> Rule:
    """F ← F + G⊙G; Δ = −(α/√F) ⊙ G; w ← w + Δ (N14; Duchi, Hazan and Singer, 2011).

    Frameworks begin at F₀ and divide by √(F + ε_in) + ε_out.
    """
    return _rule(d=1.0, f0=f0, eps_in=eps_in, eps_out=eps_out)


def rmsprop(*, rho: Scalar, eps_in: Scalar, eps_out: Scalar, **_: Scalar) -> Rule:
    """Γ ← ρΓ + (1−ρ) G⊙G; Δ = −(α/√Γ) ⊙ G; w ← w + Δ (N15; Hinton's lecture 6e, 2012).

    Frameworks divide by √(Γ + ε_in) + ε_out.
    """
    return _rule(c=rho, d=1.0 - rho, eps_in=eps_in, eps_out=eps_out)


def adam(*, beta_1: Scalar, beta_2: Scalar, eps_out: Scalar, **flags: Any) -> Rule:
    """V ← ρ₁V + (1−ρ₁)G; F ← ρ₂F + (1−ρ₂)G⊙G; Δ = −(α/√F) V; w ← w + Δ (N16).

    The published form takes V̂ = V/(1−ρ₁ᵏ) and F̂ = F/(1−ρ₂ᵏ) in Δ = −α V̂/(√F̂ + ε) (Kingma and
    Ba, 2015); Keras adds ε to √F before it corrects.
    """
    corrections = {n: flags[n] for n in ("correct_v", "correct_f", "correct_root") if n in flags}
    return _rule(a=beta_1, b=1.0 - beta_1, c=beta_2, d=1.0 - beta_2, eps_out=eps_out, **corrections)


class Row(NamedTuple):
    """One optimizer in one dialect: its rule, the dialect's constants, which ε a user sets."""

    rule: Callable[..., Rule]
    constants: dict[str, float | bool]
    epsilon: str | None = None


def _eps(outside: float = 0.0, inside: float = 0.0) -> dict[str, float | bool]:
    return {"eps_in": inside, "eps_out": outside}


_PUBLISHED = {"correct_v": True, "correct_f": True}
_KERAS = {"correct_v": True, "correct_root": True}

# Read from torch 2.13, optax 0.2.8 and Keras 3.15; `make parity` holds the table against them.
ROWS: dict[tuple[str, str], Row] = {
    **{("sgd", dialect): Row(sgd, {}) for dialect in DIALECTS},
    ("momentum", "notes"): Row(momentum_inside, {}),
    ("momentum", "torch"): Row(momentum_outside, {}),
    ("momentum", "optax"): Row(momentum_outside, {}),
    ("momentum", "keras"): Row(momentum_inside, {}),
    ("adagrad", "notes"): Row(adagrad, {"f0": 0.0, **_eps()}),
    ("adagrad", "torch"): Row(adagrad, {"f0": 0.0, **_eps(1e-10)}, "eps_out"),
    ("adagrad", "optax"): Row(adagrad, {"f0": 0.1, **_eps(inside=1e-7)}, "eps_in"),
    ("adagrad", "keras"): Row(adagrad, {"f0": 0.1, **_eps(inside=1e-7)}, "eps_in"),
    ("rmsprop", "notes"): Row(rmsprop, _eps()),
    ("rmsprop", "torch"): Row(rmsprop, _eps(1e-8), "eps_out"),
    ("rmsprop", "optax"): Row(rmsprop, _eps(inside=1e-8), "eps_in"),
    ("rmsprop", "keras"): Row(rmsprop, _eps(inside=1e-7), "eps_in"),
    ("adam", "notes"): Row(adam, {"eps_out": 0.0}),
    ("adam", "torch"): Row(adam, {"eps_out": 1e-8, **_PUBLISHED}, "eps_out"),
    ("adam", "optax"): Row(adam, {"eps_out": 1e-8, **_PUBLISHED}, "eps_out"),
    ("adam", "keras"): Row(adam, {"eps_out": 1e-7, **_KERAS}, "eps_out"),
}


def rule(optimizer: str, dialect: str, *, epsilon: Scalar | None = None, **numbers: Scalar) -> Rule:
    """The row of the table for an optimizer in a dialect.

    `numbers` are `momentum`, `nesterov`, `rho`, `beta_1`, `beta_2`; each optimizer reads its own.
    `epsilon` replaces the dialect's ε where the dialect has one.
    Raises SpecError for an unknown name.
    """
    check_choice("optimizer", optimizer, OPTIMIZERS)
    check_choice("dialect", dialect, DIALECTS)
    row = ROWS[optimizer, dialect]
    constants: dict[str, Scalar] = dict(row.constants)
    if epsilon is not None and row.epsilon is not None:
        constants[row.epsilon] = epsilon
    return row.rule(**{**numbers, **constants})


# The decays that people mean when they name none; torch's RMSProp has its own.
USUAL = {"momentum": 0.9, "beta_1": 0.9, "beta_2": 0.999}
USUAL_RHO = {"torch": 0.99}


def usual_rho(dialect: str) -> float:
    """The ρ of RMSProp that a dialect takes unless told."""
    return USUAL_RHO.get(dialect, 0.9)


def usual_rule(optimizer: str, dialect: str) -> Rule:
    """An optimizer with its usual decays. Raises SpecError for an unknown name."""
    return rule(optimizer, dialect, rho=usual_rho(dialect), **USUAL)


def init_moments(rule: Rule, weights: Params) -> Moments:
    """V = 0 and F = F₀, shaped like the weights; NumPy weights and numbers give NumPy moments.

    F, a sum of |G|², is real where the weights are complex.
    """
    plain = isinstance(rule.f0, int | float | np.generic)

    def full(w: Tensor, value: Scalar) -> Tensor:
        fill = np.full_like if plain and isinstance(w, np.ndarray) else jnp.full_like
        return fill(w, value)

    zeros = jax.tree.map(lambda w: full(w, 0.0), weights)
    return Moments(zeros, jax.tree.map(lambda w: full(_real(w), rule.f0), weights))


def _real(w: Tensor) -> Tensor:
    return w.real if jnp.iscomplexobj(w) else w


def remaining(log_decay: Scalar, step: Scalar) -> Array:
    """1 − decayᵏ; 1 at decay = 1, whose moment never moves from its start."""
    left = -jnp.expm1(jnp.asarray(step, float) * log_decay)
    return jnp.where(left > 0, left, 1.0)


def ratio(numerator: Array, denominator: Array) -> Array:
    """numerator/denominator with 0/0 = 0: a weight that never had a gradient stays (N14).

    NaN stays NaN: what has gone wrong is to be seen.
    """
    none = denominator == 0
    return jnp.where(none, 0.0, numerator) / jnp.where(none, 1.0, denominator)


def apply_rule(
    rule: Rule, alpha: Scalar, step: Scalar, grads: Params, moments: Moments
) -> tuple[Params, Moments]:
    """One application of the rule: the displacement Δ to add to the weights, and the moments.

    `step` counts from 1; `alpha` is the learning rate of this step.
    """
    inside = jnp.asarray(rule.alpha_inside)
    gain = rule.b * jnp.where(inside, alpha, 1.0)
    rate = jnp.where(inside, 1.0, alpha)
    left_v, left_f = remaining(rule.log_a, step), remaining(rule.log_c, step)
    rate = rate / jnp.where(rule.correct_v, left_v, 1.0)
    rate = rate * jnp.where(rule.correct_root, jnp.sqrt(left_f), 1.0)
    f_scale = 1.0 / jnp.where(rule.correct_f, left_f, 1.0)
    reads_squares = jnp.where(rule.d == 0, 0.0, 1.0)

    def next_v(v: Tensor, g: Tensor) -> Tensor:
        return _as(v, rule.a) * v + _as(v, gain) * g

    def next_f(f: Tensor, g: Tensor) -> Tensor:
        # A factor, not a choice of G: a choice would change how the compiler rounds the sum. A rule
        # without a second moment reads no squares, for those of a finite G can overflow.
        squares = absolute_square(_as(g, reads_squares) * g)
        return _as(f, rule.c) * f + _as(f, rule.d) * squares

    def displacement(v: Tensor, f: Tensor, g: Tensor) -> Tensor:
        ahead = jnp.where(rule.nesterov, next_v(v, g), v)
        root = jnp.sqrt(_as(f, f_scale) * f + _as(f, rule.eps_in)) + _as(f, rule.eps_out)
        return ratio(-(_as(v, rate) * ahead), root.astype(v.dtype))

    v = jax.tree.map(next_v, moments.v, grads)
    f = jax.tree.map(next_f, moments.f, grads)
    return jax.tree.map(displacement, v, f, grads), Moments(v, f)


def descend(alpha: Scalar, step: Scalar, grads: Params) -> Params:
    """`apply_rule` for SGD (a = 0, b = 1, F ≡ 1), without moments: Δ = −αG, same bits (N11)."""
    return jax.tree.map(lambda g: -rounded(_as(g, alpha) * g, step), grads)


def _as(like: Tensor, number: Scalar) -> Array:
    """The number in the tensor's precision, so that float32 weights stay float32 beside float64."""
    return jnp.asarray(number, like.dtype)
