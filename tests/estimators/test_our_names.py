"""scikit-learn's names: those that are the same, those that are not, and what an error says."""

import inspect

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cuesta import MLPClassifier, MLPRegressor, SearchCV
from cuesta.estimators.our_names import OURS

IRIS = load_iris(return_X_y=True)
NETWORKS = pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])


@NETWORKS
@pytest.mark.parametrize("name", ["max_iter", "alpha", "solver", "learning_rate_init", "n_jobs"])
def test_an_error_says_which_of_our_names_is_meant(kind, name):
    ours = OURS[name].split()[0].rstrip(",")
    with pytest.raises(TypeError, match=rf"{kind.__name__} has no parameter '{name}'.*{ours}"):
        kind(**{name: 1})
    with pytest.raises(ValueError, match=rf"no parameter '{name}'.*{ours}"):
        kind().set_params(**{name: 1})


@pytest.mark.parametrize("name", ["n_iter", "n_jobs", "param_grid"])
def test_a_search_says_so_too(name):
    with pytest.raises(TypeError, match=f"SearchCV has no parameter '{name}'"):
        SearchCV(MLPClassifier(), {"dropout": [0.1]}, **{name: 2})


def test_a_value_of_another_name_is_told_too():
    with pytest.raises(ValueError, match=r"'logistic' .* is 'sigmoid' here"):
        MLPClassifier((4,), activation="logistic", epochs=1).fit(*IRIS)
    with pytest.raises(
        ValueError, match=r"'invscaling' .* is final_learning_rate, with a schedule"
    ):
        MLPClassifier((4,), learning_rate="invscaling", epochs=1).fit(*IRIS)
    with pytest.raises(ValueError, match=r"'constant' .* is final_learning_rate=None here"):
        MLPClassifier((4,), learning_rate="constant", epochs=1).fit(*IRIS)


def test_every_name_of_ours_exists():
    taken = set(MLPClassifier().get_params()) | set(inspect.signature(SearchCV).parameters)
    for ours in OURS.values():
        assert ours.split()[0].rstrip(",") in taken
    assert not set(OURS) & taken


def test_other_errors_stay_as_they_are():
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        MLPClassifier(colour="red")
    with pytest.raises(ValueError, match="Invalid parameter 'colour'"):
        MLPClassifier().set_params(colour="red")
    with pytest.raises(TypeError, match="missing 1 required"):
        SearchCV(MLPClassifier())


@pytest.mark.parametrize("search", [SearchCV, GridSearchCV])
def test_a_search_over_a_name_of_scikit_learn_says_which_is_meant(search):
    with pytest.raises(ValueError, match=r"no parameter 'max_iter'.*epochs"):
        search(MLPClassifier(epochs=1), {"max_iter": [3]}, error_score="raise").fit(*IRIS)
    pipe = make_pipeline(StandardScaler(), MLPClassifier())
    with pytest.raises(ValueError, match=r"no parameter 'alpha'.*weight_decay"):
        pipe.set_params(mlpclassifier__alpha=0.1)


@NETWORKS
def test_signature_and_clone_are_as_if_nothing_were_checked(kind):
    assert "hidden_layer_sizes" in inspect.signature(kind).parameters
    net = kind((3,), dropout=0.1)
    assert clone(net).get_params() == net.get_params()


def test_attributes_have_scikit_learns_names_too():
    net = MLPClassifier((4,), epochs=5, random_state=0)
    assert not any(hasattr(net, name) for name in ("loss_curve_", "n_iter_", "best_loss_"))
    net.fit(*IRIS)
    assert net.loss_curve_ == net.history_["loss"]
    assert net.n_iter_ == net.n_epochs_ == 5
    assert net.best_loss_ == min(net.loss_curve_)
    assert net.set_params(early_stopping=True).fit(*IRIS).best_loss_ is None


def test_a_representation_is_a_line():
    how = {"activation": "tanh", "optimizer": "momentum", "learning_rate": 0.02, "dropout": 0.25}
    net = MLPClassifier((16, 16), clip_norm=1.0, early_stopping=True, random_state=0, **how)
    search = SearchCV(net, {"dropout": np.linspace(0, 0.5, 20)}, cv=4, sampler="grid")
    assert "\n" not in repr(net) + repr(search)
    assert repr(net).startswith("MLPClassifier(activation='tanh', ")
    assert eval(repr(net)).get_params() == net.get_params()  # noqa: S307 (our own)
    model = MLPClassifier((4,), epochs=1).fit(*IRIS).model_
    assert repr(model) == "<FittedModel: classification, 4 columns, layers of (4, 4, 3) units>"


def test_verbose_prints_losses(capfd):
    MLPClassifier((4,), epochs=40, verbose=True, early_stopping=True, random_state=0).fit(*IRIS)
    lines = capfd.readouterr().err.splitlines()
    assert all("· loss " in line and "· validation log loss " in line for line in lines)
    assert len(lines) >= 3
