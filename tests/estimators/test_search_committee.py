"""`SearchCV(committee=True)` beside the plain mean of networks that are fitted one by one."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline

from cuesta import MLPClassifier, MLPRegressor, SearchCV
from cuesta.errors import SpecError
from cuesta.estimators import committee, fitting

X, Y = load_breast_cancer(return_X_y=True)
RATES = {"learning_rate": [1e-3, 3e-3, 1e-2]}
SHAPES = RATES | {"hidden_layer_sizes": [(8,), (6, 5)]}
KFOLD = KFold(3, shuffle=True, random_state=0)


def search_of(kind=MLPClassifier, params=RATES, **changes):
    net = kind((8,), epochs=5, random_state=0)
    return SearchCV(net, params, **{"cv": KFOLD, "committee": True, **changes})


@pytest.fixture(scope="module")
def searched():
    return search_of(params=SHAPES).fit(X, Y)


def one_by_one(search, x, y, splits):
    """Weighted mean of the outputs of networks fitted split by split, without the search."""
    total = 0.0
    for number, member in search.committee_.members.items():
        net = clone(search.estimator).set_params(**search.cv_results_["params"][number])
        parts = [clone(net).fit(x[train], y[train])._outputs(x) for train, _ in splits]
        total = total + member.weight * np.mean(parts, axis=0)
    return total


def test_it_is_the_mean_of_networks_fitted_one_by_one(searched):
    expected = one_by_one(searched, X, Y, list(KFOLD.split(X)))
    # The same networks to the bit; the means are summed in another order.
    np.testing.assert_allclose(searched.predict_proba(X), expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(searched.predict(X), expected.argmax(axis=1))
    np.testing.assert_allclose(searched.predict_log_proba(X), np.log(expected), atol=1e-12)


def test_nothing_is_trained_twice(monkeypatch):
    calls, train = [], fitting.train
    monkeypatch.setattr(fitting, "train", lambda *a, **k: calls.append(1) or train(*a, **k))
    search_of(params=SHAPES).fit(X, Y)
    assert len(calls) == 1  # the best one, on all rows


@pytest.mark.slow("a search, and programs of its own")
def test_all_else_is_as_without(searched):
    plain = search_of(params=SHAPES, committee=False).fit(X, Y)
    assert not hasattr(plain, "committee_")
    assert searched.best_params_ == plain.best_params_
    for name in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(searched.cv_results_[name], plain.cv_results_[name])
    np.testing.assert_array_equal(searched.best_estimator_.predict_proba(X), plain.predict_proba(X))


def test_out_of_fold_it_is_no_worse_than_any_candidate(searched):
    splits = list(KFOLD.split(X))
    y = np.concatenate([Y[test] for _, test in splits])

    def out_of_fold(number):
        net = clone(searched.estimator).set_params(**searched.cv_results_["params"][number])
        parts = [clone(net).fit(X[a], Y[a]).predict_proba(X[b]) for a, b in splits]
        return np.concatenate(parts)

    each = [out_of_fold(number) for number in range(searched.n_candidates_)]
    weights = {number: m.weight for number, m in searched.committee_.members.items()}
    mixed = sum(weight * each[number] for number, weight in weights.items())
    assert sum(weights.values()) == pytest.approx(1, abs=1e-12)
    # 1e-9 of a loss: the mean is summed in another order.
    assert log_loss(y, mixed) <= min(log_loss(y, shares) for shares in each) + 1e-9


def test_the_score_is_the_committees(searched):
    assert searched.score(X, Y) == np.mean(searched.predict(X) == Y)
    by_loss = search_of(scoring="neg_log_loss").fit(X, Y)
    assert by_loss.score(X, Y) == pytest.approx(-log_loss(Y, by_loss.predict_proba(X)), rel=1e-9)


def test_it_survives_pickle_and_is_forgotten_by_the_next_fit(searched):
    again = pickle.loads(pickle.dumps(searched))  # noqa: S301 (our own)
    np.testing.assert_array_equal(again.predict_proba(X), searched.predict_proba(X))
    again.set_params(committee=False).fit(X, Y)
    assert not hasattr(again, "committee_")


@pytest.mark.slow("a search, and programs of its own")
def test_candidates_that_come_a_few_at_a_time_give_the_same(monkeypatch):
    monkeypatch.setattr(SearchCV, "_batch", lambda *_: 2)
    monkeypatch.setattr(committee, "MOST_CANDIDATES", 3)
    few = search_of(params=SHAPES).fit(X, Y)
    monkeypatch.setattr(SearchCV, "_batch", lambda *_: 100)
    whole = search_of(params=SHAPES).fit(X, Y)
    assert list(few.committee_.members) == list(whole.committee_.members)
    np.testing.assert_array_equal(few.predict_proba(X), whole.predict_proba(X))
    best = np.argsort(-few.cv_results_["mean_test_score"], kind="stable")[:3]
    assert set(few.committee_.members) <= set(best.tolist())
    monkeypatch.setattr(committee, "MOST_CANDIDATES", 1)
    monkeypatch.setattr(SearchCV, "_batch", lambda *_: 2)
    alone = search_of(params=SHAPES).fit(X, Y)
    assert list(alone.committee_.members) == [alone.best_index_]


@pytest.mark.slow("a search, and programs of its own")
def test_values_of_rows_that_are_predicted_twice_or_never():
    x, y = load_diabetes(return_X_y=True)
    cv = ShuffleSplit(3, test_size=0.3, random_state=0)
    search = search_of(MLPRegressor, cv=cv).fit(x, y)
    expected = one_by_one(search, x, y, list(cv.split(x)))
    assert search.predict(x).shape == y.shape
    np.testing.assert_allclose(search.predict(x), expected[:, 0], rtol=1e-12)


@pytest.mark.slow("a search, and programs of its own")
def test_several_seeds_and_targets():
    x, y = load_diabetes(return_X_y=True)
    search = search_of(MLPRegressor, seeds=[3, 4]).fit(x, np.stack([y, -2 * y], axis=1))
    assert search.predict(x).shape == (len(x), 2)
    assert {len(member.networks) for member in search.committee_.members.values()} == {6}


@pytest.mark.slow("a search, and programs of its own")
def test_a_class_that_some_folds_never_see_keeps_its_place():
    x, y = load_iris(return_X_y=True)
    names = np.array(["a", "b", "c"])[y]
    search = search_of(cv=KFold(3)).fit(x, names)  # in order: each fold lacks a class
    expected = np.zeros((len(x), 3))
    for weight, networks in search.committee_.members.values():
        assert [net.classes_.tolist() for net in networks] == [["b", "c"], ["a", "c"], ["a", "b"]]
        for net in networks:
            for name, share in zip(net.classes_, net.predict_proba(x).T, strict=True):
                expected[:, "abc".index(name)] += weight / 3 * share
    # The same terms in another order.
    np.testing.assert_allclose(search.predict_proba(x), expected, rtol=1e-12, atol=1e-15)
    assert set(search.predict(x)) <= set(names)


@pytest.mark.slow("a search, and programs of its own")
def test_labels_that_may_hold_together():
    x, y = load_iris(return_X_y=True)
    labels = np.stack([y > 0, y > 1], axis=1).astype(int)
    search = search_of().fit(x, labels)
    assert search.predict(x).shape == labels.shape
    assert (search.predict(x) == labels).mean() > 0.7


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"estimator": make_pipeline(MLPClassifier())},
            "needs an estimator of ours",
        ),
        ({"refit": False}, "refit=False leaves none"),
        ({"scoring": ["accuracy", "roc_auc"], "refit": lambda _: 0}, "name one by refit"),
    ],
)
def test_what_it_cannot_do_is_said_in_a_sentence(changes, words):
    search = search_of().set_params(**changes)
    with pytest.raises(SpecError, match=words):
        search.fit(X[:60], Y[:60])


def test_parameters_of_fit_that_it_cannot_take_are_said_too():
    with pytest.raises(SpecError, match="beside sample_weight"):
        search_of().fit(X, Y, validation_set=(X, Y))
