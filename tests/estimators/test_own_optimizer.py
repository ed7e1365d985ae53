"""An estimator takes an optimizer of the user's own: a function that makes it from a rate."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV

import cuesta
from cuesta import MLPClassifier, SearchCV
from cuesta.errors import SpecError
from tests.estimators.own_optimizer import MADE, doubled_sgd

IRIS = load_iris(return_X_y=True)
GRID = {"optimizer": ["adam", doubled_sgd], "learning_rate": [1e-3, 1e-2]}


def quick(**changes):
    how = {"hidden_layer_sizes": (8,), "epochs": 5, "random_state": 0, "learning_rate": 0.01}
    return MLPClassifier(**{**how, "optimizer": doubled_sgd, **changes})


def test_it_trains_by_its_own_rule():
    own, same = quick().fit(*IRIS), quick(optimizer="sgd", learning_rate=0.02).fit(*IRIS)
    # Two compiled programs of the same mathematics in float32, over 25 steps.
    np.testing.assert_allclose(own.history_["loss"], same.history_["loss"], rtol=1e-5)
    np.testing.assert_allclose(
        own.predict_proba(IRIS[0]), same.predict_proba(IRIS[0]), rtol=0, atol=1e-5
    )


def test_it_can_be_cloned_pickled_and_trained_on():
    net = quick(warm_start=True).fit(*IRIS)
    assert clone(net).optimizer is doubled_sgd
    again = pickle.loads(pickle.dumps(net))  # noqa: S301 (our own bytes)
    again.set_params(epochs=9).fit(*IRIS)
    whole = quick(epochs=9).fit(*IRIS)
    np.testing.assert_array_equal(again.predict_proba(IRIS[0]), whole.predict_proba(IRIS[0]))


def test_a_search_over_it_has_the_results_of_one_fit_at_a_time():
    ours = SearchCV(quick(), GRID, cv=3).fit(*IRIS)
    theirs = GridSearchCV(quick(), GRID, cv=3).fit(*IRIS)
    np.testing.assert_array_equal(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"]
    )
    assert ours.best_params_ == theirs.best_params_


def test_two_optimizers_of_one_name_are_not_confused_in_a_search():
    def named(factor):
        def mine(learning_rate):
            return cuesta.optim.sgd(factor * learning_rate)

        mine.__qualname__ = "mine"
        return mine

    net = quick(optimizer="sgd")
    ours = SearchCV(net, {"optimizer": [named(1.0), named(0.01)]}, cv=2, refit=False)
    scores = ours.fit(*IRIS).cv_results_["mean_test_score"]
    assert scores[0] > scores[1]


@pytest.mark.slow("starts a process")
def test_a_spawned_process_trains_it():
    here = SearchCV(quick(), GRID, cv=2, refit=False)
    before = len(MADE)
    here.fit(*IRIS)
    assert len(MADE) > before  # threads of this process make it here
    before = len(MADE)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        there = SearchCV(quick(), GRID, cv=2, refit=False, executor=pool).fit(*IRIS)
    assert len(MADE) == before
    for mine, theirs in zip(here.cv_results_["curves"], there.cv_results_["curves"], strict=True):
        np.testing.assert_array_equal(mine["loss"], theirs["loss"])
    np.testing.assert_array_equal(
        here.cv_results_["mean_test_score"], there.cv_results_["mean_test_score"]
    )


def test_a_file_cannot_hold_it_but_the_model_can_be_saved(tmp_path):
    net = quick().fit(*IRIS)
    with pytest.raises(SpecError, match=r"^optimizer is .*doubled_sgd.*model_\.save") as error:
        net.save(tmp_path / "net.safetensors")
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())
    net.model_.save(tmp_path / "model.safetensors")
    model = cuesta.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(model.decide(IRIS[0]), net.predict_proba(IRIS[0]))


def test_a_function_without_a_name_of_its_own_is_refused():
    def local(learning_rate):
        return doubled_sgd(learning_rate)

    with pytest.raises(SpecError, match="optimizer"):
        quick(optimizer=local).fit(*IRIS)
