"""Weights that a search passed: those of a lane trained again, no more than there is room for."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.core.layer import Layer
from cuesta.training import workers
from cuesta.training.checkpoints import checkpoints
from cuesta.training.lanes import Lane, train_chunk
from cuesta.training.run import Ended
from cuesta.training.seen import Judged, SeenWeights
from tests.training.tables import assert_same_bits, base, chunk_of, class_feed
from tests.training.test_networks import CANDIDATES, EPOCHS, assert_same_networks, flat, run_of


def judge(candidate, records):
    """The candidates of smaller rates are worse; of epochs the third is taken."""
    return Judged(-candidate.learning_rate, (3, 4, 5, 2, 1))


def wanted(run, epochs=3):
    return [Ended(lane, epochs) for lane in run.lanes(CANDIDATES)]


def trained(run):
    run.train(CANDIDATES, lambda lane_epochs: None, judge=judge)
    return run


@pytest.fixture(scope="module")
def again():
    """The networks trained again."""
    run = run_of()
    return run.networks(wanted(run))


@given(st.integers(1, 2000), st.integers(1, 9))
def test_checkpoints_are_few_and_reach_the_end(schedule, share):
    """At most 23 multiples of a twelfth, which is rounded down, and two a doubling before it."""
    last = -(-schedule // share)
    found = checkpoints(schedule, last)
    every = max(1, schedule // 12)
    assert found == sorted(set(found))
    assert found[-1] == last
    assert {e for e in range(1, last + 1) if e % every == 0} <= set(found)
    early = [e for e in found[:-1] if e < every]
    assert early == [
        e for e in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128) if e < min(every, last)
    ]


def test_of_fifty_epochs_every_fourth_is_one_and_the_first_three_are():
    assert checkpoints(50, 50) == [1, 2, 3, *range(4, 49, 4), 50]
    assert checkpoints(50, 6) == [1, 2, 3, 4, 6]


def test_networks_that_were_seen_are_those_trained_again(again, monkeypatch):
    run = trained(run_of())
    monkeypatch.setattr(workers, "train_chunk", None)  # to train again would be an error
    assert run.lane_epochs(wanted(run)) == 0
    assert_same_networks(run.networks(wanted(run)), again)


@pytest.mark.parametrize("candidates", [0, 1.5, 2.5])
def test_what_has_no_room_is_trained_again(again, candidates):
    """Of room for the networks of so many: the best of them are at hand, the others the same."""
    of_one = sum(leaf.nbytes for layers in [*again.values()][:5] for leaf in flat(layers))
    run = run_of()
    run.seen = SeenWeights(int(candidates * of_one))
    trained(run)
    missing = run.unknown(wanted(run))
    assert 0 < len(missing) <= 15 - 5 * (candidates > 0)
    assert (CANDIDATES[-1] in {ended.lane.candidate for ended in missing}) == (candidates == 0)
    assert_same_networks(run.networks(wanted(run)), again)


def test_only_the_chosen_epoch_is_kept_once_all_folds_are_done():
    run = trained(run_of())
    assert run.unknown(wanted(run)) == []
    assert len(run.unknown(wanted(run, 2))) == len(run.unknown(wanted(run, EPOCHS))) == 15


def test_what_was_seen_is_kept_in_the_folder_once_it_is_wanted(tmp_path, again):
    run = trained(run_of())
    run.store = replace_folder(run, tmp_path / "networks")
    run.networks(wanted(run))
    other = run_of(replace_folder(run, tmp_path / "networks"))
    assert other.unknown(wanted(other)) == []
    assert_same_networks(other.networks(wanted(other)), again)


def replace_folder(run, folder):
    return type(run.store)(folder)


def test_an_executor_of_threads_keeps_them_too(again):
    with ThreadPoolExecutor(2) as pool:
        run = trained(run_of(executor=pool))
        assert run.unknown(wanted(run)) == []
        assert_same_networks(run.networks(wanted(run)), again)


def test_a_chunk_passes_its_checkpoints_and_ends_the_same():
    feed = class_feed()
    plain = chunk_of(feed, CANDIDATES, epochs=EPOCHS)
    passing = train_chunk(replace(plain, checkpoints=(2, 3)), feed)
    ends = train_chunk(plain, feed)
    assert set(passing.seen) == {2, 3}
    np.testing.assert_array_equal(passing.curves, ends.curves)
    for place in range(len(CANDIDATES)):
        assert_same_bits(flat(passing.layers[place]), flat(ends.layers[place]))
        two = train_chunk(replace(plain, epochs=2), feed)
        assert_same_bits(flat(passing.seen[2][place]), flat(two.layers[place]))


def test_a_lane_that_diverged_is_not_kept():
    run = run_of()
    lost = base(optimizer="sgd", learning_rate=3e4)
    run.train([lost], lambda lane_epochs: None, judge=judge)
    diverged = [r.diverged_at for r in run.records(lost)]
    assert any(diverged), "the test needs lanes that diverge"
    ends = [Ended(lane, 3) for lane, step in zip(run.lanes([lost]), diverged, strict=True) if step]
    assert run.unknown(ends) == ends
    assert not run.networks([Ended(end.lane, EPOCHS) for end in ends])


def test_the_worst_are_let_go_first_and_room_is_counted():
    layers = [Layer(np.ones((3, 2), np.float32), np.zeros(2, np.float32))]  # 32 bytes
    seen = SeenWeights(6 * 32)
    good, bad, lost = (base(learning_rate=rate) for rate in (0.1, 0.2, 0.3))
    order = (4, 3, 2, 1)

    def kept(candidate):
        return [e for e in order if seen.get(Lane(candidate, 0, 0), e) is not None]

    def tell(candidate, loss, done=False):
        seen.add(Lane(candidate, 0, 0), dict.fromkeys((4,) if done else order, layers))
        seen.judge(candidate, Judged(loss, order), done=done)
        seen.make_room()

    tell(bad, 2.0)
    assert kept(bad) == [4, 3, 2, 1]
    tell(lost, np.inf)  # first what is not among the best of a candidate, then the worst candidate
    assert (kept(bad), kept(lost)) == ([4, 3, 2], [4, 3, 2])
    tell(good, 1.0)
    assert (kept(good), kept(bad), kept(lost)) == ([4, 3, 2], [4, 3, 2], [])
    tell(good, 1.0, done=True)
    tell(good, 1.0, done=True)  # the same again takes no more room
    tell(bad, 2.0)
    assert (kept(good), kept(bad)) == ([4], [4, 3, 2, 1])
