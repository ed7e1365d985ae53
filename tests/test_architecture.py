"""docs/architecture.md tells of the code as it stands."""

import re
import tomllib
from pathlib import Path

import cuesta

ROOT = Path(cuesta.__file__).parents[2]
SOURCE = ROOT / "src" / "cuesta"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```\n(.*?)```", PAGE, flags=re.S)


def told_names():
    """The entries below src/cuesta/ in the page's listing."""
    lines = [line[2:] for line in BLOCKS[0].splitlines() if line.startswith("  ")]
    names = [re.match(r"((?:\w+\.py |\w+/)+)", line)[1].split() for line in lines]
    return {name for found in names for name in found}


def test_the_listing_names_what_is_there():
    ours = {
        path.name + ("/" if path.is_dir() else "")
        for path in SOURCE.iterdir()
        if path.name not in ("__init__.py", "__main__.py", "__pycache__", "py.typed")
    }
    assert told_names() == ours


def test_few_names_stand_beside_the_packages():
    assert len([path for path in SOURCE.iterdir() if path.is_file()]) <= 10


def test_the_floors_are_those_of_the_contract():
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = contract["tool"]["importlinter"]["contracts"][0]["layers"]
    assert BLOCKS[1].splitlines() == [layer.replace("cuesta.", "") for layer in layers]


def test_every_place_that_the_page_names_is_there():
    rows = re.findall(r"^\| (Where [^|]+)\| ([^|]+) \|$", PAGE, flags=re.M)
    assert len(rows) > 10
    for question, answer in rows:
        path = None
        for place in re.findall(r"`([^`]+)`", answer):
            if "/" in place or place.endswith(".py"):
                path = SOURCE / place
                assert path.exists(), f"{question}: {place}"
            else:
                (name, *attribute) = place.split(".")
                text = path.read_text(encoding="utf-8")
                assert re.search(rf"^(def|class) {name}\b|^{name}\b.*=", text, flags=re.M), place
                assert all(re.search(rf"def {part}\b", text) for part in attribute), place


def test_every_dotted_name_of_the_page_is_there():
    for place in re.findall(r"`((?:core|training|search|estimators|diagnose|lab)\.[\w.]+)`", PAGE):
        package, module, *names = place.split(".")
        text = (SOURCE / package / f"{module}.py").read_text(encoding="utf-8")
        assert all(re.search(rf"(def|class) {name}\b", text) for name in names), place
