"""Learning rates that change with the step, for use in place of a number.

A schedule is called with the step's number, counted from 0, and gives that step's α. They work
under `jit` and `vmap`, and in optax's optimizers too.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from cuesta.core import schedule as core
from cuesta.core.types import Scalar, Schedule
from cuesta.errors import SpecError

__all__ = [
    "Schedule",
    "constant",
    "cosine",
    "coslog4",
    "linear",
    "one_cycle",
    "step",
    "warm_up",
]


def constant(alpha: Scalar) -> Schedule:
    """α_k = α.

    Parameters
    ----------
    alpha : float
        The rate.

    Returns
    -------
    schedule : function
        The step k, counted from 0 → α_k.

    Examples
    --------
    >>> from cuesta import schedule
    >>> alpha = schedule.constant(0.5)
    >>> float(alpha(0)), float(alpha(99))
    (0.5, 0.5)
    """
    return lambda k: jnp.asarray(alpha)


def linear(alpha_0: Scalar, alpha_t: Scalar, total: Scalar) -> Schedule:
    """α_k = (1 − k/T) α₀ + (k/T) α_T, and α_T after T (N12).

    Parameters
    ----------
    alpha_0 : float
        The first rate, α₀.
    alpha_t : float
        The last rate, α_T.
    total : int
        T, the steps of the decay; at least 0.

    Returns
    -------
    schedule : function
        The step k, counted from 0 → α_k.

    Raises
    ------
    SpecError
        For T < 0.

    Examples
    --------
    >>> from cuesta import schedule
    >>> alpha = schedule.linear(1.0, 0.5, 100)
    >>> float(alpha(0)), float(alpha(50)), float(alpha(200))
    (1.0, 0.75, 0.5)
    """
    _check("total", total, 0)
    return lambda k: core.linear_decay(alpha_0, alpha_t, total, k)


def cosine(alpha_0: Scalar, alpha_t: Scalar, total: Scalar) -> Schedule:
    """α_k = α_T + ½ (α₀ − α_T)(1 + cos(πk/T)), and α_T after T.

    Parameters
    ----------
    alpha_0 : float
        The first rate, α₀.
    alpha_t : float
        The last rate, α_T.
    total : int
        T, the steps of the decay; at least 0.

    Returns
    -------
    schedule : function
        The step k, counted from 0 → α_k.

    Raises
    ------
    SpecError
        For T < 0.

    References
    ----------
    Loshchilov and Hutter (2017), "SGDR: stochastic gradient descent with warm restarts".

    Examples
    --------
    >>> from cuesta import schedule
    >>> alpha = schedule.cosine(1.0, 0.0, 100)
    >>> [round(float(alpha(k)), 3) for k in (0, 50, 100)]
    [1.0, 0.5, 0.0]
    """
    _check("total", total, 0)
    return lambda k: core.cosine_decay(alpha_0, alpha_t, total, k)


def one_cycle(alpha_0: Scalar, alpha_t: Scalar, total: Scalar) -> Schedule:
    """From α₀/25 up to α₀ in the first 30 % of T steps, then down to α_T, each by half a cosine.

    With t = k/T: α_k = α₀/25 + ½ (24α₀/25)(1 − cos(πt/0.3)) for t < 0.3, then
    α_T + ½ (α₀ − α_T)(1 + cos(π(t − 0.3)/0.7)), and α_T after T. torch's `OneCycleLR` has the same
    form by default, with T + 1 steps and an α_T of 4·10⁻⁶ α₀.

    Parameters
    ----------
    alpha_0 : float
        The highest rate, α₀.
    alpha_t : float
        The last rate, α_T.
    total : int
        T, the steps of the whole cycle; at least 0.

    Returns
    -------
    schedule : function
        The step k, counted from 0 → α_k.

    Raises
    ------
    SpecError
        For T < 0.

    References
    ----------
    Smith and Topin (2018), "Super-convergence: very fast training of neural networks using large
    learning rates".

    Examples
    --------
    >>> from cuesta import schedule
    >>> alpha = schedule.one_cycle(1.0, 0.0, 100)
    >>> [round(float(alpha(k)), 3) for k in (0, 15, 30, 65, 100)]
    [0.04, 0.52, 1.0, 0.5, 0.0]
    """
    _check("total", total, 0)
    return lambda k: core.one_cycle(alpha_0, alpha_t, total, k)


def coslog4(alpha_0: Scalar, alpha_t: Scalar, total: Scalar) -> Schedule:
    """α_k = α_T + ½ (α₀ − α_T)(1 − cos(2π log₂(1 + 15k/T))), and α_T after T.

    It begins and ends at α_T, with four waves between, each about twice as long as the one before.

    Parameters
    ----------
    alpha_0 : float
        The highest rate, α₀, at the top of each wave.
    alpha_t : float
        The lowest rate, α_T, between the waves, at the start and at the end.
    total : int
        T, the steps of all waves; at least 0.

    Returns
    -------
    schedule : function
        The step k, counted from 0 → α_k.

    Raises
    ------
    SpecError
        For T < 0.

    References
    ----------
    Holzmüller, Grinsztajn and Steinwart (2024), "Better by default: strong pre-tuned MLPs and
    boosted trees on tabular data" (RealMLP).

    Examples
    --------
    >>> from cuesta import schedule
    >>> alpha = schedule.coslog4(1.0, 0.0, 150)
    >>> [round(float(alpha(k)), 2) for k in (0, 4, 10, 18, 30, 46, 70, 103, 150)]
    [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]
    """
    _check("total", total, 0)
    return lambda k: core.coslog4(alpha_0, alpha_t, total, k)


def step(alpha_0: Scalar, factor: Scalar, every: Scalar) -> Schedule:
    """α_k = α₀ · factor^⌊k/every⌋.

    Parameters
    ----------
    alpha_0 : float
        The first rate, α₀.
    factor : float
        By what the rate is multiplied.
    every : int
        After how many steps; at least 1.

    Returns
    -------
    schedule : function
        The step k, counted from 0 → α_k.

    Raises
    ------
    SpecError
        For `every` < 1.

    Examples
    --------
    >>> from cuesta import schedule
    >>> alpha = schedule.step(1.0, 0.5, 10)
    >>> [float(alpha(k)) for k in (0, 9, 10, 20)]
    [1.0, 1.0, 0.5, 0.25]
    """
    _check("every", every, 1)
    return lambda k: core.step_decay(alpha_0, factor, every, k)


def warm_up(steps: Scalar, then: Schedule | Scalar, start: Scalar = 0.0) -> Schedule:
    """α_k rises in a line from `start` to the first rate of `then`; after `steps` it is `then`.

    Parameters
    ----------
    steps : int
        How many steps the rise takes; at least 0.
    then : function or float
        The schedule that follows, which counts its own steps from 0; or a constant rate.
    start : float, default=0.0
        The first rate.

    Returns
    -------
    schedule : function
        The step k, counted from 0 → α_k.

    Raises
    ------
    SpecError
        For `steps` < 0.

    Examples
    --------
    >>> from cuesta import schedule
    >>> alpha = schedule.warm_up(10, schedule.linear(1.0, 0.0, 100))
    >>> [float(alpha(k)) for k in (0, 5, 10, 60)]
    [0.0, 0.5, 1.0, 0.5]
    """
    _check("steps", steps, 0)
    after = then if callable(then) else constant(then)

    def alpha(k: Scalar) -> Array:
        rising = core.linear_decay(start, after(0), steps, k)
        return jnp.where(k < steps, rising, after(jnp.maximum(k - steps, 0)))

    return alpha


def _check(name: str, value: Scalar, least: int) -> None:
    # A traced number cannot be looked at; what it does wrong, it does in the open.
    if isinstance(value, int | float) and not value >= least:
        raise SpecError(f"{name} must be at least {least}, not {value!r}.")
