"""Training that goes on: weights, optimizer, normalization, classes and curves are one state."""

import pickle
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_class_weight

import cuesta
from cuesta import MLPClassifier, MLPRegressor
from cuesta.data.scale import Scaling, fit_input_scaling, fit_scaling
from cuesta.errors import ModelFileError, SpecError, TableError
from cuesta.estimators import seen as seen_module
from cuesta.estimators.fitting import LASTING
from cuesta.estimators.seen import input_scaling_of, merged, scaling_of, statistics
from cuesta.estimators.targets import class_factors, read_classes
from cuesta.hyperparameters import PARAMETERS

CANCER = load_breast_cancer(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 4)) * [1.0, 30.0, 0.1, 5.0] + [0.0, 7.0, 1.0, -2.0]
R = X @ np.array([1.0, 0.1, 30.0, 0.0]) + 5.0


def quick(**changes):
    return MLPClassifier(**{"hidden_layer_sizes": (8,), "epochs": 6, "random_state": 0, **changes})


def quick_values(**changes):
    how = {"hidden_layer_sizes": (8,), "epochs": 6, "random_state": 0, "learning_rate": 0.02}
    return MLPRegressor(**{**how, **changes})


def weights(net):
    return [leaf for layer in net.model_.layers for leaf in layer]


def assert_same(one, other):
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


# Through a file.


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_loaded_network_reads_a_tables_text_as_before(tmp_path):
    rows = range(80)
    table = pd.DataFrame({"price": [f"${1000 + 7 * i:,.2f}" for i in rows]})
    table["size"] = [
        "unknown" if i % 40 == 7 else str(i) for i in rows
    ]  # a word for what is missing
    y = np.arange(80) % 2
    net = quick().fit(table, y)
    net.save(tmp_path / "net.safetensors")
    again = cuesta.load(tmp_path / "net.safetensors")
    assert_same(net.partial_fit(table, y), again.partial_fit(table, y))


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"optimizer": "momentum"},
        {"optimizer": "sgd", "dropout": 0.2},
        {"early_stopping": True},
        {"weight_average": 0.9},
        {"weight_average": 0.9, "early_stopping": True, "schedule": "coslog4"},
        {"optimizer": "optax.adam"},
    ],
)
def test_a_loaded_network_goes_on_as_if_it_had_never_been_saved(how, tmp_path):
    if "optax" in how.get("optimizer", ""):
        pytest.importorskip("optax")
    net = quick(warm_start=True, epochs=9, **how).fit(*CANCER)
    net.save(tmp_path / "net.safetensors")
    again = cuesta.load(tmp_path / "net.safetensors")
    for each in (net, again):
        each.set_params(epochs=14).fit(*CANCER)
        each.partial_fit(CANCER[0][:50], CANCER[1][:50])
    assert_same(net, again)
    np.testing.assert_equal(again.history_, net.history_)  # NaN is NaN here
    assert again.n_epochs_ == 15


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_pickled_network_goes_on_with_its_average(early_stopping):
    how = {"weight_average": 0.9, "early_stopping": early_stopping, "warm_start": True}
    net = quick(**how).fit(*CANCER)
    again = pickle.loads(pickle.dumps(net))  # noqa: S301 (our own)
    for each in (net, again):
        each.set_params(epochs=9).fit(*CANCER)
    assert_same(net, again)


def test_epochs_in_two_calls_are_those_of_one_with_an_average_too():
    # At a constant rate: with a decay the two would have other schedules.
    net = quick(weight_average=0.9, warm_start=True).fit(*CANCER)
    net.set_params(epochs=12).fit(*CANCER)
    assert_same(net, quick(weight_average=0.9, epochs=12).fit(*CANCER))


def test_a_loaded_network_goes_on_with_a_table_and_a_normalization_that_follows(tmp_path):
    table = pd.DataFrame({"size": X[:, 1], "kind": ["a", "b", "c"] * 32})
    net = quick_values().partial_fit(table[:20], R[:20])
    net.save(tmp_path / "net.safetensors")
    again = cuesta.load(tmp_path / "net.safetensors")
    for each in (net, again):
        each.partial_fit(table, R)
    assert_same(net, again)


def test_a_file_without_the_state_predicts_and_says_that_it_cannot_go_on(tmp_path):
    from tests.estimators.test_storage import FILES

    net = cuesta.load(FILES / "classifier.safetensors")
    with pytest.raises(SpecError, match="file"):
        net.partial_fit(*load_iris(return_X_y=True))
    with pytest.raises(SpecError, match="file"):
        net.set_params(warm_start=True).fit(*load_iris(return_X_y=True))


def test_a_state_that_does_not_fit_its_model_is_refused(tmp_path):
    from tests.estimators.test_storage import rewritten

    quick().fit(*CANCER).save(tmp_path / "net.safetensors")
    harms = {
        "no seed": lambda spec: spec["estimator"]["state"].pop("seed"),
        "a best epoch": lambda spec: spec["estimator"]["state"].update(best=[1, 0.5]),
        "a list": lambda spec: spec["estimator"].update(state=[1]),
        "kinds": lambda spec: spec["estimator"].update(kinds=[["a"]]),
    }
    for harm in harms.values():
        path = rewritten(tmp_path / "net.safetensors", tmp_path / "bad.safetensors", harm)
        with pytest.raises(ModelFileError, match="does not describe"):
            cuesta.load(path)


# What does not fit.


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_layer_sizes": (9,)},
        {"normalize": "minmax"},
        {"optimizer": "sgd"},
        {"dialect": "keras"},
        {"activation": "tanh"},
        {"architecture": "resnet"},
        {"numeric_embedding": "plr"},
        {"embedding_size": 4},
        {"embedding_frequencies": 4},
        {"embedding_bins": 4},
        {"category_embedding": "learned"},
        {"input_scale": True},
        {"weight_average": 0.5},
    ],
)
@pytest.mark.parametrize("warm", [False, True])
def test_another_network_is_refused_by_the_parameter_that_makes_it_so(change, warm):
    net = quick(warm_start=True).partial_fit(*CANCER).set_params(**change)
    before = [leaf.copy() for leaf in weights(net)]
    with pytest.raises(SpecError, match=next(iter(change))):
        net.fit(*CANCER) if warm else net.partial_fit(*CANCER)
    for a, b in zip(before, weights(net), strict=True):
        np.testing.assert_array_equal(a, b)


MAY_CHANGE = {
    *("init", "embedding_sigma"),  # of the first weights
    *("learning_rate", "final_learning_rate", "schedule", "warmup", "momentum", "rho", "beta_1"),
    *("beta_2", "epsilon", "dropout", "clip_norm", "clip_value", "weight_decay", "batch_size"),
    *("precision", "loss", "label_smoothing", "huber_delta", "epochs"),
}


def test_every_hyper_parameter_stays_or_may_change():
    assert not MAY_CHANGE & set(LASTING)
    assert MAY_CHANGE | set(LASTING) == set(PARAMETERS)


@pytest.mark.parametrize("change", [{"target_transform": "log"}, {"clamp": True}])
def test_the_scale_of_the_targets_stays(change):
    net = quick_values().partial_fit(X, R).set_params(**change)
    with pytest.raises(SpecError, match=next(iter(change))):
        net.partial_fit(X, R)


def test_classes_stay_those_of_the_first_call():
    net = quick().partial_fit(*CANCER, classes=[0, 1]).partial_fit(*CANCER, classes=[1, 0])
    for other in ([0, 1, 2], [0], ["0", "1"]):
        with pytest.raises(SpecError, match="first call"):
            net.partial_fit(*CANCER, classes=other)


def test_a_target_of_other_columns_is_refused():
    net = quick_values().partial_fit(X, R)
    with pytest.raises(TableError, match="y has 2 columns, and the first fit had 1"):
        net.partial_fit(X, np.column_stack([R, R]))


# Normalization.


@pytest.mark.parametrize("method", ["standard", "minmax", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_merged_statistics_normalize_as_all_rows_together(method, weighted):
    x = np.column_stack([X, np.arange(96) % 2, np.full(96, 3.0), np.full(96, np.nan)])
    x[::5, 0] = np.nan
    each = np.where(np.arange(96) % 3, 1.0, 2.5) if weighted else None
    parts = [slice(0, 1), slice(1, 10), slice(10, 96)]
    found = None
    for part in parts:
        more = statistics(x[part], None if each is None else each[part])
        found = more if found is None else merged(found, more)
    wanted = fit_scaling(x, method, each)
    # Sums in another order: a few roundings of 1e-16.
    np.testing.assert_allclose(scaling_of(found, method).shift, wanted.shift, rtol=1e-12)
    np.testing.assert_allclose(scaling_of(found, method).scale, wanted.scale, rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("cuts", [(1, 10), (40, 41), (95,), (1, 2, 3, 4), tuple(range(30, 96))])
def test_merged_statistics_know_rare_rows_as_all_rows_together_do(cuts, weighted):
    # Zeros but for one row in the middle, three at the end, and one at either end.
    x = np.zeros((96, 4))
    x[40, 0], x[-3:, 1], x[[5, -1], 2], x[:, 3] = 5, [1, 7, 9], 4, X[:, 0]
    each = np.where(np.arange(96) % 3, 1.0, 2.5) if weighted else None
    parts = [slice(a, b) for a, b in pairwise([0, *cuts, 96])]
    found = statistics(x[parts[0]], None if each is None else each[parts[0]])
    for part in parts[1:]:
        found = merged(found, statistics(x[part], None if each is None else each[part]))
    wanted = fit_input_scaling(x, "standard", each)
    assert (wanted.scale[:3] > 2 * fit_scaling(x, "standard", each).scale[:3]).all()
    mine = input_scaling_of(found, "standard")
    # Sums in another order: a few roundings of 1e-16.
    np.testing.assert_allclose(mine.scale, wanted.scale, rtol=1e-12)


def test_statistics_of_rare_rows_come_back_from_a_file(tmp_path):
    x = np.column_stack([X[:20], np.arange(20) == 3]) * 2
    net = quick_values().partial_fit(x, R[:20])
    net.save(tmp_path / "net.safetensors")
    found = cuesta.load(tmp_path / "net.safetensors")
    assert found._seen.inputs.own.tolist() == net._seen.inputs.own.tolist()
    assert net._seen.inputs.own[-1] == 19


@pytest.mark.parametrize("normalize", ["standard", "minmax", "none"])
@pytest.mark.parametrize("first", [1, 2, 20])
def test_a_small_first_batch_does_not_fix_the_normalization(normalize, first):
    x = X / [1.0, 30.0, 0.1, 5.0]  # which can be learned from without any normalization
    net = quick_values(normalize=normalize).partial_fit(x[:first], R[:first])
    for _ in range(60):
        net.partial_fit(x, R)
    # Under the normalization of a single row every column would stay constant, and R² at 0.
    assert net.score(x, R) > 0.85
    until_enough = [x[:first], *[x] * -(-(seen_module.ENOUGH - first) // 96)]
    wanted = fit_scaling(np.concatenate(until_enough), normalize).scale
    np.testing.assert_allclose(net.model_.inputs.scale, wanted, rtol=1e-9)


def test_a_column_that_is_constant_at_first_is_learned_from_later():
    first = X.copy()
    first[:, 2] = 0.0
    rows = np.tile(np.arange(96), 3)  # more rows than are ENOUGH
    net = quick_values().partial_fit(first[rows], R[rows])
    assert net.model_.inputs.scale[2] == 0
    for _ in range(60):
        net.partial_fit(X, R)
    assert net.score(X, R) > 0.8  # without the column 0.5


def test_the_network_is_the_same_function_before_and_after_its_normalization_moves(monkeypatch):
    first = X[:30].copy()
    first[:, 2] = 1.5
    net = quick_values().partial_fit(first, R[:30]).partial_fit(first, R[:30])
    before = net.predict(first)
    moved = {}
    train = cuesta.estimators.base.train

    def watched(recipe, rows, resume, **more):
        moved["point"] = resume
        return train(recipe, rows, resume, **more)

    monkeypatch.setattr(cuesta.estimators.base, "train", watched)
    net.set_params(learning_rate=1e-30).partial_fit(X, R)
    assert moved["point"].inputs.scale[2] > 0
    assert moved["point"].targets.scale[0] == pytest.approx(
        R[[*range(30), *range(30), *range(96)]].std()
    )
    # Weights are float32: 6e-8 of the largest terms, whose sum is in units of the target.
    np.testing.assert_allclose(net.predict(first), before, atol=1e-4 * R.std())


def test_a_code_for_missing_values_in_a_later_batch_decides_no_scale():
    later = X.copy()
    later[[3, 50], 0] = -9999.0
    net = quick_values().partial_fit(X[:20], R[:20]).partial_fit(later, R)
    near = np.concatenate([X[:20, 0], np.delete(X[:, 0], [3, 50])])
    assert net.model_.inputs.scale[0] == pytest.approx(near.std(), rel=1e-9)
    np.testing.assert_array_equal(
        net.predict(later), net.predict(np.where(later < -999, np.nan, later))
    )


def test_enough_rows_settle_the_normalization():
    net = quick_values().partial_fit(*DIABETES)
    before = net.model_.inputs
    net.partial_fit(DIABETES[0][:50] * 3, DIABETES[1][:50])
    assert isinstance(before, Scaling)
    np.testing.assert_array_equal(net.model_.inputs.scale, before.scale)
    np.testing.assert_array_equal(net.model_.inputs.shift, before.shift)
    assert len(DIABETES[0]) > seen_module.ENOUGH


def test_partial_fits_of_few_rows_again_are_the_epochs_of_a_fit():
    net = quick_values()
    for _ in range(5):
        net.partial_fit(X[:60], R[:60])
    assert_same(net, quick_values(epochs=5).fit(X[:60], R[:60]))


# Steps and classes.


def test_an_optimizer_counts_its_steps_over_batches_of_any_size():
    # Adam divides by 1 − βᵏ: after many steps by 1, whatever the number of rows of a call.
    net = quick_values(learning_rate=1e-3)
    for _ in range(30):
        net.partial_fit(X, R)  # three steps each
    assert net._resume_point.steps == 90
    net.partial_fit(X[:4], R[:4])
    assert net._resume_point.steps == 91
    assert net.n_epochs_ == 31


def test_balanced_weights_count_the_classes_of_all_calls():
    y = np.array([0] * 30 + [1] * 10)
    learned = read_classes(y)
    all_rows = compute_class_weight("balanced", classes=np.array([0, 1]), y=y)
    np.testing.assert_array_equal(
        class_factors("balanced", learned, np.array([30.0, 10.0])), all_rows
    )
    net = quick(class_weight="balanced").partial_fit(X[:40], y, classes=[0, 1])
    net.partial_fit(X[:30], y[:30])
    np.testing.assert_array_equal(net._seen.classes, [60.0, 10.0])


# Early stopping.


@pytest.mark.parametrize("patience", [1, 3, 5])
def test_early_stopping_ends_where_its_patience_does(patience):
    how = {"early_stopping": True, "learning_rate": 0.05, "n_iter_no_change": patience}
    net = quick(epochs=200, **how).fit(*CANCER)
    losses = net.history_["validation_log_loss"]
    assert net.n_epochs_ == len(losses) == net.best_epoch_ + patience < 200
    assert net.best_epoch_ == int(np.argmin(losses)) + 1
    assert net._resume_point.epochs == net.n_epochs_


def test_more_patience_goes_on_to_what_it_would_have_been_at_once():
    how = {"early_stopping": True, "learning_rate": 0.05, "epochs": 200, "warm_start": True}
    net = quick(n_iter_no_change=2, **how).fit(*CANCER)
    with pytest.warns(ConvergenceWarning, match="n_iter_no_change"):
        net.fit(*CANCER)
    net.set_params(n_iter_no_change=9).fit(*CANCER)
    whole = quick(n_iter_no_change=9, **how).fit(*CANCER)
    assert_same(net, whole)
    assert net.history_ == whole.history_


def test_after_early_stopping_training_goes_on_from_the_weights_that_were_kept():
    net = quick(early_stopping=True, epochs=60, learning_rate=0.05).fit(*CANCER)
    before = net.predict_proba(CANCER[0])
    net.set_params(learning_rate=1e-30).partial_fit(*CANCER)
    np.testing.assert_array_equal(net.predict_proba(CANCER[0]), before)
    assert len(net.history_["validation_log_loss"]) == net.n_epochs_
    assert np.isnan(net.history_["validation_log_loss"][-1])


def test_early_stopping_can_begin_after_many_epochs():
    net = quick(warm_start=True, learning_rate=1e-3)
    for _ in range(20):
        net.partial_fit(*CANCER)
    net.set_params(early_stopping=True, n_iter_no_change=3, epochs=25).fit(*CANCER)
    assert net.best_epoch_ > 20
