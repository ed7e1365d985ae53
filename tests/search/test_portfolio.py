"""The default space: good configurations first, then what is near them."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.errors import SpecError
from cuesta.hyperparameters import Candidate
from cuesta.search.near import CHANGE, FARTHEST, changed, is_read, moved, nearby
from cuesta.search.portfolio import (
    PORTFOLIO,
    PRESET_TABULAR,
    RANGES,
    TableSize,
    candidates_on,
    portfolio,
    portfolio_space,
    space_on,
    values_of,
)
from cuesta.search.samplers import space_sampler
from cuesta.search.space import Choice, Range, Space, notes_space
from cuesta.tabular.options import Options

TABLES = st.builds(
    TableSize,
    st.integers(2, 10_000_000),
    st.integers(1, 1000),
    st.sampled_from(["classification", "regression", "multilabel"]),
)
SIZE = TableSize(1000, 7, "classification")
SPACE = portfolio_space(SIZE)


@given(TABLES)
def test_each_entry_is_a_candidate_of_every_table_and_they_differ(table):
    found = portfolio(table)
    assert len(set(found)) == len(PORTFOLIO)
    preset = Candidate(**values_of(PRESET_TABULAR, table))
    assert preset == dataclasses.replace(found[0], epochs=preset.epochs)


def test_an_entry_may_say_its_final_rate_as_a_share():
    values = values_of({"learning_rate": 0.02, "final_ratio": 0.1}, SIZE)
    assert values["final_learning_rate"] == pytest.approx(0.002)
    assert "final_ratio" not in values


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_the_portfolio_comes_first_and_in_order(sampler):
    members = portfolio(SIZE)
    found = space_sampler(SPACE, sampler, 9, 0).ask()
    assert found[: len(members)] == members
    assert len(set(found)) == 9
    assert space_sampler(SPACE, sampler, 2, 0).ask() == members[:2]


@given(st.integers(0, 1000))
def test_what_is_near_is_within_the_ranges_and_mostly_as_its_member(seed):
    found = nearby(SPACE, 40, seed)
    assert len(set(found)) == 40
    assert nearby(SPACE, 20, seed) == found[:20]
    members = portfolio(SIZE)
    for candidate in found[len(members) :]:
        values = candidate.to_dict() | {"hidden_layer_sizes": candidate.hidden_layer_sizes}
        assert values["final_learning_rate"] == pytest.approx(0.01 * candidate.learning_rate)
        for name, dimension in RANGES.items():
            if name == "final_ratio":
                continue
            own = {getattr(member, name) for member in members}
            if isinstance(dimension, Choice):
                assert values[name] in own | set(dimension.values)
            else:
                rounding = 1e-12 * dimension.high  # of exp and log
                within = dimension.low - rounding <= values[name] <= dimension.high + rounding
                assert within or values[name] in own
        fixed = {f.name for f in dataclasses.fields(Candidate)} - set(RANGES)
        fixed -= {"final_learning_rate", "factory"}
        assert any(all(values[n] == m.to_dict()[n] for n in fixed) for m in members)


def test_a_third_of_what_is_read_changes():
    space = Space({"dropout": Range(0.0, 1.0), "activation": Choice(("relu", "tanh"))}, near=True)
    space = dataclasses.replace(space, first=(Candidate(dropout=0.5),))
    lists = Space({"activation": Choice(("relu", "tanh"))}, first=(Candidate(),), near=True)
    assert len(nearby(lists, 9, 0)) == 2
    rng = np.random.default_rng(0)
    moves = [changed(Candidate(dropout=0.5), space, rng) for _ in range(3000)]
    for part in (
        np.mean([c.dropout != 0.5 for c in moves]),
        np.mean([c.activation == "tanh" for c in moves]),
    ):
        assert abs(part - CHANGE) < 4 * math.sqrt(CHANGE * (1 - CHANGE) / 3000)


@given(st.floats(0, 1, exclude_max=True), st.floats(1e-3, 0.1), st.booleans())
def test_a_number_moves_by_a_quarter_of_its_range_at_most(share, value, log):
    dimension = Range(1e-3, 0.1, log=log)
    found = moved(value, dimension, share)
    scale = math.log if log else float
    rounding = 1e-9  # of exp and log, in a number near 1
    assert abs(scale(found) - scale(value)) <= FARTHEST * (scale(0.1) - scale(1e-3)) + rounding
    assert 1e-3 * (1 - rounding) <= found <= 0.1 * (1 + rounding)
    assert moved(0.0, Range(1e-3, 0.1, log=True), share) < 1e-3 * 100**FARTHEST * (1 + rounding)


def test_a_list_gives_another_of_its_values():
    assert moved(1, Choice((1, 2, 3)), 0.0) == 2
    assert moved(1, Choice((1, 2, 3)), 0.9) == 3
    assert moved(1, Choice((1,)), 0.5) == 1


def test_what_is_not_read_stays():
    plain = {"optimizer": "sgd", "numeric_embedding": "none"}
    for name in ("embedding_size", "embedding_sigma", "embedding_bins", "beta_1", "momentum"):
        assert not is_read(name, plain)
    assert is_read("embedding_size", plain | {"numeric_embedding": "piecewise"})
    assert not is_read("embedding_sigma", plain | {"numeric_embedding": "piecewise"})
    assert is_read("embedding_sigma", plain | {"numeric_embedding": "plr"})
    assert not is_read("embedding_bins", plain | {"numeric_embedding": "plr"})
    assert is_read("dropout", plain)


def test_the_notes_are_a_space_by_name():
    assert space_on("notes", SIZE) == notes_space(1000)
    assert space_on(None, SIZE) == SPACE
    own = Space({})
    assert space_on(own, SIZE) is own
    assert Options(space="notes").space == "notes"
    with pytest.raises(SpecError, match=r"'note'.*notes"):
        Options(space="note")


def test_how_many_candidates_a_table_is_worth():
    for rows in (1_500, 4_999):
        assert candidates_on("auto", None, rows) == len(PORTFOLIO)
    for rows in (1_499, 5_000, 10**6):
        assert candidates_on("auto", None, rows) == 6
    assert candidates_on("auto", "notes", 99_999) == candidates_on("auto", Space({}), 1) == 64
    assert candidates_on("auto", "notes", 100_000) == 20
    assert candidates_on(33, None, 10_000_000) == candidates_on(33, "notes", 5) == 33
    with pytest.raises(SpecError, match="candidates"):
        Options(candidates="many")


@given(st.integers(100_000, 10_000_000))
def test_of_large_tables_batches_have_256_to_1024_rows(rows):
    assert {256, 512, 1024} >= {c.batch_size for c in portfolio(TableSize(rows, 9, "regression"))}
