"""Nested cross-validation: what scikit-learn's way gives, no row lost, groups and copies whole."""

import io
import json

import numpy as np
import polars as pl
import pytest
from rich.console import Console
from sklearn.model_selection import cross_val_score

from cuesta import TabularClassifier, TabularRegressor
from cuesta.data.table import Table
from cuesta.errors import SpecError
from cuesta.report.run.terminal import show_result
from cuesta.tabular.fit import fit
from cuesta.tabular.nested import Searched, outer_rows
from cuesta.tabular.testing import EACH
from cuesta.training.run import Run
from tests.tabular.tables_to_decide import QUICK, RATES, TABLES, clicks, options, prices, run

NESTED = {"protocol": "nested", "outer": 3}
SPACE = {
    "optimizer": ["adam"],
    "learning_rate": list(RATES),
    "hidden_layer_sizes": [[8]],
    "batch_size": [16],
}


def outer_places(target, frame=None, **changes):
    """The outer folds as scikit-learn takes them: pairs of row numbers."""
    frame = (TABLES[target]() if frame is None else frame).with_row_index("row")
    table = Table(target, frame)
    return [
        (part.train.frame["row"].to_numpy(), part.test["row"].to_numpy())
        for part in outer_rows(table, options(target, **NESTED, drop=("row",), **changes))
    ]


TWICE = pytest.mark.slow("searches each outer fold twice")
SCORERS = {
    "log_loss": ("neg_log_loss", -1),
    "roc_auc": ("roc_auc", 1),
    "f1": ("f1", 1),
    "rmse": ("neg_root_mean_squared_error", -1),
    "r2": ("r2", 1),
}


@pytest.mark.parametrize(
    ("target", "metric", "more"),
    [
        ("clicked", "log_loss", {}),
        pytest.param("clicked", "roc_auc", {"model": "single"}, marks=TWICE),
        ("clicked", "f1", {"threshold": "auto"}),
        ("price", "rmse", {}),
        pytest.param("price", "r2", {}, marks=TWICE),
    ],
)
def test_the_figure_is_that_of_cross_val_score(target, metric, more):
    """To the bit in what is decided; the figures are sums in another order: 1e-12."""
    kind = TabularRegressor if target == "price" else TabularClassifier
    # Of two classes 1 is the positive label by scikit-learn's names.
    frame = TABLES[target]()
    if target == "clicked":
        frame = frame.with_columns(clicked=(pl.col("clicked") == "yes").cast(pl.Int64))
    quick = {name: value for name, value in QUICK.items() if name != "epochs"}
    net = kind(metric=metric, space=SPACE, epochs=6, **quick, **more)
    scoring, sign = SCORERS[metric]
    x, y = frame.drop(target).to_pandas(), frame[target].to_numpy()
    folds = outer_places(target, frame, metric=metric, **more)
    found = sign * cross_val_score(net, x, y, cv=folds, scoring=scoring, error_score="raise")
    result = run(target, frame=frame, metric=metric, **NESTED, **more)
    assert [fold.value for fold in result.outcome.outer] == pytest.approx(found, rel=1e-12)
    assert result.test[metric] == pytest.approx(found.mean(), rel=1e-12)


def test_what_is_decided_of_an_outer_fold_is_the_estimators_to_the_bit(monkeypatch):
    seen, plain = [], Searched.open

    def spied(searched, whole):
        seen.append(plain(searched, whole))
        return seen[-1]

    monkeypatch.setattr(Searched, "open", spied)
    frame = clicks()
    run("clicked", frame=frame, **NESTED)
    quick = {name: value for name, value in QUICK.items() if name != "epochs"}
    x, y = frame.drop("clicked"), frame["clicked"].to_numpy()
    for fold, (train, test) in zip(seen, outer_places("clicked"), strict=True):
        net = TabularClassifier(space=SPACE, epochs=6, **quick).fit(x[train], y[train])
        np.testing.assert_array_equal(fold.decided[fold.delivered], net.predict_proba(x[test]))
        np.testing.assert_array_equal(np.array(["no", "yes"])[fold.y], y[test])


@pytest.mark.parametrize("target", ["clicked", "kind", "price"])
def test_every_row_is_tested_once_and_trains_elsewhere(target):
    frame = TABLES[target]()
    folds = outer_places(target)
    tested = np.concatenate([test for _, test in folds])
    np.testing.assert_array_equal(np.sort(tested), np.arange(frame.height))
    for train, test in folds:
        np.testing.assert_array_equal(np.sort([*train, *test]), np.arange(frame.height))


def test_a_row_without_a_target_is_left_out_of_both_sides():
    frame = clicks().with_columns(
        clicked=pl.when(pl.int_range(pl.len()) != 7).then(pl.col("clicked"))
    )
    tested = np.concatenate([test for _, test in outer_places("clicked", frame)])
    np.testing.assert_array_equal(np.sort(tested), np.delete(np.arange(240), 7))


def test_whole_groups_stay_out():
    frame = clicks().with_columns(group=pl.int_range(240) // 8)
    folds = outer_places("clicked", frame, groups="group")
    for train, test in folds:
        assert not set(train // 8) & set(test // 8)
    result = run("clicked", frame=frame, groups="group", **NESTED)
    assert result.outcome.rows == 240
    for fold in result.task.feed.folds[:3]:  # of the final search, too
        assert not set(fold.train // 8) & set(fold.validation // 8)


def test_copies_stay_on_one_side():
    frame = pl.concat([clicks(60), clicks(60)])
    for train, test in outer_places("clicked", frame):
        assert not set(train % 60) & set(test % 60)


@pytest.mark.slow("compiles networks of two, three and four outputs")
def test_a_class_that_an_outer_fold_lacks_is_no_fault():
    """One row of a class: its outer search knows two classes, and gives the third no share."""
    frame = TABLES["kind"]().with_columns(
        kind=pl.when(pl.int_range(pl.len()) == 3).then(pl.lit("zinnia")).otherwise("kind")
    )
    result = run("kind", frame=frame, test_size=0, **NESTED)
    assert result.outcome.rows == frame.height
    # −log of the least probability that counts, in one of three folds of 40 rows.
    assert result.test["log_loss"] > -np.log(1e-15) / frame.height
    assert result.test["log_loss"] < -2 * np.log(1e-15) / frame.height + 1


def test_the_baseline_and_figures_of_each_outer_fold_are_told(tmp_path):
    result = run("price", tmp_path / "run", **NESTED | {"baselines": True})
    told = json.loads((tmp_path / "run" / "result.json").read_text())
    assert [fold["rows"] for fold in told["outer"]] == [40, 40, 40]
    assert told["test"] == pytest.approx(np.mean([fold["test"] for fold in told["outer"]]))
    assert set(told["baselines"]["linear model"]["test_metrics"]) == set(told["test_metrics"])
    assert told["rows"] == {"training": 120, "test": 0}
    file = io.StringIO()
    show_result(Console(file=file, width=200), result, None)
    shown = file.getvalue()
    assert "nested test: each of 120 rows once, by 3 searches on the other rows" in shown
    assert "the model that is delivered is trained on all rows" in shown
    for fold in told["outer"]:
        assert f"{fold['test']:.4g}" in shown


def test_where_searches_deliver_different_models_that_mixture_counts(monkeypatch):
    turns = iter(["single", "committee", "single", "committee"])
    monkeypatch.setattr("cuesta.tabular.delivery._choose", lambda *_: next(turns))
    result = run("price", **NESTED)
    assert [fold.delivered for fold in result.outcome.outer] == ["single", "committee", "single"]
    assert result.delivery.chosen == "committee"
    assert result.outcome.delivered == EACH
    assert result.test["rmse"] == pytest.approx(
        np.mean([fold.value for fold in result.outcome.outer])
    )
    single, committee = (result.outcome.models[n].metrics["rmse"] for n in ("single", "committee"))
    assert result.test["rmse"] not in (single, committee)


def test_it_takes_no_table_of_test_rows():
    table = Table("price", prices())
    with pytest.raises(SpecError, match="nested protocol tests every row"):
        fit(table, options("price", **NESTED), test=Table("more", prices(seed=1)))


@pytest.mark.slow("nests twice in a folder")
def test_an_interrupted_run_goes_on_to_the_same_result_and_counts_one_opening(
    tmp_path, monkeypatch
):
    whole = run("price", tmp_path / "whole", **NESTED)
    plain, calls = Run.networks, []

    def stopped(search, *arguments):
        calls.append(search)
        if len(calls) == 3:  # in the third outer search
            raise KeyboardInterrupt
        return plain(search, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Run, "networks", stopped)
        with pytest.raises(KeyboardInterrupt):
            run("price", tmp_path / "run", **NESTED)
    assert not (tmp_path / "run" / "openings.txt").exists()
    again = run("price", tmp_path / "run", **NESTED)
    assert again.outcome.outer == whole.outcome.outer
    assert again.test == whole.test
    assert len(again.outcome.openings) == 1
    assert (tmp_path / "run" / "openings.txt").read_text().count("\n") == 1
    told = [json.loads((tmp_path / name / "result.json").read_text()) for name in ("whole", "run")]
    passing = {"seconds", "test_openings"}
    one, other = ({k: v for k, v in each.items() if k not in passing} for each in told)
    assert one == other
