from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.lab.curvature import gradient
from cuesta.lab.functions import FUNCTIONS, HIMMELBLAUS, function
from cuesta.lab.minima import NOWHERE, classify, critical_points, labels
from cuesta.lab.user_function import wrap_function

pytestmark = pytest.mark.slow("searches for minima from hundreds of starts")


def kinds(found):
    return Counter(c.kind for c in found)


def test_himmelblau_has_nine_critical_points():
    found = critical_points(function("himmelblau"))
    assert kinds(found) == {"minimum": 4, "saddle": 4, "maximum": 1}
    minima = sorted(tuple(c.point) for c in found if c.kind == "minimum")
    np.testing.assert_allclose(minima, sorted(HIMMELBLAUS), atol=1e-10)
    (top,) = (c for c in found if c.kind == "maximum")
    np.testing.assert_allclose(top.point, [-0.270845, -0.923039], atol=1e-6)  # as published
    assert top.value == pytest.approx(181.617, abs=1e-3)
    for c in found:
        assert np.abs(gradient(function("himmelblau").value, c.point)).max() < 1e-10


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if function(n).minima])
def test_the_known_minima_of_each_function_are_found(name):
    wanted = function(name)
    found = [c for c in critical_points(wanted) if c.low]
    lowest = [c for c in found if c.value <= wanted.lowest + 1e-10]
    for point in wanted.minima:
        nearest = min(np.abs(c.members - point).max(axis=1).min() for c in lowest)
        # A curve of minima is known by some of its points; other minima to rounding.
        assert nearest < (0.2 if name == "cliff" else 1e-8)


def test_rastrigin_has_a_critical_point_between_any_two():
    # x + 10π sin 2πx has 21 zeros in the domain, 11 of them minima: a product in two dimensions.
    found = critical_points(function("rastrigin"))
    assert kinds(found) == {"minimum": 121, "maximum": 100, "saddle": 220}


def test_in_three_dimensions_too():
    found = critical_points(function("rosenbrock", 3))
    assert [c.kind for c in found if c.low] == ["minimum"]
    found = critical_points(function("rosenbrock", 4))
    local = [c for c in found if c.kind == "minimum"]
    assert len(local) == 2
    np.testing.assert_allclose(local[1].point, [-0.775659, 0.613093, 0.382063, 0.145973], atol=1e-5)


def test_saddles_and_the_point_where_the_hessian_is_zero():
    (found,) = critical_points(function("saddle"))
    assert found.kind == "saddle"
    np.testing.assert_allclose(found.eigenvalues, [-1, 1], atol=1e-12)
    (found,) = critical_points(function("monkey_saddle"))
    assert found.kind == "degenerate"
    assert np.abs(found.point).max() < 1e-6
    assert not found.low


def test_the_cliffs_minima_are_one_curve():
    (found,) = critical_points(function("cliff"))
    assert found.kind == "degenerate"
    assert found.low
    assert len(found.members) > 10
    on_line = 0.7 * found.members[:, 0] + found.members[:, 1]
    # Beside the wall fifty steps do not settle, and the line bends by a thousandth.
    np.testing.assert_allclose(on_line, np.log(0.7 / 0.3), atol=1e-3)
    with jax.enable_x64(True):
        heights = np.asarray(jax.vmap(function("cliff").value)(jnp.asarray(found.members)))
    assert heights.max() < 1e-15


def test_a_cones_tip_is_a_kink_and_a_smooth_minimum_is_not():
    found = critical_points(function("ackley"))
    tips = [c for c in found if c.kind == "kink"]
    assert len(tips) == 1
    assert np.abs(tips[0].point).max() < 1e-8
    assert found[0] is tips[0]  # the lowest of all
    v = wrap_function(lambda w: jnp.abs(w[0] - 0.5) + 2 * jnp.abs(w[1] + 1), "edges")
    (corner,) = critical_points(v)
    assert corner.kind == "kink"
    np.testing.assert_allclose(corner.point, [0.5, -1.0], atol=1e-8)


@pytest.mark.parametrize(
    ("j", "kind"),
    [
        (lambda w: w[0] ** 4 + w[1] ** 2, "degenerate"),
        (lambda w: 1e-6 * w[0] ** 2 + 1e6 * w[1] ** 2, "minimum"),  # small is not zero
        (lambda w: -(w[0] ** 2) - 3 * w[1] ** 2, "maximum"),
        (lambda w: w[0] ** 2 - 1e-5 * w[1] ** 2, "saddle"),
    ],
)
def test_an_eigenvalue_is_zero_only_within_its_error(j, kind):
    (found,) = critical_points(wrap_function(j, "j"))
    assert found.kind == kind


@given(st.lists(st.floats(-1e3, 1e3).filter(lambda x: abs(x) > 1e-3), min_size=1, max_size=6))
def test_the_kind_is_in_the_signs(eigenvalues):
    kind = classify(np.array(eigenvalues), 1e-4)
    signs = {value > 0 for value in eigenvalues}
    assert kind == {(True,): "minimum", (False,): "maximum"}.get(tuple(signs), "saddle")
    assert classify(np.array([*eigenvalues, 5e-5]), 1e-4) == "degenerate"


def test_a_function_without_critical_points_has_none():
    assert critical_points(wrap_function(lambda w: w[0] + 2 * w[1], "plane")) == []


def test_other_seeds_find_the_same():
    one, other = (critical_points(function("beale"), seed) for seed in (0, 7))
    assert [c.kind for c in one] == [c.kind for c in other]
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a.point, b.point, atol=1e-8)


def test_an_end_belongs_to_the_point_that_it_is_near_to():
    found = [c for c in critical_points(function("himmelblau")) if c.low]
    ends = np.array([found[2].point + 0.01, found[0].point, [0.0, 0.0], [np.nan, 0.0]])
    assert labels(function("himmelblau"), found, ends).tolist() == [2, 0, NOWHERE, NOWHERE]
    assert labels(function("himmelblau"), [], ends).tolist() == [NOWHERE] * 4
