"""What the finder says of a rate, where more is known than it can know."""

import numpy as np
import pytest

from cuesta.data.folds import Fold
from cuesta.diagnose import finder
from cuesta.diagnose.finder import find_rate, find_work, rates_for
from cuesta.errors import DivergedError
from cuesta.hyperparameters import OPTIMIZERS, Candidate
from cuesta.training.batching import Batching
from cuesta.training.feed import Feed
from cuesta.training.fits import Recipe
from cuesta.training.lanes import Lane, first_layers
from cuesta.training.planner import this_machine

ROWS, TRAIN = 120, 96


def inputs(scale):
    return np.random.default_rng(3).standard_normal((ROWS, 3)) * [2.0, 1.0, 0.5] * scale


def targets(scale):
    noise = 0.1 * np.random.default_rng(4).standard_normal(ROWS)
    return inputs(scale) @ [1.0, -1.0, 0.5] / scale + noise


def line(scale=1.0):
    """A linear table, and its folds: training rows first."""
    x, y = inputs(scale), targets(scale)
    return Feed(x, y[:, None], [Fold(np.arange(TRAIN), np.arange(TRAIN, ROWS))], same_draws=0)


def recipe(epochs=30, **changes):
    plain = {"hidden_layer_sizes": (), "optimizer": "sgd", "normalize": "none", "batch_size": TRAIN}
    return Recipe(Candidate(**{**plain, **changes}), "squared", 1, epochs, 0)


def find(feed, recipe, progress=lambda done: None):
    return find_rate(recipe, feed, 0, Batching(this_machine()), progress)


def eigenvalues(scale):
    """Of the Hessian of ½ mean (xw + b − y)²: the second moments of the rows, a one beside each."""
    with_one = np.column_stack([inputs(scale)[:TRAIN], np.ones(TRAIN)])
    return np.linalg.eigvalsh(with_one.T @ with_one / TRAIN)


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_on_a_quadratic_the_limits_are_where_algebra_says(scale):
    found, ends = find(line(scale), recipe()), eigenvalues(scale)
    limit = 2 / ends[-1]
    assert found.limit == pytest.approx(limit, rel=1e-3)  # a hundred steps of power iteration
    # Beyond the limit each step climbs: no rate there falls, and none but those does.
    assert found.high <= limit < found.high * 1.6
    assert found.low <= found.suggested <= found.high


def test_the_best_first_step_is_that_of_the_quadratic():
    feed, plain = line(), recipe()
    shape = plain.shape(feed.layout)
    layer = first_layers(Lane(plain.candidate, 0, plain.seed), shape, feed)[0]
    rows = np.column_stack([inputs(1.0), np.ones(ROWS)])[:TRAIN]
    weights = np.append(layer.w[:, 0], layer.b).astype(np.float64)
    h = rows.T @ rows / TRAIN
    g = rows.T @ (rows @ weights - targets(1.0)[:TRAIN]) / TRAIN
    # Through float32 twice, once back and once along.
    assert find(feed, plain).best_step == pytest.approx(g @ g / (g @ h @ g), rel=1e-4)


def test_the_suggestion_ends_lower_than_rates_far_from_it():
    found = find(line(), recipe(batch_size=16, final_learning_rate=None))
    far = (found.rates < found.suggested / 20) & np.isfinite(found.losses)
    at = found.losses[np.argmin(np.abs(np.log(found.rates / found.suggested)))]
    assert far.any()
    assert (found.losses[far] > 2 * at).all()
    assert np.isinf(found.losses[found.rates > 10 * found.limit]).all()


def test_the_same_seed_finds_the_same():
    first, again = (find(line(), recipe(epochs=9)) for _ in range(2))
    assert first.suggested == again.suggested
    np.testing.assert_array_equal(first.losses, again.losses)


def test_the_work_is_as_foretold():
    told = []
    find(line(), recipe(), told.append)
    # Fewer finish than are asked for where neighbours coincide or rates diverge.
    assert 0.6 * find_work(30) <= sum(told) <= find_work(30)


def test_smoothing_is_one_two_one_and_keeps_what_is_level():
    np.testing.assert_allclose(finder._smoothed(np.array([4.0, 8.0, 0.0])), [5, 5, 2])
    np.testing.assert_array_equal(finder._smoothed(np.full(5, 3.0)), 3.0)
    assert np.isinf(finder._smoothed(np.array([1.0, 1.0, np.inf]))[1])  # no rate beside a fall


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_rates_hold_what_each_optimizer_is_used_with(optimizer):
    rates = rates_for(optimizer)
    usual = {"sgd": 0.1, "momentum": 0.02, "adagrad": 0.03, "rmsprop": 0.002, "adam": 0.003}
    assert rates[0] < usual[optimizer] / 50
    assert rates[-1] > usual[optimizer] * 50
    np.testing.assert_allclose(rates[1:] / rates[:-1], rates[1] / rates[0])


def test_where_every_rate_diverges_it_is_said():
    with pytest.raises(DivergedError, match="Every learning rate diverges"):
        find(line(scale=1e18), recipe())
