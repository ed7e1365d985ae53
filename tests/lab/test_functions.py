import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cuesta.errors import SpecError
from cuesta.lab.curvature import extreme_eigenvalues, gradient, hessian
from cuesta.lab.function import check_start
from cuesta.lab.functions import FUNCTIONS, function
from cuesta.lab.objectives import cliff, quadratic, quadratic_hessian

DOCS = Path(__file__).parents[2] / "docs"
CLOSED = 1e-10  # float64's 1e-16, amplified by the few hundred operations of these functions
rng = np.random.default_rng(0)
SIZES = {name: 2 if sizes == (2, 2) else 5 for name, (_, sizes) in FUNCTIONS.items()}


def at(found, point):
    with jax.enable_x64(True):
        return float(found.value(jnp.asarray(point, jnp.float64)))


# Each written once more, one coordinate at a time, from its source.
ORACLES = {
    "half_square": lambda w: sum(x * x for x in w) / 2,
    "ravine": lambda w: sum(100 ** (i / (len(w) - 1)) * x * x for i, x in enumerate(w)) / 2,
    "rosenbrock": lambda w: sum(
        100 * (w[i + 1] - w[i] ** 2) ** 2 + (1 - w[i]) ** 2 for i in range(len(w) - 1)
    ),
    "beale": lambda w: sum(
        (c - w[0] * (1 - w[1] ** p)) ** 2 for p, c in ((1, 1.5), (2, 2.25), (3, 2.625))
    ),
    "himmelblau": lambda w: (w[0] ** 2 + w[1] - 11) ** 2 + (w[0] + w[1] ** 2 - 7) ** 2,
    "rastrigin": lambda w: sum(10 + x * x - 10 * math.cos(2 * math.pi * x) for x in w),
    "ackley": lambda w: (
        -20 * math.exp(-0.2 * math.sqrt(sum(x * x for x in w) / len(w)))
        - math.exp(sum(math.cos(2 * math.pi * x) for x in w) / len(w))
        + 20
        + math.e
    ),
    "saddle": lambda w: (sum(x * x for x in w[:-1]) - w[-1] ** 2) / 2,
    "monkey_saddle": lambda w: w[0] ** 3 - 3 * w[0] * w[1] ** 2,
}


def recurrent(w):
    h = 0.5
    for _ in range(50):
        h = w[0] / (1 + math.exp(-h)) + w[1]
    return (1 / (1 + math.exp(-h)) - 0.7) ** 2


@pytest.mark.parametrize("name", [*ORACLES, "cliff"])
def test_a_function_is_what_its_source_says(name):
    oracle = {**ORACLES, "cliff": recurrent}[name]
    found = function(name, SIZES[name])
    for share in rng.random((5, found.dimensions)):
        point = found.low() + share * found.width()
        assert at(found, point) == pytest.approx(oracle(point.tolist()), rel=1e-9, abs=CLOSED)


@pytest.mark.parametrize(("name", "size"), sorted({*SIZES.items(), *((n, 2) for n in FUNCTIONS)}))
def test_the_known_minima_are_as_low_as_is_said_and_nothing_is_lower(name, size):
    found = function(name, size)
    for point in found.minima:
        assert at(found, point) == pytest.approx(found.lowest, abs=CLOSED)
    assert bool(found.minima) == math.isfinite(found.lowest)
    points = found.low() + rng.random((500, found.dimensions)) * found.width()
    with jax.enable_x64(True):
        assert jax.vmap(found.value)(points).min() >= found.lowest
    assert at(found, found.start) > found.goal > found.lowest


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n != "ackley"])
def test_the_known_minima_are_stationary(name):
    for point in function(name).minima:
        assert np.abs(gradient(function(name).value, point)).max() < 1e-8  # H is at most about 1e3


def test_ackleys_tip_has_a_gradient_of_zero_and_slopes_around_it():
    tip = function("ackley").value
    np.testing.assert_array_equal(gradient(tip, [0.0, 0.0]), 0.0)
    # −20 exp(−0.2 r) with r = ‖w‖/√n: at the tip the slope is 20 · 0.2/√2.
    assert np.linalg.norm(gradient(tip, [1e-9, 0.0])) == pytest.approx(4 / math.sqrt(2), rel=1e-6)


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("condition", [1.0, 1e4])
@pytest.mark.parametrize("rotation", [0.0, 30.0])
def test_a_quadratic_has_the_condition_and_rotation_that_are_asked_for(n, condition, rotation):
    h = hessian(quadratic(n, condition, rotation), rng.standard_normal(n))
    np.testing.assert_allclose(h, quadratic_hessian(n, condition, rotation), rtol=1e-9, atol=1e-9)
    spectrum = np.linalg.eigvalsh(h)
    np.testing.assert_allclose(spectrum, np.geomspace(1, condition, n), rtol=1e-9)
    off = np.abs(h - np.diag(np.diag(h))).max()
    assert (off > 0) == (rotation > 0 and n > 1 and condition > 1) or off < 1e-12 * condition


def test_in_the_plane_a_quadratics_flat_axis_lies_at_the_angle():
    _, axes = np.linalg.eigh(quadratic_hessian(2, 50.0, 30.0))
    along = axes[:, 0] * np.sign(axes[0, 0])
    np.testing.assert_allclose(along, [math.cos(math.pi / 6), math.sin(math.pi / 6)], rtol=1e-9)


def test_the_cliff_has_a_wall_where_fifty_factors_multiply():
    # Away from it the gradient is below 1; at its foot a product of fifty factors above 1.
    assert np.abs(gradient(cliff, [2.0, -0.5])).max() < 1
    assert np.linalg.norm(gradient(cliff, [4.9, -2.55])) > 10


def test_the_cliffs_minima_are_a_line_of_which_the_hessian_knows():
    low, high = extreme_eigenvalues(cliff, function("cliff").minima[0])
    assert abs(low) < 1e-12 < high


def described(name):
    """A function's row in docs/lab.md."""
    _, (least, most) = FUNCTIONS[name]
    dimensions = str(least) if least == most else f"from {least}"
    found = function(name)
    formula = found.formula.partition(" = ")[2]
    return f"| `{name}` | {formula} | {found.source} | {dimensions} |"


def test_the_labs_page_lists_the_functions_as_they_are():
    text = (DOCS / "lab.md").read_text(encoding="utf-8")
    told = [line for line in text.splitlines() if line.startswith("| `")]
    assert told == [described(name) for name in FUNCTIONS]


@pytest.mark.parametrize(
    ("name", "dimensions", "shape", "culprit"),
    [
        ("himmelblu", 2, {}, "himmelblau"),
        ("himmelblau", 3, {}, "2 dimensions, not 3"),
        ("rosenbrock", 1, {}, "at least 2"),
        ("ravine", 0, {}, "dimensions"),
        ("ravine", 2, {"condition": 9.0}, "Only quadratic has a condition"),
        ("quadratic", 2, {"condition": 0.5}, "condition"),
        ("quadratic", 2, {"rotation": math.nan}, "rotation"),
    ],
)
def test_what_there_is_not_is_a_sentence(name, dimensions, shape, culprit):
    with pytest.raises(SpecError, match=culprit):
        function(name, dimensions, **shape)


@pytest.mark.parametrize(
    ("start", "culprit"), [([7.0, 0.0], "coordinate 1 is 7"), ([0.0], "2 coordinates, not 1")]
)
def test_a_start_outside_the_domain_is_named(start, culprit):
    with pytest.raises(SpecError, match=culprit):
        check_start(function("himmelblau"), start)
    assert check_start(function("himmelblau"), [6, -6]).tolist() == [6.0, -6.0]
    with pytest.raises(SpecError, match="nan"):
        check_start(function("himmelblau"), [math.nan, 0.0])
