"""Tables as they come, through the whole job: fit and predict, and what is said of each column."""

import datetime as dt
import io
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

import cuesta
from cuesta.cli import app
from cuesta.data.table import Table, read_table
from cuesta.errors import CuestaError, TableError
from cuesta.model import load_model
from cuesta.report.run.terminal import TerminalListener
from cuesta.search.space import Choice, Space
from cuesta.tabular.fit import fit
from cuesta.tabular.options import Options

pytestmark = pytest.mark.slow("the whole job on many kinds of tables")

ROWS = 120
rng = np.random.default_rng(0)
SIZE = rng.standard_normal(ROWS).round(3)
QUICK = Space({"hidden_layer_sizes": Choice(((),)), "batch_size": Choice((64,))})


def quick(target="label", *, others=False, **options):
    """Options of a short run; `others` fits baselines and watches the training, which is longer."""
    return Options(
        target=(target,),
        candidates=1,
        epochs=2,
        folds=2,
        space=QUICK,
        threads=1,
        baselines=others,
        instruments="economy" if others else "off",
        **options,
    )


def labelled(**columns):
    return pl.DataFrame({"size": SIZE, **columns, "label": np.where(SIZE > 0, "up", "down")})


def told(frame, **options):
    """What a person sees of a run on this table, and the run."""
    console = Console(file=io.StringIO(), width=200)
    result = fit(Table("t", frame), quick(**options), listener=TerminalListener(console))
    return console.file.getvalue(), result


def command(*arguments):
    small = ["--candidates", "2", "--epochs", "2", "--folds", "2", "--no-baselines"]
    given_ = [str(a) for a in arguments]
    return CliRunner().invoke(app, given_ + (small if given_[0] == "fit" else []))


DAYS = [dt.date(2020, 1, 1) + dt.timedelta(7 * i) for i in range(ROWS)]
KINDS = {
    "numbers": ([i % 13 for i in range(ROWS)], "numbers"),
    "numbers as text": ([f" {i % 13}.5 " for i in range(ROWS)], "numbers"),
    "booleans": ([i % 2 == 0 for i in range(ROWS)], "booleans"),
    "booleans as text": (["True", "false"] * (ROWS // 2), "booleans"),
    "text": (["a", "b", "c"] * (ROWS // 3), "categories"),
    "dates": (DAYS, "dates"),
    "dates as text": ([f"{day:%d.%m.%Y}" for day in DAYS], "dates"),
    "moments": ([dt.datetime(2020, 1, 1, i % 24, 30) for i in range(ROWS)], "dates"),
    "times": ([dt.time(i % 24, 15) for i in range(ROWS)], "times"),
    "times as text": ([f"{i % 24:02}:15" for i in range(ROWS)], "times"),
    "spans": ([dt.timedelta(hours=i) for i in range(ROWS)], "numbers"),
}


@pytest.mark.parametrize("what", KINDS)
def test_each_kind_of_column_is_taken_for_what_it_is_with_and_without_gaps(what):
    values, kind = KINDS[what]
    text, result = told(labelled(it=values))
    lines = [line.split() for line in text.splitlines()]
    assert any(line and line[0] == kind and "it" in " ".join(line) for line in lines), text
    gaps = [None if i % 5 == 0 else value for i, value in enumerate(values)]
    _, holed = told(labelled(it=gaps))
    assert holed.model.encoder.width == result.model.encoder.width + 1
    new = labelled(it=gaps).drop("label").head(9)
    assert holed.model.predict(new).height == 9


@pytest.mark.parametrize("blank", ["", " ", "?", "NA", "n/a", "NaN", "null", "None", "-"])
def test_each_way_of_writing_missing_is_missing(blank):
    values = [blank if i % 4 == 0 else str(i % 7) for i in range(ROWS)]
    _, result = told(labelled(it=values))
    (feature,) = (f for f in result.model.encoder.features if f.name == "it")
    assert (feature.kind, feature.missing) == ("number", True)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"id": [f"row{i}" for i in range(ROWS)]}, "id: left out"),
        ({"id": range(1, ROWS + 1)}, "id: each row has a whole number of its own"),
        ({"same": [4] * ROWS}, "same: the same value"),
        ({"town": [f"t{i % 90}" for i in range(ROWS)]}, "rare categories share a column"),
    ],
    ids=["text identifier", "counted identifier", "constant", "many categories"],
)
def test_a_column_that_tells_little_is_said(columns, words):
    text, _ = told(labelled(**columns))
    assert words in text


def test_a_column_without_values_is_left_out_and_told():
    text, result = told(labelled(gone=[None] * ROWS))
    assert "gone: left out" in text
    assert result.model.encoder.columns == ["size"]


@pytest.mark.parametrize(
    "labels",
    [
        [True, False] * (ROWS // 2),
        [0.0, 1.0] * (ROWS // 2),
        [1, 2, 3] * (ROWS // 3),
        ["'-1'", "'1'"] * (ROWS // 2),
        ["yes", "no", None, "no"] * (ROWS // 4),
        ["rare"] + ["often"] * (ROWS - 1),
    ],
    ids=["booleans", "floats", "integers", "quoted", "missing", "fewer than folds"],
)
def test_labels_of_each_kind_come_back_as_they_were(labels, tmp_path):
    frame = pl.DataFrame({"size": SIZE, "label": labels})
    _, result = told(frame, test_size=0.3)
    told_labels = result.model.predict(frame.drop("label"))["label"]
    assert set(told_labels) <= {label for label in labels if label is not None}


def test_rows_without_a_target_are_left_out_counted_and_told():
    labels = ["yes", "no", None, "no"] * (ROWS // 4)
    text, result = told(pl.DataFrame({"size": SIZE, "label": labels}))
    assert "30 rows without a target are left out" in text
    assert len(result.task.x) + result.task.test_rows == ROWS - 30


# The command.


@pytest.fixture
def headless(tmp_path):
    """Two files without a header, labels quoted, those of the test with a full stop."""
    for name, stop, count in (("train.csv", "", ROWS), ("test.csv", ".", 30)):
        rows = [
            f"{SIZE[i]}, {i % 9}, 'a', '{'up' if SIZE[i] > 0 else 'down'}'" for i in range(count)
        ]
        rows = [row[:-1] + stop + "'" if stop else row for row in rows]
        (tmp_path / name).write_text("\n".join(rows) + "\n\n")
    return tmp_path


def test_files_without_a_header_and_a_test_of_their_own(headless):
    done = command(
        "fit", headless / "train.csv", "--no-header", "--target", "3", "--test",
        headless / "test.csv", "--out", headless / "run", "--columns", "1=category",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "120 to train and validate (2 folds) · 30 sealed" in done.output
    assert "categories  1 (9), 2 (1)" in done.output
    assert "end in a full stop" in done.output
    predicted = command("predict", headless / "run", headless / "test.csv", "--no-header")
    assert predicted.exit_code == 0, predicted.output
    assert {line.split(",")[0] for line in predicted.stdout.splitlines()[1:]} <= {"up", "down"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("down.", "sideways."), "sideways"),
        (lambda text: text.replace(", 3,", ", x,"), "'x'"),
        (lambda text: "\n".join(line.split(",")[0] for line in text.splitlines()), "'1'"),
    ],
    ids=["unknown label", "text in a number", "a missing column"],
)
def test_a_fault_in_the_test_file_is_found_before_anything_is_trained(headless, change, words):
    path = headless / "test.csv"
    path.write_text(change(path.read_text()))
    done = command("fit", headless / "train.csv", "--no-header", "--target", "3", "--test", path,
                   "--out", headless / "run")  # fmt: skip
    assert done.exit_code == 2
    assert words in done.output
    assert "training starts" not in done.output
    assert not (headless / "run" / "result.json").exists()


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ("9=category", "'9'"),
        ("1=categry", "category"),
        ("1", "NAME=KIND"),
        ("3=category", "'3' is no input"),
        ("2=number", "'a'"),
        ("0=boolean", "true or false"),
    ],
)
def test_a_kind_that_does_not_fit_is_a_fault_that_names_it(headless, columns, words):
    done = command("fit", headless / "train.csv", "--no-header", "--target", "3", "--columns",
                   columns, "--out", headless / "run")  # fmt: skip
    assert done.exit_code == 2
    assert words in done.output


def test_a_column_can_be_left_out_by_its_kind(headless):
    done = command("fit", headless / "train.csv", "--no-header", "--target", "3", "--columns",
                   "1=drop", "--out", headless / "run")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert load_model(headless / "run" / "model.safetensors").encoder.columns == ["0", "2"]


def test_balanced_accuracy_weighs_classes_and_selects():
    labels = np.where(np.arange(ROWS) % 12 == 0, "rare", "often")
    frame = pl.DataFrame({"x": SIZE + (labels == "rare"), "label": labels})
    space = Space({**QUICK.common, "learning_rate": Choice((0.1,))})
    longer = {"epochs": 60, "space": space}
    plain = fit(Table("t", frame), replace(quick(), **longer))
    balanced = fit(Table("t", frame), replace(quick(metric="balanced_accuracy"), **longer))
    shares = [run.model.predict(frame)["p_rare"].mean() for run in (plain, balanced)]
    assert shares[1] > shares[0] + 0.1  # from about a twelfth towards a half
    assert (
        0
        <= balanced.outcome.intervals["balanced_accuracy"][0]
        <= balanced.test["balanced_accuracy"]
        <= 1
    )


# Kinds of tables.


def as_pandas(frame):
    made = pd.DataFrame({name: frame[name].to_list() for name in frame.columns})
    made.index = [f"r{i}" for i in range(len(made))]
    return made.astype({"kind": "category"})


TABLES = {
    "polars": lambda frame: frame,
    "lazy": lambda frame: frame.lazy(),
    "pandas": as_pandas,
    "pyarrow": lambda frame: frame.to_arrow(),
}


def mixed():
    return labelled(
        kind=["a", "b", "c", None] * (ROWS // 4),
        day=DAYS,
        count=[None if i % 6 == 0 else i % 5 for i in range(ROWS)],
        flag=[i % 3 == 0 for i in range(ROWS)],
    )


@pytest.mark.parametrize("kind", TABLES)
def test_every_kind_of_table_gives_the_same_network(kind):
    frame = mixed()
    table, y = TABLES[kind](frame.drop("label")), frame["label"].to_numpy()
    how = {"hidden_layer_sizes": (4,), "epochs": 3, "random_state": 0}
    net = cuesta.MLPClassifier(**how).fit(table, y)
    same = cuesta.MLPClassifier(**how).fit(frame.drop("label"), y)
    np.testing.assert_array_equal(net.predict_proba(table), same.predict_proba(frame.drop("label")))


def test_a_table_comes_out_as_one_of_its_kind():
    frame = mixed()
    _, result = told(frame)
    new = frame.drop("label")
    made = result.model.predict(as_pandas(new))
    assert isinstance(made, pd.DataFrame)
    assert list(made.index[:2]) == ["r0", "r1"]
    assert isinstance(result.model.predict(new.to_arrow()), pa.Table)
    assert isinstance(result.model.predict(new), pl.DataFrame)
    with pytest.raises(TableError, match="ndarray"):
        result.model.predict(np.zeros((2, 5)))


def test_categories_of_pandas_are_categories_even_if_they_look_like_numbers():
    table = pd.DataFrame({"zip": pd.Categorical([10, 20, 30] * 20), "x": np.arange(60.0) % 7})
    net = cuesta.MLPClassifier((2,), epochs=1).fit(table, np.arange(60) % 2)
    assert [f.kind for f in net.model_.encoder.features] == ["category", "number"]


# Any table.

TEXTS = st.sampled_from(["", "?", "NA", "a", "b", "ç", "1", "-2.5", "1e3", "true", "2020-01-31",
                         "12:30", "x,y", '"', "'q'", " padded ", "=1+1", "\t"])  # fmt: skip
COLUMN = st.one_of(
    st.lists(st.integers(-3, 3), min_size=30, max_size=30),
    st.lists(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=False, width=32)),
             min_size=30, max_size=30),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=30, max_size=30),
    st.lists(TEXTS, min_size=30, max_size=30),
    st.lists(st.dates(), min_size=30, max_size=30),
)  # fmt: skip


ONE_IN_EIGHT = st.integers(0, 7).map(lambda number: number == 7)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(columns=st.lists(COLUMN, min_size=1, max_size=3), target=COLUMN, others=ONE_IN_EIGHT)
def test_any_table_is_fitted_and_predicted_or_refused_in_a_sentence(
    columns, target, others, tmp_path_factory
):
    frame = pl.DataFrame(
        {**{f"c{i}": values for i, values in enumerate(columns)}, "label": target}, strict=False
    )
    path = tmp_path_factory.mktemp("any") / "table.csv"
    frame.write_csv(path)
    try:
        result = fit(read_table(str(path)), quick(test_size=0.4, others=others))
    except CuestaError as error:
        sentence = str(error).strip()
    else:
        sentence = "."
        made = result.model.predict(frame.drop("label"))
        assert made.height == 30
        assert np.isfinite(made.select(pl.selectors.float()).to_numpy()).all()
    assert sentence.endswith((".", ")"))
