"""Small tables and chunks that the tests of lanes share."""

from __future__ import annotations

import numpy as np

from cuesta.data.folds import make_folds
from cuesta.data.layout import Layout
from cuesta.hyperparameters import Candidate, loss_of
from cuesta.training.batching import shape_of
from cuesta.training.feed import Feed
from cuesta.training.lanes import Chunk, ChunkResult, Lane, train_chunk

ROWS = 103  # prime: neither five folds nor a batch divide it
EPOCHS = 4


def numbers(rows=ROWS, columns=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((rows, columns)) * [1, 10, 0.1, 1, 1] + [0, 50, 0, -3, 0]


def class_feed(x=None):
    """Three classes; another `x` leaves classes and folds as they are."""
    own = numbers()
    y = (own[:, 0] + 0.1 * own[:, 1] > 5).astype(np.int32) + (own[:, 3] > -3)
    folds = make_folds(y, classes=True, k=5, protocol="kfold", groups=None, seed=0)
    return Feed(own if x is None else x, y.astype(np.int32), folds)


def category_feed(levels=9):
    """The same classes, and beside the numbers a category of so many levels."""
    plain = class_feed()
    marks = np.eye(levels)[np.random.default_rng(1).integers(levels, size=ROWS)]
    layout = Layout(5 + levels, tuple(range(5)), (tuple(range(5, 5 + levels)),))
    x = np.hstack([plain._x, marks])
    return Feed(x, plain._y, plain.folds[:-1], layout=layout)


def target_values():
    own = numbers()
    return (1000 + 300 * np.tanh(own[:, 0]) + 2 * own[:, 1])[:, None]


def value_feed(x=None, y=None):
    """One target around 1000; another `x` or `y` leaves the folds as they are."""
    own = numbers()
    values = target_values()
    folds = make_folds(values, classes=False, k=5, protocol="kfold", groups=None, seed=0)
    return Feed(own if x is None else x, values if y is None else y, folds)


def base(**changes):
    plain = {"hidden_layer_sizes": (9, 6), "batch_size": 16, "learning_rate": 1e-2}
    return Candidate(**{**plain, **changes})


def chunk_of(feed, candidates, width=4, fold=0, epochs=EPOCHS, seed=0, schedule=None):
    outputs, task = (3, "classification") if feed.classes else (1, "regression")
    loss = loss_of(candidates[0], task)
    shape = shape_of(candidates[0], feed.inputs, outputs, loss, feed.layout)
    lanes = tuple(Lane(candidate, fold, seed) for candidate in candidates)
    epochs = candidates[0].epochs or epochs
    return Chunk(shape, width, lanes, epochs, schedule or epochs)


def train(feed, candidates, **how) -> ChunkResult:
    return train_chunk(chunk_of(feed, candidates, **how), feed)


def leaves(result, lane=0):
    """Everything that a lane gave, as a list of arrays."""
    weights = [leaf for layer in result.layers[lane] for leaf in layer]
    seen = result.curves[lane], result.units[lane]
    return [*seen, result.diverged_at[lane], result.norm[lane], *weights]


def assert_same_bits(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)
