"""The estimators' hyper-parameters are the candidate's, and a preset stands in for defaults."""

import inspect

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV

import cuesta
from cuesta import MLPClassifier, MLPRegressor, SearchCV
from cuesta.errors import SpecError
from cuesta.estimators.parameters import candidate_of, values_of
from cuesta.hyperparameters import PARAMETERS, Candidate
from cuesta.search import portfolio
from cuesta.search.portfolio import TableSize
from tests.training.test_hyperparameters import EFFECTS

IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
NOT_ITS_OWN = {
    MLPClassifier: {"huber_delta", "target_transform", "clamp"},
    MLPRegressor: {"label_smoothing"},
}
NETWORKS = pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
SIZE = TableSize(1000, 5, "classification")
OTHER = {  # than the defaults
    "hidden_layer_sizes": (6, 5),
    "activation": "tanh",
    "optimizer": "rmsprop",
    "learning_rate": 0.01,
    "schedule": "cosine",
    "dropout": 0.1,
    "normalize": "minmax",
    "epochs": 7,
}
SMALL = {**OTHER, "batch_size": lambda table: 200 if table.rows < 300 else 64}


@pytest.fixture
def small(monkeypatch):
    """A preset of a network that trains in no time."""
    monkeypatch.setattr(portfolio, "COMMON", {})  # what all of the portfolio have
    monkeypatch.setattr(portfolio, "PRESET_TABULAR", SMALL)


def weights(net):
    return [leaf for layer in net.model_.layers for leaf in layer]


def assert_same(one, other):
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


# Without a preset.


@NETWORKS
def test_the_hyper_parameters_are_the_candidates_and_so_are_their_defaults(kind):
    taken = inspect.signature(kind).parameters
    assert set(PARAMETERS) - set(taken) == NOT_ITS_OWN[kind]
    assert candidate_of(values_of(kind(), SIZE)) == Candidate()


@NETWORKS
@pytest.mark.parametrize("name", sorted(set(EFFECTS) - {"epochs"}))
def test_each_reaches_the_candidate(kind, name):
    if name in NOT_ITS_OWN[kind]:
        pytest.skip("it is not this estimator's")
    for value in EFFECTS[name][1:]:
        assert getattr(candidate_of(values_of(kind(**{name: value}), SIZE)), name) == value


def test_the_epochs_are_the_fits_and_not_the_candidates():
    net = MLPClassifier((4,), epochs=3, random_state=0).fit(*IRIS)
    assert net.model_.candidate.epochs is None
    assert net.n_epochs_ == 3


# With one.


@NETWORKS
def test_a_preset_stands_in_for_all_that_is_left_at_its_default(kind, small):
    found = values_of(kind(preset="tabular"), SIZE)
    assert found == {**values_of(kind(), SIZE), **OTHER, "batch_size": 64}
    assert set(found) == set(PARAMETERS) - NOT_ITS_OWN[kind]


@NETWORKS
def test_what_a_user_sets_wins_over_the_preset(kind, small):
    own = {"hidden_layer_sizes": [3], "batch_size": np.int64(16), "epochs": 2, "dropout": 0.5}
    found = values_of(kind(preset="tabular", **own), SIZE)
    assert {name: found[name] for name in own} == {**own, "hidden_layer_sizes": (3,)}
    assert found["activation"] == "tanh"


@NETWORKS
def test_a_learning_rate_of_ones_own_falls_by_the_presets_share(kind, monkeypatch):
    monkeypatch.setattr(portfolio, "PRESET_TABULAR", {"learning_rate": 0.01, "final_ratio": 0.25})
    assert values_of(kind(preset="tabular"), SIZE)["final_learning_rate"] == 0.0025
    own = kind(preset="tabular", learning_rate=0.001)
    assert values_of(own, SIZE)["final_learning_rate"] == 0.00025  # not above the first rate
    own.set_params(final_learning_rate=0.1)
    assert values_of(own, SIZE)["final_learning_rate"] == 0.1


@NETWORKS
def test_what_a_preset_says_nothing_of_stays(kind, monkeypatch):
    monkeypatch.setattr(portfolio, "COMMON", {"schedule": "cosine"})
    monkeypatch.setattr(portfolio, "PRESET_TABULAR", {"dropout": 0.3, "batch_size": 32})
    plain = kind(dropout=0.3, schedule="cosine")
    assert values_of(kind(preset="tabular"), SIZE) == values_of(plain, SIZE)


@pytest.mark.parametrize(
    ("kind", "data"), [(MLPClassifier, IRIS), (MLPRegressor, DIABETES)], ids=["classes", "numbers"]
)
def test_a_preset_trains_what_its_values_train(kind, data, small):
    by_name = kind(preset="tabular", random_state=0).fit(*data)
    # 200: all of iris in one batch, so that equal rows are joined by it.
    size = 200 if len(data[0]) < 300 else 64
    by_hand = kind(**OTHER, batch_size=size, random_state=0).fit(*data)
    assert_same(by_name, by_hand)
    assert by_name.history_ == by_hand.history_


@NETWORKS
def test_the_parameters_stay_as_they_were_given(kind, small, tmp_path):
    net = kind(preset="tabular", dropout=0.2, random_state=0)
    given = net.get_params()
    assert given["hidden_layer_sizes"] == (64, 64)
    assert clone(net).get_params() == given
    net.fit(*IRIS).save(tmp_path / "net.safetensors")
    again = cuesta.load(tmp_path / "net.safetensors")
    assert again.get_params() == net.get_params() == given
    assert again.model_.candidate == net.model_.candidate
    assert "preset='tabular'" in repr(net)


def test_a_network_of_a_preset_goes_on(small, tmp_path):
    net = MLPClassifier(preset="tabular", warm_start=True, random_state=0).fit(*IRIS)
    net.save(tmp_path / "net.safetensors")
    again = cuesta.load(tmp_path / "net.safetensors")
    for each in (net, again):
        each.set_params(epochs=9).fit(*IRIS).partial_fit(*IRIS)
        assert each.n_epochs_ == 10
    assert_same(net, again)


@pytest.mark.parametrize("preset", ["tabula", 1, True])
def test_a_preset_that_there_is_not_is_refused(preset):
    with pytest.raises(SpecError, match=r"preset .* is unknown.*tabular"):
        MLPClassifier(preset=preset, epochs=1).fit(*IRIS)


@pytest.mark.slow("two searches, one of them fit by fit")
def test_a_search_takes_a_preset_as_any_other_parameter(small):
    grid = {"preset": [None, "tabular"], "batch_size": [32, 16]}
    net = MLPClassifier((8,), epochs=4, random_state=0)
    ours, theirs = (search(net, grid, cv=3).fit(*IRIS) for search in (SearchCV, GridSearchCV))
    np.testing.assert_array_equal(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"]
    )


@pytest.mark.slow("the networks of the preset are as large as they are")
@pytest.mark.parametrize(
    ("net", "data", "least"),
    [
        (MLPClassifier(preset="tabular", random_state=0), IRIS, 0.93),  # the default has 0.97
        (MLPRegressor(preset="tabular", random_state=0), DIABETES, 0.4),  # linear regression: 0.52
        (
            MLPClassifier(preset="tabular", random_state=0),
            (IRIS[0], (IRIS[0][:, :2] > [5.8, 3.0]).astype(int)),
            0.8,
        ),
    ],
    ids=["classes", "numbers", "labels"],
)
def test_the_true_preset_learns(net, data, least):
    assert net.fit(*data).score(*data) > least
