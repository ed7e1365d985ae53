"""The sums of validation losses, unit by unit, against a loop over the rows in float64."""

import dataclasses

import numpy as np
import pytest

from cuesta.core.train import UNITS
from cuesta.data.folds import make_folds
from cuesta.model import softmax
from cuesta.training.feed import Feed
from cuesta.training.lanes import train_chunk
from tests.training.tables import (
    assert_same_bits,
    base,
    chunk_of,
    class_feed,
    leaves,
    train,
    value_feed,
)

# A row's loss from a forward pass in float32 against one in float64: some ten roundings of 6e-8,
# more where a loss is the small difference of larger numbers.
FLOAT32 = 2e-5
CANDIDATE = base(activation="tanh")


def weighted(make):
    plain = make()
    weights = np.random.default_rng(0).uniform(0.5, 2.0, len(plain._x))
    return Feed(plain._x, plain._y, plain.folds[:-1], weights=weights)


def balanced():
    plain = class_feed()
    return Feed(plain._x, plain._y, plain.folds[:-1], balanced=True)


def two_values():
    plain = value_feed()
    y = np.hstack([plain._y, plain._x[:, :1]])
    return Feed(plain._x, y, plain.folds[:-1])


def many_rows():
    """So many rows validate that they are taken in blocks of several units' size."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((5600, 5))
    y = (x[:, 0] > 0).astype(np.int32) + (x[:, 1] > 1)
    folds = make_folds(y, classes=True, k=5, protocol="kfold", groups=None, seed=0)
    return Feed(x, y.astype(np.int32), folds)


FEEDS = {
    "classes": class_feed,
    "values": value_feed,
    "weighted classes": lambda: weighted(class_feed),
    "weighted values": lambda: weighted(value_feed),
    "balanced": balanced,
    "many rows": many_rows,
}


def row_losses(feed, layers, fold):
    """Log-losses or squared errors of the rows that validate, in normalized units."""
    arrays, rows = feed.arrays(fold, "standard"), feed.folds[fold].validation
    units, y = np.asarray(arrays.x, np.float64)[rows], np.asarray(arrays.y)[rows]
    for depth, (w, b) in enumerate(layers):
        units = units @ w.astype(np.float64) + b
        if depth < len(layers) - 1:
            units = np.tanh(units)
    if feed.classes:
        return -np.log(softmax(units)[np.arange(len(y)), y])
    return ((units - y) ** 2).mean(axis=1)


@pytest.mark.parametrize("make", FEEDS.values(), ids=FEEDS)
def test_a_unit_sums_the_losses_of_its_rows(make):
    feed, fold, epochs = make(), 1, 2
    found = train(feed, [CANDIDATE], fold=fold, epochs=epochs)
    rows = feed.folds[fold].validation
    weights = feed._loss_weights(feed.folds[fold])[rows]
    sums, counts = np.zeros(UNITS), np.zeros(UNITS)
    losses = row_losses(feed, found.layers[0], fold)
    for place, (loss, weight) in enumerate(zip(losses, weights, strict=True)):
        sums[place % UNITS] += weight * loss
        counts[place % UNITS] += weight
    np.testing.assert_allclose(found.units[0, epochs - 1], sums, rtol=FLOAT32, atol=1e-6)
    # The weights are in float64 on both sides.
    np.testing.assert_allclose(feed.unit_weights(fold), counts, rtol=1e-12)


@pytest.mark.parametrize("make", FEEDS.values(), ids=FEEDS)
def test_the_units_add_up_to_the_score_of_the_epoch(make):
    feed = make()
    found = train(feed, [CANDIDATE], epochs=2)
    means = found.units[0].sum(axis=1) / feed.unit_weights(0).sum()
    # Sums in float32 of the same numbers in another order.
    np.testing.assert_allclose(means, found.curves[0, :, 1], rtol=1e-5)


def test_several_targets_count_by_the_mean_of_their_squared_errors():
    feed = two_values()
    chunk = chunk_of(feed, [CANDIDATE], epochs=2)
    chunk = dataclasses.replace(chunk, shape=dataclasses.replace(chunk.shape, outputs=2))
    found = train_chunk(chunk, feed)
    means = found.units[0].sum(axis=1) / feed.unit_weights(0).sum()
    np.testing.assert_allclose(means, found.curves[0, :, 1:].mean(axis=1), rtol=1e-5)


def test_the_refit_has_no_rows_that_validate():
    feed = class_feed()
    found = train(feed, [CANDIDATE], fold=feed.refit, epochs=2)
    np.testing.assert_array_equal(found.units, 0)
    np.testing.assert_array_equal(feed.unit_weights(feed.refit), 0)


def test_weighted_units_ignore_the_width():
    feed = weighted(class_feed)
    narrow = train(feed, [CANDIDATE], width=2, epochs=2)
    wide = train(feed, [base(optimizer="sgd", learning_rate=1e30), CANDIDATE], width=8, epochs=2)
    assert_same_bits(leaves(narrow), leaves(wide, 1))
