"""What holds for every page, whichever its folder."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from cuesta.report.page.page import REPORT

ROOT = Path(__file__).parents[3]
PARTS = [part for part in Path(str(REPORT)).rglob("*") if part.suffix in {".j2", ".css", ".js"}]
PAGES = sorted(part.parent.name for part in PARTS if part.name == "page.html.j2")


def test_pages_are_found():
    assert {"race", "surface"} <= set(PAGES)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.parent.name}/{part.name}")
def test_nothing_of_ours_points_to_the_network(part):
    assert not re.findall(r"https?:|src=|@import|url\(", part.read_text(encoding="utf-8"))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.parent.name}/{part.name}")
def test_every_part_of_a_page_is_in_the_package(part):
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["cuesta.report"]
    name = f"{part.parent.name}/{part.name}"
    # A star of these patterns ends at a slash, and there is one folder.
    assert part.parent.parent == Path(str(REPORT))
    assert any(fnmatch(name, pattern) for pattern in patterns)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_uses_the_shared_template_and_its_script_starts_it(page):
    folder = Path(str(REPORT)) / page
    template = (folder / "page.html.j2").read_text(encoding="utf-8")
    assert template.startswith('{% extends "page/base.html.j2" %}')
    assert "startPage({" in (folder / "page.js").read_text(encoding="utf-8")
