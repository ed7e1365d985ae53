"""The committee's weights: the book's loop, traces by hand, copies; when one network is enough."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.errors import SpecError
from cuesta.search.committee import greedy, greedy_log_loss, greedy_rmse

seeds = st.integers(0, 10_000)


def log_loss(y, shares):
    return -np.log(shares[np.arange(len(y)), y]).mean()


def rmse(y, values):
    return np.sqrt(((values - y) ** 2).mean(axis=0)).mean()


def classes_drawn(seed, candidates=5, rows=37, classes=3):
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(classes), (candidates, rows))
    return shares, rng.integers(0, classes, rows)


def numbers_drawn(seed, candidates=5, rows=37, targets=2):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(rows, targets)) * [1.0, 30.0][:targets]
    return y + rng.normal(size=(candidates, rows, targets)), y


def of_truth(shares, y):
    return shares[:, np.arange(len(y)), y]


def by_the_book(predictions, y, loss, rounds):
    """Caruana's loop, as one would write it on a board: a list of members, their plain mean."""
    members, kept, least = [], [], np.inf
    for _ in range(rounds):
        tried = [
            loss(y, np.mean([predictions[m] for m in [*members, c]], axis=0))
            for c in range(len(predictions))
        ]
        members.append(tried.index(min(tried)))
        if min(tried) < least:
            least, kept = min(tried), list(members)
    return np.array([kept.count(c) / len(kept) for c in range(len(predictions))])


@given(seeds)
def test_each_way_is_the_loop_of_the_book(seed):
    shares, y = classes_drawn(seed)
    told = by_the_book(shares, y, log_loss, 12)
    # Weights are counts over a count: equal but for the rounding of that division. Drawn losses
    # differ by far more than the order of summation does, so no choice turns on a rounding.
    np.testing.assert_allclose(greedy(shares, y, log_loss, 12), told, atol=1e-15)
    np.testing.assert_allclose(greedy_log_loss(of_truth(shares, y), 12), told, atol=1e-15)
    values, y = numbers_drawn(seed)
    told = by_the_book(values, y, rmse, 12)
    np.testing.assert_allclose(greedy(values, y, rmse, 12), told, atol=1e-15)
    np.testing.assert_allclose(greedy_rmse(values - y, 12), told, atol=1e-15)


@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_errors_that_are_not_finite_never_join_and_spoil_no_other(strange):
    errors = np.array([[strange, 0.0], [3.0, -3.0], [0.5, 0.5], [-3.0, 3.0]])[:, :, None]
    np.testing.assert_array_equal(greedy_rmse(errors), [0, *greedy_rmse(errors[1:])])


def test_opposite_errors_cancel_in_a_committee_of_two():
    errors = np.array([[3.0, -3.0], [0.5, 0.5], [-3.0, 3.0], [-0.5, -0.5]])[:, :, None]
    # By hand: 1 alone has .5, with 3 it has 0, the least there is.
    np.testing.assert_array_equal(greedy_rmse(errors), [0, 0.5, 0, 0.5])


def test_a_trace_by_hand():
    # p of the truth on two rows; the larger the product of the means, the less the log-loss.
    shares = np.array([[0.9, 0.3], [0.5, 0.5], [0.5, 0.1]])
    # Alone: .27, .25, .05.
    np.testing.assert_array_equal(greedy_log_loss(shares, 1), [1, 0, 0])
    # After 0: with 0 .27, with 1 .7 · .4 = .28, with 2 .7 · .2 = .14.
    np.testing.assert_array_equal(greedy_log_loss(shares, 2), [0.5, 0.5, 0])
    # After 0 and 1: with 0 (2.3 · 1.1)/9 = .281, with 1 (1.9 · 1.3)/9 = .274, with 2 (1.9 · .9)/9.
    np.testing.assert_array_equal(greedy_log_loss(shares, 3), [2 / 3, 1 / 3, 0])


@given(seeds)
def test_never_worse_in_sample_than_the_best_candidate(seed):
    shares, y = classes_drawn(seed)
    mixed = np.tensordot(greedy_log_loss(of_truth(shares, y)), shares, 1)
    # 1e-12: the mixture is summed in another order.
    assert log_loss(y, mixed) <= min(log_loss(y, one) for one in shares) + 1e-12
    values, y = numbers_drawn(seed)
    mixed = np.tensordot(greedy_rmse(values - y), values, 1)
    assert rmse(y, mixed) <= min(rmse(y, one) for one in values) + 1e-12


@given(seeds, st.integers(0, 4), st.integers(0, 5))
def test_a_copy_of_a_candidate_changes_nothing(seed, which, place):
    def told(found):
        """A copy's weight and its original's, together."""
        before = which + (place <= which)
        found[before] += found[place]
        return np.delete(found, place)

    shares, y = classes_drawn(seed)
    truth = of_truth(shares, y)
    more = np.insert(truth, place, truth[which], axis=0)
    np.testing.assert_array_equal(told(greedy_log_loss(more)), greedy_log_loss(truth))
    values, y = numbers_drawn(seed)
    errors = values - y
    more = np.insert(errors, place, errors[which], axis=0)
    np.testing.assert_array_equal(told(greedy_rmse(more)), greedy_rmse(errors))


def test_of_equal_candidates_the_earlier_joins():
    same = np.tile(np.random.default_rng(0).random(100), (4, 1))
    np.testing.assert_array_equal(greedy_log_loss(same), [1, 0, 0, 0])
    np.testing.assert_array_equal(greedy_rmse(same[:, :, None]), [1, 0, 0, 0])


def test_weights_are_shares():
    found = greedy_log_loss(np.random.default_rng(0).random((12, 500)))
    assert found.sum() == pytest.approx(1, abs=1e-15)
    assert (found >= 0).all()
    assert len(found) == 12


def test_a_share_of_zero_costs_what_the_metric_says():
    # 40 rows, so that products of blocks and single rows both are seen: 1e-15 each, no underflow.
    found = greedy_log_loss(np.array([np.zeros(40), np.full(40, 1e-3)]))
    np.testing.assert_array_equal(found, [0, 1])


def test_a_candidate_of_nan_never_joins_and_all_of_them_are_refused():
    shares = np.random.default_rng(0).random((3, 50))
    shares[1, 4] = np.nan
    assert greedy_log_loss(shares)[1] == 0
    with pytest.raises(SpecError, match="finite loss"):
        greedy_log_loss(np.full((2, 5), np.nan))


def test_squares_of_large_errors_do_not_overflow():
    rng = np.random.default_rng(0)
    errors = rng.normal(size=(4, 30, 1))
    # A power of two scales without rounding, so each choice is the same.
    np.testing.assert_array_equal(greedy_rmse(errors * 2.0**700), greedy_rmse(errors))


@pytest.mark.slow("a hundred thousand rows")
def test_many_rows_take_a_moment():
    truth = np.random.default_rng(0).random((64, 100_000))
    began = time.process_time()
    greedy_log_loss(truth)
    greedy_rmse(truth[:, :, None])
    # About 1.7 s of one core when written; the loop over all outputs takes a minute.
    assert time.process_time() - began < 15
