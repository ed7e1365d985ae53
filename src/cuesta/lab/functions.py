"""Functions J: ℝⁿ → ℝ whose minima are known, each with its domain, its source and a start."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cuesta._util.checks import check_choice, check_count, check_range
from cuesta.core.types import Tensor
from cuesta.errors import SpecError

Objective = Callable[[Array], Array]
Point = tuple[float, ...]

NEAR = 1e-8  # J this far above its lowest value counts as the minimum reached
MOST_DIMENSIONS = 10_000


@dataclass(frozen=True)
class Function:
    """A function to descend on.

    `domain` holds a pair (low, high) for each coordinate: where starts are drawn and pictures are
    taken; paths may leave it. `lowest` is the least value of J, −∞ where J has none, None where
    it is not known; `minima` are the points that have it. A path has arrived once J ≤ `goal`.
    `clip_norm` is the clipping that the function is made to show, `highest_rate` the largest α
    with which a path on it is worth seeing.
    """

    name: str
    value: Objective
    domain: tuple[tuple[float, float], ...]
    start: Point
    formula: str
    source: str
    lowest: float | None = 0.0
    minima: tuple[Point, ...] = ()
    goal: float | None = NEAR
    clip_norm: float | None = None
    highest_rate: float = 10.0

    @property
    def dimensions(self) -> int:
        """How many coordinates a point has."""
        return len(self.domain)

    def low(self) -> np.ndarray:
        """The domain's lower corner."""
        return np.array([low for low, _ in self.domain])

    def width(self) -> np.ndarray:
        """The domain's width along each coordinate."""
        return np.array([high - low for low, high in self.domain])


def half_square(w: Array) -> Array:
    """J = ½ wᵀw, the notes' example (N8): J' = w, J'' = 1; minimum 0 at 0."""
    return 0.5 * jnp.sum(w * w)


def quadratic(
    dimensions: int = 2, condition: float = 100.0, rotation: float = 30.0
) -> Callable[[Array], Array]:
    """J = ½ wᵀRΛRᵀw: λ from 1 to `condition` in equal ratios, in axes turned by R; minimum 0 at 0.

    R turns each plane of neighbouring coordinates by `rotation` degrees, one after the other.
    Raises SpecError for fewer than one dimension, or a condition below 1.
    """
    h = quadratic_hessian(dimensions, condition, rotation)
    return lambda w: 0.5 * w @ jnp.asarray(h, w.dtype) @ w


def quadratic_hessian(dimensions: int, condition: float, rotation: float) -> np.ndarray:
    """The Hessian RΛRᵀ of `quadratic`, (n, n). Raises SpecError as it does."""
    check_count("dimensions", dimensions, MOST_DIMENSIONS)
    check_range("condition", condition, 1.0, math.inf)
    check_range("rotation", rotation, -math.inf, math.inf)
    cos, sin = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    turn = np.eye(dimensions)
    for i in range(dimensions - 1):
        turn[:, [i, i + 1]] = turn[:, [i, i + 1]] @ np.array([[cos, -sin], [sin, cos]])
    return turn @ np.diag(np.geomspace(1.0, condition, dimensions)) @ turn.T


def ravine(w: Array) -> Array:
    """J = ½ Σ λᵢ wᵢ², with λ from 1 to 100 in equal ratios: a narrow valley; minimum 0 at 0."""
    curvatures = jnp.logspace(0.0, 2.0, w.shape[0])
    return 0.5 * jnp.sum(curvatures * w * w)


def rosenbrock(w: Array) -> Array:
    """J = Σ 100 (wᵢ₊₁ − wᵢ²)² + (1 − wᵢ)² (Rosenbrock, 1960); minimum 0 at (1, …, 1).

    From four dimensions on there is a second, local minimum near (−1, 1, …, 1).
    """
    return jnp.sum(100.0 * (w[1:] - w[:-1] ** 2) ** 2 + (1.0 - w[:-1]) ** 2)


def beale(w: Array) -> Array:
    """J = (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)² (Beale, 1958).

    Minimum 0 at (3, ½); far plateaus between steep walls.
    """
    x, y = w[0], w[1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def himmelblau(w: Array) -> Array:
    """J = (x² + y − 11)² + (x + y² − 7)² (Himmelblau, 1972); four minima of 0."""
    x, y = w[0], w[1]
    return (x * x + y - 11.0) ** 2 + (x + y * y - 7.0) ** 2


def rastrigin(w: Array) -> Array:
    """J = 10n + Σ wᵢ² − 10 cos 2πwᵢ (Rastrigin, 1974): a local minimum near each whole point."""
    return 10.0 * w.shape[0] + jnp.sum(w * w - 10.0 * jnp.cos(2.0 * jnp.pi * w))


def ackley(w: Array) -> Array:
    """J = −20 exp(−0.2 √(‖w‖²/n)) − exp(Σ cos 2πwᵢ / n) + 20 + e (Ackley, 1987).

    Its minimum, 0 at 0, is the tip of a cone: no derivative there, and no stationary point; the
    gradient at 0 is taken as 0, the middle of all its slopes.
    """
    square = jnp.mean(w * w)
    tip = square == 0
    radius = jnp.where(tip, 0.0, jnp.sqrt(jnp.where(tip, 1.0, square)))
    # expm1 keeps the small differences near the minimum that 20 + e − 20 − e would lose.
    ripple = jnp.mean(jnp.cos(2.0 * jnp.pi * w)) - 1.0
    return -20.0 * jnp.expm1(-0.2 * radius) - jnp.e * jnp.expm1(ripple)


def saddle(w: Array) -> Array:
    """J = ½ (Σ wᵢ² − 2wₙ²), a minimum along all axes but the last, along which it falls forever."""
    return 0.5 * (jnp.sum(w[:-1] ** 2) - w[-1] ** 2)


def monkey_saddle(w: Array) -> Array:
    """J = x³ − 3xy²: three valleys leave the origin, where the Hessian is 0 (Hilbert, 1932)."""
    x, y = w[0], w[1]
    return x**3 - 3.0 * x * y**2


UNROLLED = 50  # steps in time
TARGET = 0.7


def cliff(w: Array) -> Array:
    """J(w, b) = (σ(h₅₀) − 0.7)², h ← wσ(h) + b, h₀ = ½: a recurrent network of one unit (N5).

    The surface has a wall, where h is between two places to settle and the gradient is a product
    of fifty factors above 1; its minima are a line, 0.7w + b = σ⁻¹(0.7), that runs along the
    wall's foot (Pascanu, Mikolov and Bengio, 2013, figure 6).
    """
    weight, bias = w[0], w[1]

    def forward(h: Array, _: None) -> tuple[Array, None]:
        return weight * jax.nn.sigmoid(h) + bias, None

    last, _ = jax.lax.scan(forward, jnp.full_like(weight, 0.5), length=UNROLLED)
    return (jax.nn.sigmoid(last) - TARGET) ** 2


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


def _make_half_square(n: int) -> Function:
    return Function(
        "half_square",
        half_square,
        _box(-5, 5, n),
        _repeat((3.0, -2.0), n),
        "J = ½ wᵀw",
        "the notes' example (N8)",
        minima=((0.0,) * n,),
    )


def _make_quadratic(n: int, condition: float = 100.0, rotation: float = 30.0) -> Function:
    return Function(
        "quadratic",
        quadratic(n, condition, rotation),
        _box(-5, 5, n),
        _repeat((4.0, -3.0), n),
        f"J = ½ wᵀRΛRᵀw, λ from 1 to {condition:g}, R by {rotation:g}°",
        "the general quadratic (N8)",
        minima=((0.0,) * n,),
    )


def _make_ravine(n: int) -> Function:
    return Function(
        "ravine",
        ravine,
        ((-12.0, 12.0), *_box(-2, 2, n - 1)),
        (10.0, *_repeat((1.0,), n - 1)),
        "J = ½ Σ λᵢ wᵢ², λ from 1 to 100",
        "a narrow valley along the first axis (N8)",
        minima=((0.0,) * n,),
    )


def _make_rosenbrock(n: int) -> Function:
    return Function(
        "rosenbrock",
        rosenbrock,
        _box(-2.048, 2.048, n),
        _repeat((-1.2, 1.0), n),
        "J = Σ 100 (wᵢ₊₁ − wᵢ²)² + (1 − wᵢ)²",
        "Rosenbrock, 1960",
        minima=((1.0,) * n,),
    )


def _make_beale(n: int) -> Function:
    return Function(
        "beale",
        beale,
        _box(-4.5, 4.5, n),
        (1.0, 1.5),
        "J = (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
        "Beale, 1958",
        minima=((3.0, 0.5),),
    )


def _make_himmelblau(n: int) -> Function:
    return Function(
        "himmelblau",
        himmelblau,
        _box(-6, 6, n),
        (0.0, 0.0),
        "J = (x² + y − 11)² + (x + y² − 7)²",
        "Himmelblau, 1972",
        minima=HIMMELBLAUS,
    )


def _make_rastrigin(n: int) -> Function:
    return Function(
        "rastrigin",
        rastrigin,
        _box(-5.12, 5.12, n),
        _repeat((-3.3, 2.4), n),
        "J = 10n + Σ wᵢ² − 10 cos 2πwᵢ",
        "Rastrigin, 1974",
        minima=((0.0,) * n,),
    )


def _make_ackley(n: int) -> Function:
    return Function(
        "ackley",
        ackley,
        _box(-5, 5, n),
        _repeat((3.2, -2.4), n),
        "J = −20 exp(−0.2 √(‖w‖²/n)) − exp(Σ cos 2πwᵢ / n) + 20 + e",
        "Ackley, 1987",
        minima=((0.0,) * n,),
        goal=1e-3,  # at a cone's tip steps of one length never settle: J stays at about 3α
    )


def _make_saddle(n: int) -> Function:
    return Function(
        "saddle",
        saddle,
        _box(-2, 2, n),
        (*_repeat((1.5,), n - 1), 1e-3),
        "J = ½ (w₁² + … + wₙ₋₁² − wₙ²)",
        "the simplest saddle (N9)",
        lowest=-math.inf,
        goal=-1.0,
        highest_rate=0.1,  # with larger ones it is passed in a leap
    )


def _make_monkey_saddle(n: int) -> Function:
    return Function(
        "monkey_saddle",
        monkey_saddle,
        _box(-1.5, 1.5, n),
        (1.0, 1e-3),
        "J = x³ − 3xy²",
        "Hilbert and Cohn-Vossen, 1932",
        lowest=-math.inf,
        goal=-1.0,
        highest_rate=0.1,  # with larger ones it is passed in a leap
    )


def _make_cliff(n: int) -> Function:
    return Function(
        "cliff",
        cliff,
        ((0.0, 7.0), (-4.0, 1.0)),
        (4.5, -3.0),
        "J(w, b) = (σ(h₅₀) − 0.7)², h ← wσ(h) + b, h₀ = ½",
        "a recurrent network of one unit: Pascanu, Mikolov and Bengio, 2013 (N5)",
        minima=((2.0, math.log(TARGET / (1 - TARGET)) - 2.0 * TARGET),),
        clip_norm=0.1,
    )


ANY = (1, MOST_DIMENSIONS)
PLANE = (2, 2)
# How each is made, for how many dimensions, and how many unless told.
FUNCTIONS: dict[str, tuple[Callable[..., Function], tuple[int, int]]] = {
    "half_square": (_make_half_square, ANY),
    "quadratic": (_make_quadratic, ANY),
    "ravine": (_make_ravine, ANY),
    "rosenbrock": (_make_rosenbrock, (2, MOST_DIMENSIONS)),
    "beale": (_make_beale, PLANE),
    "himmelblau": (_make_himmelblau, PLANE),
    "rastrigin": (_make_rastrigin, ANY),
    "ackley": (_make_ackley, ANY),
    "saddle": (_make_saddle, (2, MOST_DIMENSIONS)),
    "monkey_saddle": (_make_monkey_saddle, PLANE),
    "cliff": (_make_cliff, PLANE),
}


def function(name: str, dimensions: int = 2, **shape: Any) -> Function:
    """The named function; `shape` is `condition` and `rotation`, of `quadratic` alone.

    Raises SpecError, offering the names, for one that is not known; for dimensions that it does
    not have; for a shape that it does not take.
    """
    check_choice("function", name, FUNCTIONS)
    make, (least, most) = FUNCTIONS[name]
    check_count("dimensions", dimensions, MOST_DIMENSIONS)
    if not least <= dimensions <= most:
        needs = f"{least}" if least == most else f"at least {least}"
        raise SpecError(f"{name} needs {needs} dimensions, not {dimensions}.")
    if shape and name != "quadratic":
        raise SpecError(f"{next(iter(shape))} is the quadratic's alone; {name} has none.")
    return make(dimensions, **shape)


def check_start(function: Function, start: Tensor) -> np.ndarray:
    """The start as an array (n,). Raises SpecError for one that does not fit in the domain."""
    point = np.asarray(start, np.float64).reshape(-1)
    if len(point) != function.dimensions:
        raise SpecError(
            f"A start of {function.name} has {function.dimensions} coordinates, not {len(point)}."
        )
    for i, (value, (low, high)) in enumerate(zip(point, function.domain, strict=True), start=1):
        if not low <= value <= high:
            raise SpecError(
                f"The start's coordinate {i} is {value:g}, outside {function.name}'s domain, "
                f"{low:g} to {high:g}."
            )
    return point
