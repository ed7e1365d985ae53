"""The table of predictions: bounds and label sets beside them, and when they cannot be had."""

import io
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cuesta.data.encode import Target
from cuesta.data.write import to_text
from cuesta.errors import SpecError
from cuesta.model import Calibration, FoldResiduals, load_model
from cuesta.model.predictions import output_names, set_column
from tests.model.models import CLASSES, FRAME, VALUES, committee, drawn, rows

SEVERAL = Target("multilabel", ("a", "b"))
PROBABILITIES = ["p_no", "p_yes", "p_año 2"]


def test_bounds_stand_after_the_predictions():
    model = committee(VALUES)
    found = model.predict(FRAME, interval=0.8)
    assert found.columns == ["u", "v", "u_lower", "u_upper", "v_lower", "v_upper"]
    lower, upper = model.interval(model.encoder.encode(FRAME), 0.8)
    np.testing.assert_array_equal(found.select("u_lower", "v_lower").to_numpy(), lower)
    np.testing.assert_array_equal(found.select("u_upper", "v_upper").to_numpy(), upper)
    assert (lower < upper).all()
    assert found.select("u", "v").equals(model.predict(FRAME))


def test_a_set_stands_after_the_predictions():
    model = committee()
    found = model.predict(FRAME, sets=0.8)
    assert found.columns == ["y", *PROBABILITIES, "y_set"]
    sets = model.label_sets(model.encoder.encode(FRAME), 0.8)
    for row, text in zip(sets, found["y_set"], strict=True):
        labels = [label for label, inside in zip(CLASSES.labels, row, strict=True) if inside]
        assert text.split(" | ") == labels
    assert found.drop("y_set").equals(model.predict(FRAME))


def test_no_set_is_empty_and_each_has_the_label_that_is_predicted():
    target = Target("classification", ("y",), ("no", "yes"))
    for threshold in (None, 0.05, 0.95):
        model = committee(target, threshold=threshold)
        found = model.predict(FRAME, sets=0.01)
        pairs = zip(found["y"], found["y_set"], strict=True)
        assert all(label in text.split(" | ") for label, text in pairs)


def test_blocks_change_nothing(monkeypatch):
    x = rows(50)
    values, classes = committee(VALUES), committee()
    whole = values.interval(x, 0.9), classes.label_sets(x, 0.9)
    monkeypatch.setattr("cuesta.model.fitted.BLOCK", 7)
    for one, other in zip(whole[0], values.interval(x, 0.9), strict=True):
        # A matrix product may sum other numbers of rows in another order.
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(classes.label_sets(x, 0.9), whole[1])


@pytest.mark.parametrize("kind", ["to_pandas", "to_arrow"])
def test_python_gets_bounds_in_the_kind_of_the_table(kind):
    table = getattr(FRAME, kind)()
    found = committee(VALUES).predict(table, keep="size", interval=0.8)
    assert type(found) is type(table)
    names = list(getattr(found, "column_names", found.columns))
    assert names[:3] == ["size", "u", "v"]
    assert names[3:] == ["u_lower", "u_upper", "v_lower", "v_upper"]


def test_an_empty_table_has_no_bounds():
    assert committee(VALUES).predict(FRAME[:0], interval=0.9).shape == (0, 6)
    assert committee().predict(FRAME[:0], sets=0.9).shape == (0, 5)


def test_a_kept_column_named_like_a_bound_is_called_given():
    frame = FRAME.with_columns(u_lower=pl.lit("mine"))
    found = committee(VALUES).predict_and_tell(frame, "u_lower", interval=0.8)
    assert found.table.columns[0] == "given_u_lower"
    assert found.kept == {"u_lower": "given_u_lower"}
    assert committee(VALUES).predict(frame, "u_lower").columns[0] == "u_lower"


@pytest.mark.parametrize(
    ("target", "names"),
    [
        (
            Target("regression", ("u", "u_lower")),
            ["u", "u_lower", "u_lower_", "u_upper", "u_lower_lower", "u_lower_upper"],
        ),
        (
            Target("classification", ("p_a",), ("b", "a_set")),
            ["p_a", "p_b", "p_a_set", "p_a_set_"],
        ),
    ],
)
def test_a_new_column_gives_way_to_a_prediction_of_its_name(target, names):
    classes = target.task == "classification"
    assert output_names(target, interval=not classes, sets=classes) == names


# --- a set as text ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (("a", "b"), "a | b"),
        ((0, 1), "0 | 1"),
        ((0.5, 1.5), "0.5 | 1.5"),
        ((False, True), "False | True"),
        (("a | b", "c"), "a | b || c"),
        (("a|", "||c"), "a| ||| ||c"),
        (("a, b", 'c "d"'), 'a, b | c "d"'),
    ],
)
def test_the_labels_of_a_set_can_be_told_apart(labels, text):
    (found,) = set_column(labels, np.array([[True, True]]))
    assert found == text
    bar = " " + "|" * max(len(part) for part in text.split(" ") if set(part) == {"|"}) + " "
    assert found.split(bar) == [str(label) for label in labels]


def test_a_set_comes_back_from_csv():
    labels = ("a, b", 'c "d"', "e\nf")
    frame = pl.DataFrame(
        {"y_set": set_column(labels, np.array([[True] * 3, [False, True, False]]))}
    )
    back = pl.read_csv(io.StringIO(to_text(frame)))
    assert back.equals(frame)


# --- what cannot be had -----------------------------------------------------------------------


@pytest.mark.parametrize("level", [0, 1, 0.0, 1.0, -0.1, 1.5, 90, float("nan"), True, "0.9"])
def test_a_level_lies_between_0_and_1(level):
    with pytest.raises(SpecError, match="interval must be a number above 0 and below 1"):
        committee(VALUES).predict(FRAME, interval=level)
    with pytest.raises(SpecError, match="sets must be a number above 0 and below 1"):
        committee().label_sets(rows(3), level)


@pytest.mark.parametrize(
    ("model", "asked", "sentence"),
    [
        (committee(), {"interval": 0.9}, "for numbers; of classes there are label sets (sets)."),
        (committee(VALUES), {"sets": 0.9}, "of numbers there are intervals (interval)."),
        (drawn(SEVERAL), {"sets": 0.9}, "not for several labels a row."),
        (drawn(SEVERAL), {"interval": 0.9}, "not for several labels a row."),
        (drawn(VALUES), {"interval": 0.9}, "interval needs the errors on the folds"),
        (drawn(), {"sets": 0.9}, "sets needs the errors on the folds"),
    ],
)  # fmt: skip
def test_what_a_model_cannot_give_is_refused_before_the_table_is_read(model, asked, sentence):
    with pytest.raises(SpecError) as refused:
        model.predict(pl.DataFrame({"other": [1]}), **asked)
    assert sentence in str(refused.value)
    with pytest.raises(SpecError):
        model.predict_and_tell(FRAME, **asked)


def test_an_older_file_says_that_it_holds_no_errors(tmp_path):
    drawn(VALUES).save(tmp_path / "m.safetensors")
    with pytest.raises(SpecError, match="which this model does not hold"):
        load_model(tmp_path / "m.safetensors").predict(FRAME, interval=0.9)


def test_too_few_rows_for_a_level_are_told():
    few = Calibration(residuals=(FoldResiduals.of(0, np.ones((8, 2))),))
    model = replace(committee(VALUES, folds=1), calibration=few)
    found = model.predict_and_tell(FRAME, interval=0.9)
    assert np.isinf(found.table["u_lower"].to_numpy()).all()
    note = "interval: 8 rows of the folds cannot tell a level of 0.9; the bounds are infinite"
    assert note in found.notes
    assert note not in model.predict_and_tell(FRAME, interval=0.88).notes
    assert np.isfinite(model.predict(FRAME, interval=0.88)["u_lower"].to_numpy()).all()
    sure = replace(
        committee(folds=1),
        calibration=Calibration(residuals=(FoldResiduals.of(0, np.ones((8, 1))),)),
    )
    told = sure.predict_and_tell(FRAME, sets=0.9)
    assert "sets: 8 rows of the folds cannot tell a level of 0.9; each set holds all labels" in (
        told.notes
    )
    assert set(told.table["y_set"]) == {"no | yes | año 2"}
