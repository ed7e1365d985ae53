"""Rows that are copies of others, and the side of a split on which they stand."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.data.copies import count_known, find_copies
from cuesta.data.folds import make_folds, split_test

rng = np.random.default_rng(0)
CLEAN = pl.DataFrame(
    {"a": rng.standard_normal(50), "b": rng.standard_normal(50), "c": ["u", "v"] * 25}
)


def copied(frame, times):
    return pl.concat([frame] * times)


def test_each_row_that_is_there_before_is_a_copy_of_the_first_like_it():
    copies = find_copies(copied(CLEAN, 3))
    assert copies.count == 100
    np.testing.assert_array_equal(copies.first, np.tile(np.arange(50), 3))


def test_missing_values_are_equal_and_names_of_rows_do_not_count():
    frame = CLEAN.with_columns(a=pl.Series([None, *CLEAN["a"][1:]]))
    twice = copied(frame, 2).with_columns(id=pl.Series([f"row {i}" for i in range(100)]))
    assert find_copies(twice).count == 50


@pytest.mark.parametrize(
    "frame",
    [
        CLEAN,
        pl.DataFrame({"a": rng.integers(0, 5, 500), "b": rng.integers(0, 4, 500)}),
        pl.DataFrame({"age": rng.integers(0, 90, 500)}),
        pl.DataFrame({"age": rng.integers(20, 70, 900), "b": ["x", "y", "z"] * 300}),
        pl.DataFrame(
            {"a": rng.standard_normal(500).round(1), "b": rng.standard_normal(500).round(1)}
        ),
    ],
    ids=["all distinct", "few categories", "one column", "age and a category", "rounded"],
)
def test_rows_that_agree_by_chance_are_no_copies(frame):
    assert find_copies(frame) is None


PROTOCOLS = ["kfold", "repeated", "single", "grouped"]


@given(st.integers(2, 6), st.sampled_from(PROTOCOLS), st.booleans(), st.integers(0, 5))
def test_copies_stay_on_one_side_of_every_split(times, protocol, classes, seed):
    frame = copied(CLEAN, times)
    copies = find_copies(frame)
    y = np.arange(len(frame)) % 50 % 3 if classes else np.arange(len(frame)) / 7
    groups = np.arange(len(frame)) // 2 if protocol == "grouped" else None
    how = {"classes": classes, "protocol": protocol, "seed": seed}
    sides = split_test(y, share=0.2, groups=groups, first=copies.first, **how)
    assert sorted(np.concatenate(sides)) == list(range(len(frame)))
    assert not set(copies.first[sides[0]]) & set(copies.first[sides[1]])
    if protocol != "grouped":  # each row of a fifth of the rows, with its copies
        assert len(sides[1]) == pytest.approx(0.2 * len(frame), abs=times)
    train = copies.at(sides[0])
    its = None if groups is None else groups[sides[0]]
    for fold in make_folds(y[sides[0]], k=3, groups=its, first=train.first, **how):
        assert not set(train.first[fold.train]) & set(train.first[fold.validation])
        if its is not None:
            assert not set(its[fold.train]) & set(its[fold.validation])


def test_rows_of_a_test_table_that_trained_are_counted():
    assert count_known(CLEAN, CLEAN) == 50
    new = CLEAN.with_columns(a=pl.col("a") + 1, b=pl.col("b") - 2)
    assert count_known(CLEAN, new) == 0
    assert count_known(CLEAN, pl.concat([new, CLEAN[:7]])) == 7
    few = pl.DataFrame({"a": rng.integers(0, 5, 90)})
    assert count_known(few[:60], few[60:].vstack(pl.DataFrame({"a": [77]}))) == 0
