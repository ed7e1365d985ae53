"""The still: a race as one picture."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from cuesta.errors import CuestaError
from cuesta.report.page.styles import trace_styles
from cuesta.report.race.still import still
from tests.report.race.views import FORMULAS, view

pytestmark = pytest.mark.slow("draws pictures with matplotlib")


@pytest.mark.parametrize("dimensions", [2, 1, 5])
def test_the_still_holds_every_optimizers_colour(tmp_path, dimensions):
    still(view(dimensions, steps=40), tmp_path / "race.png")
    picture = imread(tmp_path / "race.png")[..., :3]
    assert picture.shape[0] >= 500
    assert picture.shape[1] >= (1000 if dimensions == 2 else 600)
    halves = np.array_split(picture, 2 if dimensions == 2 else 1, axis=1)
    for style in trace_styles(list(FORMULAS)):
        for half in halves:  # the paths on the left, J against steps on the right
            near = np.abs(half - to_rgb(style.light)).max(axis=-1) < 0.01
            assert near.sum() > 20  # pixels: a line or a marker, not a chance


def test_a_diverged_path_leaves_the_view_alone(tmp_path):
    race = view(steps=60, rates={"sgd": 0.5})
    assert race["paths"][4]["w"][-1] == [None, None]
    still(race, tmp_path / "race.png")
    assert (tmp_path / "race.png").stat().st_size > 20_000


def test_no_lowest_value_and_a_flat_surface_are_drawn(tmp_path):
    race = view(steps=10)
    race["function"] |= {"lowest": None, "goal": None, "name": "$x_$"}
    race["surface"]["z"] = np.ones((81, 81)).tolist()
    still(race, tmp_path / "race.png")
    assert (tmp_path / "race.png").exists()


def test_a_folder_that_is_not_there_is_an_error_with_a_sentence(tmp_path):
    with pytest.raises(CuestaError, match="cannot be written"):
        still(view(steps=5), tmp_path / "nowhere" / "race.png")
