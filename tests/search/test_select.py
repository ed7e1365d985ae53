import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.core.train import UNITS
from cuesta.hyperparameters import Candidate
from cuesta.search.select import fold_curves, rank, score_candidate
from cuesta.training.journal import LaneRecord

NO_UNITS = np.empty((5, 0))
HELD_OUT = 0.25  # of five folds
losses = st.floats(0.01, 10.0)


def record(curves, diverged=0, norm=1.0):
    """A lane's record, with units that nothing here looks at."""
    return LaneRecord(curves, np.zeros((len(curves), UNITS), np.float32), diverged, norm)


def records(curves, diverged=None):
    """Records of log-losses (folds, epochs)."""
    found = []
    for fold, curve in enumerate(curves):
        full = np.stack([np.zeros(len(curve)), curve, np.ones(len(curve))], axis=1)
        found.append(record(full, (diverged or {}).get(fold, 0), 1.0))
    return found


def score(curves, diverged=None, index=0, metric="log_loss"):
    return score_candidate(
        Candidate(), index, records(curves, diverged), metric, NO_UNITS, HELD_OUT
    )


@given(st.lists(st.lists(losses, min_size=7, max_size=7), min_size=2, max_size=6))
def test_mean_and_error_are_those_of_the_best_epoch(curves):
    found, table = score(curves), np.array(curves)
    means = [sum(table[:, e]) / len(table) for e in range(7)]
    best = means.index(min(means))
    # The mean may be summed in another order: epochs that tie to a rounding may be exchanged.
    assert found.mean == pytest.approx(means[best], rel=1e-12)
    column = table[:, found.epochs - 1]
    spread = sum((v - column.mean()) ** 2 for v in column) / (len(column) - 1)
    error = (spread * (1 / len(column) + HELD_OUT)) ** 0.5
    assert found.se == pytest.approx(error, rel=1e-9, abs=1e-12)


def test_the_earliest_of_equal_epochs_is_taken():
    assert score([[3.0, 1.0, 1.0], [3.0, 1.0, 1.0]]).epochs == 2


@given(st.lists(losses, min_size=2, max_size=8), st.data())
def test_a_diverged_candidate_never_wins(means, data):
    bad = data.draw(st.integers(0, len(means) - 1))
    scores = [score([[m], [m]], {0: 3} if i == bad else None, i) for i, m in enumerate(means)]
    scores[bad] = score([[0.0], [0.0]], {1: 7}, bad)
    ranked = rank(scores)
    assert ranked[-1].index == bad
    assert ranked[0].mean == min(m for i, m in enumerate(means) if i != bad)


def test_a_nan_in_one_fold_never_wins_even_where_no_step_diverged():
    assert score([[np.nan], [0.0]]).loss == np.inf
    assert score([[np.nan, 1.0], [0.0, 3.0]]).epochs == 2


def test_of_equals_the_earlier_candidate_wins():
    assert [s.index for s in rank([score([[1.0], [1.0]], index=i) for i in (2, 0, 1)])] == [0, 1, 2]


def test_accuracy_is_better_when_higher():
    hits = [record(np.array([[0, 9.0, 0.8], [0, 1.0, 0.6]]), 0, 1.0)] * 3
    found = score_candidate(Candidate(), 0, hits, "accuracy", NO_UNITS, HELD_OUT)
    assert (found.epochs, found.mean, found.loss) == (1, pytest.approx(0.8), pytest.approx(-0.8))


def test_rmse_is_in_the_targets_units_and_the_mean_over_targets():
    errors = record(np.array([[0.0, 4.0, 9.0]]), 0, 1.0)
    curves = fold_curves([errors, errors], "rmse", np.array([[10.0, 1.0], [20.0, 1.0]]))
    np.testing.assert_allclose(curves, [[(2 * 10 + 3) / 2], [(2 * 20 + 3) / 2]])


def test_one_fold_has_no_standard_error():
    assert np.isnan(score([[1.0, 2.0]]).se)
