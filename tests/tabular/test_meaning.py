"""A table's meaning through the whole job: fit, save, load, predict, with what is told."""

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from cuesta.cli import app
from cuesta.data.table import Table, read_table
from cuesta.errors import SpecError
from cuesta.model import load_model
from cuesta.search.space import Choice, Space
from cuesta.tabular.fit import fit
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import prepare
from cuesta.tabular.result import summary

ROWS = 120
rng = np.random.default_rng(0)
A, B = rng.standard_normal((2, ROWS)).round(3)
Y = 3 * A + B
LINEAR = Space(
    {
        "hidden_layer_sizes": Choice(((),)),
        "batch_size": Choice((16,)),
        "learning_rate": Choice((0.1,)),
        "optimizer": Choice(("adam",)),
        "normalize": Choice(("standard",)),
    }
)


def options(target="y", **others):
    how = {
        "candidates": 1,
        "epochs": 80,
        "folds": 2,
        "space": LINEAR,
        "threads": 1,
        "baselines": False,
    }
    return Options(target=(target,), **{**how, **others})


def run(frame, test=None, **others):
    return fit(Table("t", frame), options(**others), test=test)


def comma(values):
    return [f"{value:.3f}".replace(".", ",") for value in values]


WRITTEN = {
    "currency": [f"${value:,.2f}" if value >= 0 else f"-${-value:,.2f}" for value in 1000 * A],
    "percent": [f"{value:.1f} %" for value in 100 * A],
    "unit": [f"{value:.2f} kg" for value in 10 * A],
    "decimal comma": comma(A),
    "a word": ["unknown" if i == 7 else f"{value}" for i, value in enumerate(A)],
    "a code": np.where(np.arange(ROWS) % 30 == 7, -9999, A),
    "a wild value": np.where(np.arange(ROWS) == 7, 1e30, A),
    "codes": ["02138" if value > 0 else "10001" for value in A],
    "days": pl.Series(np.round(A * 900)).cast(pl.Int32).cast(pl.Date).dt.strftime("%d %b %Y"),
    "yes and no": [("Yes", "no", "y", "N")[2 * (i % 2) + (value > 0)] for i, value in enumerate(A)],
    "case": [("Up", "down", "up", "Down")[2 * (i % 2) + (value > 0)] for i, value in enumerate(A)],
}


@pytest.mark.parametrize("what", WRITTEN)
def test_a_column_is_told_and_learned_and_read_again_by_the_loaded_model(what, tmp_path):
    a = pl.Series("a", WRITTEN[what])
    y = np.sign(A) if what in ("yes and no", "case", "codes") else A
    frame = pl.DataFrame([a, pl.Series("b", B), pl.Series("y", 3 * y + B + 0.001 * A)])
    result = run(frame)
    assert any(note.startswith("a: ") for note in result.notes)
    assert result.test["r2"] > 0.8
    result.model.save(tmp_path / "model")
    model = load_model(tmp_path / "model")
    new = frame.drop("y")
    assert model.encoder == result.model.encoder
    assert model.predict(new).equals(result.model.predict(new))
    assert model.predict(new[::-1])["y"].to_list() == model.predict(new)["y"].to_list()[::-1]


def test_the_options_of_reading_reach_training_and_prediction(tmp_path):
    path = tmp_path / "t.csv"
    rows = [
        f"{i % 9 + 1},{i % 7}50;{'lost' if i % 10 == 3 else i % 5};{i % 9}" for i in range(ROWS)
    ]
    path.write_bytes("\n".join(["größe;b;y", *rows]).encode("utf-16-le"))
    given = [str(path), "--target", "y", "--task", "regression", "--encoding", "utf-16-le"]
    small = ["--candidates", "1", "--epochs", "1", "--folds", "2", "--out", str(tmp_path / "run")]
    read = ["--decimal", ",", "--missing", "lost"]
    done = CliRunner().invoke(app, ["fit", *given, *read, *small])
    assert done.exit_code == 0, done.output
    size, b = load_model(tmp_path / "run" / "model.safetensors").encoder.features
    assert (size.kind, size.format, b.marks) == ("number", "1.234,5", ("lost",))
    again = ["predict", str(tmp_path / "run"), str(path), "--encoding", "utf-16-le"]
    assert CliRunner().invoke(app, again).exit_code == 0


def test_a_row_without_any_value_is_predicted_by_the_share_of_the_classes():
    gaps = [None if i < 2 else value for i, value in enumerate(A)]
    kinds = [None if i < 2 else "uv"[i % 2] for i in range(ROWS)]
    label = ["up" if i < 2 or value > -0.5 else "down" for i, value in enumerate(A)]
    frame = pl.DataFrame({"a": gaps, "c": kinds, "y": label})
    result = run(frame)
    train = np.bincount(result.task.y) / len(result.task.y)
    empty = pl.DataFrame({"a": [None, None], "c": [None, "?"]})
    np.testing.assert_array_equal(result.model.predict(empty)[["p_down", "p_up"]], [train, train])
    one = result.model.predict(pl.DataFrame({"a": [None], "c": ["u"]}))
    assert one["p_up"][0] != train[1]
    numbers = run(pl.DataFrame({"a": gaps, "y": Y}))
    (mean,) = numbers.model.predict(pl.DataFrame({"a": [None]}))["y"]
    assert mean == pytest.approx(numbers.task.y.mean())


def test_copies_are_told_and_a_score_is_none_of_what_was_remembered():
    label = rng.permutation(["up", "down"] * 20)
    frame = pl.concat([pl.DataFrame({"a": A[:40], "b": B[:40], "y": label})] * 10)
    task = prepare(Table("t", frame), options())
    assert (
        "360 of 400 rows are copies of another; copies stay on one side of every split"
        in task.notes
    )
    rows = {tuple(row) for row in task.x}
    x, _ = task.sealed.open()
    assert not rows & {tuple(row) for row in x}
    for fold in task.feed.folds[:2]:
        assert not {tuple(task.x[i]) for i in fold.train} & {
            tuple(task.x[i]) for i in fold.validation
        }


def test_a_test_table_that_holds_training_rows_is_told():
    frame = pl.DataFrame({"a": A, "b": B, "y": Y})
    task = prepare(Table("t", frame), options(), Table("u", frame[:30]))
    assert "the test table 'u': 30 of its 30 rows are training rows too" in task.notes
    other = frame[:30].with_columns(a=pl.col("a") + 1, b=pl.col("b") - 1)
    assert not prepare(Table("t", frame), options(), Table("u", other)).notes


@pytest.mark.parametrize(
    ("train", "test"), [(("Cat", "dog"), ("CAT", "Dog")), (("yes", "No"), ("Y", "no"))]
)
def test_labels_of_a_test_table_may_be_written_otherwise(train, test):
    columns = {"a": A, "b": B}
    one = pl.DataFrame({**columns, "y": [train[int(value > 0)] for value in A]})
    other = pl.DataFrame({"a": A + 1, "b": B, "y": [test[int(value > 0)] for value in A]})
    task = prepare(Table("t", one), options(), Table("u", other))
    assert set(task.target.labels) == set(train)
    _, y = task.sealed.open()
    assert [task.target.labels[code] for code in y] == one["y"].to_list()


def test_a_target_of_percents_in_a_test_table_is_read_as_in_training():
    written = [f"{value:.1f} %" for value in Y]
    frame = pl.DataFrame({"a": A, "b": B, "y": written})
    few = frame[[0] * 40].with_columns(a=pl.Series(B[:40]))  # one number: it looks like a class
    _, y = prepare(Table("t", frame), options(), Table("u", few)).sealed.open()
    assert set(y[:, 0]) == {float(written[0].removesuffix(" %"))}


def test_free_text_is_told_as_such_and_left_out():
    words = np.array(
        ["the", "red", "and", "blue", "sky", "over", "seven", "quiet", "hills", "of", "stone"]
    )
    text = [" ".join(rng.choice(words, 7)) for _ in range(ROWS)]
    task = prepare(Table("t", pl.DataFrame({"a": A, "text": text, "y": Y})), options())
    assert task.encoder.columns == ["a"]
    assert any(note.startswith("text: left out, it is free text") for note in task.notes)


def test_a_cell_of_a_million_characters_is_left_out_before_any_training(tmp_path):
    path = tmp_path / "t.csv"
    kinds = ["x" * 1_000_000 if i == 5 else "uv"[i % 2] for i in range(ROWS)]
    pl.DataFrame({"a": A, "c": kinds, "y": Y}).write_csv(path)
    task = prepare(read_table(str(path)), options())
    assert task.encoder.columns == ["a"]
    assert all(len(note) < 500 for note in task.notes)
    with pytest.raises(ValueError, match="label of 1,000,000 characters"):
        prepare(read_table(str(path)), options("c"))


REFUSES = "neg_mean_squared_log_error"  # values of -1 and less have no logarithm


def test_a_metric_that_refuses_the_target_is_told_before_any_training():
    frame = pl.DataFrame({"a": A, "y": Y})
    with pytest.raises(SpecError, match="cannot judge"):
        prepare(Table("t", frame), options(metric=REFUSES))


def test_a_metric_that_refuses_predictions_ends_no_run_after_the_test_was_opened():
    """A line goes far below 0 where the target itself never does."""
    frame = pl.DataFrame({"a": A, "y": np.maximum(90 * A, 0.0)})
    result = run(frame, metric=REFUSES)
    assert result.test[REFUSES] == -np.inf
    assert result.test["rmse"] < 90
    told = summary(result, options(metric=REFUSES))
    assert told["test"] is None
    assert told["models"]["single"]["cv_mean"] is None
