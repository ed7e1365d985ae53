"""Every hyper-parameter has its effect (N17): changing it changes the training, as it should."""

from itertools import combinations

import numpy as np
import pytest

from cuesta.hyperparameters import ACTIVATIONS, NORMALIZATIONS, PARAMETERS, SCHEDULES
from tests.training.tables import base, category_feed, class_feed, train, value_feed

FEED = class_feed()
TRAINING, VALIDATION = 0, 1  # columns of curves

# parameter → (what else must be so for it to matter, one value, another)
EFFECTS = {
    "activation": ({}, "relu", "tanh"),
    "init": ({}, "he", "uniform"),
    "optimizer": ({}, "sgd", "rmsprop"),
    "dialect": ({"optimizer": "adam"}, "notes", "torch"),
    "learning_rate": ({}, 1e-3, 2e-3),
    "final_learning_rate": ({}, None, 1e-5),
    "schedule": ({}, "linear", "cosine"),
    "warmup": ({}, 0.0, 0.5),
    "weight_average": ({}, 0.0, 0.9),
    "momentum": ({"optimizer": "momentum"}, 0.5, 0.9),
    "rho": ({"optimizer": "rmsprop"}, 0.5, 0.99),
    "beta_1": ({"optimizer": "adam"}, 0.5, 0.9),
    "beta_2": ({"optimizer": "adam"}, 0.9, 0.999),
    "epsilon": ({"optimizer": "adam"}, 1e-8, 1e-1),
    "dropout": ({}, 0.0, 0.4),
    "clip_norm": ({"optimizer": "sgd"}, None, 0.05),
    "clip_value": ({"optimizer": "sgd"}, None, 0.01),
    "weight_decay": ({}, 0.0, 0.5),
    "hidden_layer_sizes": ({}, (9, 6), (9, 7)),
    "architecture": ({"hidden_layer_sizes": (6, 6)}, "mlp", "resnet"),
    "batch_size": ({}, 16, 8),
    "normalize": ({}, "standard", "minmax"),
    "numeric_embedding": ({"embedding_size": 4}, "none", "plr"),
    "embedding_size": ({"numeric_embedding": "plr"}, 4, 5),
    "embedding_frequencies": ({"numeric_embedding": "plr", "embedding_size": 4}, 16, 3),
    "embedding_sigma": ({"numeric_embedding": "plr", "embedding_size": 4}, 0.1, 1.0),
    "embedding_bins": ({"numeric_embedding": "piecewise"}, 4, 5),
    "category_embedding": ({}, "one-hot", "learned"),
    "input_scale": ({}, False, True),
    "precision": ({}, "float32", "bfloat16"),
    "epochs": ({"final_learning_rate": 1e-5}, 3, 4),
    "label_smoothing": ({}, 0.0, 0.2),
    "loss": ({}, "squared", "absolute"),
    "huber_delta": ({"loss": "huber"}, 0.1, 1.0),
    "target_transform": ({}, "log", "quantile"),
    "clamp": ({}, False, True),
}
OF_NUMBERS = ("loss", "huber_delta", "target_transform", "clamp")
FEEDS = {"category_embedding": category_feed} | dict.fromkeys(OF_NUMBERS, value_feed)
OF_PROGRAMS = (
    "architecture",
    "embedding_size",
    "embedding_frequencies",
    "embedding_bins",
    "category_embedding",
    "input_scale",
)
OF_VALIDATION = ("clamp", "weight_average")  # these change no weight


def test_every_parameter_of_a_candidate_is_among_these():
    assert set(EFFECTS) == set(PARAMETERS)


COMPILED = pytest.mark.slow("a program for each value")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=COMPILED if name in OF_PROGRAMS else ()) for name in EFFECTS]
)
def test_parameter_has_its_effect(name):
    setting, one, other = EFFECTS[name]
    feed = FEEDS.get(name, class_feed)()
    a, b = (train(feed, [base(**{**setting, name: value})]).curves for value in (one, other))
    assert np.isfinite(a).all()
    assert np.isfinite(b).all()
    column = VALIDATION if name in OF_VALIDATION else TRAINING
    assert np.abs(a[:, -1, column] - b[:, -1, column]).max() > 1e-6


@pytest.mark.parametrize(("one", "other"), [*combinations(SCHEDULES, 2)])
def test_no_two_schedules_are_the_same(one, other):
    a, b = train(FEED, [base(schedule=one), base(schedule=other)]).curves[:, -1, TRAINING]
    assert abs(a - b) > 1e-6


def test_an_average_of_the_weights_changes_no_step_of_theirs():
    plain, averaged = train(FEED, [base(), base(weight_average=0.9)]).curves
    np.testing.assert_array_equal(plain[:, TRAINING], averaged[:, TRAINING])


def test_an_average_validates_better_than_the_weights_of_large_steps():
    # SGD at a constant rate wanders around a minimum; the mean of its way is nearer.
    how = {"optimizer": "sgd", "learning_rate": 0.3, "batch_size": 8}
    plain, averaged = train(
        value_feed(), [base(**how), base(**how, weight_average=0.99)], epochs=60
    ).curves[:, -20:, VALIDATION]
    assert averaged.mean() < plain.mean()
    assert averaged.std() < 0.5 * plain.std()


@pytest.mark.parametrize(("schedule", "last"), [("linear", 0.01), ("cosine", 0.0)])
def test_without_a_last_rate_a_line_is_constant_and_a_wave_falls_to_none(schedule, last):
    given, none = train(
        FEED, [base(schedule=schedule, final_learning_rate=last), base(schedule=schedule)]
    ).curves
    np.testing.assert_array_equal(given, none)


def test_every_activation_trains_in_its_own_way():
    curves = train(FEED, [base(activation=name) for name in ACTIVATIONS], width=16).curves
    assert np.isfinite(curves).all()
    for one, other in combinations(curves[:, -1, 0], 2):
        assert abs(one - other) > 1e-6


@pytest.mark.parametrize("name", ["momentum", "rho", "beta_1", "beta_2", "epsilon"])
def test_decay_of_another_optimizer_has_none(name):
    _, one, other = EFFECTS[name]
    a, b = (train(FEED, [base(optimizer="sgd", **{name: v})]).curves for v in (one, other))
    np.testing.assert_array_equal(a, b)


def test_every_normalization_is_another_training():
    ends = [train(FEED, [base(normalize=how)]).curves[0, -1, 0] for how in NORMALIZATIONS]
    assert np.isfinite(ends).all()
    assert np.diff(np.sort(ends)).min() > 1e-6


def curve(**changes):
    return train(FEED, [base(**changes)], epochs=30).curves[0]


def test_dropout_raises_the_training_loss():
    assert curve(dropout=0.5)[-1, 0] > curve()[-1, 0]


def test_dropping_everything_learns_no_more_than_the_classes_shares():
    last = curve(dropout=1.0, optimizer="sgd", learning_rate=0.1)[-1]
    counts = np.bincount(FEED._y) / len(FEED._y)
    # Only the last biases learn: the loss is the entropy of the classes, to a fold's noise.
    assert last[0] == pytest.approx(-(counts * np.log(counts)).sum(), abs=0.05)


def test_weight_decay_shrinks_the_weights():
    sizes = [
        np.linalg.norm(train(FEED, [base(weight_decay=decay)], epochs=30).layers[0][0].w)
        for decay in (0.0, 1.0)
    ]
    assert sizes[1] < 0.9 * sizes[0]


def test_clipping_by_norm_bounds_the_way_of_sgd():
    # One epoch of s steps at rate α with ‖G‖ ≤ c moves the weights by at most s·α·c.
    moved = train(FEED, [base(optimizer="sgd", learning_rate=1.0, clip_norm=1e-3)], epochs=1)
    start = train(FEED, [base(optimizer="sgd", learning_rate=1e-30)], epochs=1)
    way = np.sqrt(
        sum(
            ((a - b) ** 2).sum()
            for p, q in zip(moved.layers[0], start.layers[0], strict=True)
            for a, b in zip(p, q, strict=True)
        )
    )
    steps = -(-int(FEED.span_data(0, "standard", 0, 0, 1).n_train) // 16)
    assert 0 < way <= steps * 1.0 * 1e-3 * 1.001  # float32


def test_unnormalized_inputs_slow_the_training():
    # The columns' scales differ by 100 and one is centred at 50 (N3).
    plain = curve(optimizer="sgd", learning_rate=0.05)
    raw = curve(optimizer="sgd", learning_rate=0.05, normalize="none")
    # In 30 epochs it does not come to where the normalized run is after 10: three times slower.
    assert raw[:, 0].min() > plain[9, 0]


def test_longer_training_learns_more():
    losses = curve()[:, 0]
    assert losses[-1] < 0.7 * losses[0]
