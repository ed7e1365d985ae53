"""Dates and times: read as they are written, and turned into days and cycles."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.data.columns import convert_columns, read_kinds
from cuesta.data.dates import as_dates, date_format, date_inputs, time_format, time_inputs
from cuesta.data.encode import fit_encoder
from cuesta.data.kinds import Kind, parse_kinds
from cuesta.errors import SpecError, TableError

NOON = dt.datetime(1970, 1, 2, 12, tzinfo=dt.UTC)


def text(*values):
    return pl.Series("c", values, dtype=pl.String)


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("2024-02-29", "%Y-%m-%d"),
        ("2024/02/29", "%Y/%m/%d"),
        ("29.02.2024", "%d.%m.%Y"),
        ("29/02/2024", "%d/%m/%Y"),
        ("02/29/2024", "%m/%d/%Y"),
        ("2024-02-29 23:59:59", "%Y-%m-%d %H:%M:%S"),
        ("2024-02-29 23:59", "%Y-%m-%d %H:%M"),
        ("2024-02-29T23:59:59", "%Y-%m-%dT%H:%M:%S"),
        ("2024-02-29T23:59:59.25", "%Y-%m-%dT%H:%M:%S%.f"),
        ("2024-02-29T23:59:59+01:00", "%Y-%m-%dT%H:%M:%S%#z"),
    ],
)
def test_a_date_is_known_by_how_it_is_written(written, form):
    assert date_format(text(written, None)) == form
    (moment,) = as_dates(text(written), form)
    assert (moment.month, moment.day) == (2, 29)


def test_a_day_that_is_not_in_the_calendar_is_a_fault():
    with pytest.raises(TableError, match="2024-02-30"):
        date_format(text("2024-02-28", "2024-02-30"))


@pytest.mark.parametrize("written", ["soon", "12", "1.5", "2024-02", "3-4"])
def test_what_is_no_date_is_none(written):
    assert date_format(text(written)) is None


def test_one_that_can_be_read_in_two_ways_is_a_fault_that_says_how_to_tell():
    with pytest.raises(TableError, match=r"'c', as '03/04/2024', .*columns='c=date:"):
        date_format(text("03/04/2024", "05/06/2024"))
    assert date_format(text("03/04/2024", "25/06/2024")) == "%d/%m/%Y"


def test_a_date_written_otherwise_is_a_fault_that_names_its_row():
    days = [f"2024-01-{day:02}" for day in range(1, 29)]
    with pytest.raises(TableError, match=r"'c' holds '29\.02\.2024' among dates.*row 30"):
        date_format(text(*days, "29.02.2024"))
    with pytest.raises(TableError, match=r"'soon' among dates .*columns='c=category'"):
        date_format(text(*days, "soon"))
    with pytest.raises(TableError, match=r"no form that is known.*columns='c=date:FORMAT'"):
        date_format(text("9/14/2024 half past one", "9/15/2024 noon"))


@pytest.mark.parametrize("written", ["1.2.3", "10.0.0", "10-20-30"])
def test_a_version_is_no_date(written):
    assert date_format(text(written, written)) is None


def test_a_zone_is_taken_into_account():
    (moment,) = as_dates(text("2024-01-01T00:30:00+01:00"), "%Y-%m-%dT%H:%M:%S%#z")
    assert moment == dt.datetime(2023, 12, 31, 23, 30)


@pytest.mark.parametrize(
    ("column", "days"),
    [
        (pl.Series("c", [dt.date(1970, 1, 3), None]), [2.0, np.nan]),
        (pl.Series("c", [dt.datetime(1970, 1, 2, 12)], dtype=pl.Datetime("us")), [1.5]),
        (pl.Series("c", [dt.datetime(1970, 1, 2, 12)], dtype=pl.Datetime("ns")), [1.5]),
        (pl.Series("c", [NOON], dtype=pl.Datetime("us", "Europe/Madrid")), [1.5]),
        (pl.Series("c", [dt.date(1969, 12, 31)]), [-1.0]),
    ],
    ids=["date", "datetime in us", "datetime in ns", "with a zone", "before 1970"],
)
def test_the_first_input_is_days_since_1970(column, days):
    np.testing.assert_array_equal(date_inputs(as_dates(column, ""))[:, 0], days)


@given(st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)))
def test_cycles_are_those_of_the_calendar(moment):
    (row,) = date_inputs(pl.Series([moment], dtype=pl.Datetime("us")))
    share = (
        moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6
    ) / 86400
    turns = [
        (moment.timetuple().tm_yday - 1 + share) / 365.25,
        (moment.weekday() + share) / 7,
        share,
    ]
    wanted = [f(2 * np.pi * turn) for turn in turns for f in (np.sin, np.cos)]
    # Days are counted in float64, to 1e-11 of a day over two centuries.
    np.testing.assert_allclose(row[1:], wanted, atol=1e-9)


def test_dates_alone_have_no_time_of_day_to_learn_from():
    inputs = date_inputs(
        pl.Series([dt.date(2000 + i, 5, 3) for i in range(9)]).cast(pl.Datetime("us"))
    )
    np.testing.assert_array_equal(np.ptp(inputs[:, 5:], axis=0), [0.0, 0.0])


def test_a_time_of_day_is_a_share_and_a_turn():
    assert time_format(text("6:00", "18:30")) == "%H:%M"
    (row,) = time_inputs(pl.Series([dt.time(18)]))
    np.testing.assert_allclose(row, [0.75, -1.0, 0.0], atol=1e-12)


def test_new_rows_are_read_in_the_format_of_the_training_rows():
    frame = pl.DataFrame({"c": ["03/04/2024", "25/06/2024"], "x": [1, 2]})
    kinds = read_kinds(frame, {})
    encoder = fit_encoder(convert_columns(frame, kinds), kinds)
    alone = encoder.encode(pl.DataFrame({"c": ["03/04/2024"], "x": [1]}))
    np.testing.assert_array_equal(alone, encoder.encode(frame)[:1])
    with pytest.raises(TableError, match=r"'c' holds '2024-04-03', which is no date .*row 2"):
        encoder.encode(pl.DataFrame({"c": ["2024-04-03"], "x": [1]}))


def test_kinds_are_read_from_the_command_line():
    assert parse_kinds(["zip=category", "a=b=number", "day=date:%d/%m/%Y"]) == {
        "zip": Kind("category"),
        "a=b": Kind("number"),
        "day": Kind("date", "%d/%m/%Y"),
    }
    for wrong in ("zip", "zip=text", "=number", "zip=categry"):
        with pytest.raises(SpecError):
            parse_kinds([wrong])


def test_a_given_kind_stands_before_how_a_column_looks():
    frame = pl.DataFrame({"zip": ["10", "20"], "day": ["03/04/2024", "05/06/2024"]})
    kinds = read_kinds(frame, {"zip": Kind("category"), "day": Kind("date", "%m/%d/%Y")})
    settled = convert_columns(frame, kinds)
    assert settled["zip"].to_list() == ["10", "20"]
    assert settled["day"][0] == dt.datetime(2024, 3, 4)
    with pytest.raises(TableError, match="'10'"):
        convert_columns(frame, {"zip": Kind("boolean"), "day": kinds["day"]})
