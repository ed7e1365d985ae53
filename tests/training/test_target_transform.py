"""Lanes whose targets are transformed or clamped: compared in the target's own units."""

from dataclasses import replace

import numpy as np
import pytest

from cuesta.data.target_scale import learned
from cuesta.diagnose.record import record
from cuesta.errors import SpecError
from cuesta.hyperparameters import loss_of
from cuesta.model.network import Network
from cuesta.training.batching import Batching, groups_of, shape_of
from cuesta.training.feed import Feed
from cuesta.training.fits import Fit, Fitted, Recipe, fit_many
from cuesta.training.lanes import PROGRAMS, Lane, Training, train_chunk
from cuesta.training.planner import this_machine
from tests.training.tables import (
    assert_same_bits,
    base,
    chunk_of,
    leaves,
    numbers,
    target_values,
    train,
    value_feed,
)

TRANSFORMS = ("log", "quantile")
FOLD = 1


def skewed():
    """Targets such as prices, that a network which is trained on logarithms may well exceed."""
    return np.exp(3 * np.tanh(numbers()[:, :1]) + 0.02 * numbers()[:, 1:2])


TARGETS = {
    "around 1000": target_values,
    "prices": skewed,
    "negative": lambda: -skewed(),
    "ties": lambda: np.maximum(np.round(numbers()[:, :1] * 2), 0),
    "1e9": lambda: 1e9 * (1 + skewed()),
    "one value": lambda: np.full((len(numbers()), 1), 7.0),
}


def squared_error(feed, candidate, result, lane=0):
    """The mean squared error of the NumPy network's predictions, in units without a transform."""
    inputs, outputs = feed.scalings_of(FOLD, candidate)
    layers = tuple((layer.w, layer.b) for layer in result.layers[lane])
    rows = feed.folds[FOLD].validation
    found = Network(candidate, inputs, outputs, layers).decide(feed._x[rows], "regression")
    errors = (found - feed._y[rows]) / feed.target_scaling(FOLD, candidate.normalize).scale
    return np.average(errors**2, axis=0, weights=feed.validation_weights(FOLD))


# Of float32's forward pass, and of a target in float32.
FLOAT32 = 1e-5


@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize("transform", ["none", *TRANSFORMS])
def test_validation_is_the_error_of_what_the_network_predicts(targets, transform):
    feed = value_feed(y=TARGETS[targets]())
    pair = [base(activation="tanh", target_transform=transform, clamp=c) for c in (False, True)]
    result = train(feed, pair, fold=FOLD, epochs=3)
    assert not result.diverged_at.any()
    for lane, candidate in enumerate(pair):
        wanted = squared_error(feed, candidate, result, lane)
        score = result.curves[lane, -1, 1]
        np.testing.assert_allclose(score, wanted, rtol=FLOAT32, atol=1e-12)
        total = result.units[lane, -1].sum() / feed.unit_weights(FOLD).sum()
        np.testing.assert_allclose(total, score, rtol=FLOAT32)


def test_the_same_with_weights_and_two_targets():
    x = numbers()
    y = np.hstack([skewed(), -(skewed() ** 2)])
    weights = np.random.default_rng(0).uniform(0.5, 2, len(x))
    feed = Feed(x, y, value_feed().folds[:-1], weights=weights)
    for transform in TRANSFORMS:
        candidate = base(target_transform=transform, clamp=True, normalize="none")
        chunk = chunk_of(feed, [candidate], fold=FOLD, epochs=2)
        chunk = replace(chunk, shape=replace(chunk.shape, outputs=2))
        result = train_chunk(chunk, feed)
        wanted = squared_error(feed, candidate, result)
        np.testing.assert_allclose(result.curves[0, -1, 1:], wanted, rtol=FLOAT32)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_training_sees_the_transformed_targets_alone(transform):
    """A lane trains as one without a transform whose targets someone transformed before."""
    feed = value_feed(y=skewed())
    z = learned(feed.target_scaling(FOLD, "standard", transform), feed._y)
    plain = replace(base(activation="tanh"), normalize="standard")
    by_hand = train(value_feed(y=z), [plain], fold=FOLD)
    found = train(feed, [replace(plain, target_transform=transform)], fold=FOLD)
    # Mean 0 and deviation 1 of `z` come out to a rounding, so the last bits of float32 may differ.
    np.testing.assert_allclose(found.curves[0, :, 0], by_hand.curves[0, :, 0], rtol=1e-5)
    for a, b in zip(leaves(found)[4:], leaves(by_hand)[4:], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_no_validation_row_enters_knots_or_bounds(transform):
    candidate = base(target_transform=transform, clamp=True)
    plain, y = value_feed(), target_values()
    held_out = plain.folds[FOLD].validation
    y[held_out] = 1e6 * np.arange(len(held_out))[:, None]
    other = value_feed(y=y)
    _, a = plain.scalings_of(FOLD, candidate)
    _, b = other.scalings_of(FOLD, candidate)
    assert_same_bits(vars(a).values(), vars(b).values())
    a, b = (train(feed, [candidate], fold=FOLD) for feed in (plain, other))
    np.testing.assert_array_equal(a.curves[:, :, 0], b.curves[:, :, 0])
    assert_same_bits(leaves(a)[2:], leaves(b)[2:])
    assert (a.curves[:, :, 1] != b.curves[:, :, 1]).all()


@pytest.mark.parametrize("clamp", [False, True])
@pytest.mark.parametrize("transform", ["none", "quantile"])
def test_neighbours_and_width_change_no_bit(transform, clamp):
    feed = value_feed(y=skewed())
    one = base(target_transform=transform, clamp=clamp, dropout=0.2)
    others = [
        replace(one, optimizer="sgd", learning_rate=1e30, activation="identity"),
        replace(one, clamp=not clamp, activation="tanh", learning_rate=0.1),
    ]
    wanted = leaves(train(feed, [one], fold=FOLD, width=2))
    crowd = train(feed, [*others, one, *others], fold=FOLD, width=8)
    assert crowd.diverged_at[0] > 0
    assert_same_bits(leaves(crowd, 2), wanted)


def test_a_lane_that_does_not_clamp_is_the_same_in_a_program_that_can():
    feed = value_feed(y=skewed())
    whole = chunk_of(feed, [base(dropout=0.1)], fold=FOLD)
    lean = replace(whole, features=whole.features._replace(clamped=False))
    assert_same_bits(leaves(train_chunk(whole, feed)), leaves(train_chunk(lean, feed)))


def test_a_clamped_lane_predicts_and_validates_within_the_targets_that_train():
    x = numbers()
    x[value_feed().folds[FOLD].validation] *= 1000  # where it knows nothing
    feed = value_feed(x, skewed())
    wild = base(target_transform="log", activation="identity")
    free, held = (train(feed, [replace(wild, clamp=clamp)], fold=FOLD) for clamp in (False, True))
    assert_same_bits(leaves(free)[2:], leaves(held)[2:])  # it changes no weight
    assert held.curves[0, -1, 1] < 0.5 * free.curves[0, -1, 1]
    _, outputs = feed.scalings_of(FOLD, replace(wild, clamp=True))
    y = feed._y[feed.folds[FOLD].train]
    assert (outputs.low, outputs.high) == (y.min(), y.max())


def test_transforms_share_a_program_but_no_chunk():
    feed = value_feed(y=skewed())
    lanes = [Lane(base(target_transform=t), 0, 0) for t in ("none", *TRANSFORMS)]
    groups = groups_of(lanes, lambda c: shape_of(c, 5, 1, "squared"))
    assert [len(members) for members in groups.values()] == [1, 1, 1]
    train(feed, [lanes[1].candidate])
    count = len(PROGRAMS)
    train(feed, [lanes[2].candidate])
    assert len(PROGRAMS) == count


@pytest.mark.parametrize("task", ["classification", "multilabel"])
@pytest.mark.parametrize("changes", [{"target_transform": "log"}, {"clamp": True}])
def test_classes_and_labels_have_no_transform(task, changes):
    (name,) = changes
    with pytest.raises(SpecError, match=f"{name} works only for regression, not for {task}."):
        loss_of(base(**changes), task)


@pytest.mark.parametrize("loss", ["absolute", "huber"])
def test_other_losses_validate_by_squared_errors_in_own_units(loss):
    feed = value_feed(y=skewed())
    candidate = base(loss=loss, target_transform="log", huber_delta=0.5)
    result = train(feed, [candidate], fold=FOLD, epochs=2)
    wanted = squared_error(feed, candidate, result)
    np.testing.assert_allclose(result.curves[0, -1, 1:], wanted, rtol=FLOAT32)


def test_fits_that_transform_are_together_what_they_are_alone():
    feed = value_feed(y=skewed())
    batching = Batching(this_machine())
    kinds = [base(target_transform=t) for t in ("log", "quantile", "none")]
    fits = [Fit(Recipe(c, "squared", 1, 3, 0), feed, FOLD) for c in kinds]
    found: dict[int, Fitted] = {}
    fit_many(fits, batching, lambda done: None, found.__setitem__)
    for place, candidate in enumerate(kinds):
        alone = train(feed, [candidate], fold=FOLD, epochs=3)
        np.testing.assert_array_equal(found[place].curves, alone.curves[0])
        _, outputs = feed.scalings_of(FOLD, candidate)
        assert_same_bits(vars(outputs).values(), vars(found[place].targets).values())


@pytest.mark.slow("compiles the instruments")
def test_the_instruments_see_the_curves_of_the_lane():
    feed, candidate = value_feed(y=skewed()), base(target_transform="log", clamp=True)
    chunk = chunk_of(feed, [candidate], fold=FOLD)
    seen = record(Training(chunk.lanes[0], feed, chunk.shape, chunk.epochs, chunk.epochs))
    # A program without a lane axis: the same to the roundings of float32 that steps pass on.
    np.testing.assert_allclose(seen.curves, train_chunk(chunk, feed).curves[0], rtol=1e-4)
