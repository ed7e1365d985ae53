import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.search.plan import NARROWEST, WIDEST, chunk_width, l2_bytes, lane_bytes
from cuesta.spec import Shape

MIB = 1 << 20


def shape(hidden, batch=32):
    return Shape(64, (hidden, hidden), 10, batch, "cross_entropy")


@pytest.mark.parametrize(
    ("hidden", "batch", "lanes", "threads", "l2", "width"),
    [
        (16, 32, 320, 2, MIB, 16),
        (32, 32, 320, 2, MIB, 8),
        (128, 32, 320, 2, MIB, 2),
        (128, 32, 320, 2, 2 * MIB, 4),
        (512, 32, 320, 2, MIB, 2),
        (16, 32, 6, 2, MIB, 2),  # few lanes: each thread still gets its share
        (16, 32, 40, 2, MIB, 8),
        (16, 512, 320, 2, MIB, 2),  # a batch takes room too
    ],
)
def test_decisions(hidden, batch, lanes, threads, l2, width):
    assert chunk_width(shape(hidden, batch), lanes, threads, l2) == width


@given(st.integers(1, 2000), st.integers(1, 2000), st.integers(1, 10_000), st.integers(1, 64))
def test_width_is_a_power_of_two_within_its_limits(hidden, batch, lanes, threads):
    width = chunk_width(shape(hidden, batch), lanes, threads, MIB)
    assert NARROWEST <= width <= WIDEST
    assert width & (width - 1) == 0
    if width > NARROWEST:
        assert width * lane_bytes(shape(hidden, batch)) <= MIB
        assert width * 2 * threads < lanes + 2 * threads


def test_the_cache_of_this_machine_is_a_size():
    assert 64 * 1024 <= l2_bytes() <= 1 << 30
