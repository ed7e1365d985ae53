"""From columns to a matrix, and from a target to what a network learns."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.data.columns import tidy_frame
from cuesta.data.dates import date_inputs
from cuesta.data.encode import (
    MOST_CATEGORIES,
    Encoder,
    Feature,
    Target,
    encode_target,
    fit_target,
)
from cuesta.data.encode import fit_encoder as fit_tidied
from cuesta.errors import TableError

FRAME = pl.DataFrame(
    {
        "size": [1.5, None, 3.0, 4.0],
        "new": [True, False, True, None],
        "kind": ["a", "b", None, "a"],
        "day": [dt.date(1970, 1, 2), dt.date(1970, 1, 3), None, dt.date(1970, 1, 1)],
    }
)
nan = np.nan
MATRIX = np.hstack(
    [
        # size, missing; new, missing; kind a, b, missing
        [
            [1.5, 0, 1, 0, 1, 0, 0],
            [nan, 1, 0, 0, 0, 1, 0],
            [3.0, 0, 1, 0, 0, 0, 1],
            [4.0, 0, nan, 1, 1, 0, 0],
        ],
        date_inputs(FRAME["day"].cast(pl.Datetime("us"))),
        [[0], [0], [1], [0]],  # day, missing
    ]
)


def fit_encoder(frame):
    return fit_tidied(tidy_frame(frame))


def encoded(frame, fitted_on=None):
    return fit_encoder(frame if fitted_on is None else fitted_on).encode(frame)


def equal(one, other):
    np.testing.assert_array_equal(one, other)


def test_each_kind_of_column_becomes_its_numbers():
    equal(encoded(FRAME), MATRIX)


def test_the_width_of_an_encoder_is_the_width_of_its_matrix():
    encoder = fit_encoder(FRAME)
    assert encoder.width == encoder.encode(FRAME).shape[1]


@given(st.permutations(FRAME.columns))
def test_the_order_of_columns_does_not_matter(columns):
    equal(fit_encoder(FRAME).encode(FRAME.select(columns)), MATRIX)


def test_other_columns_are_ignored():
    wider = FRAME.with_columns(extra=pl.lit("x"), infinite=pl.lit(np.inf))
    equal(fit_encoder(FRAME).encode(wider), MATRIX)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_a_row_is_encoded_alone(rows):
    equal(fit_encoder(FRAME).encode(FRAME[rows]), MATRIX[rows])


def test_a_table_encodes_the_same_as_text_and_typed():
    written = FRAME.drop("day").with_columns(pl.all().cast(pl.String))
    equal(encoded(written), MATRIX[:, :7])
    equal(fit_encoder(written).encode(FRAME.drop("day")), MATRIX[:, :7])


def test_a_number_that_counts_the_rows_is_kept_and_a_note_says_so():
    (note,) = fit_encoder(pl.DataFrame({"id": range(1, 51), "x": [1.0, 2.0] * 25})).notes
    assert "id: each row has a whole number of its own" in note
    assert (note.parameter, note.value) == ("drop", "id")


def test_a_constant_column_is_kept_and_a_note_says_so():
    encoder = fit_encoder(pl.DataFrame({"same": [3, 3, 3], "x": [1, 2, 3]}))
    assert encoder.columns == ["same", "x"]
    assert "same: the same value" in encoder.notes[0]


def test_a_value_that_is_there_or_not_tells_something():
    assert fit_encoder(pl.DataFrame({"a": [1.0, None, 1.0], "x": [1, 2, 3]})).notes == ()


def test_a_constant_text_is_said_to_tell_nothing():
    (note,) = fit_encoder(pl.DataFrame({"a": ["k"] * 3, "x": [1, 2, 3]})).notes
    assert "a: the same value" in note


def test_an_unseen_category_is_all_zeros():
    seen, new = pl.DataFrame({"kind": ["a", "b"]}), pl.DataFrame({"kind": ["c", "b", None]})
    equal(encoded(new, fitted_on=seen), [[0, 0], [0, 1], [0, 0]])


def test_a_value_first_missing_in_new_rows_has_no_indicator():
    seen, new = pl.DataFrame({"x": [1.0, 2.0]}), pl.DataFrame({"x": [None, 3.0]})
    equal(encoded(new, fitted_on=seen), [[nan], [3.0]])


@pytest.mark.parametrize("written", ["?", "NA", "", "  ", "n/a", "NaN", "null", "None", "-"])
def test_missing_is_missing_however_it_is_written(written):
    frame = pl.DataFrame({"x": ["1", written, "3"], "c": ["u", "v", written]})
    equal(encoded(frame), [[1, 0, 1, 0, 0], [nan, 1, 0, 1, 0], [3, 0, 0, 0, 1]])


def many_categories(count):
    """Category i stands i + 2 times, so that the last are the commonest."""
    return pl.DataFrame({"c": [f"c{i:03}" for i in range(count) for _ in range(i + 2)]})


def test_the_commonest_categories_have_a_column_each_and_the_rest_share_one():
    frame = many_categories(MOST_CATEGORIES + 6)
    (feature,) = fit_encoder(frame).features
    assert feature.categories == tuple(f"c{i:03}" for i in range(6, MOST_CATEGORIES + 6))
    x = encoded(frame)
    assert x.shape[1] == MOST_CATEGORIES + 1
    assert (x.sum(axis=1) == 1).all()
    assert x[:, -1].sum() == sum(i + 2 for i in range(6))


def test_an_unseen_category_joins_the_rest_and_a_missing_one_does_not():
    encoder = fit_encoder(many_categories(MOST_CATEGORIES + 6))
    x = encoder.encode(pl.DataFrame({"c": ["new", None]}))
    assert x[:, -1].tolist() == [1, 0]
    assert not x[:, :-1].any()


def test_as_many_categories_as_may_be_share_no_column():
    (feature,) = fit_encoder(many_categories(MOST_CATEGORIES)).features
    assert len(feature.categories) == MOST_CATEGORIES
    assert not feature.other


def test_the_shared_column_is_said_in_a_note():
    notes = fit_encoder(many_categories(MOST_CATEGORIES + 6)).notes
    assert notes == ("c: 6 rare categories share a column",)


def test_text_that_names_its_rows_is_left_out_and_a_note_says_so():
    frame = pl.DataFrame({"id": [f"r{i}" for i in range(100)], "x": [i % 7 for i in range(100)]})
    encoder = fit_encoder(frame)
    assert [feature.name for feature in encoder.features] == ["x"]
    assert encoder.notes == ("id: left out, 100 distinct texts in 100 rows name the rows",)


def test_few_distinct_texts_are_categories_even_if_all_differ():
    (feature,) = fit_encoder(pl.DataFrame({"c": [f"r{i}" for i in range(19)]})).features
    assert len(feature.categories) == 19


def test_a_number_is_the_category_that_text_names():
    encoder = Encoder((Feature("c", "category", categories=("1", "2")),))
    equal(encoder.encode(pl.DataFrame({"c": [2.0, 1.0]})), [[0, 1], [1, 0]])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("count"),
        "proportion",
        "literal",
        "index",
    ],
)
def test_a_category_may_have_any_name(name):
    assert encoded(pl.DataFrame({name: ["a", "b", "a"]})).shape == (3, 2)


@pytest.mark.parametrize(
    ("frame", "culprit"),
    [
        ({"x": [1], "wide": [[1, 2]]}, "'wide'"),
        ({"far": [1.0, np.inf]}, r"'far' is infinite in row 3"),
        (
            {"mixed": [*map(str, range(30)), "x", "y"]},
            r"'mixed' holds the text 'x' \(row 32\), 'y'",
        ),
        ({}, "No column is left"),
        ({"id": [f"r{i}" for i in range(100)]}, "No column is left"),
    ],
    ids=["list", "infinite", "text among numbers", "no column", "only names"],
)
def test_a_table_that_cannot_be_encoded_is_a_fault_that_names_why(frame, culprit):
    with pytest.raises(TableError, match=culprit):
        fit_encoder(pl.DataFrame(frame, strict=False))


@pytest.mark.parametrize("gone", [[None, None], ["?", "NA"], [np.nan, np.nan]])
def test_a_column_without_a_value_in_these_rows_is_left_out_with_a_note(gone):
    encoder = fit_encoder(pl.DataFrame({"x": [1, 2], "gone": gone}))
    assert [feature.name for feature in encoder.features] == ["x"]
    assert any("gone" in note for note in encoder.notes)


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ({"size": ["1", "2", "x", "4"]}, r"'size' holds the text 'x'.*\(row 4\)"),
        ({"size": [1.0, np.inf, 2.0, 3.0]}, r"'size' is infinite in row 3"),
        ({"new": ["true", "perhaps", "true", "true"]}, r"'new' holds 'perhaps'.*\(row 3\)"),
        pytest.param({"kind": [["a"], ["b"], ["a"], ["b"]]}, "'kind'"),
        pytest.param({"size": [[1.0], [2.0], [3.0], [4.0]]}, "'size'"),
    ],
)
def test_new_rows_that_cannot_be_encoded_are_a_fault_that_names_column_and_row(change, culprit):
    new = FRAME.with_columns(**{name: pl.Series(values) for name, values in change.items()})
    with pytest.raises(TableError, match=culprit):
        fit_encoder(FRAME).encode(new)


def test_a_missing_column_is_a_fault_that_offers_the_nearest():
    with pytest.raises(TableError, match="'size'; did you mean 'sizes'"):
        fit_encoder(FRAME).encode(FRAME.rename({"size": "sizes"}))


# --- targets ----------------------------------------------------------------------------------


def target_of(*columns, task="auto"):
    frame = pl.DataFrame({f"y{i}": column for i, column in enumerate(columns)})
    return fit_target(frame, frame.columns, task), frame


@pytest.mark.parametrize(
    ("values", "task", "labels"),
    [
        (["no", "yes"] * 10, "classification", ("no", "yes")),
        ([True, False] * 10, "classification", (False, True)),
        ([2, 0, 1] * 10, "classification", (0, 1, 2)),
        (["2", "0", "10"] * 10, "classification", ("0", "2", "10")),
        (["01", "1", "02"] * 10, "classification", ("01", "1", "02")),
        ([1.0, 2.0] * 10, "classification", (1, 2)),
        ([0.5, 1.5] * 10, "regression", ()),
        (list(range(30)), "regression", ()),
        (["0.5", "1"] * 10, "regression", ()),
    ],
    ids=[
        "text",
        "boolean",
        "whole",
        "whole as text",
        "codes",
        "whole as float",
        "halves",
        "counts",
        "mix",
    ],
)
def test_auto_tells_classes_from_values(values, task, labels):
    target, _ = target_of(values)
    assert (target.task, target.labels) == (task, labels)
    assert [type(label) for label in target.labels] == [type(label) for label in labels]


def test_the_task_may_be_told():
    assert target_of([0, 1] * 10, task="regression")[0].task == "regression"
    assert target_of([0.5, 1.5] * 10, task="classification")[0].labels == (0.5, 1.5)


def test_several_numbers_are_one_regression():
    target, frame = target_of([0.5, 1.5], ["2", "5"])
    assert target.outputs == 2
    equal(encode_target(frame, target), [[0.5, 2], [1.5, 5]])


def test_a_class_network_has_an_output_for_each_class():
    assert target_of(["a", "b", "c"] * 5)[0].outputs == 3


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=6).filter(lambda y: len(set(y)) > 1))
def test_the_label_at_a_code_is_the_value_of_the_row(values):
    target, frame = target_of(values)
    codes = encode_target(frame, target)
    assert codes.dtype == np.int32
    assert [target.labels[code] for code in codes] == values


@pytest.mark.parametrize("labels", [("a", "b"), (1, 2), (False, True), (0.5, 1.5)])
def test_labels_of_every_type_have_their_codes(labels):
    frame = pl.DataFrame({"y": [labels[1], labels[0], labels[1]]})
    codes = encode_target(frame, Target("classification", ("y",), labels))
    assert codes.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("columns", "task", "culprit"),
    [
        ([["a"] * 9], "auto", "'y0' has one class only: 'a'"),
        ([[2.5] * 9], "regression", "'y0' has the same value in every row"),
        ([["a", "b"] * 9], "regression", "'y0' is not numeric"),
        ([[0.5, 1.5], ["a", "b"]], "auto", "'y1' is not numeric"),
        ([["a", "b"], ["c", "d"]], "classification", "one target, not 2: y0, y1"),
        ([list("abcdef")], "auto", "'y0' has 6 classes in 6 rows"),
        ([[0.5, np.inf]], "auto", r"'y0' is infinite in row 3"),
        ([[*map(str, range(30)), "x"]], "auto", r"'y0' holds the text 'x'.*\(row 32\)"),
    ],
)
def test_a_target_that_cannot_be_learned_is_a_fault_that_names_it(columns, task, culprit):
    with pytest.raises(TableError, match=culprit):
        target_of(*columns, task=task)


def test_a_label_unseen_in_training_is_a_fault_that_names_it():
    target, _ = target_of(["a", "b"] * 9)
    with pytest.raises(TableError, match="'y0' holds 'c'"):
        encode_target(pl.DataFrame({"y0": ["a", "c"]}), target)
