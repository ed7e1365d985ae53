"""How columns of text are read, and that each reading is told with what would change it."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from cuesta.data.columns import read_columns, read_target
from cuesta.data.encode import fit_encoder, fit_target
from cuesta.data.kinds import ANY_CASE, Kind, parse_kinds
from cuesta.errors import SpecError, TableError

ROWS = 60


def cycle(*values):
    return [values[i % len(values)] for i in range(ROWS)]


def column(values):
    return pl.DataFrame([pl.Series(values, dtype=pl.String).alias("c")])


def read(values, **how):
    """A column of text: what it becomes, its kind, and the notes."""
    frame, kinds = read_columns(column(values), **how)
    return frame["c"].to_list(), kinds["c"], fit_encoder_notes(frame, kinds)


def fit_encoder_notes(frame, kinds):
    x = pl.Series(np.arange(frame.height) % 7 / 2).alias("x")
    return fit_encoder(frame.with_columns(x), {**kinds, "x": Kind("number")}).notes


PRICES = [f"${1000 + 7 * i:,}.50" for i in range(ROWS)]


@pytest.mark.parametrize(
    ("values", "numbers", "form", "parameter"),
    [
        (PRICES, [1000.5 + 7 * i for i in range(ROWS)], "$1,234.5", "columns"),
        ([f"{i}.5 %" for i in range(ROWS)], [i + 0.5 for i in range(ROWS)], "1,234.5 %", "columns"),
        ([f"{i},25" for i in range(ROWS)], [i + 0.25 for i in range(ROWS)], "1.234,5", "columns"),
        ([f"{i + 1},250" for i in range(ROWS)], [1250 + 1000 * i for i in range(ROWS)], "1,234.5",
         "decimal"),
        ([f"{i} kg" for i in range(ROWS)], list(range(ROWS)), "1,234.5 kg", "columns"),
    ],
    ids=["currency", "percent", "decimal comma", "thousands", "unit"],
)  # fmt: skip
def test_numbers_of_any_writing_are_numbers_and_it_is_told(values, numbers, form, parameter):
    made, kind, notes = read(values)
    assert made == numbers
    assert (kind.name, kind.format) == ("number", form)
    assert notes[0].startswith("c: numbers")
    assert notes[0].parameter == parameter


def test_numbers_as_a_computer_writes_them_are_told_nothing_of():
    assert read([f"{i / 4}" for i in range(ROWS)])[2] == ()


def test_what_can_be_read_in_two_ways_follows_the_other_columns_and_the_parameter():
    unsure = [f"{i + 1},250" for i in range(ROWS)]
    sure = [f"0,{i:02}" for i in range(ROWS)]
    frame = column(unsure).with_columns(pl.Series("other", sure))
    made, kinds = read_columns(frame)
    assert made["c"][0] == 1.25
    assert kinds["c"].format == "1.234,5"
    assert read(unsure, decimal=",")[0][0] == 1.25
    assert read(unsure)[0][0] == 1250
    thousands = column([f"{i + 1}.250" for i in range(ROWS)])
    assert read_columns(thousands.with_columns(pl.Series("other", sure)))[0]["c"][0] == 1250
    assert read_columns(thousands)[0]["c"][0] == 1.25


@pytest.mark.parametrize(
    "values",
    [cycle("2", "3", "4", "5more"), cycle("1 kg", "2 g"), cycle("A1", "A2"), cycle("5+", "1")],
)
def test_numbers_with_more_than_a_unit_are_categories(values):
    assert read(values)[1].name == "category"


def test_codes_with_zeros_in_front_are_categories_and_keep_them():
    made, kind, (note,) = read(cycle("02138", "10001", "90210"))
    assert made[0] == "02138"
    assert kind.name == "category"
    assert "02138" in note
    assert (note.parameter, note.value) == ("columns", "c=number")
    assert read(cycle("0", "0.5", "10"))[1].name == "number"


@pytest.mark.parametrize("mark", ["#N/A", ".", "<NA>", "1.#QNAN", "#DIV/0!", "-nan", "--"])
def test_marks_of_spreadsheets_and_programs_are_missing(mark):
    made, kind, notes = read(cycle("1.5", "2", mark))
    assert (made[2], kind.name, notes) == (None, "number", ())
    days = read(cycle("2024-01-01", "2024-02-01", "NaT"))
    assert (days[0][2], days[1].name) == (None, "date")


def test_one_word_among_numbers_is_missing_and_told_also_in_new_rows():
    values = [f"{i / 4}" for i in range(ROWS)]
    values[3] = values[7] = "unknown"
    frame, kinds = read_columns(column(values))
    assert frame["c"].null_count() == 2
    encoder = fit_encoder(frame, kinds)
    assert "'unknown' among numbers is taken for missing, in 2 rows" in encoder.notes[0]
    new = encoder.encode(column(["unknown", "Unknown", "1.5"]))
    np.testing.assert_array_equal(new, [[np.nan, 1], [np.nan, 1], [1.5, 0]])
    with pytest.raises(TableError, match="'lost'"):
        encoder.encode(column(["lost"]))


def test_two_words_among_numbers_are_a_fault_that_names_both_and_what_settles_it():
    values = [f"{i / 4}" for i in range(ROWS)]
    values[3], values[7] = "n.d.", "error 7"
    with pytest.raises(TableError, match=r"'n\.d\.' \(row 5\), 'error 7' \(row 9\).*missing"):
        read(values)
    made, kind, _ = read(values, missing=("N.D.", "error 7"))
    assert (made[3], made[7], kind.name) == (None, None, "number")


def test_a_number_that_means_missing_is_so_in_text_and_in_types():
    for values in (pl.Series(["-9999", "-9999.0", "1.5"]), pl.Series([-9999.0, -9999.0, 1.5])):
        frame, kinds = read_columns(pl.DataFrame([values.alias("c")]), missing=("-9999",))
        assert frame["c"].to_list() == [None, None, 1.5]
        encoder = fit_encoder(frame, kinds)
        assert encoder.encode(pl.DataFrame({"c": [-9999, 2]}))[:, 1].tolist() == [1, 0]


def test_a_long_text_among_numbers_is_no_word_for_missing():
    values = [f"{i / 4}" for i in range(ROWS)]
    values[3] = "x" * 1000
    with pytest.raises(TableError, match=r"'x{10,40}…x+' \(row 5\)"):
        read(values)


def test_synonyms_of_yes_and_no_are_one_boolean_and_told():
    made, kind, (note,) = read(cycle("Yes", "No", "yes", "Y", "n"))
    assert (kind.name, made[:5]) == ("boolean", [True, False, True, True, False])
    assert "yes or no" in note
    assert read(cycle("yes", "no"))[1].name == "category"  # written in one way: two categories


def test_labels_that_differ_in_case_or_blanks_only_are_one_and_told_also_in_new_rows():
    frame, kinds = read_columns(column(cycle("New York", "new  york", "Rome", "New York")))
    assert set(frame["c"]) == {"New York", "Rome"}
    encoder = fit_encoder(frame, kinds)
    assert "differ" in encoder.notes[0]
    np.testing.assert_array_equal(
        encoder.encode(column(["NEW YORK", "rome", "Oslo"])), [[1, 0], [0, 1], [0, 0]]
    )


def test_case_that_may_have_a_meaning_keeps_its_categories():
    assert read(cycle("AA", "Aa", "aA", "aa"))[1].format == ""
    exact = {"c": Kind("category")}
    assert set(read(cycle("Rome", "rome"), given=exact)[0]) == {"Rome", "rome"}


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("12 Mar 2005", dt.datetime(2005, 3, 12)),
        ("12 March 2005", dt.datetime(2005, 3, 12)),
        ("March 12, 2005", dt.datetime(2005, 3, 12)),
        ("Mar 12 2005", dt.datetime(2005, 3, 12)),
        ("12-Mar-2005", dt.datetime(2005, 3, 12)),
        ("12-MAR-05", dt.datetime(2005, 3, 12)),
        ("Sat, 12 Mar 2005 10:00:00 +0100", dt.datetime(2005, 3, 12, 9)),
        ("2005-03-12T10:00:07.250Z", dt.datetime(2005, 3, 12, 10, 0, 7, 250000)),
        ("2005-03-12T10:00+01:00", dt.datetime(2005, 3, 12, 9)),
        ("3/13/2005 1:30 PM", dt.datetime(2005, 3, 13, 13, 30)),
        ("3/13/05", dt.datetime(2005, 3, 13)),
    ],
)
def test_dates_in_the_usual_forms_are_dates_and_told(written, moment):
    made, kind, (note, *_) = read(cycle(written))
    assert (kind.name, made[0]) == ("date", moment)
    assert repr(written) in note


def test_a_target_of_percents_is_a_regression_and_told():
    target, notes = read_target(pl.Series("y", [f"{i}.5%" for i in range(ROWS)]))
    assert target.to_list() == [i + 0.5 for i in range(ROWS)]
    assert "'0.5%' is read as 0.5" in notes[0]
    assert fit_target(pl.DataFrame([target]), ["y"], "auto").task == "regression"


def test_labels_that_are_few_numbers_with_a_unit_stay_as_they_are():
    target, notes = read_target(pl.Series("y", cycle("5 mg", "10 mg")))
    assert (set(target), notes) == ({"5 mg", "10 mg"}, ())


def test_a_target_of_one_label_in_several_writings_has_it_once():
    target, notes = read_target(pl.Series("y", cycle("yes", "yes", "Yes", "no", "n")))
    assert set(target) == {"yes", "no"}
    assert notes
    assert set(read_target(pl.Series("y", cycle("Cat", "Cat", "cat", "Dog")))[0]) == {"Cat", "Dog"}


def test_dates_are_no_target_and_the_sentence_says_what_is():
    days = [f"2024-01-{i % 28 + 1:02}" for i in range(ROWS)]
    for series in (pl.Series("due", days), pl.Series("due", days).str.to_date()):
        with pytest.raises(TableError, match=r"'due' holds dates.*days since"):
            read_target(series)


def test_a_target_too_large_to_square_is_a_fault_that_says_by_what_to_divide():
    with pytest.raises(TableError, match=r"'y' holds numbers as large as 3e\+300.*1e\+300"):
        read_target(pl.Series("y", [1e300, 3e300, -2e300]))


def test_a_numeral_says_how_a_column_is_written():
    (kind,) = parse_kinds(["price=number:1.234,5 €"]).values()
    assert kind == Kind("number", "1.234,5 €")
    assert read(cycle("1.500 €", "2.500 €"), given={"c": kind})[0][0] == 1500
    with pytest.raises(SpecError, match=r"1\.234,5"):
        parse_kinds(["price=number:€"])


def test_the_format_of_categories_of_any_case_is_none_of_dates():
    assert read(cycle("Rome", "rome", "Oslo"))[1] == Kind("category", ANY_CASE)
