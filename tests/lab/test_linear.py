import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from cuesta.errors import CuestaError
from cuesta.lab.linear import objective, solve, train

pytestmark = pytest.mark.slow("trains to the closed form")

rng = np.random.default_rng(0)
X = rng.standard_normal((50, 4)) * [1, 10, 0.1, 1] + [0, 5, 1, -2]
Y = X @ rng.standard_normal((4, 3)) + [1, 2, 3] + 0.1 * rng.standard_normal((50, 3))
CLOSED = 1e-10


@pytest.mark.parametrize("weights", [None, rng.random(50)])
def test_least_squares_is_scikit_learns(weights):
    w, b = solve(X, Y, weights=weights)
    peer = LinearRegression().fit(X, Y, weights)
    np.testing.assert_allclose(w, peer.coef_.T, rtol=CLOSED, atol=CLOSED)
    np.testing.assert_allclose(b, peer.intercept_, rtol=CLOSED)


@pytest.mark.parametrize("ridge", [1e-6, 0.1, 10.0])
def test_ridge_is_scikit_learns_with_alpha_n_times_lambda(ridge):
    w, b = solve(X, Y[:, 0], ridge=ridge)
    peer = Ridge(alpha=50 * ridge).fit(X, Y[:, 0])
    np.testing.assert_allclose(w, peer.coef_, rtol=1e-9, atol=CLOSED)
    assert b == pytest.approx(peer.intercept_, rel=1e-9)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_the_gradient_is_zero_there(ridge):
    w, b = solve(X, Y, ridge=ridge)
    residual = X @ w + b - Y
    np.testing.assert_allclose(X.T @ residual / 50 + ridge * w, 0, atol=1e-12)
    np.testing.assert_allclose(residual.mean(axis=0), 0, atol=1e-12)


def test_of_many_solutions_the_shortest_is_taken():
    doubled = np.hstack([X, X[:, :1]])
    w, b = solve(doubled, Y)
    plain, same = solve(X, Y)
    np.testing.assert_allclose(w[0], w[4], rtol=1e-9)  # the weight is shared equally
    np.testing.assert_allclose(w[0] + w[4], plain[0], rtol=1e-9)
    np.testing.assert_allclose(b, same, rtol=1e-9)


def test_badly_conditioned_columns_keep_half_their_digits():
    # The columns differ by 1e-7: normal equations would square that beyond float64's 1e-16.
    base = rng.standard_normal(60)
    x = np.stack([base, base + 1e-7 * rng.standard_normal(60)], axis=1)
    w, _ = solve(x, x @ [1.0, 2.0])
    np.testing.assert_allclose(w, [1.0, 2.0], rtol=1e-7)


@pytest.mark.parametrize(
    ("x", "y", "how", "culprit"),
    [
        (X, Y[:9], {}, "9 targets"),
        (X * np.nan, Y, {}, "finite"),
        (X, Y, {"ridge": -1.0}, "ridge"),
        (X, Y, {"weights": -np.ones(50)}, "weights"),
        (X[:0], Y[:0], {}, "0 rows"),
    ],
)
def test_what_cannot_be_solved_is_a_sentence(x, y, how, culprit):
    with pytest.raises(CuestaError, match=culprit):
        solve(x, y, **how)


@pytest.mark.parametrize("ridge", [0.0, 0.2])
def test_every_optimizer_comes_to_the_closed_form(ridge):
    x, weights = (X - X.mean(0)) / X.std(0), rng.random(50)
    found = {t.optimizer: t for t in train(x, Y, ridge=ridge, weights=weights, final_ratio=1e-3)}
    assert set(found) == {"sgd", "momentum", "adagrad", "rmsprop", "adam"}
    for one in found.values():
        assert one.distance < 1e-3
        # Near its minimum J is a parabola: it lies above by at most ½λmax of the distance squared.
        assert -1e-15 < one.excess < 1e-5
    assert found["momentum"].distance < 1e-9


def test_badly_scaled_columns_keep_descent_away_where_the_closed_form_is_exact():
    # N3: columns of sizes 0.1 to 10 have a condition of 10⁴ and more.
    (raw,) = train(X, Y, optimizers=("sgd",))
    (even,) = train((X - X.mean(0)) / X.std(0), Y, optimizers=("sgd",))
    assert even.distance < 1e-8
    assert raw.distance > 1e-2


def test_where_columns_depend_on_each_other_the_excess_tells():
    doubled = np.hstack([X, X[:, :1]])
    doubled = (doubled - doubled.mean(0)) / doubled.std(0)
    found = {t.optimizer: t for t in train(doubled, Y[:, 0])}
    assert found["sgd"].distance < 1e-8  # from zero descent never leaves the span of the rows
    assert abs(found["adam"].excess) < 1e-12


def test_the_objective_is_the_mean_that_solve_minimizes(float64):
    theta, u = rng.standard_normal((5, 3)), rng.random(50)
    found = float(objective(X, Y, ridge=0.3, weights=u)(jnp.asarray(theta.ravel())))
    residual = X @ theta[:4] + theta[4] - Y
    rows = 0.5 * (residual**2).sum(axis=1)
    assert found == pytest.approx((u @ rows) / u.sum() + 0.15 * (theta[:4] ** 2).sum(), rel=1e-12)
