"""The main job as estimators: the command's result, whatever the table is made of."""

import json
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import cuesta
from cuesta import TabularClassifier, TabularRegressor
from cuesta.data.folds import Sealed
from cuesta.errors import ModelFileError, RunFolderError, SpecError, TableError
from cuesta.model import Calibration, FoldResiduals, Member, load_model
from cuesta.search.space import Choice, Range, Space
from tests.estimators.test_storage import rewritten

SPACE = {
    "hidden_layer_sizes": [[8]],
    "learning_rate": {"low": 1e-2, "high": 3e-2, "log": True},
    "batch_size": [16],
}
SPACE_FILE = """
hidden_layer_sizes = [[8]]
learning_rate = {low = 1e-2, high = 3e-2, log = true}
batch_size = [16]
"""
SMALL = {
    "space": SPACE,
    "candidates": 2,
    "folds": 2,
    "epochs": 4,
    "instruments": "off",
    "baselines": False,
}
PASSING = ("seconds", "test_openings", "versions")


def classifier(**changes):
    return TabularClassifier(**{**SMALL, **changes})


def regressor(**changes):
    return TabularRegressor(**{**SMALL, **changes})


def penguins(rows=90, seed=0):
    """Columns of every kind, with gaps; the class and the weight can be learned from them."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, rows)
    length = 40 + 5 * kind + rng.standard_normal(rows)
    island = np.array(["Biscoe", "Dream", "Torgersen"])[(kind + (rng.random(rows) < 0.2)) % 3]
    days = rng.integers(0, 700, rows)
    return pl.DataFrame(
        {
            "length": pl.Series(np.where(rng.random(rows) < 0.1, np.nan, length)).fill_nan(None),
            "island": island,
            "kind": np.array(["Adelie", "Chinstrap", "Gentoo"])[kind],
            "adult": rng.random(rows) < 0.5,
            "seen": pl.Series(np.datetime64("2023-01-01") + days).cast(pl.Date),
            "weight": 1e6 + 100 * kind + 100 * rng.standard_normal(rows),
        }
    )


ROWS = penguins()
X, Y = ROWS.drop("kind"), ROWS["kind"]
NUMBERS = X.select("length", "weight").to_numpy()


@pytest.fixture(scope="module")
def fitted():
    return classifier().fit(X, Y)


def told(summary):
    """What a result tells, but for what may differ between two runs that find the same."""
    plain = json.loads(json.dumps(summary))
    return {name: value for name, value in plain.items() if name not in PASSING}


@pytest.mark.slow("starts the command and trains")
@pytest.mark.parametrize(
    ("kind", "target", "ending", "as_given"),
    [
        (TabularClassifier, "kind", ".parquet", lambda frame: frame),
        (TabularClassifier, "kind", ".csv", lambda frame: frame.to_pandas()),
        (TabularRegressor, "weight", ".csv", lambda frame: frame),
        (TabularRegressor, "weight", ".parquet", lambda frame: frame.to_arrow()),
    ],
)
def test_the_result_is_the_commands_to_the_bit(kind, target, ending, as_given, tmp_path):
    path = tmp_path / f"X{ending}"  # the table is named X in Python
    ROWS.write_csv(path) if ending == ".csv" else ROWS.write_parquet(path)
    (tmp_path / "space.toml").write_text(SPACE_FILE)
    given = ["--space", "space.toml", "--candidates", "3", "--epochs", "6", "--folds", "3"]
    command = [sys.executable, "-m", "cuesta", "fit", str(path), "--target", target, "--seed", "5"]
    done = subprocess.run(
        [*command, *given, "--out", "run", "--json"], check=True, cwd=tmp_path, capture_output=True
    )
    net = kind(space=SPACE, candidates=3, epochs=6, folds=3, random_state=5, test_size=0.2)
    inputs = ROWS.drop(target)
    net.fit(as_given(inputs), ROWS[target])
    assert told(net.summary_) == told(json.loads(done.stdout))
    predicted = load_model(tmp_path / "run" / "model.safetensors").predict(inputs)
    assert net.model_.predict(inputs).equals(predicted)


@pytest.mark.parametrize(
    "as_given",
    [
        lambda frame: frame.to_pandas(),
        lambda frame: frame.to_arrow(),
        lambda frame: frame.lazy(),
        lambda frame: frame.to_pandas().astype({"island": "category", "adult": "boolean"}),
    ],
    ids=["pandas", "pyarrow", "lazy", "categories"],
)
def test_a_table_of_any_library_gives_the_same_bits(as_given, fitted):
    net = classifier().fit(as_given(X), Y.to_list())
    assert net.feature_names_in_.tolist() == X.columns
    np.testing.assert_array_equal(net.predict_proba(as_given(X)), fitted.predict_proba(X))


def test_an_array_of_numbers_is_as_a_table_of_them():
    net = classifier().fit(NUMBERS, Y)
    table = pl.DataFrame(dict(zip(("a", "b"), NUMBERS.T, strict=True)))
    shares = classifier().fit(table, Y).predict_proba(table)
    np.testing.assert_array_equal(net.predict_proba(NUMBERS), shares)
    with pytest.warns(UserWarning, match="feature names"):
        np.testing.assert_array_equal(net.predict_proba(table), shares)
    assert not hasattr(net, "feature_names_in_")


def test_columns_are_those_of_the_fit(fitted):
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(X.rename({"length": "size"}))
    with pytest.raises(ValueError, match="same order"):
        fitted.predict(X.select(reversed(X.columns)))
    with pytest.raises(TableError, match="X is an array"):
        fitted.predict(np.zeros((2, 5)))


CODES = np.unique(Y.to_numpy(), return_inverse=True)[1]
LABELS = {
    "text": np.array(["a", "b", "c"]),
    "whole numbers": np.array([7, 8, 300]),
    "numbers": np.array([1.0, 2.0, 7.0]),
    "large whole numbers": 2**60 + np.arange(3),
    "text that is numbers": np.array(["10", "8", "9"]),
    "words among numbers": np.array(["1", "2", "low"]),
    "text that may mean missing": np.array(["NA", "None", "nan"], object),
    "text that differs in case": np.array(["Good ", "good", "other"]),
    "days": np.array(["2024-01-01", "2024-02-01", "2025-01-01"], "datetime64[D]"),
}


@pytest.mark.parametrize("what", LABELS)
def test_labels_come_back_as_they_were(what, tmp_path):
    labels = LABELS[what]
    net = classifier(epochs=20).fit(X, labels[CODES])
    np.testing.assert_array_equal(net.classes_, labels)
    # The classes can be learned: shares in another order than the classes would not fit them.
    assert net.score(X, labels[CODES]) > 0.6
    shares = net.predict_proba(X)
    np.testing.assert_array_equal(labels[shares.argmax(axis=1)], net.predict(X))
    net.save(tmp_path / "net.safetensors")
    again = cuesta.load(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(again.classes_, net.classes_)
    np.testing.assert_array_equal(again.predict(X), net.predict(X))
    np.testing.assert_array_equal(again.predict_proba(X), shares)


def test_the_names_of_labels_change_no_bit_of_the_shares(fitted):
    for labels in ("text", "text that may mean missing", "whole numbers"):
        net = classifier().fit(X, LABELS[labels][CODES])
        np.testing.assert_array_equal(net.predict_proba(X), fitted.predict_proba(X))


def test_booleans_are_classes():
    net = classifier().fit(X, CODES > 0)
    assert net.classes_.tolist() == [False, True]
    assert net.predict(X).dtype == bool


def test_a_target_is_named_as_y_is_and_never_as_a_column():
    assert classifier().fit(X, Y).model_.target.names == ("kind",)
    assert classifier().fit(X, Y.to_list()).model_.target.names == ("y",)
    assert classifier().fit(X, Y.alias("island")).model_.target.names == ("island_",)
    two = pd.DataFrame({"size": NUMBERS[:, 1], "twice": 2 * NUMBERS[:, 1]})
    net = regressor().fit(X, two)
    assert net.model_.target.names == ("size", "twice")
    assert net.predict(X).shape == (90, 2)


def test_a_row_without_a_target_is_refused():
    for gap in (None, np.nan):
        with pytest.raises(ValueError, match=r"y (has no value|contains NaN)"):
            classifier().fit(X, [gap, *Y[1:].to_list()])
    with pytest.raises(TableError, match="in 2 rows"):
        classifier().fit(X, pl.Series([None, None, *Y[2:]]))
    with pytest.raises(TableError, match="missing"):
        classifier(missing="Adelie").fit(X, Y)
    with pytest.raises(TableError, match="missing"):
        regressor(missing=[-9]).fit(X, np.where(CODES > 0, -9, NUMBERS[:, 1]))


def test_several_labels_a_row_are_refused():
    with pytest.raises(TableError, match="several labels"):
        classifier().fit(X, np.eye(3, dtype=int)[CODES])


# --- parameters -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"folds": 1}, "folds must be at least 2"),
        ({"folds": "5"}, "folds must be a whole number"),
        ({"candidates": 0}, "candidates must be"),
        ({"epochs": 2.5}, "epochs must be"),
        ({"threads": 0}, "threads must be"),
        ({"outer": 1, "protocol": "nested"}, "outer must be at least 2"),
        ({"model": "both"}, "model 'both'"),
        ({"choose": "one_se"}, "did you mean 'one-se'"),
        ({"threshold": "half"}, "threshold 'half'"),
        ({"threshold": [0.5]}, "threshold must be"),
        ({"costs": 3}, "costs must be two numbers"),
        ({"costs": ("a", "b")}, "costs must be two numbers"),
        ({"test_size": 1}, "test_size must be"),
        ({"test_size": "a"}, "test_size must be"),
        ({"metric": "rmse"}, "metric 'rmse'"),
        ({"metric": "acuracy"}, "metric 'acuracy'"),
        ({"protocol": "grouped"}, r"\(groups\)"),
        ({"sampler": "grid"}, "list of values for learning_rate"),
        ({"space": {"epoch": [1]}}, "parameter 'epoch'"),
        ({"space": {}}, "space must be a dict"),
        ({"space": {"adam": {"optimizer": ["sgd"]}}}, "in space must not"),
        ({"columns": {"island": "text"}}, "kind 'text'"),
        ({"columns": {"ilsand": "category"}}, "did you mean 'island'"),
        ({"drop": "ilsand"}, "did you mean 'island'"),
        ({"random_state": -1}, "random_state must be"),
        ({"decimal": ";"}, "decimal ';'"),
        ({"instruments": "all"}, "instruments 'all'"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(changes, sentence):
    with pytest.raises((SpecError, TableError), match=sentence):
        classifier(**changes).fit(X, Y)


def test_a_name_of_scikit_learn_leads_to_ours():
    with pytest.raises(TypeError, match="here it is epochs"):
        TabularClassifier(max_iter=3)
    with pytest.raises(ValueError, match="here it is threads"):
        TabularRegressor().set_params(n_jobs=2)


def test_a_space_may_be_a_dict_or_a_file_or_a_space(tmp_path, fitted):
    (tmp_path / "space.toml").write_text(SPACE_FILE)
    made = {
        "hidden_layer_sizes": Choice(((8,),)),
        "learning_rate": Range(1e-2, 3e-2, True),
        "batch_size": Choice((16,)),
    }
    with_tuples = SPACE | {"hidden_layer_sizes": [(8,)], "batch_size": np.array([16])}
    for space in (str(tmp_path / "space.toml"), tmp_path / "space.toml", Space(made), with_tuples):
        net = classifier(space=space).fit(X, Y)
        np.testing.assert_array_equal(net.predict_proba(X), fitted.predict_proba(X))


def test_kinds_of_columns_may_be_given_in_several_ways():
    wide = X.with_columns(code=pl.Series(CODES + 1), word=pl.Series(["none", "left", "out"] * 30))
    ways = ({"code": "category", "word": "drop"}, ["code=category", "word=drop"])
    for columns in ways:
        net = classifier(columns=columns).fit(wide, Y)
        kinds = {feature.name: feature.kind for feature in net.model_.encoder.features}
        assert kinds["code"] == "category"
        assert "word" not in kinds
    assert "word" not in classifier(drop=["word"]).fit(wide, Y).model_.encoder.columns


def test_a_seed_makes_a_fit_repeatable(fitted):
    same = classifier(random_state=0).fit(X, Y)
    np.testing.assert_array_equal(same.predict_proba(X), fitted.predict_proba(X))
    other = classifier(random_state=1).fit(X, Y)
    assert not np.array_equal(other.predict_proba(X), fitted.predict_proba(X))
    drawn = [
        classifier(random_state=np.random.default_rng(seed)).fit(X, Y).predict_proba(X)
        for seed in (3, 3)
    ]
    np.testing.assert_array_equal(*drawn)


def test_rows_of_a_group_stay_on_one_side():
    groups = np.repeat(np.arange(30), 3)
    net = classifier(protocol="grouped").fit(X, Y, groups=groups)
    for fold in net.result_.task.feed.folds[:-1]:
        assert len(fold.validation)
        assert not set(groups[fold.train]) & set(groups[fold.validation])
    assert net.model_.encoder.columns == X.columns  # the groups are no input
    with pytest.raises(SpecError, match="protocol='grouped'"):
        classifier().fit(X, Y, groups=groups)
    with pytest.raises(ValueError, match="inconsistent"):
        classifier(protocol="grouped").fit(X, Y, groups=groups[1:])


def test_the_kind_of_model_is_chosen():
    committee = classifier(model="committee").fit(X, Y)
    assert committee.summary_["model"] == "committee"
    assert classifier(model="single").fit(X, Y).summary_["model"] == "single"


def test_what_chooses_may_be_any_metric():
    # 0.5 is chance; the log-loss, by whose curve the epochs are chosen, is about 0.3.
    assert 0.75 < classifier(metric="roc_auc").fit(X, CODES > 0).cv_score_ <= 1
    net = regressor(metric="neg_median_absolute_error").fit(X, ROWS["weight"])
    assert net.summary_["metric"] == "neg_median_absolute_error"


def test_a_threshold_decides_between_two_classes():
    for low, labels in ((0.05, ["a", "b"]), (0.05, ["8", "10"]), (0.05, [False, True])):
        y = np.array(labels)[(CODES > 0).astype(int)]
        net = classifier(threshold=low).fit(X, y)
        second = net.predict_proba(X)[:, net.classes_.tolist().index(labels[1])]
        np.testing.assert_array_equal(net.predict(X) == labels[1], second >= low)
    # A miss that costs 9 times a false alarm: a tenth is enough to sound it, or near it.
    net = classifier(costs=(1, 9)).fit(X, CODES > 0)
    assert net.model_.calibration.threshold < 0.5


def test_by_the_nested_protocol_every_row_is_tested():
    net = classifier(protocol="nested", outer=2).fit(X, Y, groups=np.repeat(np.arange(30), 3))
    assert net.summary_["rows"]["training"] == 90
    assert net.summary_["test"] is not None


# --- what a fit leaves ------------------------------------------------------------------------


def test_what_a_fit_tells_is_one_story(fitted):
    best = fitted.leaderboard_.row(0, named=True)
    assert best["mean"] == fitted.summary_["cv_mean"]
    assert fitted.cv_score_ == fitted.summary_["models"][fitted.summary_["model"]]["cv_mean"]
    assert best["learning_rate"] == fitted.best_params_["learning_rate"]
    assert fitted.leaderboard_["mean"].is_sorted()
    assert fitted.summary_["rows"] == {"training": 90, "test": 0}
    assert fitted.summary_["test"] is None
    assert isinstance(classifier().fit(X.to_pandas(), Y).leaderboard_, pd.DataFrame)


def test_with_a_test_size_rows_are_kept_aside_and_opened_once(monkeypatch):
    opened, plain = [], Sealed.open
    monkeypatch.setattr(Sealed, "open", lambda sealed: opened.append(1) or plain(sealed))
    net = classifier(test_size=0.2).fit(X, Y)
    assert opened == [1]
    assert net.summary_["rows"] == {"training": 72, "test": 18}
    assert net.summary_["test"] is not None


def test_a_fit_is_silent_and_writes_nothing(in_folder, capfd):
    classifier().fit(X, Y)
    assert list(in_folder.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_verbose_shows_what_the_command_shows(capsys):
    classifier(verbose=True, test_size=0.2).fit(X, Y)
    shown = capsys.readouterr().out
    for words in ("90 rows", "target  kind", "training 100 %", "best 2 of 2", "test, 18 rows"):
        assert words in shown


def test_a_run_goes_on_from_its_folder(tmp_path, capsys):
    net = classifier(out=tmp_path / "run", verbose=True)
    shares = net.fit(X, Y).predict_proba(X)
    assert (tmp_path / "run" / "result.json").exists()
    model = cuesta.load(tmp_path / "run")
    assert model.predict(X)["kind"].to_list() == net.predict(X).tolist()
    assert "holds 16 epochs of training already" not in capsys.readouterr().out
    np.testing.assert_array_equal(net.fit(X, Y).predict_proba(X), shares)
    assert "holds 16 epochs of training already" in capsys.readouterr().out
    with pytest.raises(RunFolderError, match="holds a run on"):
        net.fit(X.drop("adult"), Y)


def test_a_pickle_holds_all_but_the_rows():
    net = classifier(test_size=0.2).fit(X, Y)
    again = pickle.loads(pickle.dumps(net))  # noqa: S301 (our own)
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))
    assert again.summary_ == net.summary_
    assert again.leaderboard_.equals(net.leaderboard_)
    assert not hasattr(again, "result_")
    assert hasattr(net, "result_")


# --- intervals and sets -----------------------------------------------------------------------


def with_residuals(model, residuals):
    """The model, as if its network were also that of two folds, with these residuals each."""
    network = model.network
    folds = tuple(Member(network, 0.0, fold, 1.0) for fold in (0, 1))
    each = tuple(FoldResiduals.of(fold, residuals[:, None]) for fold in (0, 1))
    members = (Member(network), *folds)
    return replace(model, members=members, calibration=Calibration(residuals=each))


def test_an_interval_is_the_prediction_and_the_errors_of_the_folds():
    net = regressor(model="single").fit(X.drop("weight"), ROWS["weight"])
    net.model_ = with_residuals(net.model_, np.arange(1.0, 10.0))  # 18 in all, in pairs
    middle = net.predict(X.drop("weight"))
    lower, upper = net.predict_interval(X.drop("weight"), level=0.5)
    # ⌈0.5 · 19⌉ = 10: the tenth smallest of 1, 1, 2, 2, … is 5.
    np.testing.assert_allclose(upper - middle, 5.0, rtol=1e-6)  # of numbers of 1e6
    np.testing.assert_allclose(middle - lower, 5.0, rtol=1e-6)
    assert np.isinf(net.predict_interval(X.drop("weight"), level=0.99)[1]).all()


def test_a_set_holds_the_classes_that_the_folds_cannot_exclude():
    labels = np.array(["10", "8", "9"])  # the model has them as 8, 9, 10
    net = classifier(model="single").fit(X, labels[CODES])
    net.model_ = with_residuals(net.model_, np.linspace(0.1, 0.9, 9))
    sets = net.predict_set(X, level=0.5)
    # Fewer than 10 of 18 residuals, 0.1, 0.1, 0.2, …, are below 1 − p where 1 − p ≤ 0.5.
    expected = net.predict_proba(X) >= 0.5
    expected[np.arange(90), np.searchsorted(labels, net.predict(X))] = True
    np.testing.assert_array_equal(sets, expected)


def test_intervals_and_sets_hold_what_they_promise_of_new_rows():
    new = penguins(rows=2000, seed=1)
    inputs, codes = new.drop("kind", "weight"), np.unique(new["kind"], return_inverse=True)[1]
    values = regressor(folds=5, epochs=10).fit(X.drop("weight"), ROWS["weight"])
    lower, upper = values.predict_interval(inputs, level=0.8)
    weight = new["weight"].to_numpy()
    inside = ((lower <= weight) & (weight <= upper)).mean()
    # The errors are of 90 rows: coverage strays by √(.8 · .2/90) = 0.042 around the level.
    assert abs(inside - 0.8) < 3 * 0.042
    # The likeliest class alone is right about 9 times of 10: for 0.96 a set needs several.
    sets = classifier(folds=5, epochs=10).fit(X.drop("weight"), Y).predict_set(inputs, level=0.96)
    assert sets[np.arange(2000), codes].mean() > 0.96 - 3 * 0.021
    assert 0.35 < sets.mean() < 0.8  # of three classes


@pytest.mark.parametrize("level", [0, 1, 1.5, "a", True, None])
def test_a_level_that_cannot_be_used_is_named(level, fitted):
    with pytest.raises(SpecError, match="level must be"):
        fitted.predict_set(X, level=level)


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [classifier, regressor])
@pytest.mark.parametrize("as_given", [pl.DataFrame, lambda frame: frame.to_pandas()])
def test_an_estimator_comes_back_as_it_was(made, as_given, tmp_path):
    space = SPACE | {"clip_norm": [float("inf"), 1.0]}
    net = made(space=space, columns={"island": "category"}, missing=["gone"])
    y = Y if made is classifier else ROWS["weight"]
    x = as_given(X.drop("weight"))
    net.fit(x, y).save(tmp_path / "net.safetensors")
    again = cuesta.load(tmp_path / "net.safetensors")
    assert type(again) is type(net)
    assert repr(again.leaderboard_) == repr(net.leaderboard_)
    assert again.summary_ == json.loads(json.dumps(net.summary_))
    assert again.cv_score_ == net.cv_score_
    np.testing.assert_array_equal(again.predict(x), net.predict(x))
    np.testing.assert_array_equal(again.feature_names_in_, net.feature_names_in_)
    np.testing.assert_array_equal(clone(again).fit(x, y).predict(x), net.predict(x))
    with pytest.raises(ValueError, match="feature names"):
        again.predict(x[x.columns[::-1]])


def test_what_a_file_cannot_hold_is_told(tmp_path):
    space = Space({"hidden_layer_sizes": Choice(((8,),))})
    generator = np.random.default_rng(0)  # what it drew cannot be drawn again: said in the docs
    net = classifier(space=space, random_state=generator).fit(X, Y)
    with pytest.warns(UserWarning, match="cannot hold space") as told_here:
        net.save(tmp_path / "net.safetensors")
    assert told_here[0].filename == __file__
    again = cuesta.load(tmp_path / "net.safetensors")
    assert (again.space, again.random_state) == (None, None)


HOSTILE = {
    "an unknown class": lambda about: about.update({"class": "os.system"}),
    "the other class": lambda about: about.update({"class": "TabularRegressor"}),
    "an estimator of another kind": lambda about: about.update({"class": "MLPClassifier"}),
    "another format": lambda about: about.update(format=99),
    "an unknown parameter": lambda about: about["params"].update(evil=1),
    "columns that are lost": lambda about: about.update(columns=["length"]),
    "columns that are numbers": lambda about: about.update(columns=[1, 2, 3, 4, 5]),
    "columns named twice": lambda about: about["columns"].append("length"),
    "no columns": lambda about: about.pop("columns"),
    "an unknown type of classes": lambda about: about.update(class_type="os.system"),
    "a type that loses classes": lambda about: about.update(class_type="bool"),
    "a summary that is none": lambda about: about.update(summary=[1]),
    "a summary without its model": lambda about: about["summary"].update(model="both"),
    "a summary without a winner": lambda about: about.update(summary={}),
    "a leaderboard that is none": lambda about: about.update(leaderboard=[["a", 1]]),
    "a leaderboard of odd ends": lambda about: about.update(leaderboard=[["a", [1]], ["b", []]]),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "net.safetensors"
    classifier().fit(X, CODES).save(path)
    return path


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_description_is_refused(what, saved, tmp_path):
    def change(spec):
        HOSTILE[what](spec["estimator"])

    path = rewritten(saved, tmp_path / "net.safetensors", change)
    with pytest.raises(ModelFileError, match=r"net\.safetensors"):
        cuesta.load(path)


# --- with scikit-learn ------------------------------------------------------------------------


def test_it_stands_in_scikit_learns_tools():
    scores = cross_val_score(regressor(), X.drop("weight").to_pandas(), ROWS["weight"], cv=3)
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()
    # A split of scikit-learn's is a fit to its rows.
    folds = GroupKFold(3).split(X, Y, CODES)
    by_hand = [classifier().fit(X[a], Y[a]).score(X[b], Y[b].to_numpy()) for a, b in folds]
    found = cross_val_score(
        classifier(), X.to_pandas(), Y.to_numpy(), cv=GroupKFold(3), groups=CODES
    )
    np.testing.assert_array_equal(found, by_hand)


def test_it_ends_a_pipeline():
    table = X.to_pandas()
    scaled = ColumnTransformer(
        [("scaled", StandardScaler(), ["length", "weight"])],
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    pipe = make_pipeline(scaled, classifier()).fit(table, Y)
    assert pipe.predict_proba(table).shape == (90, 3)
    assert {"island", "seen"} <= set(pipe[-1].model_.encoder.columns)
