"""`cuesta rate`: a suggestion, the figures behind it, and a sentence where something is wrong."""

import json

import pytest
from typer.testing import CliRunner

from cuesta.cli import app
from cuesta.diagnose.finder import RATES

ARGUMENTS = ["rate", "iris", "--epochs", "9", "--hidden", "8"]


def run(*more):
    return CliRunner().invoke(app, [*ARGUMENTS, *more])


def test_the_figures_come_as_json():
    ended = run("--json")
    assert ended.exit_code == 0, ended.output
    found = json.loads(ended.stdout)
    assert len(found["rates"]) == RATES
    assert found["low"] <= found["suggested"] <= found["high"]
    assert {row["epochs"] for row in found["rates"]} == {1, 3, 9}
    assert found["suggested"] in {row["rate"] for row in found["rates"] if row["epochs"] == 9}


def test_each_rate_has_its_line_and_the_suggestion_is_marked():
    ended = run("--optimizer", "sgd")
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.count("after") + ended.stdout.count("diverges") == RATES
    assert ended.stdout.count("→") == 1
    assert "learning_rate=" in ended.stdout
    assert "2/λmax" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--optimizer", "adm"], "adm"),
        (["--hidden", "8,x"], "'8,x'"),
        (["--epochs", "0"], "epochs"),
        (["--batch-size", "0"], "--batch-size"),
        (["--target", "petal"], "petal"),
        (["--columns", "petal=number"], "petal"),
    ],
)
def test_what_is_wrong_is_named(arguments, says):
    ended = run(*arguments)
    assert ended.exit_code == 2
    assert says in ended.output
    assert ended.output.count("\n") == 1
