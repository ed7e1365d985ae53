"""A training under watch is the training without, and what it tells is what happened."""

import dataclasses

import numpy as np
import pytest

from cuesta.diagnose.record import record
from cuesta.diagnose.storage import as_arrays, from_arrays
from cuesta.errors import SpecError
from cuesta.training.lanes import Lane, Training
from tests.training.tables import base, chunk_of, class_feed, train, value_feed


def training_of(feed, candidate, epochs):
    shape = chunk_of(feed, [candidate]).shape
    return Training(Lane(candidate, 0, 0), feed, shape, epochs, epochs)


def watch(feed, candidate, epochs=4, **how):
    return record(training_of(feed, candidate, epochs), **how)


@pytest.mark.slow("compiles a watched program for each case")
@pytest.mark.parametrize("make", [class_feed, value_feed])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("instruments", ["economy", "full"])
def test_watching_changes_nothing_but_roundings(make, optimizer, instruments):
    feed = make()
    candidate = base(optimizer=optimizer, dropout=0.1, clip_norm=1.0, final_learning_rate=1e-3)
    seen = watch(feed, candidate, instruments=instruments)
    plain = train(feed, [candidate])
    # Another program rounds otherwise; twenty-odd steps carry that to the sixth digit at most.
    np.testing.assert_allclose(seen.curves, plain.curves[0], rtol=2e-4, atol=1e-6)
    assert seen.diverged_at == plain.diverged_at[0] == 0


def test_an_average_validates_under_watch_as_in_a_lane():
    feed, candidate = class_feed(), base(weight_average=0.9, schedule="one_cycle", warmup=0.2)
    plain = train(feed, [candidate]).curves[0]
    seen = watch(feed, candidate).curves
    np.testing.assert_allclose(seen, plain, rtol=2e-4, atol=1e-6)  # as above
    assert np.abs(seen - watch(feed, base(schedule="one_cycle", warmup=0.2)).curves).max() > 1e-3


def test_every_step_is_told_or_each_of_so_many():
    feed = class_feed()
    steps = -(-len(feed.folds[0].train) // 16)
    every_one = watch(feed, base(), every=1)
    assert list(every_one.steps) == list(range(1, 4 * steps + 1))
    some = watch(feed, base(), every=5)
    assert list(some.steps) == list(range(1, 4 * steps + 1, 5))
    for name, values in some.economy._asdict().items():
        np.testing.assert_allclose(
            values, every_one.economy._asdict()[name][::5], rtol=1e-4, atol=1e-6, err_msg=name
        )


def test_a_long_training_is_told_over_many_spans():
    feed = class_feed()
    told = watch(feed, base(learning_rate=1e-3), epochs=40, every=3)
    assert len(told.steps) == len(told.economy.loss) == -(-told.total // 3)
    assert (told.economy.loss > 0).all()
    assert told.economy.loss[-20:].mean() < told.economy.loss[:20].mean()


def test_the_step_of_divergence_and_its_layer_are_told():
    told = watch(class_feed(), base(optimizer="sgd", learning_rate=1e30), every=1)
    assert 1 <= told.diverged_at <= told.total
    assert told.economy.broken[told.diverged_at - 1] > 0
    assert (told.economy.broken[: told.diverged_at - 1] == 0).all()


def test_clipped_steps_are_told():
    told = watch(class_feed(), base(clip_norm=1e-3), every=1)
    norm = np.sqrt((told.economy.gradient**2).sum(axis=1))
    np.testing.assert_allclose(told.economy.clipped, 1e-3 / norm, rtol=1e-4)
    assert (watch(class_feed(), base(), every=1).economy.clipped == 1).all()


NETWORKS = [
    {"activation": "tanh"},
    {"activation": "gelu", "numeric_embedding": "piecewise", "input_scale": True},
    {
        "activation": "silu",
        "learning_rate": 0.002,  # its curvature is far higher
        "numeric_embedding": "pbld",
        "architecture": "resnet",
        "hidden_layer_sizes": (8, 8),
    },
]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda how: how["activation"])
def test_predictions_are_near_what_came(network):
    candidate = base(**{"optimizer": "sgd", "learning_rate": 0.02, **network})
    told = watch(class_feed(), candidate, every=1, instruments="full")
    # A smooth network and short steps: what is left is of third order.
    np.testing.assert_allclose(told.full.second, told.full.actual, rtol=0.05, atol=1e-5)
    assert np.abs(told.full.second - told.full.actual).mean() < (
        0.3 * np.abs(told.full.first - told.full.actual).mean()
    )


@pytest.mark.slow("compiles a watched program for each network")
@pytest.mark.parametrize("network", NETWORKS[1:], ids=lambda how: how["activation"])
def test_other_networks_train_under_watch_as_without(network):
    candidate = base(dropout=0.1, weight_decay=0.1, **network)
    seen, plain = watch(class_feed(), candidate), train(class_feed(), [candidate])
    # As above: another program rounds otherwise.
    np.testing.assert_allclose(seen.curves, plain.curves[0], rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("instruments", ["economy", "full"])
def test_a_recording_comes_back_from_its_arrays(instruments):
    told = watch(class_feed(), base(), instruments=instruments)
    arrays = as_arrays(told)
    again = as_arrays(from_arrays(arrays))
    assert list(again) == list(arrays)
    for name, values in arrays.items():
        np.testing.assert_array_equal(again[name], values, err_msg=name)


def test_an_optimizer_from_elsewhere_is_not_read():
    training = training_of(class_feed(), base(), 1)
    shape = dataclasses.replace(training.shape, foreign="optax.lion")
    with pytest.raises(SpecError, match=r"optax\.lion"):
        record(dataclasses.replace(training, shape=shape))
