"""Estimators of networks with embeddings, residual layers and a learned scale."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV

import cuesta
from cuesta import MLPClassifier, MLPRegressor, SearchCV
from cuesta.estimators.seen import ENOUGH

IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
FRONTS = [
    {"numeric_embedding": "plr", "embedding_size": 3, "embedding_frequencies": 4},
    {"numeric_embedding": "piecewise", "embedding_size": 3, "embedding_bins": 4},
    {"category_embedding": "learned", "input_scale": True},
    {"architecture": "resnet", "normalize": "quantile"},
]
NAMES = ["plr", "piecewise", "learned", "resnet"]


def quick(**changes):
    return MLPClassifier(**{"hidden_layer_sizes": (8,), "epochs": 5, "random_state": 0, **changes})


def table(rows=240, seed=0):
    """A number with a gap here and there, a city of twelve, and a mark."""
    rng = np.random.default_rng(seed)
    city = rng.integers(0, 12, rows)
    found = pd.DataFrame(
        {
            "size": rng.normal(50, 10, rows),
            "city": [f"city {c}" for c in city],
            "new": rng.choice([True, False], rows),
        }
    )
    y = 0.1 * found["size"].to_numpy() + 2.0 * (city % 3)
    found.loc[::19, "size"] = np.nan
    return found, y


def weights(net):
    return [leaf for layer in net.model_.layers for leaf in layer]


@pytest.mark.slow("two searches, one of them fit by fit")
@pytest.mark.parametrize(
    ("net", "data", "grid"),
    [
        (quick(), IRIS, {"numeric_embedding": ["none", "plr", "pbld", "piecewise"],
                         "learning_rate": [1e-3, 1e-2]}),
        (quick(numeric_embedding="plr", embedding_frequencies=4), IRIS,
         {"embedding_sigma": [0.1, 1.0], "normalize": ["standard", "minmax"]}),
        (MLPRegressor((8, 8), epochs=4, random_state=0), DIABETES,
         {"architecture": ["mlp", "resnet"], "activation": ["relu", "silu"],
          "input_scale": [False, True]}),
        (MLPRegressor((8,), epochs=4, random_state=0), table(),
         {"category_embedding": ["one-hot", "learned"], "numeric_embedding": ["none", "plr-lite"]}),
    ],
    ids=["embeddings", "numbers of one", "layers", "table"],
)  # fmt: skip
def test_a_grid_over_the_network_has_the_scores_of_one_fit_at_a_time(net, data, grid):
    ours, theirs = (search(net, grid, cv=3).fit(*data) for search in (SearchCV, GridSearchCV))
    for split in range(3):
        name = f"split{split}_test_score"
        np.testing.assert_array_equal(ours.cv_results_[name], theirs.cv_results_[name])
    assert len(set(ours.cv_results_["mean_test_score"])) > len(grid)  # the parameters act
    np.testing.assert_array_equal(ours.predict(data[0]), theirs.predict(data[0]))


@pytest.mark.parametrize("how", FRONTS, ids=NAMES)
def test_a_table_with_text_is_learned_saved_and_gone_on_with(how, tmp_path):
    x, y = table()
    net = MLPRegressor((16,), epochs=40, learning_rate=0.01, random_state=0, **how).fit(x, y)
    assert net.score(x, y) > 0.9
    net.save(tmp_path / "net.safetensors")
    again = cuesta.load(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(again.predict(x), net.predict(x))
    for each in (net, again):
        each.partial_fit(x, y)
    for a, b in zip(weights(net), weights(again), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_text_of_many_levels_has_an_embedding_and_an_array_has_none():
    x, y = table()
    net = MLPRegressor((4,), epochs=1, category_embedding="learned", random_state=0)
    assert net.fit(x, y).model_.layers[0][0].shape == (12, 8)
    assert len(net.fit(*DIABETES).model_.layers) == 2


def test_rows_of_one_batch_are_a_set_with_embeddings_too():
    x, y = IRIS
    how = {"batch_size": 512, "numeric_embedding": "pbld", "input_scale": True}
    again = np.random.default_rng(0).permutation(np.repeat(np.arange(150), 2))
    once = quick(**how).fit(x, y, sample_weight=np.full(150, 2.0))
    twice = quick(**how).fit(x[again], y[again])
    for a, b in zip(weights(once), weights(twice), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("how", [FRONTS[0], {"normalize": "robust"}])
def test_normalization_that_no_layer_can_follow_stays_that_of_the_first_rows(how):
    x, y = DIABETES
    net = MLPRegressor((8,), epochs=3, random_state=0, **how).partial_fit(x[:40], y[:40])
    before = net.model_.inputs
    assert len(x[:40]) < ENOUGH
    net.partial_fit(x, y)
    np.testing.assert_array_equal(net.model_.inputs.scale, before.scale)
    np.testing.assert_array_equal(net.model_.inputs.shift, before.shift)


def test_the_normalization_of_a_residual_network_follows_and_leaves_the_function(monkeypatch):
    x, y = DIABETES
    net = MLPRegressor((8, 8), architecture="resnet", random_state=0, learning_rate=1e-30)
    net.partial_fit(x[:40], y[:40])
    before, shift = net.predict(x[:40]), net.model_.inputs.shift
    net.partial_fit(x, y)
    assert np.abs(net.model_.inputs.shift - shift).max() > 0
    # Weights are float32: 6e-8 of the largest terms, whose sum is in units of the target.
    np.testing.assert_allclose(net.predict(x[:40]), before, atol=1e-4 * y.std())
