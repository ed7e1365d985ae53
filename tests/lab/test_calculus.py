import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.core.optim import apply_rule, init_moments, rule
from cuesta.lab.curvature import extreme_eigenvalues, gradient, hessian, hessian_product
from cuesta.lab.functions import FUNCTIONS, function
from cuesta.lab.objectives import half_square, himmelblau, ravine, rosenbrock
from cuesta.lab.taylor import best_rate, forecast

pytestmark = pytest.mark.slow("dense derivatives of every function")

CLOSED = 1e-10  # float64's 1e-16, amplified by the few hundred operations of these functions
rng = np.random.default_rng(0)


def quadratic(spectrum):
    """J = ½ wᵀHw with this spectrum, in rotated axes; and H."""
    n = len(spectrum)
    turn, _ = np.linalg.qr(rng.standard_normal((n, n)))
    h = turn @ np.diag(spectrum) @ turn.T
    return (lambda w: 0.5 * w @ jnp.asarray(h) @ w), h


@pytest.mark.parametrize("w", [[-1.2, 1.0], [0.3, 0.7], [1.0, 1.0]])
def test_rosenbrocks_derivatives_are_their_closed_forms(w):
    x, y = w
    slope = [-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)]
    bend = [[1200 * x * x - 400 * y + 2, -400 * x], [-400 * x, 200]]
    np.testing.assert_allclose(gradient(rosenbrock, w), slope, atol=CLOSED)
    np.testing.assert_allclose(hessian(rosenbrock, w), bend, rtol=CLOSED)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_products_are_those_of_the_whole_hessian(name):
    j, w = function(name).value, np.array(function(name).start)
    product, whole = hessian_product(j, w), hessian(j, w)
    for v in rng.standard_normal((3, len(w))):
        np.testing.assert_allclose(product(v), whole @ v, rtol=CLOSED, atol=CLOSED)


@pytest.mark.parametrize(
    "spectrum", [np.linspace(-3, 50, 20), np.geomspace(1e-3, 1e3, 12), [-9.0, 1, 2, 3, 4], [-1, 2]]
)
def test_both_ends_of_the_spectrum_are_found(spectrum):
    j, h = quadratic(np.asarray(spectrum, float))
    low, high = extreme_eigenvalues(j, rng.standard_normal(len(h)))
    assert low == pytest.approx(min(spectrum), abs=1e-10 * max(np.abs(spectrum)))
    assert high == pytest.approx(max(spectrum), rel=1e-10)


@pytest.mark.parametrize("start", [(3.0, 2.0), (-2.805118, 3.131312), (-3.77931, -3.283186)])
def test_himmelblaus_minima_are_stationary_and_bend_up(start):
    assert np.abs(gradient(himmelblau, start)).max() < 1e-3  # the known places have six decimals
    assert extreme_eigenvalues(himmelblau, start)[0] > 0


@given(st.floats(0.01, 3.0), st.floats(-5, 5).filter(lambda w: abs(w) > 1e-3))
def test_the_notes_example_of_taylor(alpha, w):
    # J = ½w²: J(w − αw) = ½(1 − α)²w², α* = 1, divergence beyond 2 (N8).
    found = forecast(half_square, [w], [-alpha * w])
    change = 0.5 * (1 - alpha) ** 2 * w * w - 0.5 * w * w
    assert found.actual == pytest.approx(change, rel=1e-9, abs=1e-12)
    assert found.second == pytest.approx(change, rel=1e-9, abs=1e-12)
    assert found.first == pytest.approx(-alpha * w * w, rel=CLOSED)
    assert found.length == pytest.approx(alpha, rel=CLOSED)
    assert best_rate(half_square, [w]) == pytest.approx(1.0, rel=CLOSED)
    assert (found.verdict == "past the far wall") == (found.length > 2)
    assert (found.actual > 0) == (alpha > 2) or abs(alpha - 2) < 1e-9


def test_second_order_is_exact_on_quadratics_for_any_step():
    j, h = quadratic(np.geomspace(0.1, 100, 9))
    for w, step in rng.standard_normal((5, 2, 9)):
        found = forecast(j, w, step)
        assert found.second == pytest.approx(found.actual, rel=CLOSED)
        assert found.curvature == pytest.approx(step @ h @ step / (step @ step), rel=CLOSED)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adagrad", "rmsprop", "adam"])
def test_any_optimizers_step_can_be_forecast(name, float64):
    row = rule(name, "notes", momentum=0.9, rho=0.9, beta_1=0.9, beta_2=0.999)
    w = np.array([10.0, 1.0])
    moments = init_moments(row, w)
    for k in range(1, 4):
        step, moments = apply_rule(row, 0.005, k, gradient(ravine, w), moments)
        found = forecast(ravine, w, step)
        assert found.second == pytest.approx(found.actual, rel=CLOSED)
        assert found.first < 0 or name == "momentum"  # which may climb on its way
        w = w + np.asarray(step)


@pytest.mark.parametrize(
    ("step", "verdict"),
    [
        (-0.2, "short"),
        (-1.0, "right"),
        (-1.8, "long"),
        (-2.2, "past the far wall"),
        (0.1, "uphill"),
    ],
)
def test_verdicts(step, verdict):
    assert forecast(half_square, [1.0], [step]).verdict == verdict


def test_downward_bends_have_no_best_rate():
    hill, _ = quadratic([-1.0, -2.0])
    assert best_rate(hill, [1.0, 1.0]) == np.inf
    assert forecast(hill, [1.0, 0.0], -0.1 * gradient(hill, [1.0, 0.0])).length == 0.0
