"""Numbers as people write them."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.data.numerals import (
    Numerals,
    as_written,
    parse_numerals,
    read_numerals,
)


def text(*values):
    return pl.Series("c", values, dtype=pl.String)


def read(written, decimal="."):
    return read_numerals(text(written), decimal).row(0)


@pytest.mark.parametrize(
    ("written", "value", "unit"),
    [
        ("$5,345.21", 5345.21, "$"),
        ("-$3", -3.0, "$"),
        ("$-3", -3.0, "$"),
        ("(1,234.50)", -1234.5, ""),
        ("12.3 %", 12.3, "%"),
        ("12.5 kg", 12.5, "kg"),
        ("12.5kg", 12.5, "kg"),
        ("90 km/h", 90.0, "km/h"),
        ("-4 °C", -4.0, "°C"),
        ("1'234'567", 1234567.0, ""),
        ("1 234.5", 1234.5, ""),
        ("1\u202f234", 1234.0, ""),
        ("US$ 5", 5.0, "US$"),
        ("5 EUR", 5.0, "EUR"),
        ("12,34,567", 1234567.0, ""),
        ("5 stars", 5.0, "star"),
        ("1e3", 1000.0, ""),
        (".5", 0.5, ""),
        ("\u22123", -3.0, ""),
    ],
)
def test_a_number_is_read_as_people_write_it(written, value, unit):
    assert read(written) == (value, unit)


@pytest.mark.parametrize(
    ("written", "value"),
    [("-1,224", -1.224), ("1.234,56", 1234.56), ("1.234", 1234.0), ("0,5", 0.5), (",5", 0.5)],
)
def test_a_comma_stands_before_the_decimals_where_it_is_said_to(written, value):
    assert read(written, ",") == (value, "")


@pytest.mark.parametrize(
    "written",
    ["", "x", "1,2,3", "1.2.3", "12:30", "2024-01-02", "3A4", "A1", "--3", "(5", "0,378", "1,23",
     "$5 USD", "10-20", "5+", "<3", "1,2345", "12 kg net"],
)  # fmt: skip
def test_what_is_no_number_is_none(written):
    assert read(written)[0] is None


@given(
    value=st.integers(-(10**12), 10**12),
    decimals=st.integers(0, 4),
    mark=st.sampled_from([".", ","]),
    unit=st.sampled_from(["", "kg", "%", "€"]),
)
def test_any_number_written_with_marks_is_read_back(value, decimals, mark, unit):
    written = f"{value / 10**decimals:,.{decimals}f}"
    if mark == ",":
        written = written.translate(str.maketrans(",.", ".,"))
    form = Numerals(mark, unit).format
    (back,) = as_written(text(f"{written} {unit}".strip()), form)
    assert back == float(f"{value / 10**decimals:.{decimals}f}")


@pytest.mark.parametrize("how", [Numerals(d, u) for d in ".," for u in ("", "$", "€", "kg", "US$")])
def test_a_format_says_how_numbers_are_written(how):
    assert parse_numerals(how.format) == how


def test_another_unit_is_no_number_of_the_column_and_none_is():
    assert as_written(text("5 kg", "5 g", "5"), "1,234.5 kg").to_list() == [5.0, None, 5.0]


def test_a_format_without_a_numeral_is_a_fault():
    with pytest.raises(ValueError, match=r"1,234\.5 or 1\.234,5, not 'kg'"):
        parse_numerals("kg")
