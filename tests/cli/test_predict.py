"""`cuesta predict`: its file is what its name says, it keeps columns, it tells what is unusual."""

import io
import os
import pty
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from typer.testing import CliRunner

from cuesta.cli import app
from cuesta.data.encode import Encoder, Feature, Target
from cuesta.data.scale import Scaling
from cuesta.errors import TableError
from cuesta.hyperparameters import Candidate
from cuesta.model import Calibration, FittedModel, FoldResiduals, Member, load_model

FEATURES = (
    Feature("size", "number"),
    Feature("age", "number", missing=True),
    Feature("kind", "category", categories=("u", "v")),
    Feature("town", "category", categories=("a", "b"), other=True, missing=True),
)
NEW = "id,size,age,kind,town\n007,1.5,3,u,a\n008,2.5,4,v,b\n"
OUTPUTS = ["class", "p_=no", "p_yes"]

CLASSES = Target("classification", ("class",), ("=no", "yes"))


def drawn(target=CLASSES):
    """A model without hidden layers, its weights drawn."""
    encoder, rng = Encoder(FEATURES), np.random.default_rng(0)
    n, outputs = encoder.width, target.outputs
    layers = ((rng.normal(size=(n, outputs)).astype(np.float32), np.zeros(outputs, np.float32)),)
    units = Scaling(np.zeros(outputs), np.ones(outputs)) if target.task == "regression" else None
    inputs = Scaling(np.zeros(n), np.ones(n))
    return FittedModel.single(
        encoder, target, Candidate(hidden_layer_sizes=()), inputs, units, layers
    )


@pytest.fixture
def model(in_folder):
    drawn().save("m.safetensors")
    return "m.safetensors"


def predict(*arguments, table=NEW):
    Path("new.csv").write_text(table, encoding="utf-8")
    return CliRunner().invoke(app, ["predict", "m.safetensors", "new.csv", *arguments])


# --- the file ---------------------------------------------------------------------------------

READERS = {
    "p.csv": pl.read_csv,
    "p.CSV": pl.read_csv,
    "p": pl.read_csv,
    "p.tsv": lambda path: pl.read_csv(path, separator="\t"),
    "p.parquet": pl.read_parquet,
    "p.pq": pl.read_parquet,
    "p.arrow": pl.read_ipc,
    "p.feather": pd.read_feather,
}


@pytest.mark.parametrize("name", READERS)
def test_a_file_is_what_its_name_says(model, name):
    done = predict("--out", name)
    assert (done.exit_code, done.stdout) == (0, "")
    found = pl.DataFrame(READERS[name](Path(name)))
    assert found.columns == OUTPUTS
    wanted = load_model(Path(model)).predict(pl.read_csv("new.csv"))
    assert found["p_yes"].to_list() == wanted["p_yes"].to_list()


@pytest.mark.parametrize("name", ["p.xlsx", "p.xls", "p.json", "p.csv.gz", "p.html"])
def test_a_name_that_says_another_format_is_refused_before_the_work(in_folder, name):
    done = CliRunner().invoke(app, ["predict", "no-model", "no-table", "--out", name])
    assert done.exit_code == 2
    assert done.stderr == (
        f"cuesta: '{name}' cannot be written as a {Path(name).suffix} file; end its name with one "
        "of: .csv, .tsv, .parquet, .pq, .arrow, .feather, .ipc (--out).\n"
    )
    assert not list(in_folder.iterdir())


def test_the_table_of_new_rows_is_not_replaced(model, in_folder):
    for out in ("new.csv", in_folder / "link.csv"):
        (in_folder / "link.csv").unlink(missing_ok=True)
        (in_folder / "link.csv").symlink_to("new.csv")
        done = predict("--out", str(out))
        assert done.exit_code == 2
        assert "would be lost" in done.stderr
        assert Path("new.csv").read_text() == NEW


def test_a_run_that_has_not_ended_is_told(in_folder):
    (in_folder / "run").mkdir()
    (in_folder / "run" / "run.json").write_text("{}")
    done = CliRunner().invoke(app, ["predict", "run", "new.csv"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "the run has not ended, and the same `cuesta fit` goes on with it." in done.stderr


def test_a_column_that_text_cannot_hold_is_refused_for_text_alone(model):
    good = {"size": [1.0], "age": [2.0], "kind": ["u"], "town": ["a"]}
    pl.DataFrame({**good, "parts": [[1, 2]]}).write_parquet("new.parquet")
    command = ["predict", model, "new.parquet", "--keep", "parts", "--out"]
    done = CliRunner().invoke(app, [*command, "p.csv"])
    assert (done.exit_code, Path("p.csv").exists()) == (2, False)
    assert "'parts'" in done.stderr
    assert ".parquet" in done.stderr
    assert CliRunner().invoke(app, [*command, "p.parquet"]).exit_code == 0
    assert pl.read_parquet("p.parquet")["parts"].to_list() == [[1, 2]]


def test_a_label_that_a_spreadsheet_would_run_is_marked_in_text_alone(model):
    for name in ("p.csv", "p.parquet"):
        assert predict("--out", name).exit_code == 0
    text, exact = pl.read_csv("p.csv")["class"], pl.read_parquet("p.parquet")["class"]
    assert set(exact) <= {"=no", "yes"}
    assert "=no" in exact.to_list()
    assert text.to_list() == [label.replace("=", "'=") for label in exact]


# --- columns that are kept --------------------------------------------------------------------


def test_kept_columns_stand_before_the_predictions_as_they_were(model):
    lines = predict("--keep", "id", "--keep", "kind").stdout.splitlines()
    assert lines[0] == "id,kind,class,p_=no,p_yes"
    assert [line.split(",")[:2] for line in lines[1:]] == [["007", "u"], ["008", "v"]]


def test_all_keeps_every_column(model):
    done = predict("--keep", "all")
    assert done.stdout.startswith("id,size,age,kind,town,class,p_=no,p_yes\n")
    assert done.stderr == ""


def test_a_kept_column_named_like_a_prediction_is_called_given(model):
    table = NEW.replace("id", "class")
    done = predict("--keep", "class", table=table)
    assert done.stdout.startswith("given_class,class,p_=no,p_yes\n007,")
    assert done.stderr == (
        "note: class of the table is kept as given_class: class is the prediction\n"
    )
    both = table.replace("age", "given_class").replace("size", "age")
    both = "size," + both.replace("\n", "\n1,").removesuffix("1,")
    done = predict("--keep", "class", "--keep", "given_class", table=both)
    assert done.stdout.startswith("given_given_class,given_class,class,p_=no,p_yes\n007,3,")


def test_a_column_to_keep_that_is_not_there_is_named(model):
    done = predict("--keep", "idd")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "cuesta: The table has no column 'idd'; did you mean 'id'?\n"


@pytest.mark.parametrize(
    "kind", [pl.DataFrame, lambda frame: frame.to_pandas(), lambda frame: frame.to_arrow()]
)
def test_python_keeps_columns_in_the_kind_of_the_table(kind):
    frame = pl.DataFrame(
        {"id": ["007", "008"], "size": [1.5, 2.5], "age": [3, None], "kind": ["u", "v"],
         "town": ["a", "b"], "p_yes": [1, 2]}
    )  # fmt: skip
    table = kind(frame)
    plain, kept = drawn().predict(table), drawn().predict(table, keep=["id", "age", "p_yes"])
    assert type(kept) is type(table)
    names = list(getattr(kept, "column_names", kept.columns))
    assert names == ["id", "age", "given_p_yes", *OUTPUTS]
    assert list(map(str, kept["id"])) == ["007", "008"]
    assert list(map(str, kept["given_p_yes"])) == ["1", "2"]
    assert list(map(str, kept["p_yes"])) == list(map(str, plain["p_yes"]))
    assert len(drawn().predict(table, keep="all").columns) == 9


def test_pandas_keeps_types_and_its_index():
    table = pd.DataFrame(
        {"size": [1.0, 2.0], "age": [1.0, 2.0], "kind": ["u", "v"], "town": ["a", "b"],
         0: pd.Categorical(["x", "y"])},
        index=["first", "second"],
    )  # fmt: skip
    kept = drawn().predict(table, keep=["0"])
    assert list(kept.index) == ["first", "second"]
    assert isinstance(kept["0"].dtype, pd.CategoricalDtype)


def test_an_empty_table_has_no_predictions():
    frame = pl.DataFrame(schema={"size": float, "age": float, "kind": str, "town": str, "id": str})
    assert drawn().predict(frame, keep=["id"]).columns == ["id", *OUTPUTS]
    assert drawn().predict(frame.to_pandas()).shape == (0, 3)


# --- intervals and sets -----------------------------------------------------------------------

VALUES = Target("regression", ("price",))


def with_residuals(target, rows=30):
    """The drawn model, as the only network of its only fold."""
    member = Member(drawn(target).network, 1.0, 0, 1.0)
    residuals = FoldResiduals(0, rows, np.linspace(0.1, 0.9, rows)[:, None])
    calibration = Calibration(residuals=(residuals,))
    return replace(drawn(target), members=(member,), calibration=calibration)


def test_an_interval_adds_two_columns(in_folder):
    with_residuals(VALUES).save("m.safetensors")
    done = predict("--interval", "0.9", "--keep", "id")
    assert done.exit_code == 0
    found = pl.read_csv(io.StringIO(done.stdout), schema_overrides={"id": pl.String})
    assert found.columns == ["id", "price", "price_lower", "price_upper"]
    # The 28th of 30 residuals, ⌈0.9 · 31⌉; to the digits of a sum and a difference.
    wide = (found["price_upper"] - found["price_lower"]).to_list()
    assert wide == pytest.approx([2 * np.linspace(0.1, 0.9, 30)[27]] * 2, abs=1e-12)


def test_sets_add_a_column(in_folder):
    with_residuals(CLASSES).save("m.safetensors")
    done = predict("--sets", "0.9", "--out", "p.parquet")
    assert (done.exit_code, done.stdout) == (0, "")
    found = pl.read_parquet("p.parquet")
    assert found.columns == [*OUTPUTS, "class_set"]
    assert set(found["class_set"]) <= {"=no", "yes", "=no | yes"}
    assert predict("--sets", "0.9").stdout.startswith("class,p_=no,p_yes,class_set\n")


@pytest.mark.parametrize(
    ("target", "option", "sentence"),
    [
        (CLASSES, ["--interval", "0.9"],
         "--interval is for numbers; of classes there are label sets (--sets)."),
        (VALUES, ["--sets", "0.9"],
         "--sets is for classes; of numbers there are intervals (--interval)."),
        (VALUES, ["--interval", "90"],
         "--interval must be a number above 0 and below 1, not 90.0."),
        (CLASSES, ["--sets", "0"], "--sets must be a number above 0 and below 1, not 0.0."),
    ],
)  # fmt: skip
def test_what_the_model_cannot_give_is_a_sentence(in_folder, target, option, sentence):
    with_residuals(target).save("m.safetensors")
    done = predict(*option, "--out", "p.csv")
    assert (done.exit_code, done.stderr) == (2, f"cuesta: {sentence}\n")
    assert not Path("p.csv").exists()


def test_a_model_without_errors_on_folds_says_so(model):
    done = predict("--sets", "0.9")
    assert done.exit_code == 2
    assert done.stderr == (
        "cuesta: --sets needs the errors on the folds, which this model does not hold; a new run "
        "of `cuesta fit` keeps them.\n"
    )


def test_a_level_that_the_folds_cannot_tell_is_told(in_folder):
    with_residuals(VALUES, rows=5).save("m.safetensors")
    done = predict("--interval", "0.9", "--keep", "id")
    assert done.exit_code == 0
    assert done.stderr == (
        "note: interval: 5 rows of the folds cannot tell a level of 0.9; the bounds are infinite\n"
    )
    assert "-inf,inf" in done.stdout


def test_a_prediction_loads_neither_jax_nor_scikit_learn(in_folder):
    with_residuals(VALUES).save("m.safetensors")
    Path("new.csv").write_text(NEW)
    code = (
        "import sys; from cuesta.cli import app\n"
        "try: app(['predict', 'm.safetensors', 'new.csv', '--interval', '0.9'])\n"
        "except SystemExit: pass\n"
        "print(*sorted({'jax', 'sklearn'} & set(sys.modules)), 'end')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.splitlines()[-1] == b"end"


# --- what is told -----------------------------------------------------------------------------


def test_usual_rows_are_predicted_without_a_word(model):
    assert predict("--keep", "id").stderr == ""


def test_missing_values_and_unknown_categories_are_counted_by_column(model):
    done = predict(table="size,age,kind,town\n1.5,?,w,zz\n,4,,a\n1,NA,x,\n1,1,w,a\n")
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "note: size: missing in 1 of 4 rows, in none of training",
        "note: age: missing in 2 of 4 rows",
        "note: kind: a category unknown in training in 3 of 4 rows ('w', 'x')",
        "note: kind: missing in 1 of 4 rows, in none of training",
        "note: town: a rare or unknown category in 1 of 4 rows ('zz')",
        "note: town: missing in 1 of 4 rows",
    ]


def test_columns_without_use_are_told_once(model):
    assert predict().stderr == "note: ignored 1 column that the model does not use: id\n"
    done = predict(table=NEW.replace("id", "id,x").replace("00", "1,00"))
    assert done.stderr == "note: ignored 2 columns that the model does not use: id, x\n"


def test_many_notes_are_cut():
    features = tuple(Feature(f"f{place}", "number") for place in range(40))
    scaling = Scaling(np.zeros(40), np.ones(40))
    layers = ((np.zeros((40, 1), np.float32), np.zeros(1, np.float32)),)
    target, candidate = Target("regression", ("y",)), Candidate(hidden_layer_sizes=())
    one = Scaling(np.zeros(1), np.ones(1))
    model = FittedModel.single(Encoder(features), target, candidate, scaling, one, layers)
    notes = model.predict_and_tell(pl.DataFrame({f"f{p}": [None, 1.0] for p in range(40)})).notes
    assert len(notes) == 13
    assert notes[-1] == "28 more lines of missing values and unknown categories"


def test_all_columns_that_lack_are_named():
    with pytest.raises(TableError, match="no columns 'age', 'town', which the model needs"):
        drawn().predict(pl.DataFrame({"size": [1.0], "kind": ["u"]}))


# --- a terminal, and a pipe -------------------------------------------------------------------

HOSTILE = "id,size,age,kind,town\n\x1b[31mred,1.5,3,\x9bu\u202e,a\n"


def test_a_pipe_gets_every_byte(model):
    Path("new.csv").write_text(HOSTILE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "cuesta", "predict", model, "new.csv", "--keep", "id"],
        capture_output=True,
        check=True,
    )
    assert b"\n\x1b[31mred," in done.stdout
    assert b"\x1b" not in done.stderr


def test_a_terminal_gets_nothing_that_it_would_obey(model):
    Path("new.csv").write_text(HOSTILE, encoding="utf-8")
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "cuesta", "predict", model, "new.csv", "--keep", "id"],
        stdout=theirs,
        stderr=theirs,
        check=True,
    )
    os.close(theirs)
    told = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.returncode == 0
    assert r"\x1b[31mred" in told
    assert r"\x9bu\u202e" in told
    assert not set(told) & {"\x1b", "\x9b", "\u202e"}
