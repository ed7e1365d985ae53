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
optimizer can be built inside `jit` or `vmap`. Works on any pytree, in float32 and float64; also in
half precision and on complex weights, whose second moment is of |G|², as in optax.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from cuesta.core import optim as core
from cuesta.core.clip import clip_by_layer, clip_by_norm, clip_by_value
from cuesta.core.types import Params, Scalar, Schedule
from cuesta.errors import SpecError
from cuesta.lab.compare import compare

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
    """optax's protocol, for any pytree of weights.

    Attributes
    ----------
    init : function
        `init(params) → state`.
    update : function
        `update(grads, state, params) → updates, state`; updates have the weights' shapes and are
        added to them.
    """

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
    """An optimizer of any rule, V ← aV + bG; F ← cF + dG⊙G; w ← w − α V̂/(√F̂ + ε).

    Parameters
    ----------
    rule : cuesta.core.optim.Rule
        The numbers of the rule.
    learning_rate : float or function
        α, at least 0, or a function of the step counted from 0 (`cuesta.schedule`).
    **extras
        What acts beside the rule, each at least 0, or None for off: `l2`, `weight_decay`,
        `clip_value`, `clip_norm`, `clip_layer` (see the module).

    Returns
    -------
    optimizer : Optimizer

    Raises
    ------
    SpecError
        For a negative number; by `update`, where `l2` or `weight_decay` lack the weights.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from cuesta import optim
    >>> from cuesta.core.optim import rule
    >>> opt = optim.from_rule(rule("sgd", "notes"), 0.1, clip_value=1.0)
    >>> update, state = opt.update(jnp.array([2.0]), opt.init(jnp.array([1.0])))
    >>> round(float(update[0]), 4)
    -0.1
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
    """Mini-batch descent: w ← w − αG (N11).

    Parameters
    ----------
    learning_rate : float or function
        α, at least 0, or a function of the step counted from 0 (`cuesta.schedule`).
    dialect : {"notes", "torch", "optax", "keras"}, default="torch"
        Whose convention: here they are all the same.
    **extras
        `l2`, `weight_decay`, `clip_value`, `clip_norm`, `clip_layer`, as in `from_rule`.

    Returns
    -------
    optimizer : Optimizer

    Raises
    ------
    SpecError
        For a negative number, or an unknown dialect.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from cuesta import optim
    >>> opt = optim.sgd(0.1)
    >>> w, gradient = jnp.array([1.0]), jnp.array([2.0])
    >>> update, state = opt.update(gradient, opt.init(w), w)
    >>> round(float(update[0]), 4)
    -0.2
    """
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

    The two are equal while α is constant, and differ under decay (N12). γ = 0 is SGD.

    Parameters
    ----------
    learning_rate : float or function
        α, at least 0, or a function of the step counted from 0 (`cuesta.schedule`).
    momentum : float, default=0.9
        γ, at least 0 and at most 1.
    nesterov : bool, default=False
        Whether to step by the velocity of the step to come: γV + αG, or γV + G, with the new V.
    dialect : {"notes", "torch", "optax", "keras"}, default="torch"
        Whose convention: where α stands.
    **extras
        `l2`, `weight_decay`, `clip_value`, `clip_norm`, `clip_layer`, as in `from_rule`.

    Returns
    -------
    optimizer : Optimizer

    Raises
    ------
    SpecError
        For a negative number, or an unknown dialect.

    References
    ----------
    Polyak (1964), "Some methods of speeding up the convergence of iteration methods".
    Sutskever, Martens, Dahl and Hinton (2013), "On the importance of initialization and momentum in
    deep learning" (`nesterov`).

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from cuesta import optim
    >>> opt = optim.momentum(0.1)
    >>> w, gradient = jnp.array([1.0]), jnp.array([2.0])
    >>> update, state = opt.update(gradient, opt.init(w), w)
    >>> round(float(update[0]), 4)
    -0.2
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

    Parameters
    ----------
    learning_rate : float or function
        α, at least 0, or a function of the step counted from 0 (`cuesta.schedule`).
    epsilon : float or None, default=None
        ε in place of the dialect's; the notes have none.
    dialect : {"notes", "torch", "optax", "keras"}, default="torch"
        Whose convention: torch divides by √F + 1e-10; optax and keras by √(F + 1e-7),
        with F₀ = 0.1.
    **extras
        `l2`, `weight_decay`, `clip_value`, `clip_norm`, `clip_layer`, as in `from_rule`.

    Returns
    -------
    optimizer : Optimizer

    Raises
    ------
    SpecError
        For a negative number, or an unknown dialect.

    References
    ----------
    Duchi, Hazan and Singer (2011), "Adaptive subgradient methods for online learning and stochastic
    optimization".

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from cuesta import optim
    >>> opt = optim.adagrad(0.1)
    >>> w, gradient = jnp.array([1.0]), jnp.array([2.0])
    >>> update, state = opt.update(gradient, opt.init(w), w)
    >>> round(float(update[0]), 4)
    -0.1
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

    ρ = 0 is descent by the gradient's sign; ρ = 1 never moves.

    Parameters
    ----------
    learning_rate : float or function
        α, at least 0, or a function of the step counted from 0 (`cuesta.schedule`).
    rho : float or None, default=None
        ρ, from 0 to 1. None takes the dialect's: 0.99 for torch, 0.9 for the others.
    epsilon : float or None, default=None
        ε in place of the dialect's; the notes have none.
    dialect : {"notes", "torch", "optax", "keras"}, default="torch"
        Whose convention: torch divides by √Γ + 1e-8, optax by √(Γ + 1e-8), keras by
        √(Γ + 1e-7).
    **extras
        `l2`, `weight_decay`, `clip_value`, `clip_norm`, `clip_layer`, as in `from_rule`.

    Returns
    -------
    optimizer : Optimizer

    Raises
    ------
    SpecError
        For a negative number, or an unknown dialect.

    References
    ----------
    Tieleman and Hinton (2012), "Lecture 6e: rmsprop".

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from cuesta import optim
    >>> opt = optim.rmsprop(0.1, dialect="notes")
    >>> w, gradient = jnp.array([1.0]), jnp.array([2.0])
    >>> update, state = opt.update(gradient, opt.init(w), w)
    >>> round(float(update[0]), 4)
    -0.3162
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

    Parameters
    ----------
    learning_rate : float or function
        α, at least 0, or a function of the step counted from 0 (`cuesta.schedule`).
    beta_1 : float, default=0.9
        ρ₁, from 0 to 1.
    beta_2 : float, default=0.999
        ρ₂, from 0 to 1.
    epsilon : float or None, default=None
        ε in place of the dialect's; the notes have none.
    dialect : {"notes", "torch", "optax", "keras"}, default="torch"
        Whose convention: torch and optax correct both moments, V̂ = V/(1−ρ₁ᵏ) and
        F̂ = F/(1−ρ₂ᵏ), and take Δ = −α V̂/(√F̂ + 1e-8); keras adds ε before the correction,
        Δ = −α √(1−ρ₂ᵏ)/(1−ρ₁ᵏ) · V/(√F + 1e-7); the notes do neither.
    **extras
        `l2`, `weight_decay`, `clip_value`, `clip_norm`, `clip_layer`, as in `from_rule`.

    Returns
    -------
    optimizer : Optimizer

    Raises
    ------
    SpecError
        For a negative number, or an unknown dialect.

    References
    ----------
    Kingma and Ba (2015), "Adam: a method for stochastic optimization".

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from cuesta import optim
    >>> opt = optim.adam(0.1)
    >>> w, gradient = jnp.array([1.0]), jnp.array([2.0])
    >>> update, state = opt.update(gradient, opt.init(w), w)
    >>> round(float(update[0]), 4)
    -0.1
    """
    row = core.rule("adam", dialect, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
    return from_rule(row, learning_rate, **extras)
