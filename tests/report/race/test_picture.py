"""What is drawn of a race: trails that leave the view, heights, and the range of J."""

import numpy as np
import pytest

from cuesta.report.race.look import LOOKS, looks
from cuesta.report.race.picture import REACH, heights, outlook, scale_of, trail
from tests.report.race.views import view

DOMAIN = [[-5.0, 5.0], [-1.0, 1.0]]


def test_a_trail_inside_the_view_is_drawn_as_it_is():
    points = [[0.0, 0.5], [4.0, -1.0], [7.0, 3.0]]
    assert trail(points, DOMAIN).tolist() == points


@pytest.mark.parametrize("far", [1e4, 1e150, 1e300])
def test_a_step_to_far_outside_keeps_its_direction_and_nothing_follows(far):
    points = [[1.0, 0.5], [far, -far], [-far, far], [None, None], [2.0, 0.0]]
    drawn = trail(points, DOMAIN)
    across, up = drawn[1] - drawn[0]
    assert across == pytest.approx(-up, rel=1e-3)
    assert across > 0
    assert np.abs(drawn[1] / [10.0, 2.0]).max() < 2 * REACH
    assert np.isnan(drawn[2:4]).all()
    assert drawn[4].tolist() == points[4]


def test_heights_rise_with_j_and_the_lowest_part_does_not_take_all_levels():
    race = view(steps=5)
    scale = scale_of(race)
    found = heights(race["surface"]["z"], scale)
    order = np.argsort(np.ravel(race["surface"]["z"]))
    assert (np.diff(found.ravel()[order]) >= 0).all()
    assert np.ptp(found) < 5  # decades, where J itself runs from 0.01 to 890
    assert np.isfinite(heights([-3.0, 0.0], scale)).all()


def test_what_cannot_be_seen_does_not_widen_the_range_of_j():
    race = view(steps=60, rates={"sgd": 0.5})
    low, high = outlook(race, scale_of(race))
    assert low >= 1e-12
    assert high <= 20 * race["paths"][0]["j"][0]
    assert max(j for j in race["paths"][4]["j"] if j is not None) > 1e100


def test_no_two_optimizers_look_alike_and_the_notes_five_keep_their_looks():
    names = ["adam", "lion", "adam@keras", "sgd", "rmsprop", "adagrad", "momentum"]
    given = looks(names)
    assert len(set(given)) == len(names)
    assert given[0] == LOOKS["adam"]
    assert given[3] == LOOKS["sgd"]
