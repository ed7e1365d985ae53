"""The page of a network's loss: what its text holds, and what it does in a browser."""

import re
from dataclasses import replace

import numpy as np
import pytest

from cuesta.report.surface.page import render
from tests.report.browser import HOSTILE, WITHOUT_WEBGL
from tests.report.surface.landscapes import NAMES, landscape

# ---- the text ----


def rows_of(page):
    """The cells of the table, row by row."""
    body = re.search(r'<table id="results">.*?<tbody>(.*?)</tbody>', page, flags=re.S)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", body, flags=re.S)
    return [re.findall(r'<td class="right">(.*?)</td>', row) for row in rows]


def test_the_page_says_what_is_off_the_plane_and_where_paths_begin_and_end():
    seen = landscape(lost=("adam",))
    page = render(seen, "iris")
    assert "<title>J of iris</title>" in page
    assert "14 % of the paths’ variation is off this plane" in page
    assert "2,410 weights" in page
    assert "1,438 training rows" in page
    for path, (start, end, epochs, off) in zip(seen.paths, rows_of(page), strict=True):
        assert float(start) == pytest.approx(path.heights[0], rel=1e-3)  # four digits are shown
        assert float(end.split(",")[0]) == pytest.approx(path.heights[-1], rel=1e-3)
        assert end.endswith(", then lost") == (path.name == "adam")
        assert (epochs, off) == ("6", f"{100 * path.off:.0f} %")


def test_hostile_names_stay_text():
    page = render(landscape((HOSTILE, f"\u2028{HOSTILE}&amp;")), HOSTILE)
    assert HOSTILE not in page
    assert page.count("</script>") == 3  # the numbers, plotly and the page's own


def before_the_numbers(page):
    """The page's own words: plotly's script holds control characters of its own."""
    return page.partition('<script type="application/json"')[0]


def test_control_characters_are_written_out_and_long_names_are_cut():
    obeyed = "\x1b[31m\x9b\u202e\u2066\x00\x7f"
    page = before_the_numbers(render(landscape((obeyed, "y" * 100_000)), obeyed))
    assert not set(page) & set(obeyed.replace("[31m", ""))
    assert r"<title>J of \x1b[31m\x9b\u202e\u2066\x00\x7f</title>" in page
    assert page.count("y" * 100) <= 3 * 10  # each place that names it shows a line of it
    assert len(page) < 50_000


def test_one_path_of_one_epoch_has_a_page():
    assert rows_of(render(landscape(("own",), epochs=1), "x"))[0][2] == "1"


# ---- in a browser ----


@pytest.fixture
def visit(open_page):
    return lambda seen, width=1400: open_page(render(seen, "digits"), width)


def traces(page, picture):
    """The paths that a picture shows."""
    return page.ask(
        "return document.getElementById(arguments[0]).data"
        ".filter(trace => trace.mode === 'lines+markers')"
        ".map(trace => ({x: trace.x, y: trace.y, z: trace.z, text: trace.text,"
        " color: trace.line.color}))",
        picture,
    )


def test_paths_are_drawn_where_they_are_with_epoch_and_j(visit):
    seen = landscape(lost=("adam",))
    page = visit(seen)
    for path, drawn in zip(seen.paths, traces(page, "surface-2d"), strict=True):
        assert drawn["x"] == pytest.approx(path.places[:, 0].tolist(), abs=1e-4)
        assert drawn["y"] == pytest.approx(path.places[:, 1].tolist(), abs=1e-4)
        for epoch, said in enumerate(drawn["text"]):
            pattern = rf"(.*), epoch {epoch}<br>J = ([\d.]+)(?:, then lost)?"
            name, j = re.fullmatch(pattern, said).groups()
            assert name == path.name
            assert float(j) == pytest.approx(path.heights[epoch], rel=1e-3)
        assert drawn["text"][-1].endswith("lost") == path.diverged
    for path, drawn in zip(seen.paths, traces(page, "curve"), strict=True):
        assert drawn["x"] == list(range(7))
        assert drawn["y"] == pytest.approx(path.heights.tolist(), rel=1e-4)


def test_the_surface_is_the_logarithm_of_j_and_a_gap_where_j_is_not_finite(visit):
    seen = landscape(points=21)
    heights = seen.heights.copy()
    heights[3, 5] = np.nan
    page = visit(replace(seen, heights=heights))
    drawn = page.ask("return document.getElementById('surface-2d').data[0].z")
    assert drawn[3][5] is None
    drawn[3][5] = wanted = np.log10(seen.heights)[3, 5]
    assert drawn[3][5] == wanted
    np.testing.assert_allclose(np.array(drawn), np.log10(seen.heights), atol=1e-4)


def test_paths_can_be_hidden_by_a_box_and_by_a_key(visit):
    page = visit(landscape())

    def names(picture):
        return [trace["text"][0].split(", epoch")[0] for trace in traces(page, picture)]

    assert names("surface-2d") == list(NAMES)
    page.press("2")
    assert names("surface-2d") == names("curve") == ["sgd", "adam"]
    assert not page.ask("return document.querySelector('#choice input[value=\"1\"]').checked")
    page.click("#choice label:nth-of-type(1)")
    assert names("surface-2d") == ["adam"]
    page.press("3", "9")  # none is left, and there is no ninth
    assert names("surface-2d") == []
    page.press("d", "1")
    if not page.is_hidden("surface-3d"):
        assert names("surface-3d") == ["sgd"]


def test_colours_are_those_of_the_optimizers_in_both_themes(visit):
    from cuesta.report.page.styles import trace_styles

    page = visit(landscape())
    wanted = trace_styles(NAMES)
    for theme in ("light", "dark"):
        drawn = [trace["color"] for trace in traces(page, "surface-2d")]
        assert drawn == [getattr(style, theme) for style in wanted]
        assert page.text("theme") == ("Dark theme" if theme == "light" else "Light theme")
        page.press("t")


def test_three_dimensions_show_each_path_at_its_own_j(visit):
    seen = landscape()
    page = visit(seen)
    page.press("d")
    if page.is_hidden("surface-3d"):
        assert "no WebGL" in page.text("surface-no-3d")
        return
    page.until("return !!document.querySelector('#surface-3d canvas')")
    lift = 0.015 * np.ptp(np.log10(seen.heights))
    for path, drawn in zip(seen.paths, traces(page, "surface-3d"), strict=True):
        np.testing.assert_allclose(drawn["z"], np.log10(path.heights) + lift, atol=1e-4)
    page.press("d")
    assert page.is_hidden("surface-3d")
    assert not page.is_hidden("surface-2d")


def test_without_webgl_the_contours_stay_and_a_sentence_says_so(visit):
    page = visit(landscape())
    page.ask(WITHOUT_WEBGL)
    page.press("d")
    assert "no WebGL" in page.text("surface-no-3d")
    assert not page.is_hidden("surface-no-3d")
    assert not page.is_hidden("surface-2d")


def test_the_list_of_keys_opens_and_closes(visit):
    page = visit(landscape())
    page.press("?")
    assert page.ask("return document.getElementById('keys').open")
    page.press("1")  # the list is open: a key must not act behind it
    assert len(traces(page, "curve")) == 3
    page.press("\ue00c")  # Escape
    assert not page.ask("return document.getElementById('keys').open")


def test_paper_is_light_narrow_and_flat_and_the_screen_comes_back(visit):
    page = visit(landscape())
    page.press("t")
    page.ask("dispatchEvent(new Event('beforeprint'))")
    width = "return document.querySelector('#surface-2d .main-svg').clientWidth"
    assert page.ask(width) <= 704  # 44rem, what a sheet of A4 holds
    assert page.text("theme") == "Dark theme"
    page.ask("dispatchEvent(new Event('afterprint'))")
    assert page.text("theme") == "Light theme"
    assert page.width() <= 1400


@pytest.mark.parametrize("width", [360, 1400])
def test_the_page_never_scrolls_sideways(visit, width):
    page = visit(landscape(("an optimizer with a long name", HOSTILE)), width)
    assert page.width() <= width


def test_no_request_leaves_the_page(visit):
    page = visit(landscape())
    page.press("1", "t")
    assert page.ask("return performance.getEntriesByType('resource').length") == 0


def test_hostile_names_are_drawn_as_they_are_written(visit):
    page = visit(landscape((HOSTILE, "<b>bold</b>", "a & b")))
    drawn = [trace["text"][0] for trace in traces(page, "curve")]
    assert drawn[1].startswith("&lt;b>bold&lt;/b>, epoch 0")
    assert drawn[2].startswith("a &amp; b, epoch 0")
    assert page.ask("return document.querySelectorAll('#results b, #choice b').length") == 0
    assert HOSTILE in page.text("results")
