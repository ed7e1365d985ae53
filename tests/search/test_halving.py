import numpy as np
import pytest

from cuesta.search.halving import lane_epochs, rungs, survivors
from cuesta.search.select import Score, rank, score_candidate
from cuesta.training.batching import shape_of
from cuesta.training.journal import Journal
from cuesta.training.planner import Machine
from cuesta.training.run import Run
from tests.training.tables import base, class_feed


def score(index, loss, trained=6):
    return Score(base(), index, loss, 0.0, 1, (loss,), (0,), loss, trained)


@pytest.mark.parametrize(
    ("epochs", "wanted"), [(50, [6, 17, 50]), (9, [1, 3, 9]), (2, [1, 2]), (1, [1])]
)
def test_rungs_are_a_ninth_a_third_and_the_whole(epochs, wanted):
    assert rungs(epochs) == wanted


def test_the_better_third_goes_on():
    alive = [score(i, loss) for i, loss in enumerate([5.0, 1.0, 4.0, 2.0, 3.0, 6.0, 7.0])]
    assert [s.index for s in survivors(alive)] == [1, 3, 4]  # of seven, three


def test_a_diverged_candidate_never_goes_on():
    assert survivors([score(0, np.inf), score(1, np.inf)]) == []
    assert [s.index for s in survivors([score(0, np.inf), score(1, 2.0)])] == [1]


def test_what_was_stopped_early_ranks_after_what_was_not():
    early, late, lost = score(0, 0.1, trained=6), score(1, 0.9, trained=50), score(2, np.inf, 50)
    assert rank([early, late, lost]) == [late, early, lost]


def test_the_work_is_what_the_rungs_train():
    # 27 candidates for 6 epochs, 9 for 17 and 3 for 50, against 27 for 50.
    assert lane_epochs(27, rungs(50)) == 27 * 6 + 9 * 17 + 3 * 50
    assert lane_epochs(27, [50]) == 27 * 50


def test_a_rung_is_the_beginning_of_the_whole_lane():
    feed, candidate = class_feed(), base(final_learning_rate=1e-4, dropout=0.2)

    def trained(*budgets):
        search = Run(
            feed,
            lambda c: shape_of(c, 5, 3, "cross_entropy"),
            9,
            0,
            Journal(),
            Machine(2, 1 << 20),
        )
        for epochs in budgets:
            search.train([candidate], lambda _: None, epochs)
        return search.records(candidate)

    for begun, whole in zip(trained(3), trained(3, 9), strict=True):
        np.testing.assert_array_equal(begun.curves, whole.curves[:3])
        np.testing.assert_array_equal(whole.until(3).curves, begun.curves)
        np.testing.assert_array_equal(whole.until(3).units, begun.units)
        assert len(whole.curves) == 9


def test_a_score_tells_how_many_epochs_it_saw():
    feed = class_feed()
    search = Run(
        feed, lambda c: shape_of(c, 5, 3, "cross_entropy"), 9, 0, Journal(), Machine(2, 1 << 20)
    )
    search.train([base()], lambda _: None, 3)
    found = score_candidate(base(), 0, search.records(base()), "log_loss", np.empty((5, 0)), 0.25)
    assert found.trained == 3
