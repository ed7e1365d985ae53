import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.errors import SpecError
from cuesta.hyperparameters import Candidate
from cuesta.search.choice import choose
from cuesta.search.select import Score
from cuesta.search.ties import beyond_chance, tied_with

HELD_OUT = 0.25
SMALL, LARGE = (Candidate(hidden_layer_sizes=(units,)) for units in (4, 64))


def score(folds, index=0, candidate=SMALL, se=0.1, share=1, diverged=False):
    mean = float(np.mean(folds))
    loss = np.inf if diverged else mean
    steps = (int(diverged),) * len(folds)
    return Score(candidate, index, mean, se, 10, tuple(folds), steps, loss, 50, 50, share)


def units(candidate):
    return sum(candidate.hidden_layer_sizes)


def test_by_hand():
    # Differences .1, .2, .3, .4, .5: mean .3, s² .025, se √(.025 · .45) = .1061, t(4) 2.776: .2944.
    winner = score([1.0] * 5)
    other = score([1.1, 1.2, 1.3, 1.4, 1.5], 1)
    assert tied_with(winner, [winner, other], HELD_OUT) == [winner]
    # At .1 less the differences have the same spread and a mean of .2.
    near = score([1.0, 1.1, 1.2, 1.3, 1.4], 2)
    assert tied_with(winner, [winner, other, near], HELD_OUT) == [winner, near]
    # At a level of .04, t(4) is 2.999 and the limit .318.
    assert tied_with(winner, [other], HELD_OUT, level=0.04) == [other]


folds = st.lists(st.integers(0, 64), min_size=5, max_size=5)  # 64ths add up exactly


@given(folds, folds, st.integers(-64, 64))
def test_what_both_have_in_common_does_not_matter(mine, others, shift):
    def tied(a, b):
        pair = score(np.array(a) / 64), score(np.array(b) / 64, 1)
        return len(tied_with(pair[0], pair, HELD_OUT)) == 2

    moved = (np.add(each, shift) for each in (mine, others))
    assert tied(mine, others) == tied(*moved) == tied(others, mine)


def test_a_constant_difference_is_told_and_a_diverged_candidate_is_no_tie():
    winner = score([1.0, 2.0, 4.0])
    assert tied_with(winner, [score([1.5, 2.5, 4.5], 1)], HELD_OUT) == []
    assert tied_with(winner, [score([1.0, 2.0, 4.0], 1, diverged=True)], HELD_OUT) == []


def test_one_fold_tells_nothing_apart():
    winner, other = score([1.0]), score([2.0], 1)
    assert tied_with(winner, [winner, other], HELD_OUT) == [winner, other]


def test_the_best_is_the_first_of_the_ranking():
    assert choose([score([2.0]), score([1.0], 1)], "best", units).index == 1


def test_one_se_takes_the_simplest_within_one_standard_error():
    scores = [
        score([1.0], 0, LARGE, se=0.1),
        score([1.09], 1, SMALL),
        score([1.11], 2, Candidate(hidden_layer_sizes=(1,))),  # simpler, and too bad
    ]
    assert choose(scores, "one-se", units).index == 1
    assert choose(scores, "best", units).index == 0


def test_of_equally_simple_ones_the_default_and_then_the_first():
    default = Candidate(hidden_layer_sizes=(4,), dropout=0.5)
    scores = [score([1.0], 0, LARGE), score([1.05], 1), score([1.05], 2), score([1.06], 3, default)]
    assert choose(scores, "one-se", units, default).index == 3
    assert choose(scores, "one-se", units).index == 1


def test_what_halving_stopped_is_not_chosen():
    scores = [score([1.0], 0, LARGE), score([1.0], 1, SMALL, share=9)]
    assert choose(scores, "one-se", units).index == 0


def test_without_a_standard_error_it_is_the_best():
    scores = [score([1.0], 0, LARGE, se=np.nan), score([1.0], 1, SMALL)]
    assert choose(scores, "one-se", units).index == 0


def test_another_way_to_choose_is_refused():
    with pytest.raises(SpecError, match="choose"):
        choose([score([1.0])], "first", units)


def test_gains_are_beyond_chance_by_hand():
    # s² 2.5, se √(2.5 · .45) = 1.0607, t(4) 2.7764: 2.9449.
    spread = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    assert not beyond_chance(spread + 2.944, HELD_OUT)
    assert beyond_chance(spread + 2.946, HELD_OUT)
    assert not beyond_chance(-spread - 2.946, HELD_OUT)  # a loss is no gain, however clear
    assert not beyond_chance(np.array([5.0]), HELD_OUT)  # one fold tells nothing
    assert not beyond_chance(np.zeros(5), HELD_OUT)


def test_noise_seldom_passes_for_a_gain():
    # Of independent folds d̄√5/s is a t of 4 degrees, and 2.7764·√(5 · .45) = 4.165 of it.
    rng = np.random.default_rng(0)
    passed = [beyond_chance(rng.normal(size=5), HELD_OUT) for _ in range(2000)]
    # P(t₄ > 4.165) = .0070; three standard errors of 2,000 draws are .0056.
    assert np.mean(passed) == pytest.approx(0.0070, abs=0.0056)
