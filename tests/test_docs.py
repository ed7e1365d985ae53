"""The code in the docs runs as it stands there."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.slow("the searches of a whole page, scikit-learn's among them")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("page", ["estimators.md", "ingredients.md"])
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), flags=re.S)
    assert blocks
    exec(compile("\n".join(blocks), page, "exec"), {"__name__": "page"})  # noqa: S102 (our own page)
    assert capsys.readouterr().out


def test_the_space_of_the_page_on_ingredients_is_read(tmp_path):
    from cuesta.search.samplers import sobol
    from cuesta.search.space import read_space

    (text,) = re.findall(r"```toml\n(.*?)```", (DOCS / "ingredients.md").read_text(), flags=re.S)
    (tmp_path / "space.toml").write_text(text)
    assert len(sobol(read_space(str(tmp_path / "space.toml")), 8, 0)) == 8


def test_the_page_on_ingredients_names_every_choice():
    from cuesta import hyperparameters as names

    text = (DOCS / "ingredients.md").read_text()
    listed = (*names.ACTIVATIONS, *names.NORMALIZATIONS, *names.SCHEDULES, *names.TARGET_TRANSFORMS)
    listed += (*names.NUMERIC_EMBEDDINGS, *names.CATEGORY_EMBEDDINGS, "resnet", "clamp")
    off = {"none", "one-hot"}
    assert [name for name in {*listed} - off if f"`{name}" not in text] == []


def test_every_parameter_of_a_search_space_is_in_the_readme():
    from cuesta.search.space import NAMES

    readme = (DOCS.parent / "README.md").read_text()
    assert [name for name in NAMES if f"`{name}`" not in readme] == []


def test_links_between_pages_lead_somewhere():
    for page in (*DOCS.glob("*.md"), *DOCS.parent.glob("*.md")):
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_place_that_the_recipes_name_is_there():
    root = DOCS.parent
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    places = re.findall(r"`((?:src|tests|docs|bench|examples)/[\w./]*)`", text)
    assert len(places) > 20
    assert [place for place in places if not (root / place).exists()] == []


def test_a_commit_is_checked_as_make_lint_checks():
    root = DOCS.parent
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", (root / "Makefile").read_text(), flags=re.M)
    hooks = re.findall(r"entry: (.*)", (root / ".pre-commit-config.yaml").read_text())
    assert [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe[1].splitlines()] == hooks


def test_the_targets_that_the_contributors_page_names_are_there():
    root = DOCS.parent
    named = set(re.findall(r"`make ([a-z-]+)", (root / "CONTRIBUTING.md").read_text()))
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), flags=re.M))
    assert {"demo", "test", "test-fast", "lint"} <= named <= targets
