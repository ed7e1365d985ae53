import re
import subprocess
import sys
from pathlib import Path

import cuesta
from cuesta.hyperparameters import Candidate
from cuesta.search.samplers import sobol
from cuesta.search.space import read_space

ROOT = Path(cuesta.__file__).parents[2]


def test_every_public_name_is_there():
    for name in cuesta.__all__:
        assert getattr(cuesta, name) is not None


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, cuesta; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"jax", "numpy", "sklearn", "polars"}


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
        if name != "epsilon":
            assert (
                told.strip(" `") == str(defaults[name]).removesuffix(".0")
                or name == "learning_rate"
            )
    assert float(rows["learning_rate"]) == defaults["learning_rate"]
