"""Numbers on their way into a page."""

import json

import numpy as np
import pytest

from cuesta.report.page.packing import json_for_script, pack_column, pack_columns


def test_numbers_in_the_page_survive_their_escapes():
    told = {"name": "<b>&\u2028\u2029", "j": [1.5, None, -2e-9]}
    text = json_for_script(told)
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == told


def test_json_that_no_browser_reads_is_an_error():
    with pytest.raises(ValueError, match="JSON"):
        json_for_script({"j": float("nan")})


def unpacked(text):
    return [float(part) if part else None for part in text.split(" ")]


def test_a_column_comes_back_to_its_digits_and_what_is_not_finite_as_nothing():
    values = [0.0, -0.5, 1 / 3, 1e-9, -2.5e20, 1234.5678]
    assert unpacked(pack_column(values, 6)) == pytest.approx(values, rel=1e-5)
    assert unpacked(pack_column([np.nan, np.inf, None, 1.0], 6)) == [None, None, None, 1.0]


def test_columns_are_those_of_the_table():
    assert [unpacked(text) for text in pack_columns([[1, 2], [3, 4]], 4)] == [[1, 3], [2, 4]]
