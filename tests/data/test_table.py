"""Reading a table."""

import csv
import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets

from cuesta.data.bundled import BUNDLED
from cuesta.data.table import ARROW_FILES, PARQUET_FILES, SEPARATORS, TEXT_FILES, read_table
from cuesta.errors import TableError

CELLS = st.text(st.sampled_from('aé 1.,;|\t"\n?'), min_size=1, max_size=6)
TEXT_CASES = [("t" + suffix, separator) for suffix in (".csv", ".txt") for separator in SEPARATORS]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


def read(place, content, name="t.csv"):
    path = place / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(str(path))


@pytest.mark.parametrize(("name", "separator"), [*TEXT_CASES, ("t.tsv", "\t"), ("t.tab", "\t")])
def test_every_separator_is_read(place, name, separator):
    table = read(place, "a,b\n1,x\n2,y\n".replace(",", separator), name)
    assert table.frame.to_dict(as_series=False) == {"a": ["1", "2"], "b": ["x", "y"]}


@pytest.mark.parametrize("suffix", PARQUET_FILES + ARROW_FILES)
def test_a_typed_file_is_read_as_it_is_typed(tmp_path, suffix):
    frame = pl.DataFrame({"a": [1, None], "b": ["x", "y"], "c": [True, False]})
    path = tmp_path / f"t{suffix}"
    frame.write_parquet(path) if suffix in PARQUET_FILES else frame.write_ipc(path)
    assert read_table(str(path)).frame.equals(frame)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_a_quoted_text_file_gives_its_cells_back(place, rows):
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    assert read(place, file.getvalue()).frame.rows() == rows


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("last", ["", "end"])
def test_line_ends_and_byte_order_marks_do_not_count(place, end, mark, last):
    content = mark + end.join(["a,b", "1,x", "2,y"]) + (end if last else "")
    assert read(place, content).frame.to_dict(as_series=False) == {"a": ["1", "2"], "b": ["x", "y"]}


def test_the_cells_of_a_text_file_stay_text(place):
    frame = read(place, "a,b\n007,1e5\n").frame
    assert frame.rows() == [("007", "1e5")]


def test_blanks_around_a_column_name_do_not_count(place):
    assert read(place, " a , b\n1,2\n").frame.columns == ["a", "b"]


def test_an_empty_cell_is_missing(place):
    assert read(place, "a,b\n1,\n,2\n").frame.rows() == [("1", None), (None, "2")]


def test_a_suffix_may_be_written_in_capitals(place):
    assert read(place, "a\n1\n", "t.CSV").frame.rows() == [("1",)]


def test_a_table_has_the_name_of_its_file(place):
    table = read(place, "a\n1\n", "houses.2020.csv")
    assert (table.name, table.targets) == ("houses.2020", ())


@pytest.mark.parametrize(
    ("name", "targets"),
    [(name, ("target",)) for name in ("breast_cancer", "iris", "wine")]
    + [("digits", ("digit",)), ("diabetes", ("progression",))]
    + [("linnerud", ("Weight", "Waist", "Pulse"))],
)
def test_a_bundled_data_set_comes_with_all_its_rows_and_its_targets(name, targets):
    bunch = getattr(datasets, f"load_{name}")()
    table = read_table(name)
    assert (table.name, table.targets) == (name, targets)
    assert table.frame.height == len(bunch.data)
    assert (table.frame.drop(targets).to_numpy() == bunch.data).all()


def test_the_classes_of_a_bundled_data_set_have_their_names():
    bunch = datasets.load_iris()
    assert read_table("iris").frame["target"].to_list() == list(bunch.target_names[bunch.target])


@pytest.mark.parametrize("name", BUNDLED)
def test_a_misspelt_data_set_is_a_fault_that_offers_the_nearest(name):
    with pytest.raises(TableError, match=f"did you mean the data set '{name}'"):
        read_table(name + "x")


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("huoses.csv", "; did you mean 'houses.csv'?"),
        ("houses.tsv", "; did you mean 'houses.csv'?"),
        ("houses", "; did you mean 'houses.csv'?"),
        ("deep/boat.csv", "; did you mean 'deep/boats.csv'?"),
        ("depe/boat.csv", ": there is no folder 'depe'."),
        ("iris.csv", "."),  # a path is meant, and no data set
        ("./iris", "."),
        ("xyz", f"; bundled data sets are: {', '.join(BUNDLED)}."),
    ],
)
def test_a_file_that_is_not_there_is_told_with_what_may_be_meant(name, instead, in_folder):
    (in_folder / "deep").mkdir()
    for file in ("houses.csv", "deep/boats.csv", "iris.png"):
        (in_folder / file).write_text("a\n1\n")
    with pytest.raises(TableError) as raised:
        read_table(name)
    assert str(raised.value) == f"There is no file {name!r}{instead}"


@pytest.mark.parametrize("ending", ["csv", "parquet", "arrow"])
@pytest.mark.parametrize("name", ["a[1]", "a*", "a?", "[bold]"])
def test_the_name_of_a_file_is_no_pattern(name, ending, in_folder):
    from cuesta.data.write import write_table

    write_table(in_folder / f"a1.{ending}", pl.DataFrame({"x": ["another file"]}))
    write_table(in_folder / f"{name}.{ending}", pl.DataFrame({"x": ["this one"]}))
    assert read_table(f"{name}.{ending}").frame["x"].to_list() == ["this one"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_of_separators_is_a_row_and_an_empty_line_is_none(end, in_folder):
    lines = ["a,b", "", "1,2", ",", "", '"x', "", 'y",', "", ""]
    (in_folder / "t.csv").write_bytes(end.join(lines).encode())
    rows = read_table("t.csv").frame.rows()
    assert rows == [("1", "2"), (None, None), (f"x{end}{end}y", None)]


def cut(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()[:-20]


FRAME = pl.DataFrame({"a": list(range(100))})


@pytest.mark.parametrize(
    ("name", "content", "culprit"),
    [
        ("t.csv", "", "empty"),
        ("t.csv", "\n", "empty"),
        ("t.csv", "a,b\n", "t.csv"),
        ("t.csv", "a,b\n1,2,3\n", "t.csv"),
        ("t.csv", "a,b,a\n1,2,3\n", "'a' appears twice"),
        ("t.csv", "a,b,a \n1,2,3\n", "'a' appears twice"),
        ("t.csv", b"a,b\n\xff\x01,2\n", "no text file"),
        ("t.csv", b"a,b\n\x00\x01,2\n", "no text file"),
        ("t.csv", "a" * 1001 + ",b\n1,2\n", "a name of 1,001 characters"),
        ("t.xlsx", "a,b\n1,2\n", "t.xlsx.*unknown file type"),
        ("t", "a,b\n1,2\n", "unknown file type"),
        ("t.parquet", "a,b\n1,2\n", "t.parquet"),
        ("t.parquet", cut(FRAME.write_parquet), "t.parquet"),
        ("t.parquet", b"", "t.parquet"),
        ("t.arrow", cut(FRAME.write_ipc), "t.arrow"),
        pytest.param("t.csv", "a,b\n1,2\n3\n5,6\n", "t.csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_fault_that_names_it(place, name, content, culprit):
    with pytest.raises(TableError, match=culprit):
        read(place, content, name)


def test_a_folder_is_a_fault(place):
    with pytest.raises(TableError, match="is a folder"):
        read_table(str(place))


def test_a_typed_file_without_rows_is_a_fault(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"a": []}).write_parquet(path)
    with pytest.raises(TableError, match=r"t.parquet' has no rows"):
        read_table(str(path))


def test_the_kinds_of_files_do_not_overlap():
    kinds = TEXT_FILES + PARQUET_FILES + ARROW_FILES
    assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize("header", [",a,b", "a,,b", "a, ,b"])
def test_a_column_without_a_name_is_left_out_and_said(header, in_folder):
    (in_folder / "t.csv").write_text(header + "\n1,2,3\n")
    table = read_table("t.csv")
    assert table.frame.columns == ["a", "b"]
    assert len(table.notes) == 1
    assert "has no name" in table.notes[0]


def test_empty_lines_are_no_rows(in_folder):
    (in_folder / "t.csv").write_text("a,b\n1,2\n\n3,4\n\n\n")
    assert read_table("t.csv").frame.rows() == [("1", "2"), ("3", "4")]


@pytest.mark.parametrize(
    "content",
    ['"a, b";"c, d";y\n1;2;3\n', "a;b;y\n1,5;2;3\n", '"a\nz";b;y\n1;2;3\n', "a\tb\ty\n1\t2\t3\n"],
)
def test_the_separator_is_told_from_the_lines(content, in_folder):
    (in_folder / "t.csv").write_text(content)
    table = read_table("t.csv")
    assert table.frame.columns[2] == "y"
    assert table.frame["y"].to_list() == ["3"]
