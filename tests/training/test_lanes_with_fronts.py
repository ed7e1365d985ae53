"""Idea 3 for networks with embeddings, and for residual ones: a lane depends on itself alone."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from cuesta.core.lane_hyperparameters import features_for
from cuesta.data.folds import Fold
from cuesta.hyperparameters import NUMERIC_EMBEDDINGS, Candidate
from cuesta.training.batching import shape_of
from cuesta.training.feed import Feed
from cuesta.training.lanes import Chunk, Lane, lane_states, train_chunk, train_spans
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


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "-".join(map(str, s.values())))
def test_width_and_neighbours_change_no_bit(shape):
    lanes = [base(**shape, **numbers) for numbers in NUMBERS]
    alone = train(FEED, lanes[:1], width=2)
    crowd = train(FEED, lanes[::-1], width=8)
    assert_same_bits(leaves(alone), leaves(crowd, 2))
    assert np.isfinite(alone.curves).all()


def test_a_rule_moves_every_part_but_what_is_not_learned():
    candidate = base(numeric_embedding="plr", input_scale=True, optimizer="adam")
    chunk = chunk_of(FEED, [candidate])
    before = [*chunk_layers(chunk)]
    (state,) = lane_states([*train_spans(chunk, FEED)][-1][0], 1)
    moved = [
        [np.abs(a - b).max() > 0 for a, b in zip(x, y, strict=True)]
        for x, y in zip(before, state.layers, strict=True)
    ]
    assert moved == [[True, False], *[[True, True]] * 5]  # the phases of "plr" stay 0


def chunk_layers(chunk):
    from cuesta.training.lanes import first_layers

    return first_layers(chunk.lanes[0], chunk.shape, FEED)


def test_bins_see_no_validation_row():
    x = FEED._x.copy()
    x[FEED.folds[0].validation] += 1e3
    candidate = base(numeric_embedding="piecewise")
    front = chunk_of(FEED, [candidate]).shape.front
    one, other = (feed.bins(0, "standard", front) for feed in (FEED, class_feed(x)))
    assert_same_bits(one, other)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "-".join(map(str, s.values())))
def test_what_other_lanes_need_of_the_program_changes_no_bit(shape):
    x, y = load_diabetes(return_X_y=True)
    feed = Feed(x, y[:, None], [Fold(np.arange(148, 442), np.arange(148))])
    one = Candidate(**{"hidden_layer_sizes": (8, 8), **shape})
    lanes = Lane(one, 0, 0), Lane(replace(one, activation="silu", dropout=0.2), 0, 0)
    network = shape_of(one, 10, 1, "squared")
    alone, beside = (
        train_chunk(Chunk(network, 2, lanes[:count], 3, 3, features), feed)
        for count, features in [
            (1, features_for([one])),
            (2, features_for([lane.candidate for lane in lanes])),
        ]
    )
    assert_same_bits(leaves(alone), leaves(beside))
