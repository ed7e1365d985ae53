import json
import threading

import jax
import numpy as np
import pytest
from safetensors.numpy import save_file

from cuesta._util.tensors import read_checked, read_tensors, write_tensors
from cuesta.errors import RunFolderError, TooLargeError
from cuesta.training import journal as journal_module
from cuesta.training import lanes, workers
from cuesta.training.batching import Batching, shape_of
from cuesta.training.journal import LANES, Journal, LaneKeys
from cuesta.training.lanes import Lane, StoppedError, train_chunk
from cuesta.training.memory import shortage_told
from cuesta.training.planner import Machine
from cuesta.training.run import Ended, Run
from tests.training.tables import (
    assert_same_bits,
    base,
    chunk_of,
    class_feed,
    value_feed,
)

CANDIDATES = [base(learning_rate=rate) for rate in (1e-3, 1e-2, 1e-1)]
EPOCHS = 3


def shape(candidate):
    return shape_of(candidate, 5, 3, "cross_entropy")


def machine(threads=2):
    return Machine(threads, 1 << 20)


def search(feed, folder=None, epochs=EPOCHS, threads=2):
    return Run(feed, shape, epochs, 0, Journal(folder), machine(threads))


def quiet(lane_epochs):
    pass


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def test_every_lane_is_in_exactly_one_chunk_of_its_own_kind():
    candidates = [
        base(dropout=d, batch_size=b, normalize=n)
        for d in (0.0, 0.5)
        for b in (8, 16)
        for n in ("standard", "minmax")
    ]
    lanes = [Lane(c, fold, seed) for c in candidates for fold in range(3) for seed in (0, 1)]
    chunks = Batching(machine()).chunks(lanes, shape, lambda candidate: EPOCHS)
    assert sorted(map(repr, lanes)) == sorted(repr(lane) for c in chunks for lane in c.lanes)
    for chunk in chunks:
        assert len(chunk.lanes) <= chunk.width
        kinds = {(shape(x.candidate), x.fold, x.seed, x.candidate.normalize) for x in chunk.lanes}
        assert kinds == {(chunk.shape, *next(iter(kinds))[1:])}


def test_progress_counts_every_lane_epoch():
    told = []
    search(class_feed()).train(CANDIDATES, told.append)
    assert sum(told) == len(CANDIDATES) * 5 * EPOCHS


def test_what_is_in_the_folder_is_not_trained_again(folder, monkeypatch):
    first = search(class_feed(), folder)
    first.train(CANDIDATES, quiet)
    monkeypatch.setattr(workers, "train_chunk", None)  # to train again would be an error
    again = search(class_feed(), folder)
    again.train(CANDIDATES, quiet)
    assert_same_records(first, again)


def test_an_interrupted_run_goes_on_to_the_same_result(folder, monkeypatch):
    whole = search(class_feed())
    whole.train(CANDIDATES, quiet)
    calls = []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return train_chunk(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(workers, "train_chunk", interrupted)
        with pytest.raises(KeyboardInterrupt):
            search(class_feed(), folder, threads=1).train(CANDIDATES, quiet)
    kept = len(Journal(folder).records)
    assert 0 < kept < 15
    told = []
    again = search(class_feed(), folder)
    again.train(CANDIDATES, told.append)
    assert sum(told) == (15 - kept) * EPOCHS
    for candidate in CANDIDATES:
        for a, b in zip(whole.records(candidate), again.records(candidate), strict=True):
            np.testing.assert_array_equal(a.curves, b.curves)


def rewritten(path, change):
    """The file with other arrays or keys, and a checksum that fits."""
    keys, arrays = read_checked(path, LANES)
    write_tensors(path, *change(arrays, json.dumps(keys)), LANES)


def replaced_by_a_folder(path):
    path.unlink()
    (path / "inside").mkdir(parents=True)


def without_checksum(path):
    about, arrays = read_tensors(path)
    save_file(arrays, path, {LANES: about[LANES]})


HARMS = {
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "eight bytes": lambda path: path.write_bytes(path.read_bytes()[:8]),
    "a folder": replaced_by_a_folder,
    "no checksum": without_checksum,
    "curves of a lane": lambda path: rewritten(
        path, lambda arrays, keys: (arrays | {"curves": arrays["curves"][0]}, keys)
    ),
    "curves that are whole numbers": lambda path: rewritten(
        path, lambda arrays, keys: (arrays | {"curves": arrays["curves"].astype(int)}, keys)
    ),
    "units of other epochs": lambda path: rewritten(
        path, lambda arrays, keys: (arrays | {"units": arrays["units"][:, 1:]}, keys)
    ),
    "units that are whole numbers": lambda path: rewritten(
        path, lambda arrays, keys: (arrays | {"units": arrays["units"].astype(int)}, keys)
    ),
    "no norm": lambda path: rewritten(
        path, lambda arrays, keys: ({k: v for k, v in arrays.items() if k != "norm"}, keys)
    ),
    "keys nested deeply": lambda path: rewritten(
        path, lambda arrays, keys: (arrays, "[" * 100_000)
    ),
    "no list of keys": lambda path: rewritten(path, lambda arrays, keys: (arrays, "3")),
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_a_damaged_chunk_file_is_trained_again(folder, harm):
    first = search(class_feed(), folder)
    first.train(CANDIDATES, quiet)
    damaged = sorted(folder.iterdir())[0]
    harm(damaged)
    journal = Journal(folder)
    assert journal.damaged == [damaged.name]
    told = []
    again = Run(class_feed(), shape, EPOCHS, 0, journal, machine())
    again.train(CANDIDATES, told.append)
    assert 0 < sum(told) < 15 * EPOCHS
    assert Journal(folder).damaged == []  # the new file is in its place
    assert_same_records(first, again)


def test_a_chunk_file_of_the_version_before_is_not_called_damaged(folder):
    """It had no sums by units, and its lanes have other keys: it counts for nothing."""
    search(class_feed(), folder).train(CANDIDATES[:1], quiet)
    for path in folder.iterdir():
        rewritten(
            path, lambda arrays, keys: ({k: v for k, v in arrays.items() if k != "units"}, keys)
        )
    journal = Journal(folder)
    assert (journal.damaged, journal.records) == ([], {})
    assert all(path.suffix == ".safetensors" for path in folder.iterdir())


def assert_same_records(first, again):
    for candidate in CANDIDATES:
        for a, b in zip(first.records(candidate), again.records(candidate), strict=True):
            np.testing.assert_array_equal(a.curves, b.curves)
            np.testing.assert_array_equal(a.units, b.units)
            assert (a.diverged_at, a.norm) == (b.diverged_at, b.norm)


def test_a_flipped_bit_of_a_chunk_file_is_told_or_changes_nothing(folder):
    search(class_feed(), folder).train(CANDIDATES[:1], quiet)
    whole = Journal(folder).records
    (path, *_) = sorted(folder.iterdir())
    content, draws = path.read_bytes(), np.random.default_rng(0)
    for place in draws.integers(len(content), size=150):
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(draws.integers(8))
        path.write_bytes(flipped)
        journal = Journal(folder)
        assert journal.damaged == [path.name]
        for key, record in journal.records.items():
            np.testing.assert_array_equal(record.curves, whole[key].curves)


def test_an_outcome_that_cannot_be_written_is_a_sentence(folder):
    run = search(class_feed(), folder / "chunks")
    with pytest.raises(RunFolderError, match="cannot be written: No such file"):
        run.train(CANDIDATES, quiet)


def test_a_candidate_with_epochs_of_its_own_is_that_of_a_run_of_so_many():
    """Whoever trains beside it, and for how long; its learning rate decays over its own."""
    rates = {"final_learning_rate": 1e-4}
    longer, plain = base(epochs=5, **rates), base(**rates)
    both = search(class_feed())
    both.train([plain, longer], quiet)
    for candidate, epochs in ((plain, EPOCHS), (longer, 5)):
        alone = search(class_feed(), epochs=epochs)
        alone.train([plain], quiet)
        ends = [Ended(each.refit(c), 2) for each, c in ((both, candidate), (alone, plain))]
        a, b = (run.networks([end])[end] for run, end in zip((both, alone), ends, strict=True))
        assert_same_bits(jax.tree.leaves(a), jax.tree.leaves(b))
        for one, other in zip(both.records(candidate), alone.records(plain), strict=True):
            assert len(one.curves) == epochs
            np.testing.assert_array_equal(one.curves, other.curves)


def test_epochs_of_its_own_are_those_of_the_run_where_they_are_as_many():
    assert keys(candidate=base(epochs=EPOCHS)) == keys(candidate=base())
    assert keys(candidate=base(epochs=4)) == keys(candidate=base(), epochs=4)
    assert keys(candidate=base(epochs=4)) != keys(candidate=base())


def test_more_candidates_use_what_fewer_left(folder):
    search(class_feed(), folder).train(CANDIDATES[:2], quiet)
    told = []
    search(class_feed(), folder).train(CANDIDATES, told.append)
    assert sum(told) == 5 * EPOCHS


def test_a_refit_is_the_same_whichever_lanes_were_in_the_journal():
    with_dropout, without = base(dropout=0.5, activation="tanh"), base(optimizer="sgd")
    whole = search(class_feed())
    whole.train([with_dropout, without], quiet)
    resumed = search(class_feed())
    resumed.train([without], quiet)  # all that a resumed run has left to train
    last = Ended(whole.refit(with_dropout), EPOCHS)
    a, b = (each.networks([last])[last] for each in (whole, resumed))
    assert_same_bits(jax.tree.leaves(a), jax.tree.leaves(b))


def keys(feed=None, epochs=EPOCHS, of_shape=shape, **lane):
    plain = {"candidate": CANDIDATES[0], "fold": 0, "seed": 0}
    return LaneKeys(feed or class_feed(), of_shape, epochs).of(Lane(**{**plain, **lane}))


def test_a_lanes_key_holds_all_that_its_result_depends_on():
    moved = np.array(class_feed()._x)
    moved[3, 2] += 1e-12
    different = [
        keys(),
        keys(candidate=CANDIDATES[1]),
        keys(fold=1),
        keys(seed=1),
        keys(epochs=4),
        keys(of_shape=lambda c: shape_of(c, 5, 4, "cross_entropy")),  # one class more
        keys(feed=value_feed()),
        keys(feed=class_feed(moved)),
    ]
    assert len(set(different)) == len(different)
    assert keys() == keys()


FACTOR = 1.0


def own_rule(learning_rate):
    import optax

    return optax.sgd(FACTOR * learning_rate)


def test_the_key_of_a_foreign_lane_holds_its_code_and_the_version_of_optax(monkeypatch):
    own, of_optax = base(optimizer=own_rule), base(optimizer="optax.lion")
    before = keys(candidate=own), keys(candidate=of_optax)
    assert before == (keys(candidate=own), keys(candidate=of_optax))
    with monkeypatch.context() as patched:
        patched.setitem(globals(), "FACTOR", 0.5)
        assert (keys(candidate=own), keys(candidate=of_optax)) != before
        assert keys(candidate=of_optax) == before[1]
    monkeypatch.setattr(journal_module, "package_version", lambda name: "0.0")
    assert not {keys(candidate=own), keys(candidate=of_optax)} & set(before)


def test_lanes_of_which_no_key_can_tell_all_stay_in_memory(folder, monkeypatch):
    monkeypatch.setattr(journal_module, "code_digest", lambda factory: None)
    run = search(class_feed(), folder)
    run.train([base(optimizer=own_rule)], quiet)
    assert len(run.journal.records) == 5
    assert list(folder.iterdir()) == []


def test_an_optimizer_that_changes_in_a_process_is_compiled_anew(monkeypatch):
    candidate = base(optimizer=own_rule, learning_rate=0.01)
    before = train_chunk(chunk_of(class_feed(), [candidate]), class_feed())
    monkeypatch.setitem(globals(), "FACTOR", 0.5)
    after = train_chunk(chunk_of(class_feed(), [candidate]), class_feed())
    halved = base(optimizer="sgd", learning_rate=0.005)
    wanted = train_chunk(chunk_of(class_feed(), [halved]), class_feed())
    assert not np.array_equal(before.curves, after.curves)
    # One compiled call against another of the same mathematics in float32.
    np.testing.assert_allclose(after.curves, wanted.curves, rtol=1e-4)


@pytest.mark.parametrize(
    ("changes", "rows", "culprit"),
    [
        ({}, 10**9, "1,000,000,000 rows × 5 columns"),
        ({"hidden_layer_sizes": (60_000,) * 2}, 10, "layers 5-60000-60000-3"),
    ],
)
@pytest.mark.parametrize(
    "error", [MemoryError(), jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")]
)
def test_too_little_memory_names_the_rows_or_the_layers(changes, rows, culprit, error):
    with (
        pytest.raises(TooLargeError, match=culprit),
        shortage_told(shape(base(**changes)), 2, rows),
    ):
        raise error


def test_other_errors_of_the_compiler_stay_what_they_are():
    error = jax.errors.JaxRuntimeError("INTERNAL: broken")
    with pytest.raises(jax.errors.JaxRuntimeError), shortage_told(shape(base()), 2, 10):
        raise error


def test_a_chunk_that_does_not_fit_the_memory_is_a_sentence(monkeypatch):
    def full(*arguments, **named):
        raise MemoryError

    monkeypatch.setattr(lanes, "first_layers", full)
    with pytest.raises(TooLargeError, match="not enough memory"):
        search(class_feed()).train(CANDIDATES, quiet)


def test_a_chunk_that_is_told_to_stop_stops_between_spans():
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        train_chunk(chunk_of(class_feed(), CANDIDATES), class_feed(), stop=stop)


def test_an_error_in_a_chunk_reaches_the_caller(monkeypatch):
    def broken(*arguments):
        raise RuntimeError("broken")

    monkeypatch.setattr(workers, "train_chunk", broken)
    with pytest.raises(RuntimeError, match="broken"):
        search(class_feed()).train(CANDIDATES, quiet)
