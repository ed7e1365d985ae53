"""A run's folder: one run at a time, nothing half-written, nothing replaced without a word."""

import errno
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cuesta._util.locks import LOCK, LockedError, locked
from cuesta.data.folds import Sealed
from cuesta.data.table import Table
from cuesta.diagnose.storage import read_diagnosis
from cuesta.errors import ModelFileError, RunFolderError
from cuesta.model import load_model
from cuesta.search.space import Choice, Space
from cuesta.tabular import find as find_module
from cuesta.tabular import fit as pipeline
from cuesta.tabular import result as result_module
from cuesta.tabular import run_folder
from cuesta.tabular.fit import fit
from cuesta.tabular.listener import Listener
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import prepare
from cuesta.tabular.result import summary
from cuesta.tabular.run_folder import earlier_openings, open_folder, record_opening, write_run

SPACE = Space(
    {
        "optimizer": Choice(("adam",)),
        "learning_rate": Choice((0.03,)),
        "hidden_layer_sizes": Choice(((4,),)),
        "batch_size": Choice((16,)),
    }
)


def weights_of(model):
    """The bytes of all weights of a model."""
    layers = [layer for member in model.members for layer in member.network.layers]
    return b"".join(w.tobytes() + b.tobytes() for w, b in layers)


def options(**changes):
    quick = {"candidates": 1, "epochs": 3, "folds": 2, "space": SPACE, "baselines": False}
    return Options(**{"target": ("y",), **quick, **changes})


def table(name="t", rows=60):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(rows)
    return Table(name, pl.DataFrame({"x": x, "y": np.where(x > 0, "a", "b")}))


@pytest.fixture(scope="module")
def first():
    return fit(table(), options())


@pytest.fixture(scope="module")
def second():
    """Another run's result."""
    return fit(table(), options(seed=1))


@pytest.fixture
def folder(tmp_path):
    with open_folder(tmp_path / "run", table(), ["y"]):
        pass
    return tmp_path / "run"


class Ear(Listener):
    def __init__(self):
        self.told = []

    def said(self, text):
        self.told.append(text)


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != LOCK
    }


# --- openings ---------------------------------------------------------------------------------


def test_an_opening_is_on_record_before_the_rows_are_read(tmp_path, monkeypatch):
    seen, plain = [], Sealed.open

    def watched(sealed):
        seen.append((tmp_path / "run" / "openings.txt").read_text().splitlines())
        return plain(sealed)

    monkeypatch.setattr(Sealed, "open", watched)
    result = fit(table(), options(), tmp_path / "run")
    assert seen == [list(result.outcome.openings)]


def test_an_opening_counts_though_the_run_ends_before_its_result(tmp_path, monkeypatch):
    def killed(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "write_run", killed)
        with pytest.raises(KeyboardInterrupt):
            fit(table(), options(), tmp_path / "run")
    again = fit(table(), options(), tmp_path / "run")
    assert len(again.outcome.openings) == 2


def test_where_no_opening_can_be_recorded_the_rows_stay_sealed(folder, monkeypatch):
    opened = []
    monkeypatch.setattr(Sealed, "open", opened.append)
    (folder / "openings.txt").mkdir()
    with pytest.raises(RunFolderError, match=r"openings\.txt"):
        fit(table(), options(), folder)
    assert opened == []


def test_a_result_of_a_version_without_a_record_counts(folder):
    (folder / "result.json").write_text('{"test_openings": ["one", "two"]}')
    assert earlier_openings(folder) == ["one", "two"]
    record_opening(folder, ["one", "two", "three"])
    assert earlier_openings(folder) == ["one", "two", "three"]


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "", "null", "3", '{"test_openings": 3}', '{"test_openings": {}}', "\0"]
)
def test_a_damaged_result_has_no_openings_and_is_no_fault(folder, text):
    (folder / "result.json").write_text(text)
    assert earlier_openings(folder) == []


# --- the result -------------------------------------------------------------------------------


def test_the_checksums_fit(folder, first):
    write_run(folder, first, options())
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    sums = {name: told for told, name in (line.split("  ") for line in lines)}
    assert set(sums) == {"model.safetensors", "instruments.safetensors", "candidates.csv",
                         "result.json"}  # fmt: skip
    for name, told in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == told


def test_two_equal_results_are_the_same_bytes_and_none_is_kept(folder, first):
    assert write_run(folder, first, options()) is None
    before = contents(folder)
    assert write_run(folder, first, options()) is None
    assert contents(folder) == before
    slower = replace(first, seconds=99.0)
    assert write_run(folder, slower, options()) is None
    assert {name for name, content in contents(folder).items() if content != before[name]} == {
        "result.json",
        "SHA256SUMS",
    }


def test_another_result_is_kept_whole(folder, first, second):
    write_run(folder, first, options())
    before = contents(folder)
    assert write_run(folder, second, options(seed=1)) == folder / "earlier" / "1"
    kept = contents(folder / "earlier" / "1")
    assert kept == {name: before[name] for name in kept}
    assert set(kept) == set(run_folder.FILES)
    earlier = load_model(folder / "earlier" / "1" / "model.safetensors")
    assert weights_of(earlier) == weights_of(first.model)
    assert write_run(folder, first, options()) == folder / "earlier" / "2"
    assert json.loads((folder / "result.json").read_text())["seed"] == 0


def test_a_result_that_was_kept_is_not_kept_twice(folder, first, second):
    write_run(folder, first, options())
    shutil.copytree(folder, folder / "earlier" / "7")
    assert write_run(folder, second, options(seed=1)) is None


def test_a_damaged_result_is_kept_too(folder, first):
    write_run(folder, first, options())
    (folder / "result.json").write_text("[" * 100_000)
    assert write_run(folder, first, options()) == folder / "earlier" / "1"


def test_instruments_that_would_be_lost_are_kept(folder, first):
    write_run(folder, first, options())
    without = replace(first, inspection=replace(first.inspection, diagnosis=None))
    assert write_run(folder, without, options(instruments="off")) == folder / "earlier" / "1"
    assert not (folder / "instruments.safetensors").exists()
    assert read_diagnosis(folder / "earlier" / "1").evidence.names == ("x",)


def test_a_run_tells_of_what_it_kept_and_uses_the_lanes(tmp_path):
    ears = [Ear(), Ear()]
    fit(table(), options(), tmp_path / "run", ears[0])
    lanes = set((tmp_path / "run" / "chunks").iterdir())
    fit(table(), options(metric="accuracy"), tmp_path / "run", ears[1])
    assert ears[0].told == []
    assert [text for text in ears[1].told if "earlier" in text] == [
        f"the folder held another result, which is kept in {tmp_path / 'run' / 'earlier' / '1'}"
    ]
    assert set((tmp_path / "run" / "chunks").iterdir()) == lanes


class DiskFullError(OSError):
    def __init__(self):
        super().__init__(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("place", range(6))
def test_a_full_disk_leaves_an_older_result_whole(folder, first, second, monkeypatch, place):
    """Each file in turn is the one that no longer fits."""
    write_run(folder, first, options())
    before = contents(folder)
    plain, written = Path.open, []

    def filling(path, mode="r", *more, **named):
        if "w" in mode:
            written.append(path)
            if len(written) > place:
                raise DiskFullError
        return plain(path, mode, *more, **named)

    monkeypatch.setattr(Path, "open", filling)
    monkeypatch.setattr(Path, "hardlink_to", lambda path, target: path.write_bytes(b""))
    monkeypatch.setattr(shutil, "copy2", lambda path, to: to.write_bytes(path.read_bytes()))
    with pytest.raises(RunFolderError, match="No space left on device"):
        write_run(folder, second, options(seed=1))
    assert contents(folder) == before


@pytest.mark.parametrize("done", range(6))
def test_a_result_that_is_whole_is_put_in_place_after_a_kill(
    folder, first, second, monkeypatch, done
):
    write_run(folder, first, options())
    plain, moved = Path.replace, []

    def killed(path, target):
        if path.parent.name == run_folder.WRITING and Path(target).parent == folder:
            moved.append(path.name)
            if len(moved) > done:
                raise KeyboardInterrupt
        return plain(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        if done < len(run_folder.FILES):
            with pytest.raises(KeyboardInterrupt):
                write_run(folder, second, options(seed=1))
        else:
            write_run(folder, second, options(seed=1))
    assert json.loads((folder / "result.json").read_text())["seed"] == int(done >= 5)
    with open_folder(folder, table(), ["y"]):
        pass
    assert json.loads((folder / "result.json").read_text())["seed"] == 1
    model = load_model(folder / "model.safetensors")
    assert weights_of(model) == weights_of(second.model)
    assert not (folder / run_folder.WRITING).exists()


def test_files_of_a_result_that_was_never_whole_are_thrown_away(folder, first):
    write_run(folder, first, options())
    before = contents(folder)
    (folder / run_folder.WRITING).mkdir()
    (folder / run_folder.WRITING / "model.safetensors").write_text("half")
    with open_folder(folder, table(), ["y"]):
        pass
    assert contents(folder) == before


@pytest.mark.parametrize("place", [3, 40, 200, 1500, -3])
def test_instruments_that_changed_are_told(folder, first, place):
    write_run(folder, first, options())
    path = folder / "instruments.safetensors"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunFolderError, match="no whole file of instruments"):
        read_diagnosis(folder)


# --- one run at a time ------------------------------------------------------------------------


def test_a_second_run_in_the_folder_is_told(folder):
    with open_folder(folder, table(), ["y"]):
        with pytest.raises(RunFolderError, match="Another run is at work") as refused:
            fit(table(), options(), folder)
        assert refused.value.parameter == "out"
    fit(table(), options(), folder)


def hold(folder, held):
    with locked(folder):
        held.set()
        signal.pause()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows knows no such signal")
def test_a_lock_holds_between_processes_and_dies_with_its_own(tmp_path):
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    holder = context.Process(target=hold, args=(tmp_path, held))
    holder.start()
    assert held.wait(60)
    with pytest.raises(LockedError), locked(tmp_path):
        pass
    holder.kill()
    holder.join()
    assert (tmp_path / LOCK).exists()  # the file is left over, the lock is not
    with locked(tmp_path):
        pass
    assert not (tmp_path / LOCK).exists()


def test_a_folder_that_became_another_runs_in_the_meantime_is_left_alone(tmp_path, monkeypatch):
    with open_folder(tmp_path / "run", table("other"), ["y"]):
        pass
    monkeypatch.setattr(pipeline, "check_folder", lambda *arguments: None)  # it was empty then
    with pytest.raises(RunFolderError, match="holds a run on 'other'"):
        fit(table(), options(), tmp_path / "run")


def test_a_folder_that_an_early_end_left_without_its_mark_is_taken(tmp_path):
    (tmp_path / "run" / "chunks").mkdir(parents=True)
    fit(table(), options(), tmp_path / "run")


def test_a_folder_that_is_gone_is_a_sentence(tmp_path, monkeypatch):
    plain = find_module.select

    def gone(*arguments):
        shutil.rmtree(tmp_path / "run")
        return plain(*arguments)

    monkeypatch.setattr(find_module, "select", gone)
    with pytest.raises(RunFolderError, match="cannot be written: No such file"):
        fit(table(), options(), tmp_path / "run")


@pytest.mark.parametrize("text", ["[" * 100_000, "{}", "3", '{"table": 1, "target": 2}', "\xff"])
def test_a_damaged_mark_is_told(folder, text):
    (folder / "run.json").write_text(text, encoding="latin-1")
    with pytest.raises(RunFolderError, match=r"run\.json' is damaged"):
        fit(table(), options(), folder)


# --- the sealed rows --------------------------------------------------------------------------


def test_a_result_names_the_sealed_rows(first):
    task = prepare(table(), options())
    told = summary(first, options())["test_rows"]
    assert told["table"] == "t"
    x, _ = task.sealed.open()
    np.testing.assert_array_equal(np.sort(x[:, 0]), np.sort(table().frame["x"][told["numbers"]]))
    lines = "".join(f"{number}\n" for number in told["numbers"])
    assert told["sha256"] == hashlib.sha256(lines.encode()).hexdigest()


def test_rows_are_numbered_as_in_the_table_that_was_given():
    gaps = table().frame.with_columns(
        pl.when(pl.int_range(60) % 3 > 0).then(pl.col("y")).alias("y")
    )
    task = prepare(Table("t", gaps), options())
    x, _ = task.sealed.open()
    assert all(number % 3 for number in task.test_numbers)
    assert sorted(gaps["x"][list(task.test_numbers)]) == sorted(x[:, 0])


def test_of_many_rows_there_is_a_checksum_alone(first, monkeypatch):
    named = summary(first, options())["test_rows"]
    monkeypatch.setattr(result_module, "MOST_NUMBERS", 5)
    assert summary(first, options())["test_rows"] == {**named, "numbers": None}


def test_rows_of_a_table_of_their_own_are_named_by_it():
    test = Table("apart", table(rows=9).frame.with_columns(pl.Series("y", [None, *"abababab"])))
    task = prepare(table(), options(), test)
    assert (task.test_table, task.test_numbers) == ("apart", tuple(range(1, 9)))


# --- files that were changed in any way -------------------------------------------------------


def mutated(content, draws):
    """The bytes with a few bits flipped, a piece cut out, doubled or overwritten."""
    harmed = bytearray(content)
    at, size = (int(draws.integers(limit)) for limit in (len(content), 40))
    kind = draws.integers(4)
    if kind == 0:
        for place in draws.integers(len(content), size=1 + size % 3):
            harmed[place] ^= 1 << int(draws.integers(8))
    elif kind == 1:
        del harmed[at : at + size]
    elif kind == 2:
        harmed[at:at] = harmed[at : at + size]
    else:
        harmed[at : at + size] = draws.bytes(size)
    return bytes(harmed)


def test_any_changed_model_is_refused_or_the_same(folder, first):
    write_run(folder, first, options())
    path, draws = folder / "model.safetensors", np.random.default_rng(0)
    content, rows = path.read_bytes(), table().frame
    wanted = first.model.predict(rows)
    sentences = []
    for _ in range(300):
        path.write_bytes(mutated(content, draws))
        try:
            assert load_model(path).predict(rows).equals(wanted)
        except ModelFileError as error:
            sentences.append(str(error))
    assert len(sentences) > 250
    assert [told for told in sentences if len(told) > 400 or "\n" in told] == []


def test_any_changed_result_leaves_a_run_that_goes_on(folder, first):
    write_run(folder, first, options())
    path, draws = folder / "result.json", np.random.default_rng(1)
    content = path.read_bytes()
    for _ in range(100):
        path.write_bytes(mutated(content, draws))
        assert all(len(time) < 200 for time in earlier_openings(folder))
        write_run(folder, first, options())
        assert path.read_bytes() == content
    assert list((folder / "earlier").glob("*/result.json"))  # what differed was kept
