"""Idea 3 for networks with embeddings, and for residual ones: a lane depends on itself alone."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from cuesta.core.lane_hyperparameters import features_for
from cuesta.data.folds import Fold
from cuesta.data.layout import Layout
from cuesta.hyperparameters import NUMERIC_EMBEDDINGS, Candidate
from cuesta.training.batching import shape_of
from cuesta.training.feed import Feed
from cuesta.training.lanes import (
    Chunk,
    Lane,
    first_layers,
    lane_states,
    train_chunk,
    train_spans,
)
from tests.training.tables import assert_same_bits, base, chunk_of, class_feed, leaves, train

FEED = class_feed()
SHAPES = [
    *[{"numeric_embedding": name, "embedding_size": 4} for name in NUMERIC_EMBEDDINGS[1:]],
    {"input_scale": True},
    {"architecture": "resnet", "hidden_layer_sizes": (8, 8)},
]
NUMBERS = [
    {"optimizer": "adam", "dropout": 0.3},
    {"optimizer": "sgd", "activation": "tanh", "embedding_sigma": 1.0},
    {"optimizer": "adam", "weight_decay": 0.1, "init": "uniform"},
]


EVERY_SHAPE = pytest.mark.parametrize(
    "shape", SHAPES, ids=lambda shape: "-".join(map(str, shape.values()))
)
# All at once, in the programs that the quick tests share.
WHOLE = {
    "numeric_embedding": "plr",
    "embedding_size": 4,
    "input_scale": True,
    "architecture": "resnet",
    "hidden_layer_sizes": (8, 8),
}


def diabetes():
    x, y = load_diabetes(return_X_y=True)
    return Feed(x, y[:, None], [Fold(np.arange(148, 442), np.arange(148))])


def chunk(candidates, width):
    """The candidates' lanes, in a program that has what they need and no more."""
    lanes = tuple(Lane(each, 0, 0) for each in candidates)
    shape = shape_of(candidates[0], 10, 1, "squared")
    return Chunk(shape, width, lanes, 3, 3, features_for(candidates))


def test_width_neighbours_and_what_these_need_change_no_bit():
    feed, one = diabetes(), Candidate(**WHOLE)
    others = [replace(one, activation="silu", dropout=0.2), replace(one, weight_average=0.9)]
    alone = train_chunk(chunk([one], 2), feed)
    crowd = train_chunk(chunk([*others, one], 8), feed)
    assert_same_bits(leaves(alone), leaves(crowd, 2))
    assert np.isfinite(alone.curves).all()


@pytest.mark.slow("two programs for each form")
@EVERY_SHAPE
def test_width_and_neighbours_change_no_bit(shape):
    lanes = [base(**shape, **numbers) for numbers in NUMBERS]
    alone = train(FEED, lanes[:1], width=2)
    crowd = train(FEED, lanes[::-1], width=8)
    assert_same_bits(leaves(alone), leaves(crowd, 2))
    assert np.isfinite(alone.curves).all()


@pytest.mark.slow("two programs for each form")
@EVERY_SHAPE
def test_what_other_lanes_need_of_the_program_changes_no_bit(shape):
    feed = diabetes()
    one = Candidate(**{"hidden_layer_sizes": (8, 8), **shape})
    both = [one, replace(one, activation="silu", dropout=0.2)]
    alone, beside = (train_chunk(chunk(both[:count], 2), feed) for count in (1, 2))
    assert_same_bits(leaves(alone), leaves(beside))


def test_a_rule_moves_every_part_but_what_is_not_learned():
    feed, one = diabetes(), chunk([Candidate(**WHOLE)], 2)
    before = first_layers(one.lanes[0], one.shape, feed)
    (state,) = lane_states([*train_spans(one, feed)][-1][0], 1)
    moved = [
        [np.abs(a - b).max() > 0 for a, b in zip(x, y, strict=True)]
        for x, y in zip(before, state.layers, strict=True)
    ]
    assert moved == [[True, False], *[[True, True]] * 5]  # the phases of "plr" stay 0


def test_bins_see_no_validation_row():
    x = FEED._x.copy()
    x[FEED.folds[0].validation] += 1e3
    candidate = base(numeric_embedding="piecewise")
    front = chunk_of(FEED, [candidate]).shape.front
    one, other = (feed.bins(0, "standard", front) for feed in (FEED, class_feed(x)))
    assert_same_bits(one, other)


def test_feeds_whose_columns_are_other_things_have_other_fingerprints():
    """A lane's key rests on it: the same numbers as levels of a category train another network."""
    layouts = [Layout(5, (0, 1, 2, 3, 4)), Layout(5, (0, 1, 2)), Layout(5, (1, 2, 3))]
    found = {Feed(FEED._x, FEED._y, [], layout=layout).fingerprint for layout in layouts}
    assert len(found) == 3
