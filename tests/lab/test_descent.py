import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cuesta.core.optim import usual_rule
from cuesta.hyperparameters import OPTIMIZERS
from cuesta.lab.descent import NEVER, CompiledDescent, Optimizer, all_pairs, stack, trace
from cuesta.lab.functions import function
from cuesta.lab.objectives import cliff, half_square, himmelblau, ravine

RATES = {"sgd": 0.01, "momentum": 0.003, "adagrad": 0.5, "rmsprop": 0.01, "adam": 0.05}
# Both add the same numbers in another order, at 1e-16 each. RMSProp and AdaGrad divide by the size
# of the gradient: near the end a rounding that changes a sign becomes a step, so paths are short.
ORDER = 1e-8
STEPS = 25
rng = np.random.default_rng(0)


def optimizer(name, **how):
    return Optimizer(usual_rule(name, "notes"), RATES[name], RATES[name])._replace(**how)


def slope(w):
    x, y = w
    return np.array(
        [
            4 * x * (x * x + y - 11) + 2 * (x + y * y - 7),
            2 * (x * x + y - 11) + 4 * y * (x + y * y - 7),
        ]
    )


def plain_loop(name, start, steps, alpha, alpha_t=None, clip=math.inf):
    """The notes' five rules as they stand there, for one start, in NumPy."""
    w, v, f = np.array(start), np.zeros(2), np.zeros(2)
    for k in range(steps):
        a = alpha if alpha_t is None else (1 - k / steps) * alpha + k / steps * alpha_t
        g = slope(w)
        g = g * min(1.0, clip / np.linalg.norm(g)) if g.any() else g
        if name == "sgd":
            w = w - a * g
        elif name == "momentum":
            v = 0.9 * v + a * g
            w = w - v
        elif name == "adagrad":
            f = f + g * g
            w = w - a * np.divide(g, np.sqrt(f), out=np.zeros(2), where=f > 0)
        elif name == "rmsprop":
            f = 0.9 * f + 0.1 * g * g
            w = w - a * np.divide(g, np.sqrt(f), out=np.zeros(2), where=f > 0)
        else:
            v, f = 0.9 * v + 0.1 * g, 0.999 * f + 0.001 * g * g
            w = w - a * np.divide(v, np.sqrt(f), out=np.zeros(2), where=f > 0)
    return w


@pytest.mark.parametrize(
    "how", [{}, {"alpha_t": 1e-4}, {"clip": 2.0}], ids=["plain", "decay", "clip"]
)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_many_starts_at_once_are_the_plain_loop_over_them(name, how):
    starts = rng.uniform(-4, 4, (20, 2))
    numbers = {"alpha_t": how.get("alpha_t", RATES[name]), "clip_norm": how.get("clip", math.inf)}
    lanes = all_pairs(stack([optimizer(name, **numbers)]), starts, np.zeros(20))
    end = CompiledDescent(himmelblau, width=8).run(*lanes, STEPS)
    wanted = [plain_loop(name, start, STEPS, RATES[name], **how) for start in starts]
    np.testing.assert_allclose(end.w, wanted, rtol=ORDER, atol=ORDER)


def test_a_lane_does_not_care_for_its_neighbours_or_the_width():
    starts = rng.uniform(-4, 4, (33, 2))
    starts[5] = 1e200  # overflows at once
    lanes = all_pairs(stack([optimizer(name) for name in OPTIMIZERS]), starts, np.arange(33))
    wide = CompiledDescent(himmelblau, width=256).run(*lanes, 100)
    narrow = CompiledDescent(himmelblau, width=16).run(*lanes, 100)
    for a, b in zip(wide, narrow, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert (wide.lost.reshape(5, 33)[:, 5] == 0).all()
    assert (np.delete(wide.lost.reshape(5, 33), 5, axis=1) == NEVER).all()


@pytest.mark.parametrize(
    ("alpha", "grows"), [(0.5, False), (1.0, False), (1.99, False), (2.01, True)]
)
def test_the_notes_example_converges_below_two_and_diverges_beyond(alpha, grows):
    # J(w − αw) = ½(1 − α)²w² (N8): after k steps w = (1 − α)ᵏ w₀.
    rule = usual_rule("sgd", "notes")
    lanes = all_pairs(stack([Optimizer(rule, alpha, alpha)]), np.array([[3.0]]), np.zeros(1))
    end = CompiledDescent(half_square, width=2).run(*lanes, 50)
    assert end.w[0, 0] == pytest.approx(3.0 * (1 - alpha) ** 50, rel=1e-10, abs=1e-300)
    assert bool(end.j[0] > 4.5) == grows


def test_arrival_and_loss_are_steps():
    rule = usual_rule("sgd", "notes")
    lanes = all_pairs(
        stack([Optimizer(rule, 0.5, 0.5), Optimizer(rule, 1e200, 1e200)]),
        np.array([[1.0]]),
        np.zeros(1),
    )
    end = CompiledDescent(half_square, width=2).run(*lanes, 30, goal=1e-6)
    # ½·4⁻ᵏ ≤ 1e-6 first at k = 10; α = 1e200 squares beyond float64 after one step.
    assert end.reached.tolist() == [10, NEVER]
    assert end.lost.tolist() == [NEVER, 1]
    assert end.w[1, 0] == pytest.approx(-1e200)  # it stays where it was lost


def test_a_path_that_falls_forever_stops():
    saddle = function("saddle")
    rule = usual_rule("sgd", "notes")
    lanes = all_pairs(
        stack([Optimizer(rule, 0.1, 0.1, stop=-1.0)]), np.array([saddle.start]), np.zeros(1)
    )
    end = CompiledDescent(saddle.value, width=2).run(*lanes, 100_000, goal=-1.0)
    assert -2 < end.j[0] <= -1
    assert end.lost[0] == NEVER


def test_noise_has_its_variance_and_is_paired_between_optimizers():
    def flat(w):
        return 0.0 * jnp.sum(w)

    rule = usual_rule("sgd", "notes")
    optimizers = stack([Optimizer(rule, 1.0, 1.0, noise=2.0), Optimizer(rule, 0.5, 0.5, noise=2.0)])
    lanes = all_pairs(optimizers, np.zeros((4000, 1)), np.arange(4000))
    end = CompiledDescent(flat, noisy=True).run(*lanes, 25)
    full, half = end.w.reshape(2, 4000)
    # 25 draws of variance 4 each; the standard error of a variance of 4,000 is √(2/4000) of it.
    assert full.var() == pytest.approx(100.0, rel=4 * math.sqrt(2 / 4000))
    np.testing.assert_allclose(half, full / 2, rtol=1e-12)  # the same draws
    assert len(set(full)) == 4000  # other seeds, other draws


def test_a_shown_path_is_the_path():
    optimizers = stack([optimizer(name) for name in OPTIMIZERS])
    start, places = [1.0, -2.0], [0, 3, 4, 12, STEPS - 1]
    every, info = trace(himmelblau, optimizers, start, 0, STEPS, np.arange(STEPS))
    some, few = trace(himmelblau, optimizers, start, 0, STEPS, np.array(places))
    np.testing.assert_allclose(some, every[:, places], rtol=ORDER, atol=ORDER)
    np.testing.assert_allclose(few.delta, info.delta[:, places], rtol=ORDER, atol=ORDER)
    np.testing.assert_allclose(every[:, 1:], every[:, :-1] + info.delta[:, :-1], rtol=1e-12)
    lanes = all_pairs(optimizers, np.array([[1.0, -2.0]]), np.zeros(1))
    end = CompiledDescent(himmelblau, width=8).run(*lanes, STEPS)
    np.testing.assert_allclose(end.w, every[:, -1] + info.delta[:, -1], rtol=ORDER, atol=ORDER)
    with jax.enable_x64(True):
        wanted = jax.vmap(jax.vmap(jax.grad(himmelblau)))(jnp.asarray(every))
    np.testing.assert_allclose(info.gradient, wanted, rtol=ORDER, atol=ORDER)


def test_momentum_zero_is_plain_descent():
    rule = usual_rule("momentum", "notes")._replace(a=0.0, log_a=-math.inf)
    optimizers = stack([Optimizer(rule, 0.01, 0.001), optimizer("sgd", alpha_t=0.001)])
    points, _ = trace(ravine, optimizers, [5.0, 1.0], 0, 50, np.arange(50))
    np.testing.assert_allclose(points[0], points[1], rtol=1e-12)


def test_without_clipping_the_cliff_loses_the_path_and_with_it_the_minimum_is_reached():
    start, rule = np.array([[4.5, -3.0]]), usual_rule("sgd", "notes")
    optimizers = stack([Optimizer(rule, 1.0, 1.0), Optimizer(rule, 1.0, 1.0, clip_norm=0.1)])
    thrown, kept = (
        CompiledDescent(cliff, width=2).run(*all_pairs(optimizers, start, np.zeros(1)), 2000).w
    )
    # The unclipped path lands on the plateau where the unit is saturated: J → (1 − 0.7)².
    np.testing.assert_allclose(thrown, [8.97, 7.13], atol=0.01)
    with jax.enable_x64(True):
        high, steep = jax.value_and_grad(cliff)(jnp.asarray(thrown))
        low = float(cliff(jnp.asarray(kept)))
    assert float(high) == pytest.approx(0.09, abs=1e-6)
    assert np.linalg.norm(steep) < 1e-6  # flat: no step leads back
    assert low < 1e-8
    assert 0.7 * kept[0] + kept[1] == pytest.approx(math.log(0.7 / 0.3), abs=1e-3)
