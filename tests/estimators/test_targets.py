"""Targets as users have them: each type of label comes back as it was."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp

import cuesta
from cuesta import MLPClassifier, MLPRegressor, SearchCV
from cuesta.data.frames import as_frame
from cuesta.errors import TableError

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(RNG.normal(size=(60, 3)), columns=list("abc"))
LABELS = (TABLE["a"] > 0).astype(int)
NET = MLPClassifier((4,), epochs=1, random_state=0)


@pytest.mark.parametrize("kind", ["Int64", "UInt8", "int64[pyarrow]", "boolean", "bool[pyarrow]"])
@pytest.mark.parametrize("rows", [TABLE, TABLE.to_numpy()], ids=["table", "array"])
def test_nullable_labels_stay_what_they_were(kind, rows):
    boolean = "bool" in kind
    labels = LABELS.astype(bool if boolean else int).astype(kind)
    net = NET.fit(rows, labels)
    found = net.predict(rows)
    assert found.dtype.kind in ("b" if boolean else "iu")
    plain = NET.fit(rows, LABELS.to_numpy().astype(bool if boolean else int))
    np.testing.assert_array_equal(found, plain.predict(rows))
    search = SearchCV(NET, {"learning_rate": [1e-2]}, cv=2).fit(rows, labels)
    assert search.predict(rows).dtype.kind == found.dtype.kind


def test_large_identifiers_stay_two():
    labels = pd.Series(np.where(LABELS, 2**62 + 1, 2**62), dtype="Int64")
    assert NET.fit(TABLE, labels).classes_.tolist() == [2**62, 2**62 + 1]


def test_nullable_labels_of_several_columns_and_missing_ones():
    both = pd.DataFrame({"u": LABELS.astype("boolean"), "v": (1 - LABELS).astype("Int64")})
    assert NET.fit(TABLE, both).predict(TABLE).shape == (60, 2)
    gap = LABELS.astype("Int64")
    gap[3] = pd.NA
    with pytest.raises(ValueError, match="NaN"):
        NET.fit(TABLE, gap)


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csr_array, sp.coo_array])
def test_sparse_labels_train_as_dense_ones(kind):
    labels = np.column_stack([LABELS, 1 - LABELS, TABLE["b"] > 0]).astype(int)
    x = TABLE.to_numpy()
    want = NET.fit(x, labels).predict_proba(x)
    np.testing.assert_array_equal(NET.fit(x, kind(labels)).predict_proba(x), want)
    scores = [
        SearchCV(NET, {"learning_rate": [1e-2]}, cv=2).fit(x, y).best_score_
        for y in (labels, kind(labels))
    ]
    assert scores[0] == scores[1]


def test_a_lazy_table_is_the_table():
    table = pl.DataFrame({"a": TABLE["a"].to_numpy(), "k": ["u", "v", "w"] * 20})
    y = LABELS.to_numpy()
    want = NET.fit(table, y).predict_proba(table)
    np.testing.assert_array_equal(NET.predict_proba(table.lazy()), want)
    lazy = NET.fit(table.lazy(), y)
    assert lazy.feature_names_in_.tolist() == ["a", "k"]
    np.testing.assert_array_equal(lazy.predict_proba(table), want)
    search = SearchCV(NET, {"learning_rate": [1e-2]}, cv=2).fit(table.lazy(), y)
    assert search.predict(table.lazy()).shape == (60,)


def test_a_lazy_table_of_another_library_is_refused_by_name():
    class Frame:
        columns = ("a", "b")

        def compute(self):
            """As Dask calls it."""

    with pytest.raises(TableError, match=r"lazy one of tests.*\.compute\(\)"):
        as_frame(Frame())


@pytest.mark.parametrize("unit", ["D", "s", "ns"])
def test_labels_that_are_dates_are_saved_and_come_back(unit, tmp_path):
    days = np.where(LABELS, np.datetime64("2024-02-29"), np.datetime64("2023-01-01"))
    net = NET.fit(TABLE, days.astype(f"datetime64[{unit}]"))
    net.save(tmp_path / "net.safetensors")
    again = cuesta.load(tmp_path / "net.safetensors")
    assert again.classes_.dtype == net.classes_.dtype
    np.testing.assert_array_equal(again.predict(TABLE), net.predict(TABLE))
    assert again.model_.predict(TABLE)["y"][0].startswith("202")


def test_labels_that_no_file_could_hold_are_refused_before_training():
    spans = np.where(LABELS, np.timedelta64(1, "D"), np.timedelta64(2, "D"))
    with pytest.raises(TableError, match="durations"):
        NET.fit(TABLE, spans)
    with pytest.raises(ValueError, match="Unknown label type"):
        NET.fit(TABLE, np.array([datetime.date(2020, 1, 1 + one) for one in LABELS]))


def test_dates_are_no_numbers_for_a_regressor():
    days = np.datetime64("2024-01-01") + LABELS.to_numpy().astype("timedelta64[D]")
    with pytest.raises(TableError, match="regressor needs numbers"):
        MLPRegressor((4,), epochs=1).fit(TABLE, days)
