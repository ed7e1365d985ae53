"""The notes' optimizers in optax's protocol, exact to the notes and to three frameworks.

    opt = cuesta.optim.adam(1e-3, dialect="notes")
    state = opt.init(params)
    updates, state = opt.update(grads, state, params)
    params = optax.apply_updates(params, updates)

A dialect is a framework's convention: where ε stands and how large it is, at what the second
moment begins, whether moments are corrected for their start, where α is. `notes` is the lecture
notes' own form: no ε, no correction, moments from 0, 0/0 = 0.

Every optimizer takes, besides its own numbers,
    learning_rate   α, a number or a function of the step counted from 0 (`cuesta.schedule`);
    l2              λ in G ← G + λw, before the rule;
    weight_decay    λ in w ← w − αλw, apart from the rule (AdamW; Loshchilov and Hutter, 2019);
    clip_value      c in G ← max(−c, min(c, G)) (N5);
    clip_norm       c in G ← G · min(1, c/‖G‖), over all layers together (N5);
    clip_layer      the same, over each layer (leaf) on its own.
Clipping comes first (norm, layer, value), then L2, then the rule. Numbers may be traced: an
optimizer can be built inside `jit` or `vmap`. Works on any pytree, in float32 and float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core import optim as core
from cuesta.core.clip import clip_by_layer, clip_by_norm, clip_by_value
from cuesta.core.types import Params, Scalar
from cuesta.errors import SpecError
from cuesta.lab.compare import compare
from cuesta.schedule import Schedule

__all__ = [
    "Optimizer",
    "State",
    "adagrad",
    "adam",
    "compare",
    "from_rule",
    "momentum",
    "rmsprop",
    "sgd",
]


class Optimizer(NamedTuple):
    """optax's protocol: `init(params) → state`, `update(grads, state, params) → updates, state`."""

    init: Callable[[Params], State]
    update: Callable[..., tuple[Params, State]]


class State(NamedTuple):
    """How many steps were taken, and both moments."""

    step: Array
    moments: core.Moments


class Extras(NamedTuple):
    """What acts beside a rule; None is off."""

    l2: Scalar | None = None
    weight_decay: Scalar | None = None
    clip_value: Scalar | None = None
    clip_norm: Scalar | None = None
    clip_layer: Scalar | None = None


def from_rule(rule: core.Rule, learning_rate: Scalar | Schedule, **extras: Any) -> Optimizer:
    """An optimizer of any row of numbers; `extras` as for all (see the module).

    Raises SpecError for a negative number among them.
    """
    beside = Extras(**extras)
    for name, value in {"learning_rate": learning_rate, **extras}.items():
        if isinstance(value, int | float) and not value >= 0:
            raise SpecError(f"{name} must be at least 0, not {value!r}.")
    alpha_of = learning_rate if callable(learning_rate) else lambda _: learning_rate

    def init(params: Params) -> State:
        return State(jnp.zeros((), jnp.int32), core.init_moments(rule, params))

    def update(
        grads: Params, state: State, params: Params | None = None, **_: Any
    ) -> tuple[Params, State]:
        if params is None and (beside.l2 is not None or beside.weight_decay is not None):
            raise SpecError("l2 and weight_decay need the weights: update(grads, state, params).")
        alpha, step = alpha_of(state.step), state.step + 1
        grads = _before(beside, grads, params)
        delta, moments = core.apply_rule(rule, alpha, step, grads, state.moments)
        if beside.weight_decay is not None:
            rate = alpha * beside.weight_decay
            delta = jax.tree.map(lambda d, w: d - jnp.asarray(rate, w.dtype) * w, delta, params)
        return delta, State(step, moments)

    return Optimizer(init, update)


def _before(beside: Extras, grads: Params, params: Params | None) -> Params:
    """Clip the gradient, then add L2's."""
    if beside.clip_norm is not None:
        grads, _ = clip_by_norm(grads, beside.clip_norm)
    if beside.clip_layer is not None:
        grads = clip_by_layer(grads, beside.clip_layer)
    if beside.clip_value is not None:
        grads = clip_by_value(grads, beside.clip_value)
    if beside.l2 is not None:
        l2 = beside.l2
        grads = jax.tree.map(lambda g, w: g + jnp.asarray(l2, w.dtype) * w, grads, params)
    return grads


def sgd(learning_rate: Scalar | Schedule, *, dialect: str = "torch", **extras: Any) -> Optimizer:
    """Mini-batch descent: w ← w − αG (N11). The same in every dialect."""
    return from_rule(core.rule("sgd", dialect), learning_rate, **extras)


def momentum(
    learning_rate: Scalar | Schedule,
    momentum: Scalar = 0.9,
    *,
    nesterov: bool = False,
    dialect: str = "torch",
    **extras: Any,
) -> Optimizer:
    """V ← γV + αG; w ← w − V (N13: notes, keras), or V ← γV + G; w ← w − αV (torch, optax).

    The two are equal while α is constant, and differ under decay (N12). `nesterov` steps by the
    velocity of the step to come: γV + αG, or γV + G, with the new V. γ = 0 is SGD.
    """
    row = core.rule("momentum", dialect, momentum=momentum, nesterov=nesterov)
    return from_rule(row, learning_rate, **extras)


def adagrad(
    learning_rate: Scalar | Schedule,
    *,
    epsilon: Scalar | None = None,
    dialect: str = "torch",
    **extras: Any,
) -> Optimizer:
    """F ← F + G⊙G; Δ = −(α/√F) ⊙ G; w ← w + Δ (N14), with F₀ = 0 and 0/0 = 0.

    torch: √F + 1e-10; optax, keras: F₀ = 0.1 and √(F + 1e-7). `epsilon` replaces ε; the notes
    have none.
    """
    return from_rule(core.rule("adagrad", dialect, epsilon=epsilon), learning_rate, **extras)


def rmsprop(
    learning_rate: Scalar | Schedule,
    rho: Scalar | None = None,
    *,
    epsilon: Scalar | None = None,
    dialect: str = "torch",
    **extras: Any,
) -> Optimizer:
    """Γ ← ρΓ + (1−ρ) G⊙G; Δ = −(α/√Γ) ⊙ G; w ← w + Δ (N15), with Γ₀ = 0 and 0/0 = 0.

    torch: √Γ + 1e-8 and ρ = 0.99 unless given; optax: √(Γ + 1e-8); keras: √(Γ + 1e-7), ρ = 0.9.
    ρ = 0 is descent by the gradient's sign; ρ = 1 never moves.
    """
    decay = core.usual_rho(dialect) if rho is None else rho
    return from_rule(
        core.rule("rmsprop", dialect, rho=decay, epsilon=epsilon), learning_rate, **extras
    )


def adam(
    learning_rate: Scalar | Schedule,
    beta_1: Scalar = 0.9,
    beta_2: Scalar = 0.999,
    *,
    epsilon: Scalar | None = None,
    dialect: str = "torch",
    **extras: Any,
) -> Optimizer:
    """V ← ρ₁V + (1−ρ₁)G; F ← ρ₂F + (1−ρ₂)G⊙G; Δ = −(α/√F) ⊙ V; w ← w + Δ (N16, 0/0 = 0).

    torch, optax: V̂ = V/(1−ρ₁ᵏ), F̂ = F/(1−ρ₂ᵏ), Δ = −α V̂/(√F̂ + 1e-8) (Kingma and Ba, 2015);
    keras: Δ = −α √(1−ρ₂ᵏ)/(1−ρ₁ᵏ) · V/(√F + 1e-7): ε before the correction.
    """
    row = core.rule("adam", dialect, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
    return from_rule(row, learning_rate, **extras)
