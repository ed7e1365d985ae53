"""What a column is taken for, and the values it gives."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.data.columns import (
    MISSING,
    as_booleans,
    as_numbers,
    as_text,
    find_column,
    kind_of,
    tidy,
)
from cuesta.errors import TableError


def text(*values, name="c"):
    return pl.Series(name, values, dtype=pl.String)


@pytest.mark.parametrize("written", sorted({*MISSING, "NA", "NaN", "None", "N/A", "NULL", "  ? "}))
def test_every_way_of_writing_missing_is_missing(written):
    assert tidy(text("x", written, "y")).to_list() == ["x", None, "y"]


def test_blanks_around_text_do_not_count():
    assert tidy(text(" a", "a ", "\ta")).to_list() == ["a", "a", "a"]


def test_tidying_leaves_typed_columns_alone():
    numbers = pl.Series("c", [1.0, None, 3.0])
    assert tidy(numbers).equals(numbers)


def test_a_categorical_column_is_tidied_like_text():
    column = pl.Series("c", ["a", "?", "b"], dtype=pl.Categorical)
    assert tidy(column).to_list() == ["a", None, "b"]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (text("1", "-2.5", "1e3"), "number"),
        (text("1", None, "2"), "number"),
        (text("True", "FALSE", "true"), "boolean"),
        (text("a", "b"), "category"),
        (text("1", "2", "x"), "category"),
        (text(None, None), "empty"),
        (pl.Series("c", [None, None]), "empty"),
        (pl.Series("c", [1, 2]), "number"),
        (pl.Series("c", [1.5, None]), "number"),
        (pl.Series("c", [1, 2]).cast(pl.Decimal(10, 2)), "number"),
        (pl.Series("c", [True, None]), "boolean"),
        (pl.Series("c", [dt.date(2020, 1, 1)]), "date"),
        (pl.Series("c", [dt.time(12)]), "time"),
        (pl.Series("c", [dt.timedelta(1)]), "number"),
        (text("2020-01-31", None), "date"),
        (text("12:30", "7:00"), "time"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_kind_of_a_column(column, kind):
    assert kind_of(column) == kind


def test_a_column_of_nothing_but_nan_is_empty():
    assert kind_of(tidy(pl.Series("c", [np.nan, np.nan]))) == "empty"


@given(at=st.integers(0, 39))
def test_two_words_among_numbers_are_a_fault_that_names_column_rows_and_words(at):
    values = [str(i) for i in range(40)]
    values[at], values[at - 1] = "oops", "error"
    with pytest.raises(TableError, match=rf"'size'.*'oops' \(row {at + 2}\).*missing"):
        kind_of(text(*values, name="size"))


@pytest.mark.parametrize("column", [pl.Series("c", [[1], [2]]), pl.Series("c", [b"a", b"b"])])
def test_a_type_that_no_network_takes_is_a_fault_that_names_the_column(column):
    with pytest.raises(TableError, match="'c'"):
        kind_of(column)


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))))
def test_numbers_written_as_text_are_the_same_numbers(values):
    typed = as_numbers(pl.Series("c", values, dtype=pl.Float64))
    written = as_numbers(text(*[None if v is None else repr(v) for v in values]))
    np.testing.assert_array_equal(written, typed)


def test_a_missing_number_is_nan():
    np.testing.assert_array_equal(as_numbers(text("1", None)), [1.0, np.nan])


@pytest.mark.parametrize("column", [text("1", "inf"), pl.Series("c", [1.0, -np.inf])])
def test_an_infinite_number_is_a_fault_that_names_column_and_row(column):
    with pytest.raises(TableError, match=r"'c' is infinite in row 3"):
        as_numbers(column)


def test_text_where_numbers_are_wanted_is_a_fault_that_names_the_row():
    with pytest.raises(TableError, match=r"'c' holds the text 'x'.*\(row 3\)"):
        as_numbers(text("1", "x", "y"))


@pytest.mark.parametrize(
    "unit",
    [pytest.param(unit) for unit in ("ms", "us")] + ["ns"],
)
def test_a_duration_is_the_same_in_every_unit(unit):
    day = pl.Series("c", [dt.timedelta(days=1)], dtype=pl.Duration(unit))
    assert as_numbers(day).tolist() == [1.0]


@pytest.mark.parametrize(
    "column",
    [
        text("True", "false", None),
        text("TRUE", "FALSE", None),
        text("1", "0", None),
        pl.Series("c", [True, False, None]),
        pl.Series("c", [1, 0, None]),
        pl.Series("c", [1.0, 0.0, None]),
    ],
)
def test_a_boolean_is_1_or_0_however_it_is_written(column):
    np.testing.assert_array_equal(as_booleans(column), [1.0, 0.0, np.nan])


def test_any_other_text_is_a_fault_of_a_boolean_column():
    with pytest.raises(TableError, match=r"'c' holds 'maybe'.*\(row 3\)"):
        as_booleans(text("true", "maybe"))


@pytest.mark.parametrize("column", [pl.Series("c", [1, 7]), pl.Series("c", [1.0, 0.5])])
def test_any_other_number_is_a_fault_of_a_boolean_column(column):
    with pytest.raises(TableError, match="'c'"):
        as_booleans(column)


@pytest.mark.parametrize("column", [text("1", "2"), pl.Series("c", [1, 2]), pl.Series([1.0, 2.0])])
def test_a_category_reads_the_same_however_its_file_typed_it(column):
    assert as_text(column).to_list() == ["1", "2"]


def test_a_number_with_decimals_keeps_them_as_text():
    assert as_text(pl.Series("c", [1.5, 2.0])).to_list() == ["1.5", "2.0"]


def test_a_column_is_found_by_its_name():
    frame = pl.DataFrame({"a": [1], "b": [2]})
    assert find_column(frame, "b", "The table").to_list() == [2]


def test_an_unknown_column_is_a_fault_that_offers_the_nearest():
    frame = pl.DataFrame({"price": [1], "rooms": [2]})
    with pytest.raises(TableError, match=r"'prize'; did you mean 'price'\?"):
        find_column(frame, "prize", "The table")


def test_an_unknown_column_unlike_any_other_is_a_fault_that_lists_them():
    frame = pl.DataFrame({f"c{i}": [1] for i in range(20)})
    with pytest.raises(TableError, match=r"'zzz'; it has: c0, .* and 8 more"):
        find_column(frame, "zzz", "The table")
