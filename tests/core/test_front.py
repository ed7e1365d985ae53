"""Embeddings and scales before the first dense layer: forms, gradients, and whom they see."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cuesta.core.activation import activation
from cuesta.core.backprop import deltas, gradient, gradient_before
from cuesta.core.front import decaying_layers, enter, sine
from cuesta.core.init import init_front, init_layers
from cuesta.core.layer import Layer
from cuesta.core.net import forward, record
from cuesta.data.bins import bin_edges, bins_of
from cuesta.hyperparameters import NUMERIC_EMBEDDINGS, Front
from cuesta.model.front import enter as enter_in_numpy

ROWS, INPUTS, NUMBERS, PARTS, WIDTH = 11, 9, 3, 5, 4
EMBEDDINGS = [name for name in NUMERIC_EMBEDDINGS if name != "none"]
ALL_AT_ONCE = Front("pbld", NUMBERS, PARTS, WIDTH, ((4, 2),), True)
FORMS = [
    *[Front(name, NUMBERS, PARTS, WIDTH) for name in EMBEDDINGS],
    Front(categories=((4, 2), (3, 2))),
    Front(scaled=True),
    ALL_AT_ONCE,
]
SCALED = [Front(name, NUMBERS, PARTS, WIDTH, scaled=True) for name in EMBEDDINGS]
FRONTS = [*FORMS, *SCALED]
COMBINED = pytest.mark.slow("combinations of what is tested piece by piece")
EVERY_FRONT = [*FORMS, *[pytest.param(front, marks=COMBINED) for front in SCALED]]
# In residual networks too: of what enters the first dense layer these know nothing.
EVERY_NETWORK = [
    *[(front, False) for front in FORMS],
    (ALL_AT_ONCE, True),
    *[pytest.param(front, False, marks=COMBINED) for front in SCALED],
    *[pytest.param(front, True, marks=COMBINED) for front in FRONTS if front != ALL_AT_ONCE],
]


def rows(dtype=np.float64):
    rng = np.random.default_rng(1)
    return rng.standard_normal((ROWS, INPUTS)).astype(dtype)


def front_layers(front, dtype=np.float64, seed=3):
    bins = Layer(*bins_of(bin_edges(rows()[:, :NUMBERS], PARTS), PARTS))
    layers = init_front([seed], front, INPUTS, 0.7, bins)
    rng = np.random.default_rng(seed)
    # No weight at a value, such as 0, that hides a wrong product.
    moved = [
        Layer(*(leaf + 0.1 * rng.standard_normal(leaf.shape) for leaf in one)) for one in layers
    ]
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), moved)


def by_hand(front, layers, x):
    """Row by row and column by column, as the module's docstring says it."""
    out = []
    for row in np.asarray(x):
        units, place = [], 0
        if front.numbers:
            (c, phase), (maps, bias) = layers[:2]
            for j in range(front.numbers):
                v, own = (maps, bias) if maps.ndim == 2 else (maps[j], bias[j])
                if front.embedding.startswith("piecewise"):
                    parts = np.clip((row[j] - c[j]) * phase[j], 0, 1)
                else:
                    t = c[j] * row[j] + phase[j]
                    parts = np.cos(2 * np.pi * t)
                    if front.embedding != "pbld":
                        parts = np.concatenate([parts, np.sin(2 * np.pi * t)])
                made = parts @ v + own
                units += [row[j], *made] if front.embedding == "pbld" else [*np.maximum(made, 0)]
            place = 2
        at = front.numbers
        for levels, _ in front.categories:
            w, b = layers[place]
            units += [*(row[at : at + levels] @ w + b)]
            at, place = at + levels, place + 1
        units = np.array([*units, *row[at:]])
        if front.scaled:
            units = units * layers[place].w + layers[place].b
        out.append(units)
    return np.array(out)


@pytest.mark.parametrize("front", EVERY_FRONT, ids=str)
def test_a_front_is_its_formula_in_both_worlds(front, float64):
    layers, x = front_layers(front), rows()
    wanted = by_hand(front, jax.tree.map(np.asarray, layers), x)
    assert wanted.shape == (ROWS, front.features(INPUTS))
    units, _ = enter(front, layers, jnp.asarray(x))
    # The polynomial for the sine is good to 4e-9 and the sums have a dozen terms.
    np.testing.assert_allclose(units, wanted, atol=1e-7)
    pairs = tuple((np.asarray(w), np.asarray(b)) for w, b in layers)
    np.testing.assert_allclose(enter_in_numpy(front, pairs, x), wanted, atol=1e-13)


@pytest.mark.parametrize(("front", "residual"), EVERY_NETWORK, ids=str)
def test_gradient_through_the_front_is_the_automatic_one(front, residual, float64):
    sizes = (front.features(INPUTS), 6, 6, 6, 2)
    dense = jax.tree.map(lambda leaf: jnp.asarray(leaf, float) + 0.1, init_layers([1], sizes, "he"))
    x, kind = jnp.asarray(rows()), activation("tanh")

    def loss(outputs):
        return jnp.sum(jnp.sin(outputs) * jnp.array([1.0, 2.0]))

    how = {"front": front, "residual": residual}

    @jax.jit
    def both(layers):
        tape = record(layers, x, kind, **how)
        found = deltas(layers[front.depth :], tape, jax.grad(loss)(tape.outputs))
        mine = [*gradient_before(front, layers, tape, found[0]), *gradient(tape, found)]
        return mine, jax.grad(lambda net: loss(forward(net, x, kind, **how)))(layers)

    mine, wanted = both([*front_layers(front), *dense])
    if front.embedding.startswith("piecewise"):  # the bins do not learn
        wanted[0] = jax.tree.map(jnp.zeros_like, wanted[0])
    if front.embedding.startswith("plr"):  # nor do its phases, which are 0
        wanted[0] = wanted[0]._replace(b=jnp.zeros_like(wanted[0].b))
    for a, b in zip(jax.tree.leaves(mine), jax.tree.leaves(wanted), strict=True):
        # The automatic one differentiates the polynomial, whose slope is good to 1e-7 of 2π.
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_the_embedding_of_a_column_sees_no_other(embedding):
    front = Front(embedding, NUMBERS, PARTS, WIDTH)
    layers, x = front_layers(front, np.float32), jnp.asarray(rows(np.float32))
    before, _ = enter(front, layers, x)
    after, _ = enter(front, layers, x.at[:, 1].add(0.3))
    own = np.arange(WIDTH, 2 * WIDTH)
    others = np.setdiff1d(np.arange(front.features(INPUTS)), own)
    np.testing.assert_array_equal(before[:, others], after[:, others])
    assert np.abs(np.asarray(before - after)[:, own]).max() > 0


def test_the_sine_is_that_of_the_library_at_any_angle():
    turns = np.concatenate([np.linspace(-3, 3, 4001), [0.25, 0.5, -0.5, 0.75, 1e4, 0.0]])
    turns = turns.astype(np.float32)
    exact = np.sin(2 * np.pi * turns.astype(np.float64))
    # 4e-9 of the polynomial, and a few roundings of numbers up to 2π · ¼ in float32.
    np.testing.assert_allclose(sine(jnp.asarray(turns)), exact, atol=5e-7)


def test_categories_begin_at_nothing_and_scales_at_one():
    front = Front(categories=((4, 2),), scaled=True)
    (w, b), (s, r) = init_front([0], front, INPUTS, 0.3)
    assert not w.any()
    assert not b.any()
    assert (s == 1).all()
    assert not r.any()


def test_weights_decay_where_they_are_maps():
    fronts = [Front("plr", 3, 5, 4, ((4, 2),), True), Front(scaled=True), Front()]
    assert [*map(decaying_layers, fronts)] == [[False, True, False, False], [False], []]


def test_depth_and_shapes_agree_with_what_is_made():
    for front in FRONTS:
        layers = init_front([0], front, INPUTS, 0.3, None)
        assert len(layers) == front.depth == len(decaying_layers(front))
        shapes = [(layer.w.shape, layer.b.shape) for layer in layers]
        assert shapes == front.shapes(INPUTS)


COLUMNS = {
    "constant": np.full(40, 3.0),
    "binary": np.arange(40) % 2.0,
    "nearly all missing": np.where(np.arange(40) < 39, np.nan, 1.0),
    "ten values": np.arange(40) % 10.0,
    "many": np.random.default_rng(0).standard_normal(40),
}


@pytest.mark.parametrize(("name", "tree"), [*itertools.product(COLUMNS, [False, True])])
def test_bins_of_odd_columns(name, tree):
    x = COLUMNS[name][:, None]
    targets = np.nan_to_num(COLUMNS[name]) > 0.5 if tree else None
    (edges,) = bin_edges(x, 6, targets, classes=True)
    assert (np.diff(edges) > 0).all()
    low, inverse = bins_of([edges], 6)
    assert low.shape == inverse.shape == (1, 6)
    assert np.isfinite(inverse).all()
    if len(edges) < 2:
        assert not inverse.any()  # every row's place is 0: the column is inert
        return
    values = COLUMNS[name][~np.isnan(COLUMNS[name])]
    assert edges[0] == values.min()
    assert edges[-1] == values.max()
    places = np.clip((values[:, None] - low) * inverse, 0, 1).sum(axis=1)
    assert (np.diff(places[np.argsort(values)]) >= -1e-6).all()  # float32 edges; monotone


def test_bins_by_quantiles_hold_about_as_many_rows_each():
    x = np.random.default_rng(0).exponential(size=(1000, 1))
    (edges,) = bin_edges(x, 8)
    counts, _ = np.histogram(x, edges)
    assert abs(counts - 125).max() <= 1  # ties of quantiles with rows


def test_bins_by_a_tree_find_the_step():
    x = np.random.default_rng(0).uniform(size=(500, 1))
    (edges,) = bin_edges(x, 2, (x[:, 0] > 0.7) * 1.0)
    assert edges[1] == pytest.approx(0.7, abs=0.01)  # between two of 500 rows
