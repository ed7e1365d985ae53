"""What is drawn of a race: paths that leave the view, heights, and the range of J."""

import numpy as np
import pytest

from cuesta.report.race.picture import REACH, drawn_path, heights, range_of_j, scale_of
from tests.report.race.views import view

DOMAIN = [[-5.0, 5.0], [-1.0, 1.0]]


def test_a_path_inside_the_view_is_drawn_as_it_is():
    points = [[0.0, 0.5], [4.0, -1.0], [7.0, 3.0]]
    assert drawn_path(points, DOMAIN).tolist() == points


@pytest.mark.parametrize("far", [1e4, 1e150, 1e300])
def test_a_step_to_far_outside_keeps_its_direction_and_nothing_follows(far):
    points = [[1.0, 0.5], [far, -far], [-far, far], [None, None], [2.0, 0.0]]
    drawn = drawn_path(points, DOMAIN)
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
    low, high = range_of_j(race, scale_of(race))
    assert low >= 1e-12
    assert high <= 20 * race["paths"][0]["j"][0]
    assert max(j for j in race["paths"][4]["j"] if j is not None) > 1e100
