"""The page of a race: what its text holds, and what it does in a browser."""

import re

import pytest

from cuesta.report.race.page import render
from cuesta.report.race.words import minima_table
from tests.report.browser import HOSTILE, WITHOUT_WEBGL, Reader, as_number
from tests.report.race.views import FORMULAS, view

MOST = 6_000_000


# ---- the text ----


def test_a_hostile_name_stays_text():
    race = view(steps=5)
    race["function"]["name"] = race["results"][0]["optimizer"] = HOSTILE
    race["function"]["source"] = race["results"][0]["outcome"] = f"\u2028{HOSTILE}&amp;"
    page = render(race)
    assert HOSTILE not in page
    assert page.count("</script>") == 3  # the numbers, plotly and the page's own


@pytest.mark.parametrize("dimensions", [2, 6])
def test_the_largest_race_fits_in_six_megabytes(dimensions):
    # What is largest: each array at its full length, with ghosts, and with noise in every digit.
    race = view(dimensions, steps=599, clip_norm=20.0, noise=0.1)
    assert len(race["paths"]) == 5
    assert len(race["paths"][0]["step"]) == 600
    assert len(render(race).encode()) <= MOST


def test_further_coordinates_add_nothing_to_the_page():
    # Only the first six are shown; a race in 100 dimensions must not outgrow the limit.
    size = [len(render(view(dimensions, steps=30))) for dimensions in (6, 40)]
    assert size[1] < size[0] + 5_000


def test_the_page_names_every_rule_with_its_formula():
    page = render(view(steps=5))
    for name, (row, formula, _, _) in FORMULAS.items():
        assert f'"name":"{name}","row":"{row}","formula":"{formula}"' in page
        assert f'<span class="name">{name}</span>' in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"noise": 0.25}, "carry normal noise of variance 0.25"),
        ({"clip_norm": 1.0}, "are clipped to a norm of 1"),
        ({"clip_value": 0.5}, "are clipped to a largest value of 0.5"),
        ({"decay": True}, "α falls linearly"),
        ({"dialect": "keras"}, "the update rules are those of keras"),
        ({"tries": 17}, "the best of 17 between 1e−6 and 10"),
        ({"spread": 0.125}, "within ±12.5 % of the domain’s width"),
    ],
)
def test_settings_are_told_in_words(changed, said):
    race = view(steps=5)
    plain = render(race)
    race["settings"] |= changed
    assert said in render(race)
    assert said not in plain


def test_a_function_without_a_lowest_value_is_told_and_drawn():
    race = view(steps=5)
    race["function"] |= {"lowest": None, "goal": -1.0}
    page = render(race)
    assert "J has no lowest value" in page
    assert "from the lowest value drawn" in page


def test_what_a_race_does_not_know_is_left_out():
    race = view(steps=5)
    for result in race["results"]:
        result |= {"shares": None, "global_share": None, "learning_rate": None}
        result["final"] = dict.fromkeys(result["final"])
    race["minima"] = race["critical_points"] = []
    page = render(race)
    assert 'id="minima"' not in page
    assert 'id="critical"' not in page
    assert 'id="basins"' in page


def test_only_the_minima_that_attract_most_get_a_row():
    race = view(steps=5)
    race["critical_points"] *= 3
    race["minima"] = list(range(20))
    for result in race["results"]:
        result["shares"] = [0.01] * 10 + [0.05] * 8 + [0.01] * 2
    found = minima_table(race, 8)
    assert found["shown"] == list(range(10, 18))
    assert (found["left"], found["others"][0], found["nowhere"][0]) == (12, "12 %", "48 %")


# ---- in a browser ----


@pytest.fixture
def visit(open_page):
    """Opens the page of a view."""

    def opened(race, width=1400):
        return RaceReader(open_page(render(race), width).browser)

    return opened


class RaceReader(Reader):
    """A reader of the page of a race."""

    def slide(self, at):
        self.ask(
            "const slider = document.getElementById('slider'); slider.value = arguments[0];"
            "slider.dispatchEvent(new Event('input', {bubbles: true}))",
            at,
        )

    def at(self):
        return int(self.ask("return document.getElementById('slider').value"))

    def chosen(self):
        return self.text("rule-name")

    def coordinates(self):
        """The columns of the table of coordinates, by name."""
        rows = self.ask(
            "return [...document.getElementById('coordinates').rows]"
            ".map(row => [...row.cells].map(cell => cell.textContent))"
        )
        columns = list(zip(*rows, strict=True))
        return {name: [as_number(text) for text in found] for name, *found in columns[1:]}

    def drawn(self, plot="surface-2d"):
        """How many points the first optimizer's path has in a picture."""
        return self.ask(
            "const lines = document.getElementById(arguments[0]).data"
            ".filter(trace => trace.mode === 'lines');"
            "return lines[0].x.length",
            plot,
        )


def close(values):
    return pytest.approx(values, rel=1e-3)  # four digits are shown


def test_playing_draws_more_of_the_paths(visit):
    page = visit(view(steps=60))
    page.press("\ue011")  # Home
    assert page.drawn() == 1
    page.click("#play")
    assert page.text("play") == "Pause"
    page.until("return document.getElementById('slider').value > 5")
    page.click("#play")
    at = page.at()
    assert 5 < page.drawn() == at + 1
    # What plotly holds is also what it has drawn: its own element has as many points.
    path = page.ask("return document.querySelector('#surface-2d .scatterlayer .js-line').outerHTML")
    assert len(re.findall(r"[\d.]+,[\d.]+", path)) > 5
    assert page.text("play") == "Play"


def test_what_stands_still_stays_while_paths_move(visit):
    # Plotly's animation takes away what its frame leaves out.
    page = visit(view(steps=20, clip_norm=20.0))
    seen = """
        const count = selector => document.querySelectorAll(selector).length;
        return [count('#surface-2d .contourfill path'), count('#surface-2d .contourlines path'),
                count('#curve .js-line'), count('#curve .point'), count('#surface-2d .point')]
    """
    before = page.ask(seen)
    assert min(before) > 0
    page.press("\ue011", "\ue014")
    page.ask("return new Promise(done => setTimeout(done, 200))")
    assert page.ask(seen) == before


def test_playing_ends_at_the_last_step(visit):
    page = visit(view(steps=5))
    page.click("#play")  # from the end it begins anew
    page.until("return document.getElementById('play').textContent === 'Play'")
    assert page.at() == 5


@pytest.mark.parametrize("clip_norm", [None, 20.0])
def test_the_panel_shows_the_numbers_of_its_step(visit, clip_norm):
    race = view(steps=40, clip_norm=clip_norm)
    page = visit(race)
    path = race["paths"][0]  # momentum
    for at in (0, 7, 40):
        page.slide(at)
        found = page.coordinates()
        wanted = {"w": "w", "G": "gradient", "V": "v", "Δ": "delta"}
        wanted |= {"G clipped": "clipped"} if clip_norm else {}
        assert set(found) == set(wanted)
        for name, key in wanted.items():
            assert found[name] == close(path[key][at])
        for kind in ("first", "second", "actual"):
            assert page.number(f"bar-{kind}") == close(path[kind][at])
        if path["curvature"][at] > 0:
            assert page.number("length") == close(path["length"][at])
        assert page.text("verdict") == path["verdict"][at]
        assert page.text("now") == f"Step {at} of 40"
        assert page.text("rule-formula") == FORMULAS["momentum"][1]


def test_uneven_steps_are_told_as_they_are(visit):
    race = view(steps=50, shown=[0, 1, 2, 5, 10, 50])
    page = visit(race)
    page.slide(4)
    assert page.text("now") == "Step 10 of 50"
    assert page.coordinates()["w"] == close(race["paths"][0]["w"][4])


def test_an_optimizer_can_be_chosen_by_key_by_radio_and_above_the_basins(visit):
    race = view(steps=10)
    page = visit(race)
    page.slide(3)
    page.press("2")
    assert page.chosen() == "adam"
    assert page.coordinates()["F"] == close(race["paths"][1]["f"][3])
    page.click("#choice label:nth-of-type(5)")
    assert page.chosen() == "sgd"
    assert "V" not in page.coordinates()  # which this rule does not keep
    page.ask(
        "const choice = document.getElementById('basin-choice'); choice.value = '3';"
        "choice.dispatchEvent(new Event('change', {bubbles: true}))"
    )
    assert page.chosen() == "adagrad"
    assert page.text("rule-row") == "N14"


def test_keys(visit):
    page = visit(view(steps=60))
    left, right, home, end = "\ue012", "\ue014", "\ue011", "\ue010"
    assert page.at() == 59  # the last step that changes J
    for key, at in [
        (home, 0),
        (left, 0),
        (right, 1),
        (right, 2),
        (left, 1),
        (end, 60),
        (right, 60),
    ]:
        page.press(key)
        assert page.at() == at
    page.press_with_shift(left)
    assert page.at() == 50
    page.press_with_shift(right)
    assert page.at() == 60
    page.press(home, " ")
    page.until("return document.getElementById('slider').value > 1")
    page.press(" ")
    assert page.text("play") == "Play"
    page.press("?")
    assert page.ask("return document.getElementById('keys').open")
    page.press("2")  # the list is open: a key must not act behind it
    assert page.chosen() == "momentum"
    page.press("\ue00c")  # Escape
    assert not page.ask("return document.getElementById('keys').open")


def test_the_theme_is_switched_without_opening_the_page_anew(visit):
    page = visit(view(steps=10))
    seen = """
        const body = getComputedStyle(document.body);
        const plots = ['surface-2d', 'curve', 'basins'].map(
            id => document.getElementById(id)._fullLayout.paper_bgcolor);
        const path = document.getElementById('surface-2d').data.find(t => t.mode === 'lines');
        return [body.backgroundColor, body.color, ...plots, path.line.color]
    """
    page.ask("window.stayed = true")
    before = page.ask(seen)
    page.press("t")
    after = page.ask(seen)
    assert all(one != other for one, other in zip(before, after, strict=True))
    page.click("#theme")
    assert page.ask(seen) == before
    assert page.ask("return window.stayed")


def test_three_dimensions_or_a_sentence_that_there_are_none(visit):
    race = view(steps=20)
    page = visit(race)
    page.press("\ue011", "d")
    if page.is_hidden("surface-no-3d"):
        page.until("return !!document.querySelector('#surface-3d canvas')")
        assert page.drawn("surface-3d") == 1
        page.press("\ue010")
        marks, first, second = page.ask(
            "return document.getElementById('surface-3d').data.slice(1, 4).map(trace => trace.x)"
        )
        assert len(marks) == len(race["critical_points"])
        for drawn, path in zip((first, second), race["paths"], strict=False):
            assert drawn == pytest.approx([w[0] for w in path["w"]], rel=1e-4)
        page.press("d")
        assert page.drawn() == 21
    else:
        assert "no WebGL" in page.text("surface-no-3d")
    assert not page.is_hidden("surface-2d")


def test_without_webgl_the_page_says_so_and_goes_on(visit):
    page = visit(view(steps=20))
    page.ask(WITHOUT_WEBGL)
    page.press("d")
    assert "no WebGL" in page.text("surface-no-3d")
    assert not page.is_hidden("surface-2d")
    page.press("\ue011")
    assert page.drawn() == 1


@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.parametrize("dimensions", [2, 5])
def test_the_page_never_scrolls_sideways(visit, width, dimensions):
    race = view(dimensions, steps=30, clip_norm=20.0)
    race["results"][0]["optimizer"] = "momentum@somewhere_with_a_long_name"
    page = visit(race, width)
    assert page.width() <= width


def test_the_results_can_be_read_within_two_seconds(visit):
    page = visit(view(steps=599, clip_norm=20.0))
    paints = page.ask(
        "return Object.fromEntries(performance.getEntriesByType('paint')"
        ".map(entry => [entry.name, entry.startTime]))"
    )
    assert paints["first-contentful-paint"] < 2000
    assert "momentum" in page.text("results")
    # It does not wait for the pictures: plotly's script comes after all that is read.
    text = render(view(steps=5))
    assert text.index('id="critical"') < text.index("plotly.js v")


def test_no_request_leaves_the_page(visit):
    page = visit(view(steps=10))
    page.press("\ue011", "2", "t")
    assert page.ask("return performance.getEntriesByType('resource').length") == 0


@pytest.mark.parametrize("dimensions", [1, 5, 9])
def test_other_dimensions_have_no_surface_but_all_the_rest(visit, dimensions):
    race = view(dimensions, steps=20, rates={"momentum": 1e-3})
    page = visit(race)
    page.slide(4)
    assert page.ask("return document.getElementById('surface-2d')") is None
    assert page.coordinates()["w"] == close(race["paths"][0]["w"][4][:6])
    left = "Not shown: 3 of 9 coordinates."
    hidden = page.is_hidden("coordinates-left")
    assert (page.text("coordinates-left") == left and not hidden) == (dimensions == 9)
    page.press("d", "\ue011", "3")
    assert page.chosen() == "rmsprop"


def test_a_path_that_diverges_is_told_and_spoils_no_picture(visit):
    race = view(steps=60, rates={"sgd": 0.5}, clip_norm=None)
    path = race["paths"][4]
    lost = next(k for k, w in enumerate(path["w"]) if None in w or path["j"][k] is None)
    page = visit(race)
    said = page.text("left")
    assert "sgd leaves the picture by step 1" in said
    assert f"no longer finite at step {lost}." in said
    page.press("5")
    assert "diverged" in page.text("rule-gone")
    assert page.is_hidden("rule-body")
    page.slide(lost - 1)
    assert page.coordinates()["w"] == close(path["w"][lost - 1])
    ranges = page.ask(
        "const of = id => document.getElementById(id)._fullLayout;"
        "const {xaxis, yaxis} = of('surface-2d');"
        "return [xaxis.range, yaxis.range, of('curve').yaxis.range]"
    )
    assert ranges[:2] == [[-5, 5], [-5, 5]]
    assert ranges[2][1] < 5  # ten thousand: the surface's own range, and no more


def test_a_function_without_a_lowest_value_shows_j_itself(visit):
    race = view(steps=20)
    race["function"] |= {"lowest": None, "goal": None}
    page = visit(race)
    assert page.ask("return document.getElementById('curve')._fullLayout.yaxis.type") == "linear"
