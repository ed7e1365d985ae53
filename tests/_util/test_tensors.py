"""Files of arrays: the same bytes for the same content, and nothing is read that cannot be."""

import json
import resource
import struct

import numpy as np
import pytest

from cuesta._util import tensors
from cuesta._util.tensors import DamagedFileError, read_checked, read_tensors, write_tensors
from cuesta.errors import RunFolderError

ARRAYS = {
    "b": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "a": np.array([1, -1], np.int64),
    "none": np.zeros((0, 4)),
    "flags": np.array([True, False, True]),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some.safetensors"


def test_what_is_written_is_read(path):
    write_tensors(path, ARRAYS, json.dumps({"é": [1]}))
    text, arrays = read_checked(path)
    assert text == {"é": [1]}
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


def test_the_same_content_is_the_same_bytes(path):
    found = set()
    for names in (list(ARRAYS), list(reversed(ARRAYS))):
        for _ in range(8):  # the library draws the order of a header anew each time
            write_tensors(path, {name: ARRAYS[name] for name in names}, "{}")
            found.add(path.read_bytes())
    assert len(found) == 1


def header_of(path, header, size=0):
    """A file with this header, and so many bytes of which none are on the disk."""
    raw = json.dumps(header).encode() if isinstance(header, dict) else header
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(raw)) + raw)
        file.truncate(8 + len(raw) + size)


@pytest.mark.parametrize("names", [{}, {"__metadata__": {"cuesta": "{}", "sha256": ""}}])
def test_a_file_that_is_not_there_is_refused_before_it_is_read(path, names):
    size = 4 << 30
    tensor = {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}
    header_of(path, {"w": tensor, **names}, size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DamagedFileError, match="of which"):
        read_tensors(path)
    # In kB: far less than the file, whatever else this process does.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_a_file_larger_than_what_it_describes_is_refused_before_it_is_read(path, monkeypatch):
    write_tensors(path, {"w": np.zeros(1000)}, "{}")
    assert read_tensors(path, lambda about: path.stat().st_size)
    with pytest.raises(DamagedFileError, match="larger than what it describes"):
        read_tensors(path, lambda about: path.stat().st_size - 1)


@pytest.mark.parametrize(
    "header",
    [b"[" * 100_000, b"{}" + b" " * 10, b"\xff" * 50, b'{"a": 3}', b'"' + b"x" * 10_000 + b'"'],
    ids=lambda header: str(header[:8]),
)
def test_a_header_of_something_else_is_refused_in_a_line(path, header):
    header_of(path, header)
    with pytest.raises(DamagedFileError) as refused:
        read_checked(path)
    assert len(str(refused.value)) <= 200
    assert "\n" not in str(refused.value)


def test_a_text_nested_too_deeply_is_refused(path):
    write_tensors(path, {}, "[" * 100_000)
    with pytest.raises(DamagedFileError, match="nested too deeply"):
        read_checked(path)


def test_a_file_that_cannot_be_written_leaves_the_old_one(path, monkeypatch):
    write_tensors(path, ARRAYS, "1")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(path), "replace", full)
    with pytest.raises(RunFolderError, match="No space left on device"):
        write_tensors(path, ARRAYS, "2")
    assert read_checked(path)[0] == 1
    assert list(path.parent.iterdir()) == [path]


def test_only_one_module_writes_and_reads_the_format():
    from pathlib import Path

    import cuesta

    root = Path(cuesta.__file__).parent
    using = [p for p in root.rglob("*.py") if "import SafetensorError" in p.read_text()
             or "from safetensors" in p.read_text()]  # fmt: skip
    assert using == [Path(tensors.__file__)]
