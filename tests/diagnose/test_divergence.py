"""The layer in which a training diverges is found, however late that is."""

import pytest

from cuesta.diagnose import divergence
from cuesta.diagnose.divergence import locate_divergence
from cuesta.diagnose.record import record
from cuesta.training.lanes import Lane, Training
from tests.training.tables import base, chunk_of, train, value_feed

pytestmark = pytest.mark.slow("trains again until a layer breaks")

EPOCHS = 60
# All rows in one batch, so that an epoch is a step; too high a rate, with which errors grow by a
# nearly constant factor, and overflow after dozens of steps.
SLOW = {"optimizer": "sgd", "learning_rate": 3.0, "batch_size": 103}


def diverging(**changes):
    """A training, and the step at which it diverges as a plain lane."""
    feed, candidate = value_feed(), base(**{**SLOW, **changes})
    diverged_at = int(train(feed, [candidate], epochs=EPOCHS).diverged_at[0])
    shape = chunk_of(feed, [candidate]).shape
    return Training(Lane(candidate, 0, 0), feed, shape, EPOCHS, EPOCHS), diverged_at


@pytest.mark.parametrize(
    ("changes", "layer"),
    [
        ({"hidden_layer_sizes": ()}, 1),  # there is no other
        # Hidden units stay within ±1, and saturated ones pass no error back: only the last layer
        # can overflow.
        ({"activation": "tanh"}, 3),
    ],
)
def test_a_lane_that_breaks_after_the_first_span_gets_its_layer(changes, layer):
    training, diverged_at = diverging(**changes)
    assert diverged_at > training.feed.span  # an epoch is a step
    assert locate_divergence(training, diverged_at) == layer


def test_spans_are_shorter_where_there_is_no_room_for_every_step(monkeypatch):
    training, diverged_at = diverging(activation="tanh", learning_rate=1.5, batch_size=16)
    assert diverged_at > 6
    monkeypatch.setattr(divergence, "LARGEST_ROOM", 8)  # an epoch has 6 steps
    assert locate_divergence(training, diverged_at) == 3


def test_the_layer_is_that_of_the_step_of_divergence():
    training, diverged_at = diverging(learning_rate=1e30, batch_size=16)
    seen = record(training, every=1)
    assert seen.diverged_at == diverged_at
    assert locate_divergence(training, diverged_at) == seen.economy.broken[diverged_at - 1] > 0


def test_a_lane_that_does_not_diverge_has_no_such_layer():
    training, _ = diverging(learning_rate=1e-3)
    assert locate_divergence(training, 5) == 0
