"""`cuesta surface`: what is wrong is named before anything is trained."""

import pytest
from typer.testing import CliRunner

from cuesta.cli import app


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--optimizers", ","], "at least one optimizer (--optimizers)."),
        (["--optimizers", "sgd,cliped"], "did you mean 'clipped'"),
        (["--epochs", "0"], "epochs"),
        (["--target", "petal"], "petal"),
        (["--out", "nowhere/page.html"], "page.html' cannot be written"),
    ],
)
def test_what_is_wrong_is_named(arguments, says, in_folder):
    ended = CliRunner().invoke(app, ["surface", "iris", *arguments])
    assert ended.exit_code == 2
    assert says in ended.output
    assert ended.output.count("\n") == 1
    assert not list(in_folder.iterdir())
