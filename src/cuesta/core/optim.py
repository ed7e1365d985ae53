"""One update rule for every optimizer: a row of numbers (design, idea 2).

    V ← aV + bG          F ← cF + dG⊙G          w ← w − α V̂ / (√(F̂ + ε_in) + ε_out)

SGD (N11), momentum (N13), AdaGrad (N14), RMSProp (N15) and Adam (N16) differ only in the
numbers, so lanes with different optimizers run in the same compiled call. Each optimizer is
written below as a person reads it, beside its formula; `ROWS` holds the dialects.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cuesta.core.types import Params, Scalar
from cuesta.spec import DIALECTS, OPTIMIZERS, check_choice


class Rule(NamedTuple):
    """The numbers of one optimizer; every field is a scalar that can be batched and traced.

    `log_a` and `log_c` repeat log a and log c, so that 1 − aᵏ is computed as −expm1(k log a):
    in float32, 1 − 0.999 alone would carry an error of 6e-5.
    """

    a: Scalar
    b: Scalar
    c: Scalar
    d: Scalar
    f0: Scalar
    eps_in: Scalar
    eps_out: Scalar
    alpha_inside: Scalar
    correct_v: Scalar
    correct_f: Scalar
    log_a: Scalar
    log_c: Scalar


class Moments(NamedTuple):
    """First moment V and second moment F, each shaped like the weights."""

    v: Params
    f: Params


def _log(decay: float) -> float:
    return math.log(decay) if decay > 0 else -math.inf


def _rule(
    *,
    a: float = 0.0,
    b: float = 1.0,
    c: float = 1.0,
    d: float = 0.0,
    f0: float = 0.0,
    eps_in: float = 0.0,
    eps_out: float = 0.0,
    alpha_inside: bool = False,
    corrected: bool = False,
) -> Rule:
    flag = float(corrected)
    return Rule(a, b, c, d, f0, eps_in, eps_out, float(alpha_inside), flag, flag, _log(a), _log(c))


def sgd(**_: float) -> Rule:
    """W ← w − αG: no memory, and a second moment that stays at one (N11)."""
    return _rule(f0=1.0)


def momentum_inside(*, momentum: float, **_: float) -> Rule:
    """V ← γV + αG; w ← w − V: the notes' placement of α, and Keras's (N13)."""
    return _rule(a=momentum, f0=1.0, alpha_inside=True)


def momentum_outside(*, momentum: float, **_: float) -> Rule:
    """V ← γV + G; w ← w − αV: equal to the notes' while α is constant (torch, optax)."""
    return _rule(a=momentum, f0=1.0)


def adagrad(*, f0: float, eps_in: float, eps_out: float, **_: float) -> Rule:
    """F ← F + G⊙G; w ← w − α G/√F (N14; Duchi, Hazan and Singer, 2011)."""
    return _rule(d=1.0, f0=f0, eps_in=eps_in, eps_out=eps_out)


def rmsprop(*, rho: float, eps_in: float, eps_out: float, **_: float) -> Rule:
    """Γ ← ρΓ + (1−ρ) G⊙G; w ← w − α G/√Γ (N15; Hinton's lecture 6e, 2012)."""
    return _rule(c=rho, d=1.0 - rho, eps_in=eps_in, eps_out=eps_out)


def adam(*, beta_1: float, beta_2: float, eps_out: float, corrected: bool, **_: float) -> Rule:
    """V ← ρ₁V + (1−ρ₁)G; F ← ρ₂F + (1−ρ₂)G⊙G; w ← w − α V/√F (N16).

    The published form divides V by 1−ρ₁ᵏ and F by 1−ρ₂ᵏ first (Kingma and Ba, 2015).
    """
    return _rule(
        a=beta_1, b=1.0 - beta_1, c=beta_2, d=1.0 - beta_2, eps_out=eps_out, corrected=corrected
    )


class Row(NamedTuple):
    """One optimizer in one dialect: its rule, the constants of the dialect, which ε a user sets."""

    rule: Callable[..., Rule]
    constants: dict[str, float | bool]
    epsilon: str | None = None


_EXACT = {"eps_in": 0.0, "eps_out": 0.0}

ROWS: dict[tuple[str, str], Row] = {
    ("sgd", "notes"): Row(sgd, {}),
    ("sgd", "torch"): Row(sgd, {}),
    ("momentum", "notes"): Row(momentum_inside, {}),
    ("momentum", "torch"): Row(momentum_outside, {}),
    ("adagrad", "notes"): Row(adagrad, {"f0": 0.0, **_EXACT}),
    ("adagrad", "torch"): Row(adagrad, {"f0": 0.0, **_EXACT, "eps_out": 1e-10}, "eps_out"),
    ("rmsprop", "notes"): Row(rmsprop, {**_EXACT}),
    ("rmsprop", "torch"): Row(rmsprop, {**_EXACT, "eps_out": 1e-8}, "eps_out"),
    ("adam", "notes"): Row(adam, {**_EXACT, "corrected": False}),
    ("adam", "torch"): Row(adam, {**_EXACT, "eps_out": 1e-8, "corrected": True}, "eps_out"),
}


def rule(optimizer: str, dialect: str, *, epsilon: float | None = None, **decays: float) -> Rule:
    """The row of the table for an optimizer in a dialect.

    `decays` are `momentum`, `rho`, `beta_1`, `beta_2`; each optimizer reads its own.
    `epsilon` replaces the dialect's ε where the dialect has one.
    Raises SpecError for an unknown name.
    """
    check_choice("optimizer", optimizer, OPTIMIZERS)
    check_choice("dialect", dialect, DIALECTS)
    row = ROWS[optimizer, dialect]
    constants = dict(row.constants)
    if epsilon is not None and row.epsilon is not None:
        constants[row.epsilon] = epsilon
    return row.rule(**constants, **decays)


def init_moments(rule: Rule, weights: Params) -> Moments:
    """V = 0 and F = F₀, shaped like the weights."""
    zeros = jax.tree.map(np.zeros_like, weights)
    return Moments(zeros, jax.tree.map(lambda w: np.full_like(w, rule.f0), weights))


def bias_correction(log_decay: Scalar, wanted: Scalar, step: Scalar) -> Array:
    """1/(1 − decayᵏ) where wanted, else 1; also 1 at decay = 1, whose moment never moves."""
    remaining = -jnp.expm1(step * log_decay)
    return jnp.where((wanted > 0) & (remaining > 0), 1.0 / remaining, 1.0)


def ratio(numerator: Array, denominator: Array) -> Array:
    """numerator/denominator with 0/0 = 0: a weight that never had a gradient stays (N14)."""
    safe = jnp.where(denominator > 0, denominator, 1.0)
    return jnp.where(denominator > 0, numerator / safe, 0.0)


def update(
    rule: Rule, alpha: Scalar, step: Scalar, grads: Params, moments: Moments
) -> tuple[Params, Moments]:
    """One application of the rule: the displacement Δ to add to the weights, and the moments.

    `step` counts from 1; `alpha` is the learning rate of this step.
    """
    inside = rule.alpha_inside > 0
    gain = rule.b * jnp.where(inside, alpha, 1.0)
    rate = jnp.where(inside, 1.0, alpha)
    v_scale = rate * bias_correction(rule.log_a, rule.correct_v, step)
    f_scale = bias_correction(rule.log_c, rule.correct_f, step)

    v = jax.tree.map(lambda v, g: rule.a * v + gain * g, moments.v, grads)
    f = jax.tree.map(lambda f, g: rule.c * f + rule.d * (g * g), moments.f, grads)
    delta = jax.tree.map(
        lambda v, f: -ratio(v_scale * v, jnp.sqrt(f_scale * f + rule.eps_in) + rule.eps_out),
        v,
        f,
    )
    return delta, Moments(v, f)
