import numpy as np
import pytest

from cuesta.core.optim import Moments, apply_rule, init_moments, ratio, remaining, rule
from cuesta.errors import SpecError

STEPS = 200
DECAYS = {"momentum": 0.8, "rho": 0.95, "beta_1": 0.85, "beta_2": 0.99}
# Both sides compute in float64 in nearly the same order; each step adds a few roundings of 1e-16,
# and 200 steps of them stay below 1e-12 of the path's largest value.
FLOAT64 = 1e-12


def gradient_stream(seed=0, size=7):
    rng = np.random.default_rng(seed)
    grads = rng.standard_normal((STEPS, size)) * 10.0 ** rng.uniform(-3, 3, size)
    grads[:, 2] = 0.0  # a weight that never has a gradient
    grads[:20, 3] = 0.0  # and one that begins late
    return grads


def rates(decaying):
    k = np.arange(STEPS)
    return 0.1 * (1 - k / STEPS) + 0.001 * k / STEPS if decaying else np.full(STEPS, 0.1)


def zero_over_zero(a, b):
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


def sgd(w, grads, alphas, **_):
    for g, alpha in zip(grads, alphas, strict=True):
        w = w - alpha * g
    return w


def momentum_notes(w, grads, alphas, momentum, **_):
    v = 0 * w
    for g, alpha in zip(grads, alphas, strict=True):
        v = momentum * v + alpha * g
        w = w - v
    return w


def momentum_torch(w, grads, alphas, momentum, **_):
    v = 0 * w
    for g, alpha in zip(grads, alphas, strict=True):
        v = momentum * v + g
        w = w - alpha * v
    return w


def adagrad(w, grads, alphas, eps, **_):
    f = 0 * w
    for g, alpha in zip(grads, alphas, strict=True):
        f = f + g * g
        w = w - alpha * zero_over_zero(g, np.sqrt(f) + eps)
    return w


def rmsprop(w, grads, alphas, rho, eps, **_):
    f = 0 * w
    for g, alpha in zip(grads, alphas, strict=True):
        f = rho * f + (1 - rho) * g * g
        w = w - alpha * zero_over_zero(g, np.sqrt(f) + eps)
    return w


def adam_notes(w, grads, alphas, beta_1, beta_2, **_):
    v, f = 0 * w, 0 * w
    for g, alpha in zip(grads, alphas, strict=True):
        v = beta_1 * v + (1 - beta_1) * g
        f = beta_2 * f + (1 - beta_2) * g * g
        w = w - alpha * zero_over_zero(v, np.sqrt(f))
    return w


def adam_published(w, grads, alphas, beta_1, beta_2, eps, **_):
    v, f = 0 * w, 0 * w
    for k, (g, alpha) in enumerate(zip(grads, alphas, strict=True), start=1):
        v = beta_1 * v + (1 - beta_1) * g
        f = beta_2 * f + (1 - beta_2) * g * g
        w = w - alpha * (v / (1 - beta_1**k)) / (np.sqrt(f / (1 - beta_2**k)) + eps)
    return w


ORACLES = {
    ("sgd", "notes"): (sgd, 0),
    ("sgd", "torch"): (sgd, 0),
    ("momentum", "notes"): (momentum_notes, 0),
    ("momentum", "torch"): (momentum_torch, 0),
    ("adagrad", "notes"): (adagrad, 0),
    ("adagrad", "torch"): (adagrad, 1e-10),
    ("rmsprop", "notes"): (rmsprop, 0),
    ("rmsprop", "torch"): (rmsprop, 1e-8),
    ("adam", "notes"): (adam_notes, 0),
    ("adam", "torch"): (adam_published, 1e-8),
}


def path_end(row, w, grads, alphas):
    moments = init_moments(row, w)
    for k, (g, alpha) in enumerate(zip(grads, alphas, strict=True), start=1):
        delta, moments = apply_rule(row, alpha, k, g, moments)
        w = w + np.asarray(delta)
    return w


@pytest.mark.parametrize("decaying", [False, True])
@pytest.mark.parametrize("name", ORACLES, ids="-".join)
def test_rule_equals_the_loop_written_by_hand(name, decaying, float64):
    oracle, eps = ORACLES[name]
    grads, alphas = gradient_stream(), rates(decaying)
    start = np.linspace(-1, 1, grads.shape[1])
    found = path_end(rule(*name, **DECAYS), start, grads, alphas)
    wanted = oracle(start, grads, alphas, eps=eps, **DECAYS)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, wanted, rtol=0, atol=FLOAT64 * np.abs(wanted).max())


def displacements(row, grads, alpha=1.0):
    moments, found = init_moments(row, grads[0]), []
    for k, g in enumerate(grads, start=1):
        delta, moments = apply_rule(row, alpha, k, g, moments)
        found.append(np.asarray(delta))
    return np.array(found)


def test_momentum_zero_is_sgd(float64):
    grads = gradient_stream()
    for dialect in ("notes", "torch"):
        row = rule("momentum", dialect, **{**DECAYS, "momentum": 0.0})
        plain = displacements(rule("sgd", "notes", **DECAYS), grads)
        np.testing.assert_array_equal(displacements(row, grads), plain)  # N13: the same numbers


def test_rmsprop_without_memory_descends_by_sign(float64):
    grads = gradient_stream()
    found = displacements(rule("rmsprop", "notes", **{**DECAYS, "rho": 0.0}), grads)
    # G/√(G²) is ±1 up to the rounding of the square and its root.
    np.testing.assert_allclose(found, -np.sign(grads), rtol=0, atol=1e-15)


def test_rmsprop_with_full_memory_keeps_its_start_and_stays(float64):
    found = displacements(rule("rmsprop", "notes", **{**DECAYS, "rho": 1.0}), gradient_stream())
    np.testing.assert_array_equal(found, np.zeros_like(found))


@pytest.mark.parametrize("decays", [{"beta_1": 1.0}, {"beta_2": 1.0}, {"beta_1": 0.0}])
@pytest.mark.parametrize("dialect", ["notes", "torch"])
def test_adam_is_finite_at_the_ends_of_its_decays(decays, dialect, float64):
    found = displacements(rule("adam", dialect, **{**DECAYS, **decays}), gradient_stream())
    assert np.isfinite(found).all()


def test_first_rmsprop_step_is_alpha_over_root_of_one_minus_rho(float64):
    row = rule("rmsprop", "notes", **{**DECAYS, "rho": 0.9})
    first = displacements(row, [np.array([5.0])])[0]
    np.testing.assert_allclose(first, -1 / np.sqrt(0.1), rtol=1e-15)  # one rounding


def test_adam_of_the_notes_peaks_at_step_twelve(float64):
    row = rule("adam", "notes", beta_1=0.9, beta_2=0.999, momentum=0, rho=0)
    sizes = -displacements(row, [np.array([0.3])] * 100)[:, 0]
    assert sizes.argmax() + 1 == 12
    assert sizes[0] == pytest.approx(0.1 / np.sqrt(0.001), rel=1e-12)
    assert sizes[11] == pytest.approx(6.57, abs=0.005)  # the notes' constant has two decimals


def test_adagrad_first_step_is_alpha_and_then_shrinks_by_roots(float64):
    sizes = -displacements(rule("adagrad", "notes", **DECAYS), [np.array([0.01])] * 5)[:, 0]
    np.testing.assert_allclose(sizes, 1 / np.sqrt(np.arange(1, 6)), rtol=1e-12)


def test_momentum_placements_agree_under_constant_rate_and_part_under_decay(float64):
    grads, start = gradient_stream(), np.zeros(7)
    rows = [rule("momentum", dialect, **DECAYS) for dialect in ("notes", "torch")]
    for decaying in (False, True):
        a, b = (path_end(row, start, grads, rates(decaying)) for row in rows)
        gap = np.abs(a - b).max() / np.abs(a).max()
        assert gap > 1e-4 if decaying else gap < FLOAT64


def test_bias_correction_is_exact_for_slow_decays_in_float32():
    found = remaining(np.float32(np.log(0.999)), np.int32(1))
    # Through log and expm1 only float32's own 6e-8 remains, two or three times.
    assert float(found) == pytest.approx(0.001, rel=2e-7)


def test_zero_over_zero_is_zero():
    np.testing.assert_array_equal(ratio(np.zeros(2), np.array([0.0, 4.0])), [0.0, 0.0])


def test_moments_begin_at_zero_and_at_f0():
    weights = [np.ones((2, 3)), np.ones(3)]
    moments = init_moments(rule("sgd", "notes", **DECAYS), weights)
    assert isinstance(moments, Moments)
    assert [v.sum() for v in moments.v] == [0, 0]
    assert [f.mean() for f in moments.f] == [1, 1]


def test_epsilon_replaces_the_dialects_where_it_has_one():
    assert rule("adam", "torch", epsilon=0.5, **DECAYS).eps_out == 0.5
    assert rule("adam", "notes", epsilon=0.5, **DECAYS).eps_out == 0.0
    assert rule("adagrad", "torch", **DECAYS).eps_out == 1e-10


def test_unknown_names_are_errors_that_offer_the_nearest():
    with pytest.raises(SpecError, match="did you mean 'adam'"):
        rule("adamm", "notes", **DECAYS)
    with pytest.raises(SpecError, match="dialect 'french'"):
        rule("adam", "french", **DECAYS)


def test_adagrads_start_of_f_makes_the_first_step_small_for_small_gradients(float64):
    # At g = 0.01 the notes' first step is α; with F₀ = 0.1 it is α·0.01/√(0.1 + 1e-4 + 1e-7).
    for dialect, wanted in (("notes", 1.0), ("optax", 0.0316), ("keras", 0.0316)):
        first = -displacements(rule("adagrad", dialect, **DECAYS), [np.array([0.01])])[0, 0]
        assert first == pytest.approx(wanted, abs=5e-5)  # the constant has four decimals
