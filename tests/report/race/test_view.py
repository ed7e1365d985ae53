import json

import numpy as np
import pytest

from cuesta.lab.functions import function
from cuesta.lab.race import race
from cuesta.lab.settings import RaceSettings
from cuesta.report.race.page import render
from cuesta.report.race.terminal import kinds_sentence
from cuesta.report.race.view import numbers, view
from tests.report.race.views import view as synthetic

pytestmark = pytest.mark.slow("races on every kind of function")

QUICK = {"steps": 40, "seeds": 3, "tries": 5, "tuning_starts": 2}


@pytest.fixture(scope="module")
def seen():
    return view(race(function("himmelblau"), RaceSettings(**QUICK, clip_norm=5.0)))


def shape(value):
    """The names at every level of a view; of a list, those of its first item."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items() if name != "numbers"}
    if isinstance(value, list) and value:
        return [shape(value[0])]
    return None


def test_a_real_race_has_the_layout_that_the_page_is_tested_on(seen):
    assert shape(seen) == shape(synthetic(steps=40, clip_norm=5.0))


def test_a_view_is_json_and_its_numbers_are_the_races(seen):
    assert json.loads(json.dumps(seen, allow_nan=False)) == seen
    short = numbers(seen)
    assert set(seen) - set(short) == {"surface", "basins"}
    path = seen["paths"][0]
    w, delta, actual = (np.array(path[name]) for name in ("w", "delta", "actual"))
    np.testing.assert_allclose(w[1:], w[:-1] + delta[:-1], rtol=1e-12)
    np.testing.assert_allclose(np.diff(path["j"]), actual[:-1], rtol=1e-9, atol=1e-9)


def test_what_a_rule_does_not_have_stays_zero(seen):
    for result, path in zip(seen["results"], seen["paths"], strict=True):
        assert np.any(path["v"]) == (result["optimizer"] in ("momentum", "adam"))
        assert np.any(path["f"]) == (result["optimizer"] in ("adagrad", "rmsprop", "adam"))


def test_shares_add_up_to_what_arrived(seen):
    labels = np.array(seen["basins"]["labels"])
    for result, own in zip(seen["results"], labels, strict=True):
        assert result["shares"] == [float((own == i).mean()) for i in range(4)]


@pytest.mark.parametrize("name", ["cliff", "saddle", "monkey_saddle", "rosenbrock"])
def test_every_kind_of_function_has_a_page(name):
    found = function(name)
    terms = RaceSettings(**QUICK, basins=name == "rosenbrock", clip_norm=found.clip_norm)
    seen = view(race(found, terms))
    assert name in render(seen)
    wanted = {
        "cliff": "1 curve of critical points",
        "saddle": "1 saddle",
        "monkey_saddle": "1 degenerate point",
        "rosenbrock": "1 minimum",
    }
    assert kinds_sentence(seen) == wanted[name]


def test_functions_of_other_dimensions_have_pages_without_a_surface():
    for n in (1, 6):
        seen = view(race(function("half_square", n), RaceSettings(**QUICK)))
        assert seen["surface"] is None
        assert "half_square" in render(seen)
