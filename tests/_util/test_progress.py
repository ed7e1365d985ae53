"""Progress in a log file: lines with the losses, and a time left that follows the pace of late."""

import io
import re

import pytest
from rich.console import Console

from cuesta._util import progress
from cuesta._util.progress import Bar


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests move."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    return now


def told(clock, reports, total=100):
    """The log's lines, after reports (seconds, done, said)."""
    out = io.StringIO()
    with Bar(total, "epochs", console=Console(file=out)) as bar:
        for seconds, done, said in reports:
            clock[0] = 100.0 + seconds
            bar.advance_to(done, said)
    return out.getvalue().splitlines()


def seconds_left(line):
    return float(re.search(r"about (\d+) s left", line).group(1))


def test_compiling_does_not_count_as_pace(clock):
    # Twenty seconds of compiling, then ten units a second.
    lines = told(clock, [(20 + i, 10 * (1 + i), "") for i in range(10)])
    assert "left" not in lines[0]  # one report tells no pace
    assert [seconds_left(line) for line in lines[1:]] == [8, 7, 6, 5, 4, 3, 2, 1, 0]


def test_the_pace_of_late_counts(clock):
    # Forty quick units, then slow ones: a unit a second, where the mean would say half of it.
    reports = [(i, 10 * i, "") for i in range(1, 5)]
    reports += [(4 + 10 * i, 40 + 10 * i, "") for i in range(1, 7)]
    lines = told(clock, reports)
    assert seconds_left(lines[7]) == pytest.approx(20, abs=1)


def test_a_line_has_the_losses(clock):
    (line, *_) = told(clock, [(1, 50, "loss 0.25"), (2, 100, "loss 0.125")])
    assert line == "training 50 % · 1 s · loss 0.25"


def test_many_quick_reports_take_little_room(clock):
    bar = Bar(10_000, "epochs", console=Console(file=io.StringIO()))
    bar.start()
    for i in range(5000):
        clock[0] = 100.0 + i / 1000
        bar.advance(1)
    assert len(bar._reports) < 5 / progress.SHORTEST
