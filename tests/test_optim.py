import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from cuesta import optim, schedule
from cuesta.errors import SpecError

PARAMS = {"w": jnp.ones((3, 2)), "deep": [jnp.full(2, -2.0), (jnp.ones(()),)]}
NAMES = ("sgd", "momentum", "adagrad", "rmsprop", "adam")
DIALECTS = ("notes", "torch", "optax", "keras")
ALL = [(name, dialect) for name in NAMES for dialect in DIALECTS]


def make(name, rate=0.1, **how):
    return getattr(optim, name)(rate, **how)


def grads_like(params, seed=0):
    leaves, structure = jax.tree.flatten(params)
    rng = np.random.default_rng(seed)
    draws = [jnp.asarray(rng.standard_normal(leaf.shape), leaf.dtype) for leaf in leaves]
    return jax.tree.unflatten(structure, draws)


def walk(opt, steps=5, params=PARAMS):
    state = opt.init(params)
    for k in range(steps):
        updates, state = opt.update(grads_like(params, k), state, params)
        params = optax.apply_updates(params, updates)
    return params


def assert_same(a, b, rtol=0.0):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=rtol)


def test_public_names_are_all_the_names():
    public = {n for n, v in vars(optim).items() if not n.startswith("_") and _own(v)}
    assert public | {"compare"} == set(optim.__all__) | {"Extras"}


def _own(value):
    return inspect.getmodule(value) is optim and (
        inspect.isfunction(value) or inspect.isclass(value)
    )


@pytest.mark.parametrize(("name", "dialect"), ALL)
def test_any_pytree_keeps_its_structure_and_its_types(name, dialect):
    opt = make(name, dialect=dialect)
    updates, state = opt.update(grads_like(PARAMS), opt.init(PARAMS), PARAMS)
    assert jax.tree.structure(updates) == jax.tree.structure(PARAMS)
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(updates))
    assert int(state.step) == 1


@pytest.mark.parametrize(("name", "dialect"), ALL)
def test_float32_and_float64_keep_to_themselves(name, dialect, float64):
    for dtype in (jnp.float32, jnp.float64):
        params = jax.tree.map(lambda leaf, dtype=dtype: leaf.astype(dtype), PARAMS)
        found = walk(make(name, dialect=dialect, l2=0.1, weight_decay=0.1), params=params)
        assert {leaf.dtype for leaf in jax.tree.leaves(found)} == {jnp.dtype(dtype)}


@pytest.mark.parametrize(("name", "dialect"), ALL)
def test_compiled_and_plain_take_the_same_way(name, dialect):
    opt = make(name, dialect=dialect)
    plain = walk(opt)
    compiled = walk(optim.Optimizer(opt.init, jax.jit(opt.update)))
    assert_same(plain, compiled, rtol=1e-5)  # fused float32 rounds otherwise


@pytest.mark.parametrize(("name", "dialect"), ALL)
def test_rates_and_decays_can_be_batched(name, dialect):
    rates = jnp.array([0.1, 0.2, 0.3])
    decay = {"momentum": "momentum", "rmsprop": "rho", "adam": "beta_1"}.get(name)
    decays = jnp.array([0.5, 0.9, 0.0])

    def end(rate, value):
        own = {decay: value} if decay else {}
        return walk(make(name, rate, dialect=dialect, **own))

    batched = jax.vmap(end)(rates, decays)
    for i in range(3):
        alone = end(float(rates[i]), float(decays[i]))
        assert_same(jax.tree.map(lambda leaf, i=i: leaf[i], batched), alone, rtol=1e-4)


def test_they_work_inside_a_chain_of_optax():
    chained = optax.chain(optax.scale(2.0), optim.sgd(0.1), optax.scale(0.5))
    assert_same(walk(chained), walk(optim.sgd(0.1)), rtol=1e-6)


def test_a_number_and_a_constant_schedule_are_the_same():
    for name in NAMES:
        assert_same(walk(make(name, 0.1)), walk(make(name, schedule.constant(0.1))))


def test_a_schedule_is_asked_for_the_steps_from_zero():
    rates = jnp.array([0.5, 0.25, 0.125])
    opt = optim.sgd(lambda k: rates[k])
    state, one = opt.init(jnp.zeros(1)), jnp.ones(1)
    for wanted in rates:
        updates, state = opt.update(one, state)
        np.testing.assert_array_equal(updates, [-wanted])


def test_momentum_zero_is_sgd():
    for dialect in DIALECTS:
        assert_same(walk(optim.momentum(0.1, 0.0, dialect=dialect)), walk(optim.sgd(0.1)))


def test_nesterov_looks_ahead_by_one_step():
    g = jnp.array([1.0])
    for dialect in DIALECTS:
        opt = optim.momentum(0.1, 0.5, nesterov=True, dialect=dialect)
        updates, _ = opt.update(g, opt.init(g))
        # V = G, then γV + G = 1.5 G, times α; α inside or outside is the same at constant α.
        np.testing.assert_allclose(updates, [-0.15], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("l2", 0.0, 0.5),
        ("weight_decay", 0.0, 0.5),
        ("clip_value", 10.0, 0.1),
        ("clip_norm", 100.0, 0.1),
        ("clip_layer", 100.0, 0.1),
    ],
)
def test_what_acts_beside_the_rule_has_its_effect(name, one, other):
    none, weak, strong = (walk(make("sgd", **how)) for how in ({}, {name: one}, {name: other}))
    assert_same(none, weak, rtol=1e-7)
    assert not np.allclose(weak["w"], strong["w"])


def test_l2_adds_to_the_gradient_and_decay_to_the_step():
    w, g = jnp.array([2.0]), jnp.array([0.5])
    for name, extras, wanted in (
        ("sgd", {"l2": 0.1}, -0.1 * (0.5 + 0.2)),
        ("sgd", {"weight_decay": 0.1}, -0.1 * 0.5 - 0.1 * 0.1 * 2),
        ("adam", {"weight_decay": 0.1}, -0.1 - 0.1 * 0.1 * 2),  # Adam's first step is α
        ("adam", {"l2": 0.1}, -0.1),  # whatever the gradient's size
    ):
        opt = make(name, **extras)
        updates, _ = opt.update(g, opt.init(w), w)
        np.testing.assert_allclose(updates, [wanted], rtol=1e-6)


def test_clipping_by_layer_bounds_each_layer_alone():
    grads = [jnp.array([3.0, 4.0]), jnp.array([0.3, 0.4])]
    opt = optim.sgd(1.0, clip_layer=1.0)
    updates, _ = opt.update(grads, opt.init(grads))
    np.testing.assert_allclose(updates[0], [-0.6, -0.8], rtol=1e-6)
    np.testing.assert_allclose(updates[1], [-0.3, -0.4], rtol=1e-6)
    whole, _ = optim.sgd(1.0, clip_norm=1.0).update(grads, opt.init(grads))
    np.testing.assert_allclose(whole[1], [-0.3 / 5.025, -0.4 / 5.025], rtol=1e-4)


@pytest.mark.parametrize(("name", "dialect"), ALL)
@pytest.mark.parametrize("clip", ["clip_norm", "clip_value", "clip_layer"])
def test_zero_gradients_move_nothing(name, dialect, clip):
    opt = make(name, dialect=dialect, **{clip: 1.0})
    state, zero = opt.init(PARAMS), jax.tree.map(jnp.zeros_like, PARAMS)
    for _ in range(3):
        updates, state = opt.update(zero, state, PARAMS)
        assert all(not leaf.any() for leaf in jax.tree.leaves(updates))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_shows_and_does_not_spread(bad):
    grads = [jnp.array([bad, 1.0]), jnp.array([2.0])]
    for clip in ("clip_norm", "clip_layer"):
        opt = optim.sgd(1.0, **{clip: 1.0})
        updates, _ = opt.update(grads, opt.init(grads))
        assert not np.isfinite(updates[0][0])
        assert np.isfinite(updates[0][1])
        assert np.isfinite(updates[1]).all()
    opt = optim.sgd(1.0, clip_value=0.5)
    updates, _ = opt.update(grads, opt.init(grads))
    np.testing.assert_array_equal(updates[0], [-0.5 if bad == np.inf else np.nan, -0.5])


@pytest.mark.parametrize("how", [{"l2": 0.1}, {"weight_decay": 0.1}])
def test_decay_without_weights_is_a_sentence(how):
    opt = optim.sgd(0.1, **how)
    with pytest.raises(SpecError, match="need the weights"):
        opt.update(jnp.ones(1), opt.init(jnp.ones(1)))


@pytest.mark.parametrize("name", ["learning_rate", "l2", "weight_decay", "clip_norm"])
def test_negative_numbers_are_named(name):
    how = {"learning_rate": 0.1, name: -0.1}
    with pytest.raises(SpecError, match=name):
        optim.sgd(**how)


def test_unknown_dialect_is_an_error():
    with pytest.raises(SpecError, match="did you mean 'keras'"):
        optim.adam(0.1, dialect="kera")


@pytest.mark.parametrize(("dtype", "size"), [(jnp.float32, 1e20), (jnp.float16, 300.0)])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_rules_without_a_second_moment_step_by_a_gradient_whose_square_overflows(
    dtype, size, dialect
):
    w = jnp.zeros(1, dtype)
    for name in ("sgd", "momentum"):
        opt = make(name, 0.01, dialect=dialect)
        update, state = opt.update(jnp.array([size], dtype), opt.init(w), w)
        assert update.dtype == dtype
        # Two roundings of that precision.
        np.testing.assert_allclose(update, [-0.01 * size], rtol=2 * float(jnp.finfo(dtype).eps))
        update, _ = opt.update(jnp.ones(1, dtype), state, w)
        assert jnp.isfinite(update).all()


@pytest.mark.parametrize("dtype", [jnp.complex64, jnp.float16])
@pytest.mark.parametrize("name", NAMES[2:])
def test_complex_and_half_precision_weights_step_as_in_optax(name, dtype):
    eps = {} if dtype == jnp.complex64 else {"eps": 1e-3}  # optax's own is 0 in half precision
    ours = make(name, 0.1, dialect="optax", **({"epsilon": eps["eps"]} if eps else {}))
    theirs = getattr(optax, name)(0.1, **eps)
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((2, 4)) + (1j * rng.standard_normal((2, 4)) if not eps else 0)
    w, g = jnp.asarray(draws, dtype)
    one, other = ours.init(w), theirs.init(w)
    for _ in range(3):
        a, one = ours.update(g, one, w)
        b, other = theirs.update(g, other, w)
        # optax's 1 − 0.999ᵏ carries an error of 6e-5; half precision a dozen roundings.
        digits = 1e-4 if dtype == jnp.complex64 else 12 * float(jnp.finfo(dtype).eps)
        np.testing.assert_allclose(a, b, rtol=digits)
        assert a.dtype == dtype


def test_frozen_and_empty_trees_have_nothing_to_clip():
    opt = make("adam", clip_norm=1.0, clip_layer=1.0)
    assert opt.update({}, opt.init({}), {})[0] == {}
    frozen = optax.masked(opt, False)
    update, _ = frozen.update(PARAMS, frozen.init(PARAMS), PARAMS)
    assert_same(update, PARAMS)
