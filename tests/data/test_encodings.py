"""Files in other encodings, and columns whose names look like patterns."""

import codecs

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.data.columns import frame_of, read_columns, with_columns, without
from cuesta.data.encode import fit_encoder
from cuesta.data.encodings import SAMPLE
from cuesta.data.frames import as_frame
from cuesta.data.table import read_table
from cuesta.errors import SpecError, TableError

ROWS = "größe,stadt\n1,Málaga\n2,Zürich\n"
MARKED = {
    "utf-16": ROWS.encode("utf-16"),
    "utf-32": ROWS.encode("utf-32"),
    "utf-16-le": ROWS.encode("utf-16-le"),
    "utf-16-be": ROWS.encode("utf-16-be"),
    "latin-1": ROWS.encode("latin-1"),
    "windows-1252": ROWS.replace("Málaga", "“Málaga”").encode("windows-1252"),
}


def read(tmp_path, content, **how):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    return read_table(str(path), **how)


@pytest.mark.parametrize("encoding", MARKED)
def test_an_encoding_is_told_by_the_bytes_and_in_a_note(tmp_path, encoding):
    table = read(tmp_path, MARKED[encoding])
    assert table.frame.columns == ["größe", "stadt"]
    assert table.frame["stadt"][1] == "Zürich"
    (note,) = table.notes
    assert f"read as {encoding}" in note
    assert note.parameter == "encoding"


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_utf_8_is_told_nothing_of(tmp_path, mark):
    table = read(tmp_path, mark + ROWS.encode())
    assert (table.frame.columns, table.notes) == (["größe", "stadt"], ())


def test_bytes_of_another_encoding_far_down_in_a_file_are_found(tmp_path):
    rows = "a,b\n" + "1,x\n" * SAMPLE + "2,ñ\n"
    table = read(tmp_path, rows.encode("latin-1"))
    assert table.frame["b"][-1] == "ñ"
    assert table.notes


def test_a_character_cut_by_the_end_of_the_sample_is_no_other_encoding(tmp_path):
    rows = "a,b\n" + "1," + "x" * (SAMPLE - 7) + "ñ\n"
    assert len(rows.encode()[:SAMPLE].decode(errors="ignore")) < SAMPLE  # it is cut there
    assert read(tmp_path, rows.encode()).notes == ()


def test_a_given_encoding_stands_before_the_guess(tmp_path):
    table = read(tmp_path, "город\nРига\n".encode("koi8-r"), encoding="koi8-r")
    assert table.frame.to_dict(as_series=False) == {"город": ["Рига"]}
    assert table.notes == ()


def test_a_wrong_encoding_is_a_fault_that_names_the_line_and_the_parameter(tmp_path):
    with pytest.raises(TableError, match=r"not utf-8: line 3 holds the byte 0xfc.*encoding"):
        read(tmp_path, b"a\n1\n\xfc\n", encoding="utf-8")
    with pytest.raises(SpecError, match="'klingon' is unknown"):
        read(tmp_path, b"a\n1\n", encoding="klingon")


NAMES = st.lists(
    st.sampled_from(["*", "^x$", "^.*$", "^$", "x", "**", "$^"]),
    min_size=1,
    max_size=4,
    unique=True,
)
KINDS = st.sampled_from(
    [["1.5", "2", None], ["$1.50", "$2", None], ["a", "b", "a"], ["Yes", "no", "yes"],
     ["2024-01-02", "2024-02-03", None], ["12:30", "7:00", None], ["01", "10", "02"]]
)  # fmt: skip


@given(names=NAMES, data=st.data())
def test_a_column_is_read_and_encoded_in_the_same_way_whatever_its_name(names, data):
    columns = [data.draw(KINDS) for _ in names]
    made = [pl.Series(values, dtype=pl.String) for values in columns]
    odd = frame_of(column.alias(name) for name, column in zip(names, made, strict=True))
    plain = frame_of(column.alias(f"c{i}") for i, column in enumerate(made))
    encoders = [fit_encoder(*read_columns(frame)) for frame in (odd, plain)]
    assert encoders[0].columns == names
    matrices = [encoder.encode(f) for encoder, f in zip(encoders, (odd, plain), strict=True)]
    np.testing.assert_array_equal(*matrices)
    notes = [note.partition(":")[2] for note in encoders[1].notes]
    assert [note.partition(":")[2] for note in encoders[0].notes] == notes
    assert all(note.partition(":")[0] in names for note in encoders[0].notes)


def test_a_fault_in_a_column_of_any_name_names_it_as_it_is():
    values = [*map(str, range(40)), "oops", "error"]
    with pytest.raises(TableError, match=r"The column '\*' holds the text 'oops'"):
        read_columns(frame_of([pl.Series(values).alias("*")]))


def test_files_and_tables_keep_names_that_look_like_patterns(tmp_path):
    assert read(tmp_path, b"*,^a$,b\n1,2,3\n").frame.rows() == [("1", "2", "3")]
    table = pd.DataFrame(
        {"*": [1.5, None], "^a$": ["x", "y"], "b": pd.to_datetime(["2024", "2025"])}
    )
    frame = as_frame(table)
    assert frame.columns == ["*", "^a$", "b"]
    assert without(frame, ["*"]).columns == ["^a$", "b"]
    assert with_columns(frame, [pl.Series([7, 8]).alias("*")])["*"].to_list() == [7, 8]
