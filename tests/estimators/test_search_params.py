"""What a search takes as its candidates: lists, distributions, ranges; and what it refuses."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.datasets import load_iris
from sklearn.model_selection import RandomizedSearchCV

from cuesta import MLPClassifier, SearchCV
from cuesta.errors import SpecError, WorkersError
from cuesta.estimators.search_cv import SAMPLERS
from cuesta.training import workers

IRIS = load_iris(return_X_y=True)
NET = MLPClassifier((4,), epochs=2, random_state=0)


def searched(params, **how):
    search = SearchCV(NET, params, **{"n_candidates": 5, "cv": 2, "random_state": 3, **how})
    return search.fit(*IRIS).cv_results_["params"]


@pytest.mark.parametrize("make", [lambda: 3, lambda: np.random.RandomState(3)])
def test_random_candidates_are_those_of_scikit_learn(make):
    space = {"learning_rate": loguniform(1e-3, 1.0)}
    theirs = RandomizedSearchCV(NET, space, n_iter=4, cv=2, random_state=make()).fit(*IRIS)
    mine = searched(space, n_candidates=4, random_state=make())
    assert mine == theirs.cv_results_["params"]


def test_a_generator_draws_candidates_that_can_be_repeated():
    space = {"learning_rate": loguniform(1e-3, 1.0)}
    found = [searched(space, random_state=np.random.default_rng(s)) for s in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("sampler", ["auto", "random", "tpe"])
def test_a_range_is_drawn_from(sampler):
    space = {
        "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
        "dropout": {"low": 0.1, "high": 0.3},
        "weight_decay": {"low": 0.25, "high": 0.25},
    }
    found = searched(space, sampler=sampler, n_candidates=12)
    assert len(found) == 12
    rates = [one["learning_rate"] for one in found]
    assert all(1e-4 <= rate <= 1e-1 for rate in rates)
    assert sum(rate < 1e-2 for rate in rates) > 3  # evenly in the logarithm: two in three
    assert all(0.1 <= one["dropout"] <= 0.3 for one in found)
    assert {one["weight_decay"] for one in found} == {0.25}


def test_a_range_is_the_distribution_of_scipy():
    assert searched({"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}) == searched(
        {"learning_rate": loguniform(1e-4, 1e-1)}
    )


BAD = {
    "text": ({"optimizer": "adam"}, "'optimizer' must be a list"),
    "a number": ({"learning_rate": 1e-3}, "'learning_rate' must be a list"),
    "nothing": ({"learning_rate": []}, "'learning_rate' must be a list"),
    "no upper end": ({"dropout": {"low": 0.1}}, "range of dropout has low"),
    "another key": ({"dropout": {"low": 0.1, "high": 0.2, "step": 1}}, "range of dropout has low"),
    "the wrong way": ({"dropout": {"low": 0.3, "high": 0.1}}, "range of dropout low must not"),
    "a logarithm of 0": (
        {"dropout": {"low": 0, "high": 1, "log": True}},
        "range of dropout low must be above 0",
    ),
    "whole numbers": ({"batch_size": {"low": 8, "high": 64}}, "'batch_size' takes whole"),
    "no dict": ("adam", "params must be a dict"),
    "no dict in a list": ([{"dropout": [0.1]}, 3], "params must be a dict"),
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_values_that_are_no_list_are_refused_before_anything_is_trained(what, sampler, monkeypatch):
    monkeypatch.setattr(workers, "train_chunk", None)
    params, told = BAD[what]
    with pytest.raises(SpecError, match=told):
        searched(params, sampler=sampler)


def test_tpe_tries_each_combination_once():
    lists = {"learning_rate": [1e-3, 1e-2], "hidden_layer_sizes": [[4], [5]]}
    found = searched(lists, sampler="tpe", n_candidates=16)
    assert len(found) == 4
    assert all(found.count(one) == 1 for one in found)


def test_processes_that_fork_are_refused_at_once():
    with (
        ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool,
        pytest.raises(WorkersError, match="fork"),
    ):
        searched({"learning_rate": [1e-3]}, executor=pool)
