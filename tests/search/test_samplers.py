"""Samplers: what they propose, and what they learn."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesta.errors import SpecError
from cuesta.hyperparameters import OPTIMIZERS, Candidate
from cuesta.search.samplers import TPE_BATCH, FixedSampler, TPESampler, sobol, space_sampler
from cuesta.search.space import READERS, Choice, Range, Space, notes_space

SEEDS = st.integers(0, 2**32 - 1)
COUNTS = st.integers(0, 100)
LOW, HIGH = 1e-4, 1e-1
RATES = Range(LOW, HIGH, log=True)
SPACE = Space(
    {
        "optimizer": Choice(OPTIMIZERS),
        "learning_rate": RATES,
        "dropout": Range(0.1, 0.5),
        "init": Choice(("uniform", "normal", "glorot", "he")),
        "activation": Choice(("relu", "relu", "tanh")),
    },
    {"sgd": {"learning_rate": Range(0.5, 0.9)}},
)
# The exponential of a logarithm is off by a few roundings.
ROUNDING = 1e-13


def inside(candidate):
    low, high = (0.5, 0.9) if candidate.optimizer == "sgd" else (LOW, HIGH)
    rate_fits = low * (1 - ROUNDING) <= candidate.learning_rate <= high * (1 + ROUNDING)
    return rate_fits and 0.1 <= candidate.dropout <= 0.5


@given(count=COUNTS, seed=SEEDS)
def test_every_draw_lies_inside_the_ranges(count, seed):
    candidates = sobol(SPACE, count, seed)
    assert len(candidates) == count
    assert all(inside(candidate) for candidate in candidates)


@pytest.mark.parametrize("count", [64, 256])
@pytest.mark.parametrize("name", ["optimizer", "init", "activation"])
@given(seed=SEEDS)
def test_each_value_of_a_list_is_drawn_equally_often(name, count, seed):
    values = (SPACE.common[name]).values
    drawn = Counter(getattr(candidate, name) for candidate in sobol(SPACE, count, seed))
    for value, weight in Counter(values).items():
        # 2ᵐ points stand one in each of 2ᵐ equal intervals; a value's interval cuts through two
        # of these at most. Independent draws would miss by √count or so.
        assert abs(drawn[value] - count * weight / len(values)) <= 2


@given(seed=SEEDS)
def test_draws_fill_a_range_evenly(seed):
    shares = [(c.dropout - 0.1) / 0.4 for c in sobol(SPACE, 64, seed)]
    counts, _ = np.histogram(shares, bins=16, range=(0, 1))
    # 64 points, 16 intervals; rounding may push one over an edge.
    assert np.abs(counts - 4).max() <= 1


@given(few=COUNTS, more=COUNTS, seed=SEEDS, start=st.booleans())
def test_the_first_candidates_are_the_same_whatever_the_count(few, more, seed, start):
    space = notes_space(1000) if start else SPACE
    few, more = sorted((few, more))
    assert sobol(space, more, seed)[:few] == sobol(space, few, seed)


@given(seed=SEEDS)
def test_the_start_of_a_space_is_its_first_candidate(seed):
    start = Candidate(learning_rate=0.01)
    candidates = sobol(Space({"dropout": Range(0.1, 0.5)}, first=(start,)), 5, seed)
    assert candidates[0] == start
    assert start not in candidates[1:]


def test_another_seed_draws_other_candidates():
    assert not set(sobol(SPACE, 20, 0)) & set(sobol(SPACE, 20, 1))


def test_a_decay_is_drawn_only_for_the_optimizers_that_read_it():
    decays = {name: Range(0.3, 0.4) for name in READERS}
    space = Space({"optimizer": Choice(OPTIMIZERS), **decays})
    default = Candidate()
    for candidate in sobol(space, 64, 0):
        for name, readers in READERS.items():
            drawn = getattr(candidate, name) != getattr(default, name)
            assert drawn == (candidate.optimizer in readers)


# --- asking and telling -----------------------------------------------------------------------


def distance(candidates):
    """A cheap loss: how far the learning rate is from 0.01."""
    return [abs(np.log(candidate.learning_rate / 0.01)) for candidate in candidates]


def batches(space, sampler, count, seed=0, losses=distance):
    """What a sampler proposes, batch by batch, each told its losses."""
    asked = space_sampler(space, sampler, count, seed)
    found = []
    while candidates := asked.ask():
        found.append(candidates)
        asked.tell(losses(candidates))
    return found


def all_of(space, sampler, count, seed=0, losses=distance):
    return [c for batch in batches(space, sampler, count, seed, losses) for c in batch]


def test_random_is_all_sobol_draws_at_once():
    assert batches(SPACE, "random", 20, 7) == [sobol(SPACE, 20, 7)]


def test_grid_is_every_combination_at_once():
    space = Space({"init": Choice(("he", "glorot")), "dropout": Choice((0.0, 0.1, 0.2))})
    (batch,) = batches(space, "grid", 1)
    assert len(set(batch)) == len(batch) == 6


def test_a_grid_over_a_range_is_a_fault_that_names_it():
    with pytest.raises(SpecError, match="learning_rate"):
        space_sampler(Space({"learning_rate": RATES}), "grid", 5, 0)


def test_an_unknown_sampler_is_a_fault_that_offers_the_nearest():
    with pytest.raises(SpecError, match="'gird' is unknown; did you mean 'grid'"):
        space_sampler(SPACE, "gird", 5, 0)


@given(count=st.integers(0, 30), size=st.integers(1, 10))
def test_candidates_known_in_advance_come_in_order_a_few_at_a_time(count, size):
    sampler = FixedSampler(range(count), size)
    found = list(iter(sampler.ask, []))
    assert [c for batch in found for c in batch] == list(range(count))
    assert all(len(batch) == size for batch in found[:-1])


@pytest.mark.parametrize("sampler", ["random", "grid"])
def test_losses_change_nothing_where_candidates_are_known_in_advance(sampler):
    space = Space({"init": Choice(("he", "glorot")), "dropout": Choice((0.0, 0.1, 0.2))})
    worst_first = lambda candidates: list(range(len(candidates), 0, -1))  # noqa: E731 (a loss)
    assert all_of(space, sampler, 5) == all_of(space, sampler, 5, losses=worst_first)


@pytest.mark.parametrize("count", [1, TPE_BATCH - 1, TPE_BATCH, TPE_BATCH + 1, 2 * TPE_BATCH + 3])
def test_tpe_proposes_as_many_candidates_as_wanted_in_batches(count):
    lengths = [len(batch) for batch in batches(SPACE, "tpe", count)]
    assert sum(lengths) == count
    assert all(length == TPE_BATCH for length in lengths[:-1])


@settings(max_examples=5)
@given(seed=SEEDS)
def test_tpe_stays_inside_the_ranges(seed):
    assert all(inside(candidate) for candidate in all_of(SPACE, "tpe", 2 * TPE_BATCH, seed))


@settings(max_examples=5)
@given(seed=SEEDS)
def test_tpe_is_the_same_for_a_seed(seed):
    assert all_of(SPACE, "tpe", 2 * TPE_BATCH, seed) == all_of(SPACE, "tpe", 2 * TPE_BATCH, seed)


def test_tpe_differs_for_another_seed():
    assert not set(all_of(SPACE, "tpe", TPE_BATCH, 0)) & set(all_of(SPACE, "tpe", TPE_BATCH, 1))


def test_what_tpe_is_told_decides_what_it_proposes_next():
    turned = lambda candidates: [-loss for loss in distance(candidates)]  # noqa: E731 (a loss)
    one, other = (batches(SPACE, "tpe", 2 * TPE_BATCH, losses=how) for how in (distance, turned))
    assert one[0] == other[0]
    assert one[1] != other[1]


@pytest.mark.parametrize("seed", range(5))
def test_tpe_learns_from_the_losses(seed):
    space = Space({"learning_rate": Range(1e-6, 1.0, log=True)})
    losses = distance(all_of(space, "tpe", 4 * TPE_BATCH, seed))
    # Draws that learn nothing would have the same mean in every batch.
    assert np.mean(losses[-TPE_BATCH:]) < 0.7 * np.mean(losses[:TPE_BATCH])


@pytest.mark.parametrize("loss", [np.inf, np.nan])
def test_tpe_goes_on_when_every_candidate_diverges(loss):
    lost = lambda candidates: [loss] * len(candidates)  # noqa: E731 (a loss)
    assert len(all_of(SPACE, "tpe", 2 * TPE_BATCH, losses=lost)) == 2 * TPE_BATCH


def test_tpe_reads_a_decay_only_for_the_optimizers_that_read_it():
    space = Space({"optimizer": Choice(OPTIMIZERS), "momentum": Range(0.3, 0.4)})
    for candidate in all_of(space, "tpe", TPE_BATCH):
        assert (candidate.momentum != Candidate().momentum) == (candidate.optimizer == "momentum")


def test_tpe_takes_a_list_of_each_optimizers_own():
    own = {
        "sgd": {"dropout": Choice((0.0, 0.1))},
        "adam": {"dropout": Choice((0.0, 0.1, 0.3))},
    }
    space = Space({"optimizer": Choice(("sgd", "adam"))}, own)
    assert len(all_of(space, "tpe", TPE_BATCH)) == 5  # each once


def test_tpe_begins_with_the_start_of_a_space():
    space = notes_space(1000)
    assert all_of(space, "tpe", 2)[0] == space.first[0]


def small_space(*values):
    return Space({"dropout": Choice(values), "init": Choice(("he", "normal"))})


@pytest.mark.parametrize("told", [0.5, float("nan")])
def test_tpe_asks_for_no_candidate_twice_and_for_all_of_a_small_space(told):
    space = small_space(0.0, 0.1, 0.2, 0.3, 0.3)  # eight candidates; one value named twice
    sampler = space_sampler(space, "tpe", 40, 3)
    found = []
    while candidates := sampler.ask():
        found += candidates
        sampler.tell([told] * len(candidates))
    assert len(found) == len(set(found)) == 8


def test_tpe_learns_over_a_list_that_has_no_more_good_values():
    # The best value is taken; what comes next are the others, not the best one again.
    sampler = space_sampler(small_space(*np.arange(30) / 100), "tpe", 60, 0)
    found = []
    while candidates := sampler.ask():
        found += candidates
        sampler.tell([candidate.dropout for candidate in candidates])
    assert len(set(found)) == len(found) == 60


def test_candidates_that_cannot_be_hashed_are_told_apart_too():
    suggest = lambda trial: {"a": [trial.suggest_categorical("a", [1, 2, 3])]}  # noqa: E731
    sampler = TPESampler(suggest, 10, 0)
    assert sorted(one["a"][0] for one in sampler.ask()) == [1, 2, 3]
    sampler.tell([0.1, 0.2, 0.3])
    assert sampler.ask() == []
