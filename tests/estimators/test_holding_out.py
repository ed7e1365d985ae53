"""Which rows stop the training: drawn, by a splitter, or of one's own."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    TimeSeriesSplit,
    train_test_split,
)

from cuesta import MLPClassifier, MLPRegressor, SearchCV, load
from cuesta.data.folds import hold_out
from cuesta.errors import SpecError, TableError
from cuesta.estimators.fitting import train
from cuesta.estimators.holding_out import held_out_rows

CANCER = load_breast_cancer(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)


def quick(**changes):
    how = {"hidden_layer_sizes": (8,), "epochs": 30, "random_state": 0, "early_stopping": True}
    return MLPClassifier(**{**how, **changes})


def weights(net):
    return [leaf for layer in net.model_.layers for leaf in layer]


def assert_same(one, other):
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


# Drawn rows.


@given(
    counts=st.lists(st.integers(1, 30), min_size=2, max_size=6),
    share=st.floats(0.05, 0.6),
    seed=st.integers(0, 99),
)
@settings(max_examples=80, deadline=None)
def test_each_class_trains_and_those_that_can_be_are_on_both_sides(counts, share, seed):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    held = max(1, round(share * len(y)))
    if held >= len(y) - len(counts):
        return
    out = np.array(held_out_rows(y, share, seed))
    train = np.delete(np.arange(len(y)), out)
    assert set(y[train]) == set(y)
    several = {c for c, count in enumerate(counts) if count > 1}
    if held >= len(several) and min(counts) * share >= 1:
        assert set(y[out]) >= several


def test_where_each_class_has_rows_enough_the_draw_is_that_of_hold_out():
    x, y = CANCER
    assert held_out_rows(y, 0.1, 3, x) == tuple(hold_out(y, 0.1, 3).validation.tolist())


def test_copies_of_a_row_are_on_one_side():
    x, y = CANCER
    drawn = np.random.default_rng(0).integers(len(y), size=len(y))  # as bagging draws rows
    x, y, names = np.where(x[drawn] > 1e3, np.nan, x[drawn]), y[drawn], drawn
    out = np.array(held_out_rows(y, 0.2, 0, x))
    train = np.delete(np.arange(len(y)), out)
    assert not set(names[out]) & set(names[train])
    assert 0.15 < len(out) / len(y) < 0.25


def test_rows_of_few_values_are_copies_by_nature_and_drawn_as_ever():
    x = np.random.default_rng(0).integers(2, size=(200, 3)).astype(float)
    y = x[:, 0].astype(int)
    assert held_out_rows(y, 0.1, 0, x) == held_out_rows(y, 0.1, 0)


def test_bagging_trains_each_network_on_rows_that_its_validation_does_not_have(monkeypatch):
    seen = []

    def watched(recipe, rows, *more, **how):
        out = np.array(recipe.held_out)
        rest = np.delete(rows.x, out, axis=0)
        seen.append((set(map(bytes, rows.x[out])), set(map(bytes, rest))))
        return train(recipe, rows, *more, **how)

    monkeypatch.setattr("cuesta.estimators.fitting.train", watched)
    x, y = CANCER
    BaggingClassifier(quick(epochs=2), n_estimators=3, random_state=0).fit(x, y)
    assert len(seen) == 3
    assert all(out and not out & rest for out, rest in seen)


# Rows of one's own.


@pytest.mark.parametrize("names", [True, False])
def test_own_rows_decide_when_training_ends_and_teach_nothing(names):
    x, v, y, w = train_test_split(*CANCER, random_state=0)
    own = {"X_val": v, "y_val": w} if names else {"validation_set": (v, w)}
    net = quick(epochs=200, learning_rate=0.02, n_iter_no_change=5).fit(x, y, **own)
    losses = net.history_["validation_log_loss"]
    assert net.n_epochs_ == net.best_epoch_ + 5 == len(losses)
    plain = quick(early_stopping=False, epochs=net.best_epoch_, learning_rate=0.02).fit(x, y)
    assert_same(net, plain)
    shares = net.predict_proba(v)[np.arange(len(w)), w]
    # The scores in training are float32 sums.
    assert min(losses) == pytest.approx(-np.log(shares).mean(), rel=1e-4)


def test_own_rows_without_early_stopping_are_scored_alone():
    x, v, y, w = train_test_split(*DIABETES, random_state=0)
    net = MLPRegressor((8,), epochs=12, random_state=0).fit(x, y, validation_set=(v, w))
    plain = MLPRegressor((8,), epochs=12, random_state=0).fit(x, y)
    assert_same(net, plain)
    error = np.sqrt(np.mean((net.predict(v) - w) ** 2))
    assert net.history_["validation_rmse"][-1] == pytest.approx(error, rel=1e-4)
    assert len(net.history_["validation_rmse"]) == 12


def test_own_rows_may_be_a_table_weighted_few_and_balanced():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.normal(size=60), "kind": ["a", "b", "c"] * 20})
    y = np.where(table["size"] + rng.normal(size=60) > 0, "yes", "no")
    net = quick(class_weight="balanced", batch_size=64)
    net.fit(table[:40], y[:40], validation_set=(table[40:], y[40:], np.arange(20.0)))
    alone = quick(class_weight="balanced", batch_size=64, early_stopping=False)
    assert_same(net, alone.set_params(epochs=net.best_epoch_).fit(table[:40], y[:40]))
    with pytest.raises(TableError, match="maybe"):
        net.fit(table[:40], y[:40], validation_set=(table[40:], ["maybe"] * 20))


@pytest.mark.parametrize(
    "own", [{"X_val": CANCER[0]}, {"validation_set": CANCER[0]}, {"validation_set": (1,)},
            {"validation_set": CANCER, "X_val": 1, "y_val": 1}],
)  # fmt: skip
def test_half_a_validation_set_is_refused(own):
    with pytest.raises(SpecError, match="validation_set"):
        quick().fit(*CANCER, **own)


def test_a_search_takes_own_rows_too():
    x, v, y, w = train_test_split(*CANCER, random_state=0)
    found = [
        kind(quick(epochs=5), {"learning_rate": [1e-3, 1e-2]}, cv=2).fit(
            x, y, validation_set=(v, w)
        )
        for kind in (SearchCV, GridSearchCV)
    ]
    means = [one.cv_results_["mean_test_score"] for one in found]
    np.testing.assert_array_equal(*means)


# Splitters.


def test_a_splitter_in_order_holds_out_the_last_rows():
    x, y = DIABETES
    own = MLPRegressor((8,), epochs=20, early_stopping=True, random_state=0)
    net = own.set_params(validation_fraction=TimeSeriesSplit(5)).fit(x, y)
    last = len(y) - len(y) // 6
    given = own.set_params(validation_fraction=0.1)
    given.fit(x[:last], y[:last], validation_set=(x[last:], y[last:]))
    assert net.history_ == given.history_


def test_a_splitter_keeps_groups_together_and_weightless_rows_out():
    x, y = CANCER
    side = np.where(np.arange(len(y)) // 50 % 4 == 0, 0, -1)
    weights = (np.arange(len(y)) % 5 > 0).astype(float)
    net = quick(validation_fraction=PredefinedSplit(side)).fit(x, y, weights)
    trains, kept = side < 0, weights > 0
    own = quick().fit(
        x[trains & kept], y[trains & kept], validation_set=(x[~trains & kept], y[~trains & kept])
    )
    assert net.history_ == own.history_


def test_a_splitter_in_a_search_is_that_of_each_fit():
    how = {"validation_fraction": KFold(4), "epochs": 8}
    grids = [
        kind(quick(**how), {"dropout": [0.0, 0.1]}, cv=3).fit(*CANCER)
        for kind in (SearchCV, GridSearchCV)
    ]
    np.testing.assert_array_equal(*[g.cv_results_["mean_test_score"] for g in grids])


@pytest.mark.parametrize(
    "splitter",
    [
        TimeSeriesSplit(3, gap=5),
        ShuffleSplit(1, test_size=0.2, train_size=0.3),
        PredefinedSplit(np.zeros(10)),
        PredefinedSplit(np.full(569, -1)),
        KFold(10_000),
    ],
)
def test_a_splitter_that_does_not_part_the_rows_is_refused(splitter):
    with pytest.raises(SpecError, match="validation_fraction"):
        quick(validation_fraction=splitter).fit(*CANCER)


def test_a_batch_of_one_row_needs_no_rows_that_validate():
    net = quick().partial_fit(CANCER[0][:1], CANCER[1][:1], classes=[0, 1])
    net.set_params(validation_fraction=KFold(3)).partial_fit(CANCER[0][:1], CANCER[1][:1])
    assert net.n_epochs_ == 2


def test_a_network_with_a_splitter_can_be_saved_and_says_what_is_lost(tmp_path):
    net = quick(validation_fraction=KFold(4), epochs=3).fit(*CANCER)
    with pytest.warns(UserWarning, match="validation_fraction") as told:
        net.save(tmp_path / "net.safetensors")
    assert told[0].filename == __file__
    again = load(tmp_path / "net.safetensors")
    assert again.validation_fraction == 0.1
    np.testing.assert_array_equal(again.predict(CANCER[0]), net.predict(CANCER[0]))


def test_the_curves_of_a_search_end_in_gaps_where_its_splits_stopped_early():
    net = quick(epochs=80, learning_rate=0.05, n_iter_no_change=3)
    curves = SearchCV(net, {"dropout": [0.0]}, cv=3).fit(*CANCER).cv_results_["curves"][0]
    scores = curves["validation_log_loss"]
    ended = np.isfinite(scores).sum(axis=1)
    assert scores.shape[1] == max(ended) < 80
    for split, end in zip(scores, ended, strict=True):
        assert np.isfinite(split[:end]).all()
        assert int(np.argmin(split[:end])) + 1 == end - 3
