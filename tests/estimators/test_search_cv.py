"""`SearchCV` beside scikit-learn's own searches over our own estimator, one fit at a time."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sklearn
from scipy.stats import loguniform, norm, randint, uniform
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RandomizedSearchCV,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cuesta import MLPClassifier, MLPRegressor, SearchCV
from cuesta.errors import SpecError
from cuesta.estimators import fitting
from cuesta.training import lanes, workers
from cuesta.training.lanes import PROGRAMS

X, Y = load_breast_cancer(return_X_y=True)
IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
RATES = {"learning_rate": [1e-4, 1e-2], "optimizer": ["adam", "sgd"]}


def quick(**changes):
    return MLPClassifier(**{"hidden_layer_sizes": (8,), "epochs": 5, "random_state": 0, **changes})


def quick_values(**changes):
    return MLPRegressor(**{"hidden_layer_sizes": (8,), "epochs": 5, "random_state": 0, **changes})


def assert_same_results(ours, theirs):
    """Same keys, types and values, but for the times."""
    mine, other = ours.cv_results_, theirs.cv_results_
    assert set(other) <= set(mine)
    assert set(mine) - set(other) == {"curves", "outcome"}
    for name, values in other.items():
        if name == "params":
            assert mine[name] == values
        elif "time" not in name:
            assert mine[name].dtype == values.dtype
            np.testing.assert_array_equal(mine[name], values, err_msg=name)
    assert ours.best_params_ == theirs.best_params_
    assert ours.best_index_ == theirs.best_index_


# A lane's result depends on nothing but itself: not only near, the same bits.


@pytest.mark.slow("every search twice, once fit by fit")
@pytest.mark.parametrize(
    ("net", "data", "grid", "how"),
    [
        (quick(), (X, Y), RATES, {"cv": 3}),
        (quick(), IRIS, {"hidden_layer_sizes": [(4,), (6, 5)], "batch_size": [16, 150]}, {"cv": 4}),
        (quick(early_stopping=True, epochs=12), (X, Y), {"dropout": [0.0, 0.2]}, {"cv": 2}),
        (quick(class_weight="balanced"), (X, Y), {"label_smoothing": [0.0, 0.2]}, {"cv": 3}),
        (quick(), (X, Y), {"epochs": [2, 5]}, {"cv": StratifiedShuffleSplit(2, random_state=3)}),
        (quick_values(), DIABETES, {"loss": ["squared", "huber"]}, {"cv": TimeSeriesSplit(3)}),
        (quick_values(), DIABETES, {"normalize": ["standard", "minmax"]},
         {"cv": 3, "scoring": "neg_mean_absolute_error", "return_train_score": True}),
        (quick(), (X, Y), [{"optimizer": ["sgd"]}, {"optimizer": ["adam"], "rho": [0.5, 0.9]}],
         {"cv": 2, "scoring": ["accuracy", "roc_auc", "neg_log_loss"], "refit": "roc_auc"}),
    ],
    ids=["rates", "shapes", "early", "weights", "shuffled", "losses", "values", "scorers"],
)  # fmt: skip
def test_the_results_are_those_of_one_fit_at_a_time(net, data, grid, how):
    ours = SearchCV(net, grid, **how).fit(*data)
    theirs = GridSearchCV(net, grid, **how).fit(*data)
    assert_same_results(ours, theirs)
    np.testing.assert_array_equal(ours.predict(data[0]), theirs.predict(data[0]))


@pytest.mark.slow("several searches")
def test_distributions_are_drawn_as_scikit_learn_draws_them():
    space = {"learning_rate": loguniform(1e-4, 1e-1), "dropout": [0.0, 0.1]}
    ours = SearchCV(quick(), space, n_candidates=5, cv=2, random_state=7).fit(X, Y)
    theirs = RandomizedSearchCV(quick(), space, n_iter=5, cv=2, random_state=7).fit(X, Y)
    assert_same_results(ours, theirs)


@pytest.mark.slow("several searches")
def test_rows_with_gaps_are_encoded_fold_by_fold():
    rng = np.random.default_rng(0)
    holes = X.copy()
    holes[rng.random(X.shape) < 0.02] = np.nan
    holes[:, 1] = X[:, 1]
    holes[5, 1] = np.nan  # so one fold's training rows lack the gap that the others have
    ours = SearchCV(quick(), RATES, cv=3).fit(holes, Y)
    assert_same_results(ours, GridSearchCV(quick(), RATES, cv=3).fit(holes, Y))


@pytest.mark.slow("several searches")
def test_weights_and_groups_reach_those_who_want_them():
    rng = np.random.default_rng(0)
    weight, groups = rng.integers(0, 3, len(Y)).astype(float), rng.integers(0, 9, len(Y))
    with sklearn.config_context(enable_metadata_routing=True):
        net = quick().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        how = {"cv": GroupKFold(3)}
        given = {"sample_weight": weight, "groups": groups}
        ours = SearchCV(net, RATES, **how).fit(X, Y, **given)
        theirs = GridSearchCV(net, RATES, **how).fit(X, Y, **given)
        assert_same_results(ours, theirs)
        other = SearchCV(net, RATES, **how).fit(X, Y, groups=groups)
    assert np.any(other.cv_results_["mean_test_score"] != ours.cv_results_["mean_test_score"])


def test_all_lanes_train_before_the_first_is_scored(monkeypatch):
    chunks = []

    def counted(chunk, *rest):
        chunks.append(len(chunk.lanes))
        return lanes.train_chunk(chunk, *rest)

    monkeypatch.setattr(workers, "train_chunk", counted)
    scored_after = []

    def score(net, x, y):
        scored_after.append(len(chunks))
        return net.score(x, y)

    SearchCV(quick(), {"learning_rate": list(np.geomspace(1e-4, 1e-2, 8))}, cv=3,
             scoring=score).fit(X, Y)  # fmt: skip
    assert sum(chunks) == 24
    assert len(chunks) <= 12  # lanes share chunks
    assert set(scored_after) == {len(chunks)}


def test_several_seeds_are_several_networks_for_each_candidate():
    search = SearchCV(quick(), {"learning_rate": [1e-3, 1e-2]}, cv=2, seeds=[0, 1, 2]).fit(X, Y)
    assert search.n_splits_ == 6
    for candidate in range(2):
        rate = search.cv_results_["params"][candidate]["learning_rate"]
        for seed in range(3):
            alone = GridSearchCV(quick(random_state=seed), {"learning_rate": [rate]}, cv=2).fit(
                X, Y
            )
            for fold in range(2):
                mine = search.cv_results_[f"split{fold * 3 + seed}_test_score"][candidate]
                assert mine == alone.cv_results_[f"split{fold}_test_score"][0]


def test_curves_of_several_seeds_stand_in_the_order_of_the_splits():
    search = SearchCV(quick(), {"learning_rate": [1e-2]}, cv=2, seeds=[0, 1, 2], threads=2)
    found = search.fit(X, Y).cv_results_
    (curves,) = found["curves"]
    scores = [found[f"split{i}_test_score"][0] for i in range(6)]
    assert len(set(scores)) > 3  # so that another order would show
    np.testing.assert_allclose(curves["validation_accuracy"][:, -1], scores, atol=1e-6)


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
def test_a_generator_gives_each_fold_the_network_that_was_trained_for_it(make, monkeypatch):
    ours = SearchCV(quick(random_state=make(3)), RATES, cv=2, refit=False)
    with monkeypatch.context() as patched:
        patched.setattr(fitting, "train", lambda *_, **__: pytest.fail("trained on the spot"))
        ours.fit(X, Y)
    theirs = GridSearchCV(quick(random_state=make(3)), RATES, cv=2, refit=False).fit(X, Y)
    assert_same_scores(ours, theirs)


@pytest.mark.slow("several searches")
def test_tpe_learns_from_wave_to_wave():
    space = {"learning_rate": loguniform(1e-7, 1e-1), "hidden_layer_sizes": [(4,), (8,)],
             "dropout": uniform(0, 0.2), "epochs": randint(3, 6)}  # fmt: skip
    search = SearchCV(quick(), space, sampler="tpe", n_candidates=40, cv=2, random_state=0)
    rates = np.array([each["learning_rate"] for each in search.fit(X, Y).cv_results_["params"]])
    assert search.n_candidates_ == 40
    # Later waves look where it went well; the first draws evenly over six decades.
    assert np.median(rates[24:]) > 10 * np.median(rates[:16])
    with pytest.raises(SpecError, match="norm"):
        SearchCV(quick(), {"learning_rate": norm(1, 1)}, sampler="tpe", cv=2).fit(X, Y)


def test_curves_and_outcomes_are_there_for_each_candidate():
    grid = {"learning_rate": [1e-2, 1e4], "optimizer": ["sgd"]}
    with pytest.warns(FitFailedWarning, match="1 of 2 candidates .* diverged at step"):
        search = SearchCV(quick(), grid, cv=3).fit(X, Y)
    trained, diverged = search.cv_results_["outcome"]
    assert trained == "trained"
    assert diverged.startswith("diverged at step")
    assert np.isnan(search.cv_results_["mean_test_score"][1])
    curves = search.cv_results_["curves"][0]
    assert curves["loss"].shape == curves["validation_accuracy"].shape == (3, 5)
    # The last point of a fold's curve is the score that the fold got.
    last = [search.cv_results_[f"split{i}_test_score"][0] for i in range(3)]
    np.testing.assert_allclose(curves["validation_accuracy"][:, -1], last, atol=1e-6)


def test_fit_times_are_those_of_training():
    search = SearchCV(quick(), {"epochs": [1, 200]}, cv=2).fit(X, Y)
    times = search.cv_results_["mean_fit_time"]
    assert times[1] > times[0] > 0


def test_an_executor_of_the_users_own_trains_the_same():
    with ThreadPoolExecutor(3) as pool:
        one = SearchCV(quick(), RATES, cv=2, executor=pool).fit(X, Y)
    other = SearchCV(quick(), RATES, cv=2, threads=1).fit(X, Y)
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"]
    )


def test_a_random_state_makes_it_the_same_again():
    runs = [
        SearchCV(quick(random_state=None), RATES, cv=2, random_state=s).fit(X, Y) for s in (1, 1, 2)
    ]
    scores = [run.cv_results_["mean_test_score"] for run in runs]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert np.any(scores[0] != scores[2])


def test_a_second_search_of_the_same_shapes_compiles_nothing():
    SearchCV(quick(), RATES, cv=3).fit(X, Y)
    before = PROGRAMS.compiled
    SearchCV(quick(), {"learning_rate": [1e-3, 2e-3], "optimizer": ["adam", "sgd"]}, cv=3).fit(X, Y)
    assert PROGRAMS.compiled == before


def test_splits_may_be_given_as_a_generator():
    given = SearchCV(quick(), RATES, cv=KFold(3).split(X)).fit(X, Y)
    listed = SearchCV(quick(), RATES, cv=list(KFold(3).split(X))).fit(X, Y)
    assert_same_scores(given, listed)


def assert_same_scores(one, other):
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"]
    )


def test_a_refit_may_be_a_function_of_several_scores():
    how = {"cv": 2, "scoring": ["accuracy", "f1"], "refit": lambda results: 1}
    search = SearchCV(quick(), RATES, **how).fit(X, Y)
    assert search.best_index_ == 1
    assert search.best_params_ == GridSearchCV(quick(), RATES, **how).fit(X, Y).best_params_


def test_tpe_asks_which_of_several_scores_it_learns_from():
    with pytest.raises(SpecError, match="refit"):
        SearchCV(quick(), RATES, cv=2, sampler="tpe", n_candidates=3, refit=False,
                 scoring=["accuracy", "f1"]).fit(X, Y)  # fmt: skip


def test_a_pipeline_is_searched_one_fit_at_a_time():
    pipe = make_pipeline(StandardScaler(), quick())
    grid = {"mlpclassifier__learning_rate": [1e-4, 1e-2]}
    ours = SearchCV(pipe, grid, cv=2).fit(X, Y)
    theirs = GridSearchCV(pipe, grid, cv=2).fit(X, Y)
    np.testing.assert_array_equal(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"]
    )


def test_it_can_be_cloned_pickled_shown_and_scored():
    search = SearchCV(quick(), RATES, cv=2, scoring=make_scorer(mean_absolute_error)).fit(X, Y)
    assert not hasattr(clone(search), "best_params_")
    again = pickle.loads(pickle.dumps(search))  # noqa: S301 (our own bytes)
    np.testing.assert_array_equal(search.predict(X), again.predict(X))
    assert "SearchCV" in search._repr_html_()
    assert search.score(X, Y) == search.scorer_(search.best_estimator_, X, Y)


BAD = [
    ({"sampler": "bayes"}, "sampler"),
    ({"n_candidates": 0, "sampler": "random"}, "n_candidates"),
    ({"seeds": []}, "seeds"),
    ({"seeds": [-1]}, "seeds"),
    ({"random_state": "x"}, "random_state"),
]


@pytest.mark.parametrize(("how", "culprit"), BAD)
def test_a_bad_argument_is_named(how, culprit):
    with pytest.raises(ValueError, match=culprit):
        SearchCV(quick(), RATES, cv=2, **how).fit(X, Y)


def test_a_grid_over_a_range_is_refused():
    with pytest.raises(SpecError, match="list for each parameter"):
        SearchCV(quick(), {"dropout": uniform(0, 1)}, sampler="grid", cv=2).fit(X, Y)


def test_a_candidate_that_cannot_be_fitted_is_told_apart():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        search = SearchCV(quick(), {"activation": ["relu", "swish"]}, cv=2).fit(X, Y)
    assert list(search.cv_results_["outcome"]) == ["trained", "could not be fitted"]
    assert search.best_params_ == {"activation": "relu"}
    assert any("could not be fitted" in str(each.message) for each in told)
    with pytest.raises(ValueError, match="swish"):
        SearchCV(quick(), {"activation": ["swish"]}, cv=2, error_score="raise").fit(X, Y)
