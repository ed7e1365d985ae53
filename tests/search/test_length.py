"""Where nobody says how long to train: about as many steps for all, more for what still learns."""

import json
import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.data.table import Table
from cuesta.search import length
from cuesta.search.falling import still_falls
from cuesta.search.length import (
    FEWEST,
    LONGEST,
    MOST,
    STEPS,
    base_epochs,
    may_go_on,
    to_lengthen,
    with_length,
)
from cuesta.search.select import Score
from cuesta.search.space import Choice, Range, Space
from cuesta.tabular import candidates
from cuesta.tabular.findings import trained_to_its_end
from cuesta.tabular.fit import fit
from cuesta.tabular.options import Options
from cuesta.tabular.result import summary
from tests.training.tables import base


@given(st.integers(1, 10_000_000), st.sampled_from([8, 32, 256, 1024]))
def test_the_epochs_have_about_so_many_steps(rows, batch_size):
    epochs = base_epochs(rows, batch_size)
    assert FEWEST <= epochs <= MOST
    steps = epochs * math.ceil(rows / batch_size)
    if FEWEST < epochs < MOST:
        assert STEPS <= steps < STEPS + math.ceil(rows / batch_size)
    assert steps >= STEPS or epochs == MOST


def test_a_candidate_keeps_a_number_of_its_own():
    assert with_length(base(epochs=7), 1000).epochs == 7
    assert with_length(base(batch_size=32), 960).epochs == 67  # 30 steps each


@given(st.integers(16, 300), st.floats(0.01, 10), st.floats(-5, 5))
def test_a_steady_fall_is_one_and_a_rise_is_not(epochs, slope, start):
    line = start - slope * np.arange(epochs)
    assert still_falls(line, epochs)
    assert not still_falls(line[::-1], epochs)
    assert not still_falls(line, epochs - max(1, epochs // 10))  # the best is not at the end


def test_noise_alone_seldom_falls():
    """One in 44 is above two standard errors by chance; s is an estimate of 23 differences."""
    rng = np.random.default_rng(0)
    found = sum(still_falls(1 + rng.standard_normal(100), 100) for _ in range(2000))
    assert found / 2000 < 0.05
    falling = 1 + rng.standard_normal((500, 100)) - 0.2 * np.arange(100)
    assert np.mean([still_falls(each, 100) for each in falling]) > 0.99


def test_what_has_levelled_out_does_not_fall():
    curve = 1 + np.exp(-np.arange(200) / 10)  # of the last quarter's fall, less than a thousandth
    assert not still_falls(curve, 200)
    assert still_falls(curve[:40], 40)
    assert not still_falls(np.full(50, np.inf), 50)


def score(index, loss, falls=True, origin=None, epochs=50, share=1):
    candidate = base(epochs=epochs, learning_rate=(index + 1) / 100)
    values = candidate, index, loss, 0.0, epochs, (loss,), (0,), loss, epochs, epochs, share
    return Score(*values, falls=falls, lengthened_from=origin)


def test_of_the_better_third_those_that_fall_are_lengthened_in_their_order():
    scores = [score(0, 3.0), score(1, 1.0), score(2, 0.5, falls=False), score(3, 0.4)]
    scores += [score(number, 9.0) for number in range(4, 8)]
    assert [s.index for s in to_lengthen(scores, scores)] == [1, 3]
    assert [s.index for s in to_lengthen(scores[::-1], scores)] == [1, 3]
    assert to_lengthen([score(0, math.inf)], []) == []
    assert to_lengthen([score(0, 1.0, epochs=LONGEST // 2 + 1)], []) == []


def test_what_was_lengthened_in_vain_is_not_lengthened_again():
    origin = score(0, 1.0)
    better, worse = score(1, 0.9, origin=0, epochs=100), score(1, 1.1, origin=0, epochs=100)
    assert to_lengthen([better], [origin, better]) == [better]
    assert to_lengthen([worse], [origin, worse]) == []


def test_nothing_is_trained_twice():
    """A space may hold the lengthened candidate itself."""
    short = score(0, 1.0)
    same = replace(score(1, 2.0), candidate=replace(short.candidate, epochs=100))
    assert to_lengthen([short], [short, same]) == []


def test_only_a_winner_that_nobody_tried_longer_may_go_on():
    winner = score(0, 1.0)
    assert may_go_on(winner, [winner])
    assert not may_go_on(winner, [winner, score(1, 2.0, origin=0)])
    assert not may_go_on(replace(winner, falls=False), [winner])
    (finding,) = trained_to_its_end(winner, [winner])
    assert finding.parameter == "epochs=100"
    assert trained_to_its_end(replace(winner, epochs=40), [winner]) == []


# --- in a run -----------------------------------------------------------------------------------

SLOW = Space({"hidden_layer_sizes": Choice(((4,),)), "learning_rate": Range(1e-3, 3e-3, log=True)})


def table():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((90, 2))
    return Table("t", pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": 5 * x[:, 0] + x[:, 1]}))


def options(**changes):
    plain = {"target": ("y",), "folds": 2, "candidates": 3, "space": SLOW, "baselines": False}
    return Options(**{**plain, "test_size": 0, **changes})


@pytest.fixture
def short(monkeypatch):
    """Trainings so short that all still learn at their end; half are lengthened, twice."""
    for name, value in (("STEPS", 32), ("FEWEST", 16), ("MOST", 20), ("PART", 2)):
        monkeypatch.setattr(length, name, value)
    monkeypatch.setattr(candidates, "DOUBLINGS", 2)


def test_a_run_asks_first_and_lengthens_then(short, tmp_path):
    found = {}
    for threads in (1, 2):
        result = fit(table(), options(threads=threads), tmp_path / str(threads))
        found[threads] = summary(result, options())
        scores = sorted(result.scores, key=lambda each: each.index)
        assert [s.candidate.epochs for s in scores] == [16] * 3 + [32] * 2 + [64]
        for each in scores[3:]:
            origin = scores[each.lengthened_from]
            assert each.candidate == replace(origin.candidate, epochs=2 * origin.schedule)
            assert each.loss < origin.loss, "the test needs candidates that learn"
    assert found[1]["lengthened"] == {str(s.index): s.lengthened_from for s in scores[3:]}
    assert found[1]["lengthened_from"] == result.winner.lengthened_from
    assert found[1]["trained_to_last_epoch"] is True
    for each in found.values():
        del each["seconds"]
    assert found[1] == found[2]
    listed = pl.read_csv(tmp_path / "1" / "candidates.csv")
    assert sorted(listed["max_epochs"]) == [16] * 3 + [32] * 2 + [64]
    assert json.loads((tmp_path / "1" / "result.json").read_text())["max_epochs"] == "auto"
    faults = [each.fault for each in result.diagnosis.findings]
    assert "trained to its last epoch" in faults


def test_a_number_of_epochs_is_for_all_and_nobody_is_lengthened():
    result = fit(table(), options(epochs=16, instruments="off"))
    assert {s.schedule for s in result.scores} == {16}
    assert all(s.lengthened_from is None for s in result.scores)
    auto = {s.candidate.epochs for s in result.scores}
    assert auto == {None}


def test_a_run_that_goes_on_lengthens_the_same(short, tmp_path):
    """Their curves come from the folder, their networks from there or from a new training."""
    found = []
    for folder in (tmp_path / "run", tmp_path / "run", None):
        result = summary(fit(table(), options(instruments="off"), folder), options())
        found.append({k: v for k, v in result.items() if k not in ("seconds", "test_openings")})
    assert found[0]["lengthened"]
    assert found[0] == found[1] == found[2]
