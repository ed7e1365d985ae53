"""The lab's functions, whose minima are known, each with its domain, its source and a start."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

from cuesta._util.checks import check_choice, check_count
from cuesta.errors import SpecError
from cuesta.lab import objectives
from cuesta.lab.function import Function, Point
from cuesta.lab.objectives import MOST_DIMENSIONS, TARGET

HIMMELBLAUS = (  # to the last digit of float64, by Newton's method in 50 digits
    (3.0, 2.0),
    (-2.805118086952745, 3.131312518250573),
    (-3.779310253377747, -3.2831859912861696),
    (3.5844283403304917, -1.8481265269644036),
)


def _box(low: float, high: float, n: int) -> tuple[tuple[float, float], ...]:
    return ((low, high),) * n


def _repeat(values: Sequence[float], n: int) -> Point:
    return tuple(islice(cycle(values), n))


def _half_square(n: int) -> Function:
    return Function(
        "half_square",
        objectives.half_square,
        _box(-5, 5, n),
        _repeat((3.0, -2.0), n),
        "J = ½ wᵀw",
        "the notes' example (N8)",
        minima=((0.0,) * n,),
    )


def _quadratic(n: int, condition: float = 100.0, rotation: float = 30.0) -> Function:
    return Function(
        "quadratic",
        objectives.quadratic(n, condition, rotation),
        _box(-5, 5, n),
        _repeat((4.0, -3.0), n),
        f"J = ½ wᵀRΛRᵀw, λ from 1 to {condition:g}, R by {rotation:g}°",
        "the general quadratic (N8)",
        minima=((0.0,) * n,),
    )


def _ravine(n: int) -> Function:
    return Function(
        "ravine",
        objectives.ravine,
        ((-12.0, 12.0), *_box(-2, 2, n - 1)),
        (10.0, *_repeat((1.0,), n - 1)),
        "J = ½ Σ λᵢ wᵢ², λ from 1 to 100",
        "a narrow valley along the first axis (N8)",
        minima=((0.0,) * n,),
    )


def _rosenbrock(n: int) -> Function:
    return Function(
        "rosenbrock",
        objectives.rosenbrock,
        _box(-2.048, 2.048, n),
        _repeat((-1.2, 1.0), n),
        "J = Σ 100 (wᵢ₊₁ − wᵢ²)² + (1 − wᵢ)²",
        "Rosenbrock, 1960",
        minima=((1.0,) * n,),
    )


def _beale(n: int) -> Function:
    return Function(
        "beale",
        objectives.beale,
        _box(-4.5, 4.5, n),
        (1.0, 1.5),
        "J = (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
        "Beale, 1958",
        minima=((3.0, 0.5),),
    )


def _himmelblau(n: int) -> Function:
    return Function(
        "himmelblau",
        objectives.himmelblau,
        _box(-6, 6, n),
        (0.0, 0.0),
        "J = (x² + y − 11)² + (x + y² − 7)²",
        "Himmelblau, 1972",
        minima=HIMMELBLAUS,
    )


def _rastrigin(n: int) -> Function:
    return Function(
        "rastrigin",
        objectives.rastrigin,
        _box(-5.12, 5.12, n),
        _repeat((-3.3, 2.4), n),
        "J = 10n + Σ wᵢ² − 10 cos 2πwᵢ",
        "Rastrigin, 1974",
        minima=((0.0,) * n,),
    )


def _ackley(n: int) -> Function:
    return Function(
        "ackley",
        objectives.ackley,
        _box(-5, 5, n),
        _repeat((3.2, -2.4), n),
        "J = −20 exp(−0.2 √(‖w‖²/n)) − exp(Σ cos 2πwᵢ / n) + 20 + e",
        "Ackley, 1987",
        minima=((0.0,) * n,),
        goal=1e-3,  # at a cone's tip steps of one length never settle: J stays at about 3α
    )


def _saddle(n: int) -> Function:
    return Function(
        "saddle",
        objectives.saddle,
        _box(-2, 2, n),
        (*_repeat((1.5,), n - 1), 1e-3),
        "J = ½ (w₁² + … + wₙ₋₁² − wₙ²)",
        "the simplest saddle (N9)",
        lowest=-math.inf,
        goal=-1.0,
        highest_rate=0.1,  # a larger one jumps past the saddle in one step
    )


def _monkey_saddle(n: int) -> Function:
    return Function(
        "monkey_saddle",
        objectives.monkey_saddle,
        _box(-1.5, 1.5, n),
        (1.0, 1e-3),
        "J = x³ − 3xy²",
        "Hilbert and Cohn-Vossen, 1932",
        lowest=-math.inf,
        goal=-1.0,
        highest_rate=0.1,  # a larger one jumps past the saddle in one step
    )


def _cliff(n: int) -> Function:
    return Function(
        "cliff",
        objectives.cliff,
        ((0.0, 7.0), (-4.0, 1.0)),
        (4.5, -3.0),
        "J(w, b) = (σ(h₅₀) − 0.7)², h ← wσ(h) + b, h₀ = ½",
        "a recurrent network of one unit: Pascanu, Mikolov and Bengio, 2013 (N5)",
        minima=((2.0, math.log(TARGET / (1 - TARGET)) - 2.0 * TARGET),),
        clip_norm=0.1,
    )


ANY = (1, MOST_DIMENSIONS)
PLANE = (2, 2)
# How each is made, and the least and most dimensions that it has.
FUNCTIONS: dict[str, tuple[Callable[..., Function], tuple[int, int]]] = {
    "half_square": (_half_square, ANY),
    "quadratic": (_quadratic, ANY),
    "ravine": (_ravine, ANY),
    "rosenbrock": (_rosenbrock, (2, MOST_DIMENSIONS)),
    "beale": (_beale, PLANE),
    "himmelblau": (_himmelblau, PLANE),
    "rastrigin": (_rastrigin, ANY),
    "ackley": (_ackley, ANY),
    "saddle": (_saddle, (2, MOST_DIMENSIONS)),
    "monkey_saddle": (_monkey_saddle, PLANE),
    "cliff": (_cliff, PLANE),
}


def function(name: str, dimensions: int = 2, **shape: Any) -> Function:
    """The named function; `shape` is `condition` and `rotation`, of `quadratic` alone.

    Raises SpecError for a name that is not known, with the names that are; for a number of
    dimensions that it cannot have; for a shape that it does not take.
    """
    check_choice("function", name, FUNCTIONS)
    make, (least, most) = FUNCTIONS[name]
    check_count("dimensions", dimensions, MOST_DIMENSIONS)
    if not least <= dimensions <= most:
        needs = f"{least}" if least == most else f"at least {least}"
        raise SpecError(f"{name} needs {needs} dimensions, not {dimensions}.")
    if shape and name != "quadratic":
        raise SpecError(f"Only quadratic has a {next(iter(shape))}; {name} has none.")
    return make(dimensions, **shape)
