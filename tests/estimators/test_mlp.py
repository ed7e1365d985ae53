"""The estimators as users of scikit-learn meet them."""

import pickle
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from cuesta import MLPClassifier, MLPRegressor
from cuesta.errors import CuestaError, DivergedError, SpecError
from cuesta.estimators.holding_out import held_out_rows
from cuesta.training import fits

IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)


def quick(**changes):
    return MLPClassifier(**{"hidden_layer_sizes": (8,), "epochs": 6, "random_state": 0, **changes})


def quick_values(**changes):
    return MLPRegressor(**{"hidden_layer_sizes": (8,), "epochs": 6, "random_state": 0, **changes})


def weights(net):
    return [leaf for layer in net.model_.layers for leaf in layer]


def assert_same(one, other):
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def two_classes():
    return load_breast_cancer(return_X_y=True)


# Where scikit-learn's estimators stand.


def test_a_pipeline_a_grid_and_cross_validation_take_it(two_classes):
    x, y = two_classes
    pipe = make_pipeline(PolynomialFeatures(1, include_bias=False), quick(epochs=20))
    assert cross_val_score(pipe, x, y, cv=3).mean() > 0.93  # logistic regression has 0.95
    grid = GridSearchCV(quick(), {"learning_rate": [1e-5, 1e-2]}, cv=2).fit(*IRIS)
    assert grid.best_params_ == {"learning_rate": 1e-2}


@pytest.mark.slow("dozens of fits")
def test_calibration_voting_and_importance_take_it(two_classes):
    x, y = two_classes
    calibrated = CalibratedClassifierCV(quick(epochs=20), cv=2).fit(x, y)
    line = LogisticRegression(max_iter=9999)
    vote = VotingClassifier([("net", quick(epochs=20)), ("line", line)], voting="soft").fit(x, y)
    assert min(calibrated.score(x, y), vote.score(x, y)) > 0.95
    net = quick(epochs=20).fit(*IRIS)
    gain = permutation_importance(net, *IRIS, n_repeats=3, random_state=0).importances_mean
    assert gain[2:].max() > gain[:2].max()  # petals tell more than sepals


def test_clone_and_pickle_keep_what_they_should():
    net = quick().fit(*IRIS)
    assert not hasattr(clone(net), "model_")
    again = pickle.loads(pickle.dumps(net))  # noqa: S301 (our own bytes)
    np.testing.assert_array_equal(net.predict_proba(IRIS[0]), again.predict_proba(IRIS[0]))


def test_representations_name_what_was_changed():
    assert repr(quick(dropout=0.1)) == (
        "MLPClassifier(dropout=0.1, epochs=6, hidden_layer_sizes=(8,), random_state=0)"
    )
    assert "MLPClassifier" in quick()._repr_html_()


# What the network learns.


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber"])
def test_each_loss_learns_several_numbers(loss):
    x, y = DIABETES
    both = np.column_stack([y, -3 * y])
    net = quick_values(loss=loss, epochs=40).fit(x, both)
    assert net.predict(x).shape == both.shape
    assert net.score(x, both) > 0.4  # linear regression has 0.52


def test_absolute_loss_learns_the_median_and_squared_the_mean():
    rng = np.random.default_rng(0)
    y = rng.exponential(size=2000)  # mean 1, median log 2
    x = np.zeros((2000, 1))
    found = [
        quick_values(loss=loss, epochs=30, final_learning_rate=1e-5).fit(x, y).predict(x[:1])[0]
        for loss in ("squared", "absolute")
    ]
    # The sample's own mean and median, to what the last steps of mini-batches leave.
    np.testing.assert_allclose(found, [y.mean(), np.median(y)], atol=0.05)


def test_labels_that_hold_at_once_are_learned_each():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 3))
    y = (x > 0).astype(int)
    net = quick(epochs=40).fit(x, y)
    assert (net.predict(x) == y).mean() > 0.95
    assert net.predict_proba(x).shape == (400, 3)


def test_smoothing_keeps_the_shares_from_the_ends():
    plain, smooth = (quick(epochs=60, label_smoothing=s).fit(*IRIS) for s in (0.0, 0.3))
    mine, theirs = (net.predict_proba(IRIS[0]).max(axis=1).mean() for net in (smooth, plain))
    # The best that can be said of a sure class is 1 − s + s/3; overshooting rows are the fewer.
    assert 0.6 < mine < 0.8
    assert theirs > mine + 0.1


def test_balanced_weights_raise_the_balanced_accuracy():
    rng = np.random.default_rng(1)
    y = (rng.random(3000) < 0.05).astype(int)
    x = rng.standard_normal((3000, 2)) + 1.2 * y[:, None]
    plain, balanced = (quick(class_weight=w, epochs=20).fit(x, y) for w in (None, "balanced"))
    scores = [balanced_accuracy_score(y, net.predict(x)) for net in (plain, balanced)]
    assert scores[1] > scores[0] + 0.1


def test_a_row_of_weight_zero_is_no_row(two_classes):
    x, y = two_classes
    kept = np.arange(len(y)) % 3 > 0
    assert_same(quick().fit(x, y, kept.astype(float)), quick().fit(x[kept], y[kept]))


def test_a_weight_of_two_is_a_row_that_stands_there_twice_gaps_and_all():
    # All rows fit one batch: to the bit (docs/estimators.md).
    x = np.array([[1.0], [np.nan], [3.7], [4.1]] * 3) + 0.1 * np.arange(12)[:, None]
    y, weights = np.arange(12) % 2, 1 + np.arange(12) % 2
    twice = np.repeat(np.arange(12), weights)
    order = np.random.default_rng(0).permutation(len(twice))
    assert_same(quick().fit(x, y, weights), quick().fit(x[twice][order], y[twice][order]))


def test_a_warm_start_of_another_network_is_refused(two_classes):
    net = quick(epochs=2, warm_start=True).fit(*two_classes)
    with pytest.raises(SpecError, match="hidden_layer_sizes"):
        net.set_params(hidden_layer_sizes=(9,), epochs=3).fit(*two_classes)


def test_equal_weights_are_no_weights(two_classes):
    x, y = two_classes
    assert_same(quick().fit(x, y, np.full(len(y), 7.0)), quick().fit(x, y))


def test_weights_pull_the_answer_to_their_rows():
    x, y = np.zeros((300, 1)), np.repeat([0.0, 1.0], 150)
    net = quick_values(epochs=40, final_learning_rate=1e-5)
    net.fit(x, y, np.where(y > 0, 3.0, 1.0))
    assert net.predict(x[:1])[0] == pytest.approx(0.75, abs=0.05)  # the weighted mean


def test_dropout_gives_a_spread_that_shrinks_with_it():
    x, y = DIABETES
    spreads = []
    for dropout in (0.02, 0.3):
        net = quick_values(hidden_layer_sizes=(64,), epochs=20, dropout=dropout).fit(x, y)
        mean, spread = net.predict(x, return_std=True, draws=50)
        assert mean.shape == spread.shape == y.shape
        # The mean over the masks is near the answer of the whole network, in units of the spread.
        assert np.abs(mean - net.predict(x)).mean() < spread.mean()
        spreads.append(spread.mean())
    assert spreads[0] < 0.6 * spreads[1]


def test_a_spread_needs_dropout():
    net = quick().fit(*IRIS)
    with pytest.raises(SpecError, match="dropout"):
        net.predict(IRIS[0], return_std=True)


# Epochs.


def test_the_history_has_every_epoch():
    net = quick(early_stopping=True, epochs=9, n_iter_no_change=9).fit(*IRIS)
    assert list(net.history_) == ["loss", "validation_log_loss", "validation_accuracy"]
    assert {len(values) for values in net.history_.values()} == {9}


def test_early_stopping_returns_to_its_best_epoch(two_classes):
    x, y = two_classes
    how = {"epochs": 200, "n_iter_no_change": 5, "learning_rate": 0.02, "final_learning_rate": None}
    net = quick(early_stopping=True, **how).fit(x, y)
    losses = net.history_["validation_log_loss"]
    assert net.n_epochs_ < 200
    assert net.best_epoch_ == int(np.argmin(losses[: net.best_epoch_ + 5])) + 1
    # The same network trained without looking, for so many epochs: the same weights.
    held_out = held_out_rows(y, 0.1, 0)
    rest = np.setdiff1d(np.arange(len(y)), held_out)
    plain = quick(**{**how, "epochs": net.best_epoch_}).fit(x[rest], y[rest])
    assert_same(net, plain)


def test_a_larger_share_held_out_leaves_fewer_rows_to_train_on():
    assert [len(held_out_rows(IRIS[1], share, 0)) for share in (0.1, 0.5)] == [15, 75]


def test_a_warm_start_goes_on_as_if_nothing_had_come_between(two_classes):
    net = quick(epochs=4, warm_start=True).fit(*two_classes)
    net.set_params(epochs=11).fit(*two_classes)
    assert_same(net, quick(epochs=11).fit(*two_classes))
    assert net.n_epochs_ == len(net.history_["loss"]) == 11
    with pytest.warns(ConvergenceWarning, match="nothing is left"):
        net.fit(*two_classes)


def test_partial_fits_of_all_rows_are_the_epochs_of_a_fit(two_classes):
    net = quick()
    for _ in range(6):
        net.partial_fit(*two_classes)
    assert_same(net, quick(epochs=6).fit(*two_classes))


def test_partial_fit_knows_classes_that_come_later():
    x, y = IRIS
    net = quick(epochs=20)
    for _ in range(20):
        net.partial_fit(x[y < 2], y[y < 2], classes=[0, 1, 2])
        net.partial_fit(x[y > 0], y[y > 0])
    assert set(net.predict(x)) == {0, 1, 2}
    with pytest.raises(CuestaError, match="class 7"):
        net.partial_fit(x[:2], [0, 7])


def test_a_warning_about_a_column_points_at_the_line_that_fits():
    table = pd.DataFrame({"size": np.arange(40) % 7, "same": 1.0})
    with pytest.warns(UserWarning, match="same: ") as told:
        quick(epochs=1).fit(table, np.arange(40) % 2)
    assert [Path(each.filename) for each in told] == [Path(__file__)]


def test_a_table_after_an_array_and_an_array_after_a_table_are_refused():
    table = pd.DataFrame({"a": ["x", "y"] * 20, "b": np.arange(40) % 7})
    y = np.arange(40) % 2
    net = quick().partial_fit(np.arange(80.0).reshape(40, 2), y)
    with pytest.raises(CuestaError, match="array again"), pytest.warns(UserWarning, match="names"):
        net.partial_fit(table, y)
    net = quick().partial_fit(table, y)
    with pytest.raises(CuestaError, match="as a table"), pytest.warns(UserWarning, match="names"):
        net.partial_fit(np.arange(80.0).reshape(40, 2), y)


def test_a_fit_that_diverges_leaves_the_one_before():
    net = quick_values().fit(*DIABETES)
    before = net.predict(DIABETES[0])
    with pytest.raises(DivergedError):
        net.set_params(optimizer="sgd", learning_rate=1e3).fit(*DIABETES)
    np.testing.assert_array_equal(net.predict(DIABETES[0]), before)


@pytest.mark.parametrize("draws", [0, 2.5, -1])
def test_draws_that_are_no_number_of_networks_are_named(draws):
    with pytest.raises(SpecError, match="draws"):
        quick(dropout=0.1).fit(*IRIS).predict(IRIS[0], return_std=True, draws=draws)


def test_an_interrupt_keeps_what_was_trained_and_a_warm_start_ends_it(two_classes, monkeypatch):
    spans = fits.train_spans

    def interrupted(*arguments):
        for number, span in enumerate(spans(*arguments)):
            if number == 2:
                raise KeyboardInterrupt
            yield span

    net = quick(epochs=60, warm_start=True)
    with monkeypatch.context() as patched:
        patched.setattr(fits, "train_spans", interrupted)
        with pytest.warns(ConvergenceWarning, match="Interrupted after 32 epochs"):
            net.fit(*two_classes)
    assert net.n_epochs_ == 32
    net.fit(*two_classes)
    assert_same(net, quick(epochs=60).fit(*two_classes))


def test_a_network_that_diverges_says_so_and_leaves_no_model():
    net = quick_values(optimizer="sgd", learning_rate=1e3)
    with pytest.raises(DivergedError, match=r"diverged at step \d+ .sgd, learning_rate 1000"):
        net.fit(*DIABETES)
    assert not hasattr(net, "model_")


def test_a_log_file_hears_of_progress_in_lines(capfd):
    quick(epochs=40, verbose=True).fit(*IRIS)
    told = capfd.readouterr().err
    assert "training 100 %" in told
    assert "left" in told


def test_fits_in_threads_are_those_of_one(two_classes):
    found = {}

    def fit(seed):
        found[seed] = quick(random_state=seed).fit(*two_classes)

    threads = [threading.Thread(target=fit, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, net in found.items():
        assert_same(net, quick(random_state=seed).fit(*two_classes))


# Parameters: each has its effect.

EFFECTS = {
    "hidden_layer_sizes": [(8,), (9,)],
    "activation": ["relu", "tanh"],
    "init": ["he", "uniform"],
    "optimizer": ["adam", "sgd"],
    "learning_rate": [1e-3, 1e-2],
    "final_learning_rate": [None, 1e-6],
    "beta_1": [0.9, 0.5],
    "beta_2": [0.999, 0.9],
    "epsilon": [1e-8, 1e-1],
    "dialect": ["torch", "notes"],
    "dropout": [0.0, 0.3],
    "clip_norm": [None, 1e-9],
    "clip_value": [None, 1e-9],
    "weight_decay": [0.0, 1.0],
    "batch_size": [32, 16],
    "epochs": [6, 7],
    "normalize": ["standard", "minmax"],
    "precision": ["float32", "bfloat16"],
    "label_smoothing": [0.0, 0.2],
    "schedule": ["linear", "cosine"],
    "warmup": [0.0, 0.5],
    "numeric_embedding": ["none", "pbld"],
    "input_scale": [False, True],
    "weight_average": [0.0, 0.9],
    "preset": [None, "tabular"],
    "class_weight": [None, {0: 1.0, 1: 2.0, 2: 1.0}],
    "early_stopping": [False, True],
    "random_state": [0, 1],
}
ELSEWHERE = {  # tested above, or by the other estimator, or by their own optimizer's lanes
    "momentum", "rho", "loss", "validation_fraction", "n_iter_no_change", "warm_start", "verbose",
    "embedding_size", "embedding_frequencies", "embedding_sigma", "embedding_bins",
    "category_embedding", "architecture",
}  # fmt: skip


def test_every_parameter_is_among_these():
    assert set(EFFECTS) | ELSEWHERE == set(MLPClassifier().get_params())
    only = set(MLPRegressor().get_params()) - set(MLPClassifier().get_params())
    assert only == {"huber_delta", "target_transform", "clamp"}


@pytest.mark.parametrize("name", EFFECTS)
def test_parameter_has_its_effect(name):
    one, other = (quick(**{name: value}).fit(*IRIS) for value in EFFECTS[name])
    assert np.abs(one.predict_proba(IRIS[0]) - other.predict_proba(IRIS[0])).max() > 1e-6


@pytest.mark.parametrize(("optimizer", "name"), [("momentum", "momentum"), ("rmsprop", "rho")])
def test_decay_of_an_optimizer_has_its_effect(optimizer, name):
    one, other = (quick(optimizer=optimizer, **{name: v}).fit(*IRIS) for v in (0.5, 0.9))
    assert np.abs(one.predict_proba(IRIS[0]) - other.predict_proba(IRIS[0])).max() > 1e-6


def test_huber_delta_has_its_effect():
    one, other = (quick_values(loss="huber", huber_delta=d).fit(*DIABETES) for d in (0.1, 2.0))
    assert np.abs(one.predict(DIABETES[0]) - other.predict(DIABETES[0])).max() > 1e-3


BAD = {
    "activation": "swish", "init": "zeros", "optimizer": "adm", "dialect": "tf",
    "learning_rate": 0.0, "dropout": 1.5, "batch_size": 0, "epochs": 2.5, "normalize": "ranks",
    "hidden_layer_sizes": (0,), "loss": "huber", "class_weight": {0: -1.0, 1: 1.0, 2: 1.0},
    "validation_fraction": 0.0, "n_iter_no_change": 0, "random_state": "x", "clip_norm": -1.0,
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_parameter_is_named(name):
    with pytest.raises(ValueError, match=name):
        quick(**{"early_stopping": True, name: BAD[name]}).fit(*IRIS)


def test_a_fit_of_the_same_shapes_compiles_nothing_new():
    from cuesta.training.lanes import PROGRAMS

    quick().fit(*IRIS)
    before = PROGRAMS.compiled
    quick(learning_rate=0.02, optimizer="rmsprop", random_state=5).fit(*IRIS)
    assert PROGRAMS.compiled == before


def test_nothing_is_said_where_nothing_is_wrong():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        began = time.perf_counter()
        quick().fit(*IRIS).predict(IRIS[0])
        assert time.perf_counter() - began < 60
