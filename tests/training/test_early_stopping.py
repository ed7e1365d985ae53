"""Where lanes stop early: alone or in a chunk, at the same epoch, with the same weights."""

import numpy as np
import pytest

from cuesta.data.folds import Fold
from cuesta.hyperparameters import Candidate
from cuesta.training import lanes
from cuesta.training.batching import Batching
from cuesta.training.fits import Fit, Recipe, Rows, fit_many, fit_one
from cuesta.training.planner import this_machine

RNG = np.random.default_rng(0)
X = RNG.standard_normal((80, 3))
ROWS = Rows(X, ((X[:, 0] + RNG.standard_normal(80)) > 0).astype(np.int32), None)
OUT = tuple(range(60, 80))
RATES = (0.03, 0.1, 1e-4)


def recipe(rate, epochs=200, patience=4, average=0.0):
    candidate = Candidate(
        hidden_layer_sizes=(8,), batch_size=16, learning_rate=rate, weight_average=average
    )
    return Recipe(candidate, "cross_entropy", 2, epochs, 0, patience, OUT)


def alone(one):
    """The last of a fit's spans, and how many there were."""
    *spans, last = fit_one(one, ROWS, Batching(this_machine(1)))
    return last, len(spans) + 1


@pytest.mark.parametrize("patience", [1, 4, 30])
def test_a_fit_ends_where_its_patience_does(patience):
    (point, fitted), _ = alone(recipe(0.1, patience=patience))
    scores = fitted.curves[:, 1]
    assert len(scores) == point.epochs == fitted.best + patience < 200
    assert fitted.best == int(np.argmin(scores)) + 1
    # Training is no different for being looked at: so many epochs without patience.
    (whole, _), _ = alone(recipe(0.1, epochs=point.epochs, patience=None))
    for a, b in zip(point.state.layers, whole.state.layers, strict=True):
        np.testing.assert_array_equal(a.w, b.w)


def test_of_a_lane_with_an_average_that_of_the_best_epoch_is_kept():
    (_, fitted), _ = alone(recipe(0.1, average=0.9))
    (whole, until), _ = alone(recipe(0.1, epochs=fitted.best, patience=None, average=0.9))
    np.testing.assert_array_equal(fitted.curves[: fitted.best, 0], until.curves[:, 0])
    for kept, average, w in zip(
        fitted.layers, whole.state.average, whole.state.layers, strict=True
    ):
        np.testing.assert_array_equal(kept.w, average.w)
        assert (average.w != w.w).any()


def test_a_lane_without_an_average_ends_the_same_beside_one_with():
    feed = ROWS.feed([Fold(np.arange(60), np.array(OUT))])
    found = {}
    fit_many(
        [Fit(recipe(0.1, average=average), feed, 0) for average in (0.0, 0.9)],
        Batching(this_machine(1)),
        lambda done: None,
        lambda place, fitted: found.update({place: fitted}),
    )
    for place, average in enumerate((0.0, 0.9)):
        (_, own), _ = alone(recipe(0.1, average=average))
        np.testing.assert_array_equal(found[place].curves, own.curves)
        for a, b in zip(found[place].layers, own.layers, strict=True):
            np.testing.assert_array_equal(a.w, b.w)


def test_lanes_of_a_chunk_end_as_they_would_alone(monkeypatch):
    spans, train_spans = [], lanes.train_spans

    def counted(*arguments):
        for span in train_spans(*arguments):
            spans.append(span)
            yield span

    monkeypatch.setattr(lanes, "train_spans", counted)
    feed = ROWS.feed([Fold(np.arange(60), np.array(OUT))])
    recipes = [recipe(rate) for rate in RATES[:2]]
    found, told = {}, []
    fit_many(
        [Fit(one, feed, 0) for one in recipes],
        Batching(this_machine(1)),
        told.append,
        lambda place, fitted: found.update({place: fitted}),
    )
    assert sum(told) == 2 * 200  # what is not trained is told as done
    for place, one in enumerate(recipes):
        (_, own), _ = alone(one)
        np.testing.assert_array_equal(found[place].curves, own.curves)
        for a, b in zip(found[place].layers, own.layers, strict=True):
            np.testing.assert_array_equal(a.w, b.w)
    longest = max(len(one.curves) for one in found.values())
    assert len(spans) * feed.span < longest + feed.span < 200  # no span after the last has stopped


def test_a_lane_that_never_stops_trains_to_its_last_epoch():
    (point, fitted), spans = alone(recipe(RATES[2], epochs=20, patience=50))
    assert (point.epochs, len(fitted.curves), spans) == (20, 20, 2)
