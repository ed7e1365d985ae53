"""Bad input ends in one sentence that names the culprit, exit code 2, no half-written file."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from cuesta.cli import app
from cuesta.data.encode import Encoder, Feature, Target
from cuesta.data.scale import Scaling
from cuesta.hyperparameters import Candidate
from cuesta.model import FittedModel
from cuesta.training.run import Run

ROWS = 60
COLUMNS = {
    "length": [f"{(i * 37 % 101) / 10}" for i in range(ROWS)],
    "width": [f"{(i * 53 % 97) / 10}" for i in range(ROWS)],
    "kind": ["u", "v"] * (ROWS // 2),
    "class": ["yes", "no", "no"] * (ROWS // 3),
    "price": [f"{(i * 29 % 89) / 8}" for i in range(ROWS)],
    "owner": [f"o{i % 12}" for i in range(ROWS)],
}
FIRST = 2  # the line of the first row


def table(lines=None, **columns):
    """The text of a good table with some columns changed, and some whole lines."""
    frame = COLUMNS | columns
    text = [",".join(frame), *map(",".join, zip(*frame.values(), strict=True))]
    for number, line in (lines or {}).items():
        text[number - 1] = line
    return "\n".join(text) + "\n"


def column(name, **cells):
    """A column with the cells on some lines changed: `line_7="x"`."""
    values = list(COLUMNS[name])
    for line, cell in cells.items():
        values[int(line.removeprefix("line_")) - FIRST] = cell
    return {name: values}


def cut(write):
    """All but the end of a typed file."""
    file = io.BytesIO()
    write(file)
    return file.getvalue()[:-30]


def typed(**columns):
    """The bytes of a Parquet file of the good table with some columns changed."""
    file = io.BytesIO()
    pl.DataFrame(COLUMNS | columns).write_parquet(file)
    return file.getvalue()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, with a good table; training must not begin."""

    def train(*_):
        raise AssertionError("training began")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Run, "train", train)
    Path("good.csv").write_text(table(), encoding="utf-8")
    return tmp_path


def write(name, content):
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return name


def cuesta(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def complain(result, *culprits):
    """Check the promise: exit code 2 and one sentence that names the culprits."""
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 2
    assert re.fullmatch(r"cuesta: [^\n]+[.?]\n", result.stderr)
    assert not re.search(r"\. [A-Z]|\.\.|Traceback|Error\(", result.stderr)
    for culprit in culprits:
        assert culprit in result.stderr


def refuse_to_fit(culprits, *arguments):
    """Check the promise for a fit whose input is at fault: not even its folder is made."""
    complain(cuesta("fit", *arguments, "--out", "out"), *culprits)
    assert not Path("out").exists()


CLASS = ("--target", "class", "--drop", "price", "--drop", "owner")
PRICE = ("--target", "price")


def test_the_good_table_is_one_to_train_on():
    result = cuesta("fit", "good.csv", *CLASS, "--out", "out")
    assert str(result.exception) == "training began"


# --- the file ---------------------------------------------------------------------------------

FILES = {
    "empty file": ("t.csv", "", ["t.csv", "empty"]),
    "empty line": ("t.csv", "\n\n", ["t.csv", "empty"]),
    "header only": ("t.csv", "length,class\n", ["t.csv"]),
    "unknown suffix": ("t.xlsx", table(), ["t.xlsx", ".csv"]),
    "no suffix": ("t", table(), ["'t'", ".csv"]),
    "row too long": ("t.csv", table({20: "1,2,u,yes,3,o1,4"}), ["t.csv"]),
    "no text": ("t.csv", b"a,b\n\x80\x01\x02,1\n", ["t.csv", "no text file"]),
    "truncated parquet": ("t.parquet", cut(pl.DataFrame(COLUMNS).write_parquet), ["t.parquet"]),
    "truncated arrow": ("t.arrow", cut(pl.DataFrame(COLUMNS).write_ipc), ["t.arrow"]),
    "text as parquet": ("t.parquet", table(), ["t.parquet"]),
    "empty parquet": ("t.parquet", b"", ["t.parquet"]),
    "column twice": ("t.csv", "width,width,class\n1,2,a\n", ["'width'", "t.csv"]),
}


@pytest.mark.parametrize(
    ("name", "content", "culprits"),
    [pytest.param(*case, id=name) for name, case in FILES.items()]
    + [pytest.param("t.csv", table({20: "1,2"}), ["t.csv"], id="row too short")],
)
def test_a_file_that_cannot_be_read_is_named(name, content, culprits):
    refuse_to_fit(culprits, write(name, content), *CLASS)


def test_a_file_that_is_not_there_is_named():
    refuse_to_fit(["'none.csv'"], "none.csv", *CLASS)
    refuse_to_fit(["'god.csv'; did you mean 'good.csv'?"], "god.csv", *CLASS)
    assert "breast_cancer" not in cuesta("fit", "none.csv").stderr  # a file was meant
    refuse_to_fit(["'none'", "breast_cancer"], "none", *CLASS)


def test_a_misspelt_data_set_is_offered_its_name():
    refuse_to_fit(["'breast_cancr'", "'breast_cancer'"], "breast_cancr")


def test_a_folder_is_no_table(folder):
    refuse_to_fit([str(folder), "folder"], folder, *CLASS)


def test_a_name_too_long_for_a_file_is_no_table():
    refuse_to_fit(["aaa"], "a" * 300, *CLASS)


# --- the columns ------------------------------------------------------------------------------

GAPS = ["?", "NA", ""] * (ROWS // 3)
AMONG = {"length": column("length", line_2="oops"), "price": column("price", line_2="oops")}

TABLES = {
    "target all missing": (table(**{"class": GAPS}), CLASS, ["'class'"]),
    "one class": (table(**{"class": ["yes"] * ROWS}), CLASS, ["'class'", "'yes'"]),
    "class a row": (table(**{"class": [f"c{i}" for i in range(ROWS)]}), CLASS, ["'class'", "60"]),
    "constant target": (table(price=["3.5"] * ROWS), PRICE, ["'price'"]),
    "text target of a regression": (table(), (*CLASS, "--task", "regression"), ["'class'"]),
    "text in the target": (
        table(**column("price", line_9="oops")),
        PRICE,
        ["'price'", "'oops'", "row 9"],
    ),
    "infinite target": (table(**column("price", line_9="inf")), PRICE, ["'price'", "row 9"]),
    "two targets of classes": (
        table(),
        (*CLASS, "--target", "kind", "--task", "classification"),
        ["class", "kind"],
    ),
    "every column dropped": (
        "width,class\n" + "1,a\n2,b\n" * 20,
        ("--target", "class", "--drop", "width"),
        ["column"],
    ),
    "target alone": ("class\n" + "a\nb\n" * 20, ("--target", "class"), ["column"]),
    "fewer rows than folds": (
        "width,price\n" + "".join(f"{i},{i}.5\n" for i in range(5)),
        PRICE,
        ["5 folds", "4"],
    ),
    "one row": ("width,price\n1,2\n", PRICE, ["'price'"]),
    "a test row for each class": (
        "width,class\n" + "".join(f"{i},{i % 4}\n" for i in range(10)),
        ("--target", "class", "--task", "classification"),
        ["--test-size"],
    ),
}


@pytest.mark.parametrize(
    ("content", "arguments", "culprits"),
    [pytest.param(*case, id=name) for name, case in TABLES.items()]
    + [
        pytest.param(
            table(**column("price", line_2="?", line_9="inf")),
            PRICE,
            ["'price'", "row 9"],
            id="infinite target after a missing one",
        ),
        pytest.param(
            "width,price\n" + "".join(f"{i},{i}.5\n" for i in range(6)),
            (*PRICE, "--protocol", "ordered"),
            ["5 folds"],
            id="fewer rows than ordered folds need",
        ),
        pytest.param(
            table(owner=["", *COLUMNS["owner"][1:]]),
            ("--target", "class", "--groups", "owner", "--protocol", "grouped"),
            ["'owner'"],
            id="row without a group",
        ),
        pytest.param(
            table(owner=["o"] * ROWS),
            ("--target", "class", "--groups", "owner", "--protocol", "grouped"),
            ["group"],
            id="one group",
        ),
    ],
)
def test_a_column_that_cannot_be_used_is_named(content, arguments, culprits):
    refuse_to_fit(culprits, write("t.csv", content), *arguments)


def test_a_column_with_a_value_in_one_row_is_not_said_to_have_none():
    name = write("t.csv", table(width=["5", *[""] * (ROWS - 1)]))  # the first row is a test row
    assert "in any row" not in cuesta("fit", name, *CLASS, "--out", "out").stderr


@pytest.mark.parametrize(
    "line",
    [2, 7, 32, 19, 46],
)
@pytest.mark.parametrize("cell", ["oops", "inf"])
def test_a_cell_that_is_no_number_is_named_by_its_line(line, cell):
    cells = {f"line_{line}": cell} | ({"line_60": "error"} if cell == "oops" else {})
    name = write("t.csv", table(**column("length", **cells)))
    refuse_to_fit(["'length'", f"row {line})" if cell == "oops" else f"row {line}."], name, *CLASS)


@pytest.mark.parametrize("cell", ["oops", "inf"])
def test_a_column_with_a_cell_that_is_no_number_is_named(cell):
    name = write("t.csv", table(**column("length", line_19=cell, line_20=f"{cell}!")))
    refuse_to_fit(["'length'", "row"], name, *CLASS)


@pytest.mark.parametrize("cells", [[[1.0]] * ROWS, [b"x"] * ROWS], ids=["lists", "bytes"])
def test_a_column_of_a_type_that_no_network_takes_is_named(cells):
    refuse_to_fit(["'length'"], write("t.parquet", typed(length=cells)), *CLASS)


def test_a_typed_column_of_nothing_but_nan_is_left_out_and_told():
    name = write("t.parquet", typed(width=[np.nan] * ROWS))
    assert "width: left out" in cuesta("fit", name, *CLASS, "--out", "out").stdout


# --- the options ------------------------------------------------------------------------------

OPTIONS = [
    (["--target", "clas"], ["'clas'", "'class'"]),
    (["--target", "zzz"], ["'zzz'", "length"]),
    ([*CLASS, "--drop", "zzz"], ["'zzz'"]),
    ([*CLASS, "--drop", "class"], ["'class'"]),
    ([*CLASS, "--folds", 1], ["folds", "1"]),
    ([*CLASS, "--folds", 500], ["500 folds"]),
    ([*CLASS, "--candidates", 0], ["candidates", "0"]),
    ([*CLASS, "--candidates", -3], ["candidates", "-3"]),
    ([*CLASS, "--epochs", 0], ["epochs", "0"]),
    ([*CLASS, "--threads", 0], ["threads", "0"]),
    ([*CLASS, "--seed", -1], ["seed", "-1"]),
    ([*CLASS, "--seed", 2**32], ["seed", str(2**32)]),
    ([*CLASS, "--sampler", "gird"], ["sampler", "'gird'", "'grid'"]),
    ([*CLASS, "--metric", "f11"], ["metric", "'f11'", "log_loss"]),
    ([*CLASS, "--metric", "calibration_error"], ["--metric", "never selected by", "log_loss"]),
    ([*PRICE, "--threshold", "auto"], ["--threshold", "'price'", "numbers"]),
    ([*PRICE, "--costs", "1,5"], ["--costs", "'price'", "numbers"]),
    (["--target", "owner", "--threshold", 0.3], ["--threshold", "'owner'", "12"]),
    ([*CLASS, "--protocol", "kfolds"], ["protocol", "'kfolds'", "'kfold'"]),
    ([*CLASS, "--task", "classify"], ["task", "'classify'", "'classification'"]),
    ([*CLASS, "--metric", "rmse"], ["'rmse'", "classification"]),
    ([*PRICE, "--metric", "accuracy"], ["'accuracy'", "regression"]),
    ([*CLASS, "--test-size", -1], ["--test-size", "-1"]),
    ([*CLASS, "--test-size", 1.5], ["--test-size", "1.5"]),
    ([*CLASS, "--test-size", "nan"], ["--test-size", "nan"]),
    ([*CLASS, "--test-size", 0.001], ["test", "0.001"]),
    ([*CLASS, "--test-size", 0.99], ["test", "--test-size"]),
    ([*CLASS, "--protocol", "grouped"], ["--groups"]),
    ([*CLASS, "--groups", "zzz", "--protocol", "grouped"], ["'zzz'"]),
    ([*CLASS, "--groups", "owner"], ["grouped"]),
    ([*CLASS, "--groups", "kind", "--protocol", "grouped"], ["5 folds", "groups"]),
    ([*CLASS, "--space", "none.toml"], ["'none.toml'"]),
    ([*CLASS, "--space", "."], ["'.'"]),
]


@pytest.mark.parametrize(
    ("arguments", "culprits"),
    [
        *OPTIONS,
        pytest.param([*PRICE, *PRICE], ["'price'"]),
    ],
    ids=lambda value: " ".join(map(str, value)),
)
def test_an_option_that_cannot_be_met_is_named(arguments, culprits):
    refuse_to_fit(culprits, "good.csv", *arguments)


def test_a_table_without_a_target_is_asked_for_one():
    refuse_to_fit(["--target", "length, width, kind, class, price"], "good.csv")


# --- the space --------------------------------------------------------------------------------

SPACES = {
    "not TOML": ("dropout = = 1", ["s.toml", "line 1"]),
    "other bytes": (b"\xff\xfe", ["s.toml"]),
    "empty": ("", ["s.toml"]),
    "unknown parameter": ("learning_rat = 0.1", ["'learning_rat'", "'learning_rate'"]),
    "unknown optimizer": ('optimizer = ["adamm"]', ["'adamm'", "'adam'"]),
    "section of an unknown optimizer": ("[adamm]\nlearning_rate = 0.1", ["'adamm'"]),
    "empty list": ("dropout = []", ["dropout"]),
    "range upside down": ("dropout = {low = 0.5, high = 0.1}", ["dropout"]),
    "range without an end": ("dropout = {low = 0.5}", ["dropout"]),
    "range of text": ('dropout = {low = "a", high = 0.5}', ["dropout", "'a'"]),
    "range too wide": ("dropout = {low = 0.0, high = 1.5}", ["dropout", "1.5"]),
    "logarithm of 0": ("learning_rate = {low = 0, high = 1, log = true}", ["learning_rate"]),
    "negative rate": ("learning_rate = [0.1, -0.1]", ["learning_rate", "-0.1"]),
    "negative rate of one": ("[adam]\nlearning_rate = -0.1", ["learning_rate", "-0.1"]),
    "rate that is no number": ("learning_rate = nan", ["learning_rate", "nan"]),
    "text for a number": ('dropout = "much"', ["dropout", "'much'"]),
    "layer of no units": ("hidden_layer_sizes = [[8, 0]]", ["hidden_layer_sizes", "0"]),
    "batch of no rows": ("batch_size = 0", ["batch_size", "0"]),
}


@pytest.mark.parametrize(
    ("text", "culprits"),
    [pytest.param(*case, id=name) for name, case in SPACES.items()]
    + [
        pytest.param('final_ratio = "a"', ["final_ratio"], id="text for a share"),
        pytest.param("hidden_layer_sizes = [[8], 4]", ["hidden_layer_sizes"], id="mixed"),
        pytest.param(f"dropout = 1{'0' * 400}", ["dropout"], id="number beyond all"),
    ],
)
def test_a_fault_of_the_space_is_named(text, culprits):
    refuse_to_fit(culprits, "good.csv", *CLASS, "--space", write("s.toml", text))


def test_a_grid_over_a_range_is_named():
    space = write("s.toml", "dropout = {low = 0.0, high = 0.5}")
    arguments = ("--space", space, "--sampler", "grid", "--out", "out")
    complain(cuesta("fit", "good.csv", *CLASS, *arguments), "dropout", "grid")
    assert not Path("out/result.json").exists()
    assert not Path("out/model.safetensors").exists()


def test_a_grid_over_a_range_makes_no_folder():
    space = write("s.toml", "dropout = {low = 0.0, high = 0.5}")
    refuse_to_fit(["dropout"], "good.csv", *CLASS, "--space", space, "--sampler", "grid")


# --- the run's folder -------------------------------------------------------------------------


def contents(folder):
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def refuse_folder(out, *culprits, arguments=CLASS):
    """Check the promise for a folder at fault: what stands there stays as it is."""
    before = contents(".")
    complain(cuesta("fit", "good.csv", *arguments, "--out", out), *culprits)
    assert contents(".") == before


@pytest.mark.parametrize("out", ["file/sub", "file/sub/sub"])
def test_a_folder_below_a_file_is_named(out):
    write("file", "text")
    refuse_folder(out, out)


def test_a_file_is_no_folder_of_a_run():
    write("file", "text")
    refuse_folder("file", "'file'")


def test_a_folder_with_other_things_in_it_is_left_alone():
    Path("photos").mkdir()
    write("photos/sea.jpg", "sea")
    refuse_folder("photos", "'photos'", "--out")


def test_a_name_too_long_for_a_folder_is_named():
    refuse_folder("a" * 300, "aaa")


@pytest.mark.parametrize(
    ("run", "culprit"),
    [
        ({"table": "houses", "target": ["class"], "columns": ["class"]}, "'houses'"),
        ({"table": "good", "target": ["kind"], "columns": ["kind"]}, "'kind'"),
        ({"table": "good", "target": ["class"], "columns": ["class"]}, "1 columns"),
        ({"table": "good"}, "run.json"),
        ([], "run.json"),
        ("", "run.json"),
    ],
    ids=[
        "another table",
        "another target",
        "other columns",
        "incomplete mark",
        "other mark",
        "empty mark",
    ],
)
def test_the_folder_of_another_run_is_left_alone(run, culprit):
    Path("run").mkdir()
    write("run/run.json", json.dumps(run) if run != "" else "")
    refuse_folder("run", "run", culprit, "--out")


# --- prediction -------------------------------------------------------------------------------

SEEN = (
    Feature("length", "number"),
    Feature("new", "boolean"),
    Feature("kind", "category", categories=("u", "v")),
)


@pytest.fixture
def model():
    """A folder with a fitted model, its weights drawn."""
    rng = np.random.default_rng(0)
    layers = ((rng.normal(size=(4, 2)).astype(np.float32), np.zeros(2, np.float32)),)
    target = Target("classification", ("class",), ("no", "yes"))
    scaling = Scaling(np.zeros(4), np.ones(4))
    candidate = Candidate(hidden_layer_sizes=())
    Path("model").mkdir()
    fitted = FittedModel.single(Encoder(SEEN), target, candidate, scaling, None, layers)
    fitted.save(Path("model/model.safetensors"))
    return "model"


NEW = "length,new,kind\n1.5,true,u\n2.5,false,v\n"


def refuse_to_predict(culprits, *arguments):
    """Check the promise for a prediction: no file is written, an older one stays."""
    result = cuesta("predict", *arguments)
    complain(result, *culprits)
    assert result.stdout == ""
    complain(cuesta("predict", *arguments, "--out", "out.csv"), *culprits)
    assert not Path("out.csv").exists()
    write("old.csv", "old")
    complain(cuesta("predict", *arguments, "--out", "old.csv"), *culprits)
    assert Path("old.csv").read_text(encoding="utf-8") == "old"


def test_good_rows_are_predicted(model):
    result = cuesta("predict", model, write("new.csv", NEW))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("class,p_no,p_yes\n")


@pytest.mark.parametrize(
    ("content", "culprits"),
    [
        ("length,new\n1,true\n", ["'kind'"]),
        ("length,new,kin\n1,true,u\n", ["'kind'", "'kin'"]),
        (NEW.replace("2.5", "oops"), ["'length'", "'oops'", "row 3"]),
        (NEW.replace("2.5", "inf"), ["'length'", "infinite", "row 3"]),
        (NEW.replace("2.5", "-Infinity"), ["'length'", "infinite", "row 3"]),
        (NEW.replace("false", "maybe"), ["'new'", "'maybe'", "row 3"]),
        (NEW.replace("length", "kind"), ["'kind'", "new.csv"]),
        ("length,new,kind\n", ["new.csv"]),
        ("", ["new.csv"]),
        (b"length,new\n\xff\x01,2\n", ["new.csv"]),
    ],
)
def test_new_rows_that_cannot_be_predicted_are_named(model, content, culprits):
    refuse_to_predict(culprits, model, write("new.csv", content))


@pytest.mark.parametrize(
    ("columns", "culprit"),
    [
        ({"length": [1.0, np.inf]}, "'length'"),
        pytest.param({"new": [1, 7]}, "'new'"),
        pytest.param({"length": [[1.0], [2.0]]}, "'length'"),
        pytest.param({"kind": [["u"], ["v"]]}, "'kind'"),
        pytest.param({"length": [b"1", b"x"]}, "'length'"),
    ],
)
def test_new_typed_rows_that_cannot_be_predicted_are_named(model, columns, culprit):
    good = {"length": [1.5, 2.5], "new": [True, False], "kind": ["u", "v"]}
    pl.DataFrame(good | columns).write_parquet("new.parquet")
    refuse_to_predict([culprit], model, "new.parquet")


def test_a_table_that_is_not_there_is_named(model):
    refuse_to_predict(["'none.csv'"], model, "none.csv")


@pytest.mark.parametrize("name", ["none", "none/model.safetensors"])
def test_a_model_that_is_not_there_is_named(name):
    refuse_to_predict([f"'{name}'"], name, write("new.csv", NEW))


def test_a_folder_without_a_model_is_named():
    Path("run").mkdir()
    refuse_to_predict(["run/model.safetensors"], "run", write("new.csv", NEW))


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_a_truncated_model_is_named(model, length):
    path = Path(model, "model.safetensors")
    path.write_bytes(path.read_bytes()[:length])
    refuse_to_predict(["model/model.safetensors"], model, write("new.csv", NEW))


def test_an_altered_model_is_named(model):
    path = Path(model, "model.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    refuse_to_predict(["model/model.safetensors"], model, write("new.csv", NEW))


def test_a_table_is_no_model():
    refuse_to_predict(["'good.csv'"], "good.csv", write("new.csv", NEW))


@pytest.mark.parametrize("out", ["good.csv/p.csv", "none/p.csv", "model"])
def test_a_file_that_cannot_be_written_is_named(model, out):
    new = write("new.csv", NEW)
    before = contents(".")
    complain(cuesta("predict", model, new, "--out", out), out)
    assert contents(".") == before


# --- as a command -----------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["fit", "predict"])
def test_the_command_itself_ends_in_one_sentence_and_code_2(command):
    arguments = {"fit": ["none.csv", "--out", "out"], "predict": ["none", "good.csv"]}[command]
    ended = subprocess.run(
        [sys.executable, "-m", "cuesta", command, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert re.fullmatch(r"cuesta: [^\n]*'none[^\n]*\.\n", ended.stderr)
    assert not Path("out").exists()


# --- words ------------------------------------------------------------------------------------


def test_a_wrong_target_is_told_though_the_folder_holds_a_run():
    Path("run").mkdir()
    write("run/run.json", json.dumps({"table": "good", "target": ["y"], "columns": ["x", "y"]}))
    result = cuesta(
        "fit", write("good.csv", "house,price\n1,2\n"), "--target", "prize", "--out", "run"
    )
    complain(result, "no column 'prize'; did you mean 'price'?")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (None, "There is no folder 'run'."),
        ([], "'run' holds no run of `cuesta fit`."),
        (["run.json"], "The run in 'run' has not ended: the same `cuesta fit` goes on with it."),
        (["run.json", "result.json"], "The run in 'run' was not watched:"),
    ],
)
def test_the_doctor_says_why_there_is_nothing_to_read(files, told):
    if files is not None:
        Path("run").mkdir()
    for name in files or ():
        write(f"run/{name}", "{}")
    complain(cuesta("doctor", "run"), told)
