"""The path of each optimizer over a group of problems: ours, the notes' by hand, the peers'."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cuesta import optim, schedule
from tests.parity.problems import Group

Path = Callable[[str, Group], np.ndarray]


def of_protocol(opt: Any, group: Group, dtype: type = np.float64) -> np.ndarray:
    """The path (steps, weights) of anything in optax's protocol."""

    def one(carry: Any, gradient: Any) -> Any:
        w, state = carry
        delta, state = opt.update(gradient, state, w)
        return (w + delta, state), w + delta

    start = jnp.asarray(group.start, dtype)
    gradients = jnp.asarray(group.gradients, dtype)
    _, path = jax.jit(lambda: jax.lax.scan(one, (start, opt.init(start)), gradients))()
    return np.asarray(path)


def ours(name: str, dialect: str, group: Group, **extras: Any) -> Any:
    """Our optimizer with the group's numbers."""
    rate = schedule.linear(group.alpha_0, group.alpha_t, group.steps)
    nesterov = name == "nesterov"
    if name in ("momentum", "nesterov"):
        return optim.momentum(rate, group.momentum, nesterov=nesterov, dialect=dialect, **extras)
    if name == "rmsprop":
        return optim.rmsprop(rate, group.rho, dialect=dialect, **extras)
    if name in ("adam", "adamw"):
        if name == "adamw":
            extras["weight_decay"] = 0.01
        return optim.adam(rate, group.beta_1, group.beta_2, dialect=dialect, **extras)
    return getattr(optim, name)(rate, dialect=dialect, **extras)


def by_hand(name: str, group: Group) -> np.ndarray:
    """The notes' rules as a plain loop in NumPy (N11, N13 to N16), 0/0 = 0."""
    w, v, f = group.start.copy(), 0.0 * group.start, 0.0 * group.start
    path = np.empty_like(group.gradients)
    for k, (g, alpha) in enumerate(zip(group.gradients, group.alphas(), strict=True)):
        if name == "sgd":
            delta = -alpha * g
        elif name == "momentum":
            v = group.momentum * v + alpha * g
            delta = -v
        else:
            top = g
            if name == "adagrad":
                f = f + g * g
            elif name == "rmsprop":
                f = group.rho * f + (1 - group.rho) * g * g
            else:
                f = group.beta_2 * f + (1 - group.beta_2) * g * g
                top = v = group.beta_1 * v + (1 - group.beta_1) * g
            delta = -alpha * np.divide(top, np.sqrt(f), out=0.0 * f, where=f > 0)
        w = w + delta
        path[k] = w
    return path


def by_optax(name: str, group: Group) -> np.ndarray:
    """optax's own."""
    import optax

    rate = schedule.linear(group.alpha_0, group.alpha_t, group.steps)
    betas = (group.beta_1, group.beta_2)
    made = {
        "sgd": lambda: optax.sgd(rate),
        "momentum": lambda: optax.sgd(rate, group.momentum),
        "nesterov": lambda: optax.sgd(rate, group.momentum, nesterov=True),
        "adagrad": lambda: optax.adagrad(rate),
        "rmsprop": lambda: optax.rmsprop(rate, group.rho),
        "adam": lambda: optax.adam(rate, *betas),
        "adamw": lambda: optax.adamw(rate, *betas, weight_decay=0.01),
    }[name]()
    return of_protocol(made, group)


def by_torch(name: str, group: Group) -> np.ndarray:
    """torch.optim's own, a step at a time."""
    import torch

    w = torch.tensor(group.start, dtype=torch.float64, requires_grad=True)
    rate, betas = group.alpha_0, (group.beta_1, group.beta_2)
    made = {
        "sgd": lambda: torch.optim.SGD([w], rate),
        "momentum": lambda: torch.optim.SGD([w], rate, momentum=group.momentum),
        "nesterov": lambda: torch.optim.SGD([w], rate, momentum=group.momentum, nesterov=True),
        "adagrad": lambda: torch.optim.Adagrad([w], rate),
        "rmsprop": lambda: torch.optim.RMSprop([w], rate, alpha=group.rho),
        "adam": lambda: torch.optim.Adam([w], rate, betas),
        "adamw": lambda: torch.optim.AdamW([w], rate, betas, weight_decay=0.01),
    }[name]()
    path = np.empty_like(group.gradients)
    for k, (g, alpha) in enumerate(zip(group.gradients, group.alphas(), strict=True)):
        made.param_groups[0]["lr"] = float(alpha)
        w.grad = torch.from_numpy(g)
        made.step()
        path[k] = w.detach().numpy()
    return path


def by_keras(name: str, group: Group) -> np.ndarray:
    """Keras's own, on its JAX backend."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    keras.config.set_floatx("float64")

    class Linear(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            share = jnp.minimum(jnp.asarray(step, float) / group.steps, 1.0)
            return (1 - share) * group.alpha_0 + share * group.alpha_t

    rate, betas = Linear(), {"beta_1": group.beta_1, "beta_2": group.beta_2}
    kinds = keras.optimizers
    made = {
        "sgd": lambda: kinds.SGD(rate),
        "momentum": lambda: kinds.SGD(rate, momentum=group.momentum),
        "nesterov": lambda: kinds.SGD(rate, momentum=group.momentum, nesterov=True),
        "adagrad": lambda: kinds.Adagrad(rate),
        "rmsprop": lambda: kinds.RMSprop(rate, rho=group.rho),
        "adam": lambda: kinds.Adam(rate, **betas),
        "adamw": lambda: kinds.AdamW(rate, weight_decay=0.01, **betas),
    }[name]()
    weights = keras.Variable(group.start, dtype="float64")
    made.build([weights])

    def one(carry: Any, gradient: Any) -> Any:
        w, state = carry
        (w,), state = made.stateless_apply(state, [gradient], [w])
        return (w, state), w

    state = [variable.value for variable in made.variables]
    carry = (jnp.asarray(group.start), state)
    _, path = jax.jit(lambda: jax.lax.scan(one, carry, jnp.asarray(group.gradients)))()
    return np.asarray(path)


NOTES = ("sgd", "momentum", "adagrad", "rmsprop", "adam")
ALL = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
PEERS: dict[str, tuple[Path, tuple[str, ...]]] = {
    "notes": (by_hand, NOTES),
    "optax": (by_optax, ALL),
    "torch": (by_torch, ALL),
    "keras": (by_keras, ALL),
}
