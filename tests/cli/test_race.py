"""`cuesta race` as a user meets it."""

import json

import pytest
from typer.testing import CliRunner

from cuesta.cli import app

pytestmark = pytest.mark.slow("a race for each option")

QUICK = ["--steps", "30", "--tries", "4", "--seeds", "3", "--no-basins"]
MINE = '''
import jax.numpy as jnp

def bowl(w):
    """J = sum (w - 1)^2"""
    return jnp.sum((w - 1.0) ** 2)

def logs(w):
    return jnp.sum(jnp.log(w))

def pair(w):
    return w
'''


def cuesta(*arguments):
    return CliRunner().invoke(app, ["race", *map(str, arguments)])


@pytest.fixture
def mine(in_folder):
    (in_folder / "mine_of_race.py").write_text(MINE)
    return in_folder


def test_a_race_prints_its_table_and_writes_its_page_and_still(in_folder):
    done = cuesta("himmelblau", *QUICK, "--png", "still.png")
    assert done.exit_code == 0, done.output
    for word in ("himmelblau", "sgd", "momentum", "adagrad", "rmsprop", "adam", "arrived of 3"):
        assert word in done.output
    page = (in_folder / "race-himmelblau.html").read_text(encoding="utf-8")
    assert "<title>" in page
    assert 4_000_000 < len(page) < 6_000_000  # with all of plotly inside
    assert (in_folder / "still.png").read_bytes().startswith(b"\x89PNG")
    assert "race-himmelblau.html" in done.output


def test_json_is_the_numbers_and_nothing_else(in_folder):
    done = cuesta("himmelblau", *QUICK, "--json", "--optimizers", "adam,sgd", "--out", "x.html")
    told = json.loads(done.stdout)
    assert {r["optimizer"] for r in told["results"]} == {"adam", "sgd"}
    assert len(told["paths"][0]["j"]) == 30
    assert (in_folder / "x.html").exists()


def test_a_function_of_ones_own_from_a_start(mine):
    done = cuesta("mine_of_race:bowl", *QUICK, "--start", "1,2,3", "--domain", "-4,4", "--json")
    told = json.loads(done.stdout)
    assert told["function"]["dimensions"] == 3
    assert told["function"]["domain"] == [[-4, 4]] * 3
    assert told["paths"][0]["w"][0] == [1, 2, 3]
    assert (mine / "race-bowl.html").exists()


@pytest.mark.parametrize(
    ("option", "value", "place"),
    [
        ("--noise", 2.0, "noise"),
        ("--clip-norm", 0.5, "clip_norm"),
        ("--clip-value", 0.5, "clip_value"),
        ("--final-ratio", 0.1, "final_ratio"),
        ("--dialect", "keras", "dialect"),
        ("--steps", 20, "steps"),
        ("--seed", 3, "seed"),
    ],
)
def test_each_option_arrives(in_folder, option, value, place):
    done = cuesta("himmelblau", *QUICK, "--json", "--optimizers", "sgd", option, value)
    assert json.loads(done.stdout)["settings"][place] == value


def test_the_cliff_is_clipped_unless_told_otherwise(in_folder):
    quick = [*QUICK, "--json", "--optimizers", "sgd"]
    assert json.loads(cuesta("cliff", *quick).stdout)["settings"]["clip_norm"] == 0.1
    done = cuesta("cliff", *quick, "--clip-norm", "inf")
    assert json.loads(done.stdout)["settings"]["clip_norm"] is None


def test_a_quadratic_takes_its_shape(in_folder):
    done = cuesta(
        *("quadratic", *QUICK, "--condition", 7, "--rotation", 0, "--dimensions", 3),
        *("--optimizers", "sgd", "--json"),
    )
    (point,) = json.loads(done.stdout)["critical_points"]
    assert point["eigenvalues"] == pytest.approx([1, 7**0.5, 7])


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["himelblau"], "did you mean 'himmelblau'"),
        (["himmelblau", "--start", "9,0"], "coordinate 1 is 9, outside himmelblau's domain"),
        (["himmelblau", "--start", "1"], "needs 2 dimensions, not 1"),
        (["himmelblau", "--start", "a,b"], "start must be numbers"),
        (["himmelblau", "--optimizers", "sgd,adm"], "did you mean 'adam'"),
        (["himmelblau", "--optimizers", ","], "at least one"),
        (["himmelblau", "--steps", "0"], "steps"),
        (["himmelblau", "--seed", "-1"], "seed must be from 0"),
        (["himmelblau", "--dimensions", "0"], "dimensions must be a whole number from 1"),
        (["himmelblau", "--condition", "5"], "Only quadratic has a condition"),
        (["quadratic", "--condition", "0"], "condition"),
        (["himmelblau", "--out", "nowhere/page.html"], "page.html' cannot be written"),
        (["himmelblau", "--out", "."], "it is a folder"),
        (["himmelblau", "--png", "nowhere/p.png"], "p.png' cannot be written"),
        (["mine_of_race:bole"], "has no function 'bole'"),
        (["mine_of_rice:bowl"], "mine_of_rice"),
        (["mine_of_race:pair"], "one number, not an array of shape"),
        (["mine_of_race:logs", "--start=-1,1"], r"logs is not finite at step 0, at (-1, 1)"),
        (["mine_of_race:bowl", "--domain", "1"], "domain"),
    ],
)
def test_bad_input_is_a_sentence_and_writes_nothing(mine, arguments, culprit):
    done = cuesta(*arguments)
    assert done.exit_code == 2
    told = " ".join(done.output.split())
    assert culprit in told
    assert "Traceback" not in told
    assert told.count("cuesta: ") == 1
    assert [path.name for path in mine.iterdir() if path.is_file()] == ["mine_of_race.py"]
