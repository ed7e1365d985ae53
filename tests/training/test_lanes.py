import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cuesta.core.lane import ProgramFeatures
from cuesta.training.feed import Feed
from cuesta.training.lanes import PROGRAMS, is_compiled, train_chunk
from tests.training.tables import (
    EPOCHS,
    ROWS,
    assert_same_bits,
    base,
    chunk_of,
    class_feed,
    leaves,
    numbers,
    target_values,
    train,
    value_feed,
)

FEEDS = {"classes": class_feed, "values": value_feed}
MIXED = [
    base(optimizer="adam", dropout=0.3, clip_norm=0.5),
    base(optimizer="sgd", activation="tanh"),
    base(optimizer="momentum", init="glorot", final_learning_rate=1e-4),
    base(optimizer="adagrad", activation="sigmoid", weight_decay=0.1),
    base(optimizer="rmsprop", dialect="notes", activation="identity"),
    base(optimizer="adam", dialect="notes", clip_value=0.01),
    base(optimizer="adam", init="uniform", dropout=0.5),
    base(optimizer="adam", activation="gelu"),
    base(schedule="cosine", warmup=0.2, weight_average=0.9),
    base(schedule="one_cycle", optimizer="sgd", final_learning_rate=1e-4),
    base(schedule="coslog4", optimizer="momentum", weight_average=0.99),
]
RESIDUAL = {"architecture": "resnet", "hidden_layer_sizes": (8, 8)}
DIVERGING = base(optimizer="sgd", learning_rate=1e30, activation="identity")


@pytest.fixture(scope="module", params=FEEDS)
def feed(request):
    return FEEDS[request.param]()


@pytest.mark.parametrize(
    "candidate", MIXED, ids=lambda c: f"{c.optimizer}-{c.dialect}-{c.schedule}-{c.dropout}"
)
def test_lane_ignores_its_neighbours(feed, candidate):
    alone = train(feed, [candidate])
    crowd = [DIVERGING, *[c for c in MIXED if c != candidate][:2], candidate]
    together = train(feed, crowd)
    assert together.diverged_at[0] > 0
    assert_same_bits(leaves(alone), leaves(together, 3))


@pytest.mark.parametrize("width", [2, 8, 16])
def test_lane_ignores_the_width_of_its_chunk(feed, width):
    pair = [MIXED[0], MIXED[-1]]
    for place, candidate in enumerate(pair):
        wanted = leaves(train(feed, [candidate], width=4))
        found = train(feed, [*pair, *MIXED[1:-1]][:width], width=width)
        assert_same_bits(leaves(found, place), wanted)


def test_lane_ignores_its_place_in_the_chunk(feed):
    forth, back = train(feed, MIXED[:4]), train(feed, MIXED[3::-1])
    for place in range(4):
        assert_same_bits(leaves(forth, place), leaves(back, 3 - place))


def test_lane_ignores_the_number_of_threads(feed):
    chunks = [chunk_of(feed, MIXED[:4], fold=fold) for fold in range(5)]
    one = [train_chunk(chunk, feed) for chunk in chunks]
    with ThreadPoolExecutor(2) as pool:
        two = list(pool.map(lambda chunk: train_chunk(chunk, feed), chunks))
    for a, b in zip(one, two, strict=True):
        for lane in range(4):
            assert_same_bits(leaves(a, lane), leaves(b, lane))


@pytest.mark.slow("compiles a program for each size and width")
@pytest.mark.parametrize("size", [(33, 17), (64,), (128, 64)], ids=str)
@pytest.mark.parametrize("batch_size", [8, 100])
def test_width_changes_no_bit_at_other_sizes(size, batch_size):
    feed = class_feed()
    candidate = base(hidden_layer_sizes=size, batch_size=batch_size, dropout=0.1)
    narrow = train(feed, [candidate], width=2, epochs=2)
    wide = train(feed, [diverging_like(candidate), *[candidate] * 5], width=8, epochs=2)
    for lane in range(1, 6):
        assert_same_bits(leaves(narrow), leaves(wide, lane))


def diverging_like(candidate):
    return base(
        hidden_layer_sizes=candidate.hidden_layer_sizes,
        batch_size=candidate.batch_size,
        optimizer="sgd",
        learning_rate=1e30,
    )


@pytest.mark.slow("compiles a program for each feature")
@pytest.mark.parametrize(
    ("feature", "changes"),
    [
        ("memory", {"optimizer": "sgd", "dropout": 0.1, "activation": "tanh"}),
        ("bounded", {"activation": "relu", "dropout": 0.1}),
        ("bounded", {"activation": "identity", "optimizer": "momentum"}),
        ("dropout", {"activation": "tanh", "optimizer": "rmsprop"}),
        ("exponential", {"activation": "relu", "dropout": 0.1}),
        # A residual layer adds what an activation hands on: in one rounding, or in two.
        ("exponential", {"activation": "leaky_relu", **RESIDUAL}),
        ("bounded", {"activation": "gelu", **RESIDUAL}),
        ("exponential", {"activation": "tanh", "optimizer": "sgd"}),
        ("bounded", {"activation": "gelu", "dropout": 0.1}),
        ("bounded", {"activation": "mish", "optimizer": "momentum"}),
        ("bounded", {"activation": "silu"}),
        ("dropout", {"activation": "gelu"}),
        ("memory", {"activation": "mish", "optimizer": "sgd"}),
        ("memory", {"activation": "selu", "optimizer": "sgd"}),
        ("averaged", {"dropout": 0.1, "schedule": "coslog4"}),
        ("averaged", {"activation": "identity", "optimizer": "sgd", "warmup": 0.3}),
        ("clamped", {"activation": "tanh", "dropout": 0.1}),
    ],
)
def test_a_feature_that_a_lane_does_not_need_changes_no_bit_of_it(feed, feature, changes):
    candidate = base(clip_norm=0.5, weight_decay=0.1, final_learning_rate=1e-3, **changes)
    whole = chunk_of(feed, [candidate])
    lean = dataclasses.replace(whole, features=ProgramFeatures()._replace(**{feature: False}))
    assert_same_bits(leaves(train_chunk(lean, feed)), leaves(train_chunk(whole, feed)))


@pytest.mark.parametrize("make", [class_feed, value_feed])
def test_scaling_never_sees_validation_rows(make):
    plain, x = make(), numbers()
    held = plain.folds[0].validation
    x[held] = x[held] * 1e3 + 777.0
    a, b = train(plain, MIXED[:4]), train(make(x), MIXED[:4])
    np.testing.assert_array_equal(a.curves[:, :, 0], b.curves[:, :, 0])  # training curves
    assert (a.curves[:, :, 1] != b.curves[:, :, 1]).all()  # validation curves
    for lane in range(4):
        assert_same_bits(leaves(a, lane)[2:], leaves(b, lane)[2:])  # outcomes and weights


@pytest.mark.parametrize("normalize", ["robust", "quantile"])
def test_ranks_never_see_validation_rows(normalize):
    plain, x = class_feed(), numbers()
    held = plain.folds[0].validation
    x[held] = x[held] * 1e3 + 777.0
    candidate = base(normalize=normalize)
    a, b = train(plain, [candidate]), train(class_feed(x), [candidate])
    np.testing.assert_array_equal(a.curves[:, :, 0], b.curves[:, :, 0])  # training curves
    assert (a.curves[:, :, 1] != b.curves[:, :, 1]).all()  # validation curves
    assert_same_bits(leaves(a)[2:], leaves(b)[2:])  # outcomes and weights
    mine, theirs = (feed.scalings(0, normalize)[0] for feed in (plain, class_feed(x)))
    for field in dataclasses.fields(mine):
        np.testing.assert_array_equal(getattr(mine, field.name), getattr(theirs, field.name))


@pytest.mark.parametrize("normalize", ["standard", "robust", "quantile", "minmax"])
def test_targets_are_standardized_under_every_normalization_but_none(normalize):
    feed = value_feed()
    y = feed.training_targets(0, normalize)
    assert y.mean() == pytest.approx(0, abs=1e-12)  # of values of about 1,000
    assert y.std() == pytest.approx(1, rel=1e-12)


def test_target_scaling_never_sees_validation_rows():
    plain, y = value_feed(), target_values()
    y[plain.folds[0].validation] = 1e6
    a, b = train(plain, MIXED[:4]), train(value_feed(y=y), MIXED[:4])
    np.testing.assert_array_equal(a.curves[:, :, 0], b.curves[:, :, 0])


def test_divergence_is_an_outcome_with_its_step(feed):
    result = train(feed, [DIVERGING, MIXED[1]])
    assert result.diverged_at[0] >= 1
    assert np.isfinite(result.norm[0])
    assert not np.isfinite(result.curves[0, -1, 0])
    assert result.diverged_at[1] == 0
    assert np.isfinite(result.curves[1]).all()


def test_candidates_of_a_fold_share_their_draws(feed):
    slow = [base(learning_rate=1e-12, dropout=0.5, optimizer=name) for name in ("sgd", "adam")]
    a, b = train(feed, slow).curves[:, :, 0]
    # Rates this small leave the weights as drawn: the noisy training losses are the draws' own.
    np.testing.assert_allclose(a, b, rtol=1e-5)
    assert np.ptp(a) > 1e-3  # dropout's noise does move the loss from epoch to epoch


def test_seeds_and_folds_draw_differently(feed):
    plain = train(feed, MIXED[:1]).curves
    assert (train(feed, MIXED[:1], seed=1).curves != plain).any()
    assert (train(feed, MIXED[:1], fold=1).curves != plain).any()


def test_spans_of_epochs_change_no_bit(feed, monkeypatch):
    whole = train(feed, MIXED[:4])
    monkeypatch.setattr(feed, "span", 3)  # EPOCHS is 4: a span of 3 and one of 1
    assert_same_bits(leaves(whole), leaves(train(feed, MIXED[:4])))


def test_fewer_epochs_are_a_beginning(feed):
    whole = train(feed, MIXED[:4])
    begun = train(feed, MIXED[:4], epochs=2, schedule=EPOCHS)
    np.testing.assert_array_equal(begun.curves, whole.curves[:, :2])
    np.testing.assert_array_equal(begun.units, whole.units[:, :2])


def test_second_fit_of_the_same_shapes_compiles_nothing(feed):
    train(feed, MIXED[:4])
    count = len(PROGRAMS)
    train(feed, MIXED[2:6], fold=3, epochs=2, seed=5)
    assert len(PROGRAMS) == count


def test_every_training_row_trains_once_an_epoch():
    feed = value_feed()
    for epoch_start in (0, 2):
        data = feed.span_data(1, "standard", 0, epoch_start, epoch_start + 2)
        for order in data.order[:2]:
            np.testing.assert_array_equal(np.sort(order[: data.n_train]), feed.folds[1].train)
    assert data.n_train + data.n_validation == ROWS


@pytest.mark.parametrize("weighted", [False, True])
def test_a_program_that_trained_is_at_hand(weighted):
    plain = class_feed()
    feed = Feed(plain._x, plain._y, plain.folds[:-1], balanced=weighted)
    chunk = dataclasses.replace(chunk_of(feed, [base(hidden_layer_sizes=(5,))]), epochs=2)
    chunk = dataclasses.replace(chunk, features=ProgramFeatures(True, *[False] * 4))
    train_chunk(chunk, feed)
    assert is_compiled(chunk, feed)
