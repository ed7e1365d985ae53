"""Finds the step at which two optimizers begin to differ, and the convention that causes it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cuesta._util.checks import check_choice, check_seed
from cuesta.core import optim as core
from cuesta.core.schedule import linear_decay
from cuesta.errors import SpecError
from cuesta.lab.functions import FUNCTIONS, function

STREAMS = ("random", "sparse", "zeros")
SIZE = 8  # weights of a random stream
EXPLAINED = 0.5  # a convention that leaves more of the gap than this is not its only cause

PathMaker = Callable[[core.Rule], np.ndarray]

# The conventions in which dialects differ, and the numbers of a rule that express each. To switch
# a convention is to take all of its numbers from the other rule.
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

    `one` and `other` are its numbers in each. It is switched alone, first in the one, then in the
    other, and the better outcome is kept: `part`, the first step at which they then part (0:
    never), and `gap`, the share of the gap that is left at the step where they part unswitched.
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
        alone = first.part == 0 or first.part > self.part or first.gap <= EXPLAINED
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
    rules differ is switched alone, to see whether they then still part.
    Raises SpecError for an unknown name, and for steps, a rate or a seed that cannot be.
    """
    check_choice("stream", stream, (*STREAMS, *FUNCTIONS))
    for name, value in (("steps", steps), ("learning_rate", learning_rate)):
        if not value > 0:
            raise SpecError(f"{name} must be above 0, not {value!r}.")
    check_seed(seed)
    final = learning_rate if final_learning_rate is None else final_learning_rate
    alpha = partial(linear_decay, learning_rate, final, steps)
    a, b = parse(one), parse(other)
    with jax.enable_x64(True):
        path_of = _path_maker(stream, steps, alpha, seed)
        pair = _Pair(a, b, path_of(a), path_of(b), tolerance)
        suspects = [_suspect(convention, pair, path_of) for convention in differing(a, b)]
    # The likeliest cause comes first: switched, they never part, or latest, or with the least left.
    suspects.sort(key=lambda s: (-(s.part or math.inf), s.gap))
    gaps, part = pair.gaps, pair.part
    gap = float(gaps[part - 1]) if part else 0.0
    return Comparison(
        one, other, stream, steps, tolerance, part, gap, float(gaps[-1]), tuple(suspects)
    )


class _Pair:
    """Two rules with their paths, and how far these are apart."""

    def __init__(
        self, a: core.Rule, b: core.Rule, path_a: np.ndarray, path_b: np.ndarray, tolerance: float
    ) -> None:
        self.a, self.b, self.path_a, self.path_b = a, b, path_a, path_b
        self.tolerance = tolerance
        self.gaps = _gaps(path_a, path_b)
        self.part = _first(self.gaps, tolerance)


def _suspect(convention: str, pair: _Pair, path_of: PathMaker) -> Suspect:
    """What is left of a pair's gap where one of the two takes the other's convention."""
    tries = [
        _gaps(path_of(_switched(pair.a, pair.b, convention)), pair.path_b),
        _gaps(pair.path_a, path_of(_switched(pair.b, pair.a, convention))),
    ]
    at = pair.part - 1
    shares = [gaps[at] / pair.gaps[at] if pair.part else math.nan for gaps in tries]
    latest = max(_first(gaps, pair.tolerance) or math.inf for gaps in tries)
    part = 0 if latest == math.inf else int(latest)
    sides = describe(pair.a, convention), describe(pair.b, convention)
    return Suspect(convention, *sides, part, float(min(shares)))


def _switched(rule: core.Rule, other: core.Rule, convention: str) -> core.Rule:
    """The rule with the other's numbers of one convention."""
    return rule._replace(**{name: getattr(other, name) for name in CONVENTIONS[convention]})


def differing(a: core.Rule, b: core.Rule) -> Iterator[str]:
    """The conventions in which two rules differ; of nested ones, the narrowest."""
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


def _path_maker(stream: str, steps: int, alpha: Callable[[Array], Array], seed: int) -> PathMaker:
    """A function from a rule to its path on the stream, (steps, weights)."""
    gradients, slope, start = _gradients(stream, steps, seed)

    def path_of(rule: core.Rule) -> np.ndarray:
        def step(carry: tuple[Array, core.Moments], at: tuple[Array, Array]) -> tuple[Any, Array]:
            w, moments = carry
            k, given = at
            delta, moments = core.apply_rule(rule, alpha(k), k + 1, given + slope(w), moments)
            return (w + delta, moments), w + delta

        carry = (jnp.asarray(start), core.init_moments(rule, start))
        _, path = jax.lax.scan(step, carry, (jnp.arange(steps), jnp.asarray(gradients)))
        return np.asarray(path)

    return path_of


def _gradients(
    stream: str, steps: int, seed: int
) -> tuple[np.ndarray, Callable[[Array], Array], np.ndarray]:
    """What a step is given: a gradient of the stream plus one of the weights; and the start."""
    if stream in FUNCTIONS:
        chosen = function(stream)
        start = np.array(chosen.start, np.float64)
        return np.zeros((steps, len(start))), jax.grad(chosen.value), start
    return _stream(stream, steps, seed), jnp.zeros_like, np.zeros(SIZE)


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
