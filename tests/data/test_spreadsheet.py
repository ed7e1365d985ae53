"""What a CSV file holds is run by no spreadsheet, and is read as it was written."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.data.spreadsheet import unmarked, without_formulas
from cuesta.data.table import read_table
from cuesta.data.write import write_table

FORMULAS = ["=cmd|A0", "+1+2", "@x", "-(1)", "=1", "\t=1", "\r=1", "'=1", "''@x", "-inf", "- a"]
HARMLESS = ["-1", "+1.5", "-2e-5", "-12 %", "-1,234.5", "-", "a=b", "", "'a'", " =1", "1+1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_written_after_an_apostrophe(text):
    assert without_formulas(pl.DataFrame({text: [text]})).to_dict(as_series=False) == {
        f"'{text}": [f"'{text}"]
    }


@pytest.mark.parametrize("text", HARMLESS)
def test_numbers_and_other_text_are_written_as_they_are(text):
    assert without_formulas(pl.DataFrame({"x": [text, None]}))["x"].to_list() == [text, None]


@given(st.lists(st.none() | st.text(alphabet="'=+-@\t\r\n1.e %a"), min_size=1))
def test_marks_come_off_as_they_went_on(texts):
    column = pl.Series("x", texts, dtype=pl.String)
    assert unmarked(without_formulas(column.to_frame())["x"]).to_list() == texts


@given(st.text(alphabet="'=+-@\t\r\n1.e %a"))
def test_nothing_that_is_written_begins_as_a_formula(text):
    (cell,) = without_formulas(pl.DataFrame({"x": [text]}))["x"]
    digits = set("0123456789.,%$€£¥ \t\r\neE+-")
    assert cell[:1] not in ("=", "@", "\t", "\r", "\n")
    assert cell[:1] not in ("+", "-") or set(cell) <= digits


def test_a_category_is_text():
    labels = pl.Series("x", ["=a", "b"], dtype=pl.Categorical)
    assert without_formulas(labels.to_frame())["x"].to_list() == ["'=a", "b"]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet", "t.pq", "t.arrow", "t.feather"])
def test_a_table_is_read_as_it_was_written(name, in_folder):
    table = pl.DataFrame({"=id": FORMULAS, "name": [f"x{i}" for i in range(len(FORMULAS))]})
    write_table(in_folder / name, table)
    assert read_table(name).frame.equals(table)
