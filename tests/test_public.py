import re
import subprocess
import sys
from pathlib import Path

import cuesta

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
