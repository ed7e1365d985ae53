"""Where two optimizers part, by how much, and which convention is the cause."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cuesta import schedule
from cuesta._util.checks import check_choice
from cuesta.core import optim as core
from cuesta.errors import SpecError
from cuesta.lab.functions import FUNCTIONS, function

STREAMS = ("random", "sparse", "zeros")
SIZE = 8  # weights of a random stream
TELLING = 0.5  # a convention that leaves more of the gap than this is not its cause alone

# What people argue about, and the numbers of a rule that say it. A convention is switched as a
# whole: its numbers go over from one rule to the other together.
CONVENTIONS: dict[str, tuple[str, ...]] = {
    "decay of V": ("a", "b", "log_a"),
    "decay of F": ("c", "d", "log_c"),
    "start of F": ("f0",),
    "ε under the root": ("eps_in",),
    "ε beside the root": ("eps_out",),
    "α inside V": ("alpha_inside",),
    "Nesterov": ("nesterov",),
    "bias correction": ("correct_v", "correct_f", "correct_root"),
    "where the correction stands": ("correct_f", "correct_root"),
}


@dataclass(frozen=True)
class Suspect:
    """A convention in which the two differ, and what is left of the gap once it is switched.

    `one` and `other` are its numbers in each. It is switched alone, in the one and in the other
    in turn, and what tells more is kept: `part`, the first step at which they then part (0:
    never), and `gap`, what is left of the gap at the step where they part unswitched.
    """

    convention: str
    one: str
    other: str
    part: int
    gap: float


@dataclass(frozen=True)
class Comparison:
    """Two optimizers on one stream of gradients.

    `part` is the first step (from 1) after which the weights differ by more than `tolerance` of
    the path's largest value, or 0; `gap` is that difference there, `final` the one at the end,
    both as shares of the path's largest value. `suspects` are ordered, the likeliest cause first.
    """

    one: str
    other: str
    stream: str
    steps: int
    tolerance: float
    part: int
    gap: float
    final: float
    suspects: tuple[Suspect, ...]

    @property
    def cause(self) -> str | None:
        """The convention that makes them part; None where they do not, or where none does alone."""
        if not self.part or not self.suspects:
            return None
        first = self.suspects[0]
        alone = first.part == 0 or first.part > self.part or first.gap <= TELLING
        return first.convention if alone else None


def parse(name: str) -> core.Rule:
    """The rule of `optimizer:dialect`; without a dialect, torch's. Raises SpecError."""
    optimizer, _, dialect = name.partition(":")
    return core.usual_rule(optimizer, dialect or "torch")


def compare(
    one: str,
    other: str,
    stream: str = "random",
    *,
    steps: int = 1000,
    learning_rate: float = 0.01,
    final_learning_rate: float | None = None,
    seed: int = 0,
    tolerance: float = 1e-9,
) -> Comparison:
    """Run two optimizers, each `optimizer:dialect`, on one stream of gradients, in float64.

    `stream`: `random` (normal), `sparse` (mostly zeros), `zeros` (some weights never have a
    gradient, others begin late), or a function of the lab, whose gradient each takes at its own
    weights. The rate decays linearly where a final one is given. Each convention in which the
    rules differ is switched alone, to see whether the parting goes away with it.
    Raises SpecError for an unknown name.
    """
    check_choice("stream", stream, (*STREAMS, *FUNCTIONS))
    for name, value in (("steps", steps), ("learning_rate", learning_rate)):
        if not value > 0:
            raise SpecError(f"{name} must be above 0, not {value!r}.")
    final = learning_rate if final_learning_rate is None else final_learning_rate
    alpha = schedule.linear(learning_rate, final, steps)
    a, b = parse(one), parse(other)
    with jax.enable_x64(True):
        walk = _walker(stream, steps, alpha, seed)
        path, goal = walk(a), walk(b)
        gaps = _gaps(path, goal)
        part = _first(gaps, tolerance)
        suspects = []
        for convention in differing(a, b):
            fields = CONVENTIONS[convention]
            tries = [
                _gaps(walk(a._replace(**{f: getattr(b, f) for f in fields})), goal),
                _gaps(path, walk(b._replace(**{f: getattr(a, f) for f in fields}))),
            ]
            sides = describe(a, convention), describe(b, convention)
            shares = [left[part - 1] / gaps[part - 1] if part else math.nan for left in tries]
            parts = [_first(left, tolerance) or math.inf for left in tries]
            latest = 0 if max(parts) == math.inf else int(max(parts))
            suspects.append(Suspect(convention, *sides, latest, float(min(shares))))
    # The cause is what, switched, makes them part not at all or latest, or leaves the least.
    suspects.sort(key=lambda s: (-(s.part or math.inf), s.gap))
    return Comparison(
        one,
        other,
        stream,
        steps,
        tolerance,
        part,
        float(gaps[part - 1]) if part else 0.0,
        float(gaps[-1]),
        tuple(suspects),
    )


def differing(a: core.Rule, b: core.Rule) -> Iterator[str]:
    """The conventions in which two rules differ; of nested ones, the narrowest that tells."""
    for convention, fields in CONVENTIONS.items():
        if all(getattr(a, field) == getattr(b, field) for field in fields):
            continue
        corrected = a.correct_v == b.correct_v
        if convention == "bias correction" and corrected:
            continue
        if convention == "where the correction stands" and not corrected:
            continue
        yield convention


def describe(rule: core.Rule, convention: str) -> str:
    """A rule's side in a convention, in words or figures."""
    if convention == "bias correction":
        return "yes" if rule.correct_v else "no"
    if convention == "where the correction stands":
        return "after ε" if rule.correct_root else "before ε"
    first = getattr(rule, CONVENTIONS[convention][0])
    if convention in ("α inside V", "Nesterov"):
        return "yes" if first else "no"
    return f"{first:g}"


def _walker(stream: str, steps: int, alpha: schedule.Schedule, seed: int) -> Any:
    """A function from a rule to its path (steps, weights)."""
    if stream in FUNCTIONS:
        chosen = function(stream)
        slope = jax.grad(chosen.value)
        start = np.array(chosen.start, np.float64)
        gradients = np.zeros((steps, len(start)))
    else:
        gradients, start = _stream(stream, steps, seed), np.zeros(SIZE)

        def slope(w: Array) -> Array:
            return jnp.zeros_like(w)

    def walk(rule: core.Rule) -> np.ndarray:
        def one(carry: tuple[Array, core.Moments], at: tuple[Array, Array]) -> tuple[Any, Array]:
            w, moments = carry
            step, given = at
            delta, moments = core.apply_rule(rule, alpha(step), step + 1, given + slope(w), moments)
            return (w + delta, moments), w + delta

        carry = (jnp.asarray(start), core.init_moments(rule, start))
        _, path = jax.lax.scan(one, carry, (jnp.arange(steps), jnp.asarray(gradients)))
        return np.asarray(path)

    return walk


def _stream(kind: str, steps: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng([4, seed])
    gradients = rng.standard_normal((steps, SIZE))
    if kind == "sparse":
        gradients *= rng.random((steps, SIZE)) < 0.05
    if kind == "zeros":
        gradients[:, : SIZE // 4] = 0.0
        gradients[: steps // 10, SIZE // 4 : SIZE // 2] = 0.0
    return gradients


def _gaps(path: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """The largest difference after each step, as a share of the paths' largest finite value."""
    both = np.abs(np.concatenate([path, goal]))
    scale = np.max(both, where=np.isfinite(both), initial=np.finfo(np.float64).tiny)
    with np.errstate(invalid="ignore"):
        gaps = np.abs(path - goal).max(axis=1) / scale
    same = (np.isnan(path) == np.isnan(goal)).all(axis=1)
    return np.where(np.isnan(gaps), np.where(same, 0.0, np.inf), gaps)


def _first(gaps: np.ndarray, tolerance: float) -> int:
    beyond = gaps > tolerance
    return int(beyond.argmax()) + 1 if beyond.any() else 0
