import numpy as np
import pytest

from cuesta.search.halving import lane_epochs, rungs, survivors
from cuesta.search.select import Score, rank, score_candidate
from cuesta.training.batching import shape_of
from cuesta.training.journal import Journal
from cuesta.training.planner import Machine
from cuesta.training.run import Run
from tests.training.tables import base, class_feed


def score(index, loss, share=1):
    return Score(base(), index, loss, 0.0, 1, (loss,), (0,), loss, 6, 6 * share, share)


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
    early, late, lost = score(0, 0.1, share=9), score(1, 0.9), score(2, np.inf)
    assert rank([early, late, lost]) == [late, early, lost]


def test_of_candidates_with_other_numbers_of_epochs_each_is_stopped_at_its_own():
    """What saw a part of its epochs ranks after what saw all, though it saw more of them."""
    part, whole = score(0, 0.1, share=3), score(1, 0.9)
    assert part.trained == whole.trained
    assert rank([part, whole]) == [whole, part]


def test_the_work_is_what_the_rungs_train():
    # 27 candidates for 6 epochs, 9 for 17 and 3 for 50, against 27 for 50.
    assert lane_epochs(27, rungs(50)) == 27 * 6 + 9 * 17 + 3 * 50
    assert lane_epochs(27, [50]) == 27 * 50


def test_a_rung_is_the_beginning_of_the_whole_lane():
    feed, candidate = class_feed(), base(final_learning_rate=1e-4, dropout=0.2)

    def trained(*shares):
        search = Run(
            feed,
            lambda c: shape_of(c, 5, 3, "cross_entropy"),
            9,
            0,
            Journal(),
            Machine(2, 1 << 20),
        )
        for share in shares:
            search.train([candidate], lambda _: None, share)
        return search.records(candidate)

    for begun, whole in zip(trained(3), trained(3, 1), strict=True):
        np.testing.assert_array_equal(begun.curves, whole.curves[:3])
        np.testing.assert_array_equal(whole.until(3).curves, begun.curves)
        np.testing.assert_array_equal(whole.until(3).units, begun.units)
        assert len(whole.curves) == 9


def test_a_score_tells_how_many_epochs_it_saw():
    feed = class_feed()
    search = Run(
        feed, lambda c: shape_of(c, 5, 3, "cross_entropy"), 9, 0, Journal(), Machine(2, 1 << 20)
    )
    search.train([base()], lambda _: None, share=3)
    found = score_candidate(base(), 0, search.records(base()), "log_loss", np.empty((5, 0)), 0.25)
    assert (found.trained, found.schedule) == (3, 3)
    of_nine = score_candidate(
        base(), 0, search.records(base()), "log_loss", np.empty((5, 0)), 0.25, 9, share=3
    )
    assert (of_nine.trained, of_nine.schedule, of_nine.share) == (3, 9, 3)
