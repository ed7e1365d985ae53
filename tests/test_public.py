import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import cuesta
from cuesta.hyperparameters import Candidate
from cuesta.search.samplers import sobol
from cuesta.search.space import read_space

ROOT = Path(cuesta.__file__).parents[2]


def fresh(code, *arguments):
    """What a new interpreter prints."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_all_is_the_public_namespace():
    code = "import cuesta; print(*dir(cuesta)); [getattr(cuesta, name) for name in dir(cuesta)]"
    assert fresh(code) == sorted(cuesta.__all__)
    assert sorted(set(cuesta.__all__)) == cuesta.__all__


def test_a_name_that_is_not_public_is_not_there():
    assert not hasattr(cuesta, "MLPClassifer")


def test_importing_the_package_imports_nothing_heavy():
    loaded = fresh("import sys, cuesta; print(*sys.modules)")
    assert not set(loaded) & {"jax", "numpy", "sklearn", "polars", "importlib.metadata"}


def test_the_version_has_one_source():
    # Where this fails, the package was installed before the version changed: `make test` installs.
    assert version("cuesta") == cuesta.__version__


# mypy's settings are those of `make lint`, whose cache it reads.
USER = """
import numpy as np

import cuesta
from cuesta import {names}

net: MLPClassifier = MLPClassifier((8,), epochs=2).fit(np.zeros((4, 2)), [0, 1, 0, 1])
search: SearchCV = SearchCV(MLPRegressor(), {{"dropout": [0.0, 0.1]}}, cv=3)
net.save("net.safetensors")
optimizer: optim.Optimizer = optim.adam(schedule.linear(1e-1, 1e-3, 100), dialect="notes")
text: str = cuesta.__version__
"""
MISTAKES = {
    "MLPClassifier(epoch=2)": 'did you mean "epochs"',
    "cuesta.MLPClassifer()": 'maybe "MLPClassifier"',
    "number: int = cuesta.__version__": "expression has type",
    "optim.adam()": "learning_rate",
}


@pytest.mark.slow("mypy reads the whole package where `make lint` did not run before")
def test_type_checkers_see_the_public_names(tmp_path):
    script = USER.format(names=", ".join(cuesta.__all__))
    (tmp_path / "user.py").write_text(script + "\n".join(MISTAKES), encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--no-error-summary", tmp_path / "user.py"]
    there = {"cwd": ROOT, "env": {**os.environ, "MYPYPATH": str(ROOT / "src")}}
    done = subprocess.run(command, capture_output=True, text=True, check=False, **there)
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(errors) == len(MISTAKES), done.stdout + done.stderr
    for error, said in zip(errors, MISTAKES.values(), strict=True):
        assert said in error


def test_the_package_says_that_it_has_types():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "py.typed" in settings["tool"]["setuptools"]["package-data"]["cuesta"]
    assert (ROOT / "src" / "cuesta" / "py.typed").exists()


def test_every_place_that_the_notes_page_names_is_there():
    text = (ROOT / "docs" / "notes.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in text.splitlines() if re.match(r"\| N\d+ ", line)]
    assert [int(row[1].split()[0][1:]) for row in rows] == list(range(1, 18))
    for row in rows:
        for place in re.findall(r"`([\w./]+)`", row[3]):
            *modules, last = place.split(".")
            path = ROOT / "src" / "cuesta" / Path(*modules)
            if path.with_suffix(".py").exists():
                source = path.with_suffix(".py").read_text(encoding="utf-8")
                assert re.search(rf"(def|class) {last}\b", source), place
            else:
                assert (path / f"{last}.py").exists() or (path / last).exists(), place
        for test in re.findall(r"`(tests/[\w./]+)`", row[4]):
            assert (ROOT / test).exists(), test


def blocks(page, language):
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.S)


def test_the_optimizers_page_runs_as_it_stands():
    (code,) = blocks("docs/optimizers.md", "python")
    found = {}
    exec(code, found)  # noqa: S102 (our own page)
    assert abs(found["params"]["w"] - 3.0).max() < 0.05  # α ends at 1e-3 and steps by about that


@pytest.mark.slow("races and searches for minima")
def test_the_labs_page_runs_as_it_stands():
    (code,) = blocks("docs/lab.md", "python")
    found = {}
    exec(code, found)  # noqa: S102 (our own page)
    assert found["found"].verdict == "short"
    assert abs(found["rate"] - 0.5) < 1e-12
    assert sorted(set(found["kinds"])) == ["maximum", "minimum", "saddle"]
    assert found["winner"].run.end.j[0] < 1e-8


def test_the_readmes_space_is_read(in_folder):
    (text,) = blocks("README.md", "toml")
    (in_folder / "space.toml").write_text(text)
    space = read_space("space.toml")
    assert set(space.optimizers.values) == {"momentum", "adam"}
    assert len(sobol(space, 8, 0)) == 8


def test_the_readmes_defaults_are_a_candidates():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    defaults = Candidate().to_dict()
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text, flags=re.M))
    assert {"activation", "init", "learning_rate", "batch_size"} <= set(rows)
    for name, told in rows.items():
        if name not in ("epsilon", "epochs"):  # another's: the dialect's, the run's
            assert (
                told.strip(" `") == str(defaults[name]).removesuffix(".0")
                or name == "learning_rate"
            )
    assert float(rows["learning_rate"]) == defaults["learning_rate"]
