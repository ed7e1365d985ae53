"""Every gauge beside dense, slow, obvious derivatives in float64."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from cuesta.core.activation import activation
from cuesta.core.front import fixed_places
from cuesta.core.init import init_front, init_layers
from cuesta.core.lane import initial_state, needed
from cuesta.core.lane_hyperparameters import features_for, lane_hyperparameters
from cuesta.core.layer import Layer
from cuesta.core.loss import LOSSES
from cuesta.core.net import forward
from cuesta.core.step import apply_update, compute_update, forward_backward, whole_step
from cuesta.diagnose import automatic, second_order
from cuesta.diagnose.gauges import first_order_gauges, second_order_gauges, squares_of
from cuesta.diagnose.second_order import LocalLoss
from cuesta.diagnose.spectrum import first_probe
from cuesta.hyperparameters import ACTIVATIONS, NO_FRONT, Candidate, Front, Shape

pytestmark = pytest.mark.slow("dense Hessians of many networks")

ROWS, SIZES = 12, (4, 6, 5, 3)
TOLERANCE = 1e-6  # of the figure; float64 rounding is far below


class Case:
    """A small network in float64, one step of it, and J as a function of one flat vector."""

    def __init__(self, loss="cross_entropy", sizes=SIZES, seed=0, front=NO_FRONT, **changes):
        rng = np.random.default_rng(seed)
        self.candidate = Candidate(hidden_layer_sizes=sizes[1:-1], batch_size=ROWS, **changes)
        residual = self.candidate.architecture == "resnet"
        self.shape = Shape(
            sizes[0], sizes[1:-1], sizes[-1], ROWS, loss, front=front, residual=residual
        )
        self.features = features_for([self.candidate])
        self.numbers = needed(lane_hyperparameters(self.candidate), self.features)
        wide = lambda leaf: jnp.asarray(leaf, jnp.float64)  # noqa: E731
        dense = jax.tree.map(wide, init_layers([seed], self.shape.sizes, "glorot"))
        dense = [Layer(w, b + 0.1 * rng.standard_normal(b.shape)) for w, b in dense]
        self.layers = [*jax.tree.map(wide, init_front([seed], front, sizes[0], 0.5)), *dense]
        self.x = jnp.asarray(rng.standard_normal((ROWS, sizes[0])))
        y = rng.integers(0, sizes[-1], ROWS)
        self.y = (
            y if loss == "cross_entropy" else jnp.asarray(rng.standard_normal((ROWS, sizes[-1])))
        )
        self.shares = jnp.full(ROWS, 1 / ROWS)
        bits = [rng.integers(0, 1 << 16, (ROWS, n)).astype(np.uint16) for n in sizes[1:-1]]
        self.noise = bits if self.candidate.dropout else None
        self.batch = (self.x, self.y, self.shares, self.noise)
        state = initial_state(self.layers, self.numbers.rule, self.shape)
        moments = jax.tree.map(wide, state.moments)
        self.state = state._replace(layers=self.layers, moments=moments)
        self.look()
        first = jnp.int64(0)
        self.update = compute_update(
            self.state, self.shape, self.numbers, 100, first, self.seen.grads
        )
        self.after = apply_update(self.state, first, self.seen.loss, self.update)
        self.flat, self.rebuild = ravel_pytree(self.layers)
        # What is never learned counts as a constant.
        fixed = [*fixed_places(front), *[Layer(False, False)] * len(dense)]
        leaves = jax.tree.map(lambda leaf, f: jnp.full(leaf.shape, not f), self.layers, fixed)
        self.learned = ravel_pytree(leaves)[0]

    def look(self):
        self.seen = forward_backward(
            self.layers, self.shape, self.numbers, self.batch, self.features
        )

    def j(self, flat, rows=slice(None)):
        kind, shape = activation(self.candidate.activation), self.shape
        noise = self.noise and [bits[rows] for bits in self.noise]
        threshold = self.numbers.keep_threshold
        outputs = forward(
            self.rebuild(jnp.where(self.learned, flat, self.flat)),
            self.x[rows],
            kind,
            noise,
            threshold,
            front=shape.front,
            residual=shape.residual,
        )
        return jnp.mean(LOSSES[self.shape.loss].value(outputs, self.y[rows], 0.0))

    @property
    def step(self):
        return ravel_pytree(self.after.layers)[0] - self.flat

    def first_order(self):
        squares = squares_of(self.seen.grads)
        return first_order_gauges(
            self.seen,
            squares,
            self.update.delta,
            self.after.layers,
            self.numbers,
            self.shares,
            front=self.shape.front.depth,
        )

    @property
    def at(self):
        return LocalLoss(
            self.layers, self.seen, self.shape, self.numbers, self.batch, self.features
        )

    def second_order(self, probe, recording=0):
        step = whole_step(self.state, self.update)
        return second_order_gauges(self.at, step, self.after.layers, probe, recording)


def probe_of(case):
    wide = lambda leaf: leaf if leaf.dtype == bool else jnp.asarray(leaf, jnp.float64)  # noqa: E731
    return jax.tree.map(wide, first_probe(case.layers, 0, case.shape.front))


CASES = [
    {"activation": name, "optimizer": optimizer, "loss": loss}
    for name, optimizer, loss in zip(
        ["relu", "tanh", "sigmoid", "identity", "leaky_relu"],
        ["sgd", "adam", "momentum", "rmsprop", "adagrad"],
        ["cross_entropy", "squared", "cross_entropy", "squared", "squared"],
        strict=True,
    )
]
EXPONENTIAL = [{"activation": name} for name in ("silu", "gelu", "mish", "selu")]
SMOOTH = {"activation": "silu", "optimizer": "adam"}
NOT_PLAIN = [
    {**SMOOTH, "front": Front("pbld", 3, 2, 3)},
    {**SMOOTH, "front": Front("plr", 2, 2, 3, scaled=True), "sizes": (4, 6, 3)},
    {**SMOOTH, "front": Front("plr-lite", 2, 2, 3), "optimizer": "sgd", "dropout": 0.3},
    {**SMOOTH, "front": Front(categories=((3, 2),)), "loss": "squared"},
    {"activation": "tanh", "architecture": "resnet", "sizes": (4, 6, 6, 3)},
    {
        "activation": "mish",
        "architecture": "resnet",
        "sizes": (4, 5, 5, 3),
        "front": Front("pbld", 3, 2, 3, scaled=True),
        "weight_decay": 0.1,
    },
]


DROPPED = [{**how, "dropout": 0.3} for how in CASES]


def test_every_activation_has_its_case():
    assert {how["activation"] for how in CASES + EXPONENTIAL} == set(ACTIVATIONS)


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=TOLERANCE, atol=1e-12)


@pytest.mark.parametrize("how", [*CASES, *NOT_PLAIN])
def test_first_order_gauges_are_the_dense_figures(how, float64):
    case = Case(**{**how, "learning_rate": 0.05, "clip_norm": 0.1, "weight_decay": 0.3})
    found = case.first_order()
    gradient = case.rebuild(jax.grad(case.j)(case.flat))[case.shape.front.depth :]
    length = lambda layer: np.sqrt(sum(float(jnp.sum(leaf**2)) for leaf in layer))  # noqa: E731
    close(found.loss, case.j(case.flat))
    close(found.gradient, [length(layer) for layer in gradient])
    rate = 0.05 * 0.3  # of the decay, which is not the rule's
    dense = case.layers[case.shape.front.depth :], case.after.layers[case.shape.front.depth :]
    pairs = zip(*dense, strict=True)
    moved = [Layer(b.w - (1 - rate) * a.w, b.b - a.b) for a, b in pairs]
    pairs = zip(moved, dense[1], strict=True)
    close(found.update, [length(m) / length(a) for m, a in pairs])
    whole = np.linalg.norm(jax.grad(case.j)(case.flat))
    close(found.clipped, min(1.0, 0.1 / whole))
    assert found.broken == 0


@pytest.mark.parametrize("how", [*CASES, EXPONENTIAL[1]])
def test_the_factor_of_a_layer_is_how_it_passes_the_error_on(how, float64):
    case = Case(**how)
    kind = activation(case.candidate.activation)

    def sums(added):
        """J with something added to what each layer puts out: its derivative is δ."""
        units, layers = case.x, case.layers
        for depth, layer in enumerate(layers):
            units = units @ layer.w + layer.b + added[depth]
            if depth < len(layers) - 1:
                from cuesta.core.activation import activate

                units = activate(kind, units)[0]
        return jnp.mean(LOSSES[case.shape.loss].value(units, case.y, 0.0))

    zeros = [jnp.zeros((ROWS, n)) for n in SIZES[1:]]
    norms = [float(jnp.linalg.norm(delta)) for delta in jax.grad(sums)(zeros)]
    close(case.first_order().shrink, [a / b for a, b in pairwise(norms)])


@pytest.mark.parametrize("how", CASES + DROPPED[:2] + NOT_PLAIN)
def test_the_noise_scale_is_that_of_the_rows_own_gradients(how, float64):
    case = Case(**how)
    dense = ravel_pytree(case.layers[case.shape.front.depth :])[0].size
    rows = np.stack(
        [jax.grad(lambda w, i=i: case.j(w, slice(i, i + 1)))(case.flat) for i in range(ROWS)]
    )[:, -dense:]
    mean = rows.mean(axis=0)
    close(case.first_order().noise, rows.var(axis=0, ddof=1).sum() / (mean @ mean))


@pytest.mark.parametrize(
    "how", [*CASES, *DROPPED, {**CASES[0], "sizes": (4, 40, 40, 3)}, *EXPONENTIAL, *NOT_PLAIN]
)
def test_second_order_gauges_are_the_dense_figures(how, float64):
    case = Case(learning_rate=0.05, **how)
    hessian = np.asarray(jax.hessian(case.j)(case.flat))
    g, step = np.asarray(jax.grad(case.j)(case.flat)), np.asarray(case.step)
    found, _ = case.second_order(probe_of(case))
    close(found.actual, case.j(case.flat + step) - case.j(case.flat))
    close(found.first, g @ step)
    close(found.second, g @ step + 0.5 * step @ hessian @ step)
    close(found.length, step @ hessian @ step / -(g @ step) - 1)
    close(found.along_gradient, g @ hessian @ g / (g @ g))
    close(found.along_step, step @ hessian @ step / (step @ step))


@pytest.mark.parametrize("how", [*CASES[:2], NOT_PLAIN[1]])
def test_both_ends_of_the_spectrum_are_reached(how, float64):
    case = Case(**how)
    ends = np.linalg.eigvalsh(np.asarray(jax.hessian(case.j)(case.flat)))
    probe = probe_of(case)
    follow_ends = jax.jit(case.second_order)
    for number in range(6000):
        found, probe = follow_ends(probe, jnp.int64(number))
        if number % 100 == 0 and number:
            assert ends[0] - 1e-9 <= found.lowest
            assert found.highest <= ends[-1] + 1e-9
    np.testing.assert_allclose([found.lowest, found.highest], ends[[0, -1]], rtol=1e-6)


def test_on_a_quadratic_the_prediction_is_exact(float64):
    for optimizer in ("sgd", "adam"):
        case = Case("squared", sizes=(4, 3), learning_rate=0.3, optimizer=optimizer)
        found, _ = case.second_order(probe_of(case))
        assert float(found.second) == pytest.approx(float(found.actual), rel=1e-10)


def test_the_best_rate_is_where_the_length_is_zero(float64):
    plain = Case("squared", sizes=(4, 3), learning_rate=1.0, optimizer="sgd").second_order
    case = Case("squared", sizes=(4, 3), learning_rate=1.0, optimizer="sgd")
    best = 1.0 / (float(case.second_order(probe_of(case))[0].length) + 1.0)  # α* = α/(1 + length)
    at_best = Case("squared", sizes=(4, 3), learning_rate=best, optimizer="sgd")
    found = at_best.second_order(probe_of(at_best))[0]
    assert float(found.length) == pytest.approx(0.0, abs=1e-12)
    assert float(found.actual) < float(plain(probe_of(case))[0].actual)


def test_dead_units_and_saturated_ones_are_counted(float64):
    case = Case(activation="relu")
    case.layers[1] = Layer(case.layers[1].w, jnp.asarray([-1e3, -1e3, 0.0, 0.0, 1e3]))
    case.look()
    assert float(case.first_order().dead[1]) == pytest.approx(0.4)
    case = Case(activation="tanh")
    assert float(case.first_order().saturated[0]) < 0.2
    case.layers[0] = Layer(case.layers[0].w * 1e3, case.layers[0].b)
    case.look()
    found = case.first_order()
    assert float(found.saturated[0]) > 0.95
    assert float(found.dead[0]) <= 1.0
    kind, z = activation("tanh"), case.x @ case.layers[0].w + case.layers[0].b
    assert float(found.saturated[0]) == pytest.approx(
        float(jnp.mean((1 - jnp.tanh(z)) * (1 + jnp.tanh(z)) < 0.05 * kind.height)), abs=0.05
    )


def test_the_first_broken_layer_is_named(float64):
    case = Case()
    case.layers[1] = Layer(case.layers[1].w.at[0, 0].set(jnp.nan), case.layers[1].b)
    case.look()
    assert int(case.first_order().broken) in (
        1,
        2,
    )  # its own output, or the gradient that comes back
    assert int(Case().first_order().broken) == 0


@pytest.mark.parametrize("name", ["silu", "gelu", "mish", "selu", "relu", "leaky_relu"])
def test_only_bounded_units_saturate(name, float64):
    case = Case(activation=name)
    case.layers[0] = Layer(case.layers[0].w * 1e3, case.layers[0].b)
    case.look()
    assert float(case.first_order().saturated[0]) == 0.0


@pytest.mark.parametrize("how", [CASES[0], CASES[1], {**CASES[1], "dropout": 0.3}])
def test_both_ways_to_second_derivatives_agree(how, float64):
    case = Case(**how)
    assert case.at.is_plain
    direction = probe_of(case).current
    found = [way.hessian_product(case.at, direction) for way in (second_order, automatic)]
    for one, other in zip(*map(jax.tree.leaves, found), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    ("how", "plain"),
    [({}, True), *[(how, False) for how in NOT_PLAIN[1:5]], ({"activation": "selu"}, False)],
)
def test_the_written_out_way_is_for_plain_networks(how, plain, float64):
    assert Case(**how).at.is_plain == plain


def test_what_breaks_before_the_first_dense_layer_counts_as_part_of_it(float64):
    case = Case(front=Front("pbld", 3, 2, 3))
    grads = [Layer(case.seen.grads[0].w.at[0, 0].set(jnp.nan), case.seen.grads[0].b)]
    case.seen = case.seen._replace(grads=[*grads, *case.seen.grads[1:]])
    assert int(case.first_order().broken) == 1
