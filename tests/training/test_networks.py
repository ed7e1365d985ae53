"""Lanes trained again for their weights: the same bits, whoever stands beside them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from cuesta.core.layer import Layer
from cuesta.training import workers
from cuesta.training.batching import shape_of
from cuesta.training.journal import UNTOLD, Journal
from cuesta.training.lanes import Lane, train_chunk
from cuesta.training.networks import NetworkStore
from cuesta.training.planner import Machine
from cuesta.training.run import Ended, Run
from tests.training.tables import assert_same_bits, base, chunk_of, class_feed

EPOCHS = 5
CANDIDATES = [base(learning_rate=rate, dropout=0.2) for rate in (1e-3, 1e-2, 1e-1)]


def shape(candidate):
    return shape_of(candidate, 5, 3, "cross_entropy")


def run_of(store=None, threads=2, executor=None):
    machine = Machine(threads, 1 << 20)
    return Run(
        class_feed(), shape, EPOCHS, 0, Journal(), machine, executor, store or NetworkStore()
    )


def wanted(run, epochs=(2, 5, 3)):
    return [
        Ended(lane, after)
        for candidate, after in zip(CANDIDATES, epochs, strict=True)
        for lane in [*run.lanes([candidate]), run.refit(candidate)]
    ]


def alone(candidates, epochs, fold=0, stops=()):
    """What a chunk of these candidates alone gives."""
    feed = class_feed()
    chunk = chunk_of(feed, candidates, fold=fold, epochs=epochs, schedule=EPOCHS)
    return train_chunk(replace(chunk, stops=stops), feed)


def flat(layers):
    return [np.asarray(leaf) for layer in layers for leaf in layer]


def assert_same_networks(a, b):
    assert list(a) == list(b)
    for key in a:
        for one, other in zip(flat(a[key]), flat(b[key]), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def whole():
    run = run_of()
    return run.networks(wanted(run))


@pytest.mark.parametrize("epochs", [2, 5])
def test_a_network_is_that_of_a_lane_trained_alone_to_its_epochs(whole, epochs):
    candidate = CANDIDATES[0 if epochs == 2 else 1]
    lane = Lane(candidate, 3, 0)
    found = alone([candidate], epochs, fold=3)
    assert_same_bits(flat(found.layers[0]), flat(whole[Ended(lane, epochs)]))


def test_lanes_that_end_at_other_epochs_change_no_bit(whole):
    run = run_of()
    for ended in wanted(run)[::4]:
        assert_same_bits(flat(run_of().networks([ended])[ended]), flat(whole[ended]))


def test_threads_and_executors_change_no_bit(whole):
    assert_same_networks(run_of(threads=1).networks(wanted(run_of())), whole)
    with ThreadPoolExecutor(3) as pool:
        assert_same_networks(run_of(executor=pool).networks(wanted(run_of())), whole)


def test_a_chunk_ends_its_lanes_one_after_the_other():
    stops = (1, 5, 3)
    found = alone(CANDIDATES, EPOCHS, stops=stops)
    for place, (candidate, stop) in enumerate(zip(CANDIDATES, stops, strict=True)):
        by_itself = alone([candidate], stop)
        assert_same_bits(flat(found.layers[place]), flat(by_itself.layers[0]))
        np.testing.assert_array_equal(found.curves[place, :stop], by_itself.curves[0])


def test_a_lane_that_diverges_has_no_weights():
    candidate = base(optimizer="sgd", learning_rate=3e4)
    lane = Lane(candidate, 0, 0)
    assert alone([candidate], EPOCHS).diverged_at[0] > 0, "the test needs a lane that diverges"
    run = run_of()
    assert run.networks([Ended(lane, EPOCHS)]) == {}


def test_what_was_trained_is_kept_whatever_comes_after(tmp_path, whole, monkeypatch):
    """After a kill: some networks are in the folder, the others are trained."""
    some = wanted(run_of())[:7]
    run_of(NetworkStore(tmp_path / "networks")).networks(some)
    again = run_of(NetworkStore(tmp_path / "networks"))
    assert len(again.unknown(wanted(again))) == len(whole) - 7
    assert_same_networks(again.networks(wanted(again)), whole)
    monkeypatch.setattr(workers, "train_chunk", None)  # to train again would be an error
    assert_same_networks(run_of(NetworkStore(tmp_path / "networks")).networks(wanted(again)), whole)


def test_a_damaged_file_is_trained_again(tmp_path, whole):
    run_of(NetworkStore(tmp_path / "networks")).networks(wanted(run_of()))
    victims = sorted((tmp_path / "networks").iterdir())
    content = bytearray(victims[0].read_bytes())
    content[-1] ^= 1
    victims[0].write_bytes(content)
    victims[1].write_bytes(b"")
    victims[2].write_bytes(victims[3].read_bytes())  # a file that is another's
    again = run_of(NetworkStore(tmp_path / "networks"))
    assert len(again.unknown(wanted(again))) == 3
    assert_same_networks(again.networks(wanted(again)), whole)


def test_what_no_key_tells_is_kept_in_memory_alone(tmp_path):
    store = NetworkStore(tmp_path / "networks")
    layers = [Layer(np.ones((2, 1), np.float32), np.zeros(1, np.float32))]
    store.add(f"{UNTOLD}abc", 3, layers)
    assert store.get(f"{UNTOLD}abc", 3) is layers
    assert not (tmp_path / "networks").exists()
    assert store.get(f"{UNTOLD}abc", 2) is None
