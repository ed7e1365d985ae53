import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.hyperparameters import Shape
from cuesta.training.planner import (
    ALONE,
    NARROWEST,
    Machine,
    chunk_width,
    lane_bytes,
    last_cache,
    step_flops,
    this_machine,
    widths,
)

MIB = 1 << 20
TWO_CORES = Machine(threads=2, room=8 * MIB)
GPU = Machine(1, 1 << 34, launch=4e-4, launch_row=0.0, lane=0.0, rate=5e12, widest=4096,
              alone=1 << 40)  # fmt: skip
FOLDS = [16] * 5  # five folds of 16 candidates


def shape(hidden, batch=32):
    return Shape(64, (hidden, hidden), 10, batch, "cross_entropy")


@pytest.mark.parametrize(
    ("hidden", "batch", "groups", "machine", "width"),
    [
        (16, 32, FOLDS, TWO_CORES, 8),
        (32, 32, FOLDS, TWO_CORES, 8),
        (128, 32, FOLDS, TWO_CORES, 4),
        (128, 128, FOLDS, TWO_CORES, 2),
        (512, 32, FOLDS, TWO_CORES, 1),  # large lanes train alone
        (16, 32, [64] * 5, TWO_CORES, 16),  # many lanes: the widest
        (16, 32, [2] * 5, TWO_CORES, 2),  # few lanes: no empty places
        (16, 32, [1], TWO_CORES, 2),
        (16, 32, [64] * 5, Machine(threads=16, room=8 * MIB), 4),  # every thread gets its share
        (128, 32, [64] * 5, Machine(threads=2, room=1 * MIB), 2),  # a smaller cache
        (128, 32, [2000] * 5, GPU, 2048),
    ],
)
def test_decisions(hidden, batch, groups, machine, width):
    assert chunk_width(shape(hidden, batch), groups, machine) == width


sizes, batches = st.integers(1, 2000), st.integers(1, 2000)
folds = st.lists(st.integers(1, 500), min_size=1, max_size=10)


@given(sizes, batches, folds, st.integers(1, 64))
def test_a_width_is_one_that_the_shape_may_have(hidden, batch, groups, threads):
    machine = Machine(threads, 8 * MIB)
    width = chunk_width(shape(hidden, batch), groups, machine)
    assert width in widths(shape(hidden, batch), machine)


@given(sizes, batches, folds, folds)
def test_whether_a_lane_trains_alone_hangs_on_its_size_and_nothing_else(hidden, batch, one, other):
    # A lane alone may round differently, so the number of candidates must not decide it.
    lane = shape(hidden, batch)
    alone = [chunk_width(lane, groups, TWO_CORES) == 1 for groups in (one, other)]
    assert alone == [lane_bytes(lane) >= ALONE] * 2


def test_widths_are_powers_of_two_up_to_the_widest():
    assert widths(shape(16), TWO_CORES) == [NARROWEST, 4, 8, 16]
    assert widths(shape(512), TWO_CORES) == [1]


def test_a_lane_touches_its_weights_four_times_and_its_batch():
    weights = 65 * 32 + 33 * 32 + 33 * 10
    assert lane_bytes(shape(32)) == 4 * (4 * weights + 2 * 32 * (64 + 32 + 32 + 10))
    assert step_flops(shape(32)) == 6 * 32 * weights


def test_this_machine_has_threads_and_a_cache():
    assert 64 * 1024 <= last_cache() <= 1 << 32
    assert this_machine().threads >= 1
    assert this_machine(3).threads == 3
