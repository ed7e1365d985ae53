import json

import pytest
from typer.testing import CliRunner

from cuesta.cli import app
from cuesta.core.optim import ROWS
from cuesta.errors import SpecError
from cuesta.lab.compare import CONVENTIONS, STREAMS, compare, differing, parse
from cuesta.lab.functions import FUNCTIONS

pytestmark = pytest.mark.slow("thousands of steps of pairs of rules")

# Two that differ in one convention, or in one above all, and that convention.
CAUSES = [
    ("adam:notes", "adam:torch", "random", "bias correction"),
    ("adam:torch", "adam:keras", "random", "where the correction stands"),
    ("adagrad:torch", "adagrad:optax", "random", "start of F"),
    ("rmsprop:torch", "rmsprop:optax", "random", "decay of F"),
    ("rmsprop:optax", "rmsprop:keras", "random", "ε under the root"),
    ("adagrad:notes", "adagrad:torch", "zeros", "ε beside the root"),
    ("sgd:notes", "momentum:torch", "ravine", "decay of V"),
]
SAME = [
    ("adam:torch", "adam:optax", "sparse"),
    ("adagrad:optax", "adagrad:keras", "random"),
    ("momentum:torch", "momentum:optax", "himmelblau"),
    ("momentum:notes", "momentum:keras", "zeros"),
    ("sgd:notes", "sgd:keras", "rosenbrock"),
]
SHORT = {"steps": 50, "learning_rate": 1e-3, "tolerance": 1e-13}


@pytest.mark.parametrize(("one", "other", "stream", "cause"), CAUSES)
def test_the_cause_is_the_convention_in_which_they_differ(one, other, stream, cause):
    found = compare(one, other, stream, **SHORT)
    assert found.part >= 1
    assert found.cause == cause


@pytest.mark.parametrize(("one", "other", "stream", "cause"), CAUSES)
def test_the_order_of_the_two_does_not_matter(one, other, stream, cause):
    forth, back = compare(one, other, stream, **SHORT), compare(other, one, stream, **SHORT)
    assert (back.part, back.cause) == (forth.part, cause)
    assert back.gap == pytest.approx(forth.gap, rel=1e-9)


@pytest.mark.parametrize(("one", "other", "stream"), SAME)
def test_those_of_one_convention_never_part(one, other, stream):
    found = compare(one, other, stream, **SHORT)
    assert (found.part, found.cause) == (0, None)


def test_momentums_placements_part_under_decay_alone():
    pair = ("momentum:notes", "momentum:torch")
    assert compare(*pair, **SHORT).part == 0
    found = compare(*pair, final_learning_rate=1e-6, **SHORT)
    assert found.part == 2  # at the first step both are αG
    assert found.cause == "α inside V"
    assert found.suspects[0].part == 0
    # V keeps the larger rates of the past in it: over 50 steps to zero some per cent of the way.
    assert 0.01 < found.final < 0.5


def test_the_gap_is_the_one_of_the_first_step_that_parts():
    # The notes' first step of Adam under any gradient is α·0.1/√0.001, the published one's α.
    found = compare("adam:notes", "adam:torch", steps=1, learning_rate=0.5)
    assert found.part == 1
    assert found.gap == pytest.approx(1 - (0.001**0.5) / 0.1, rel=1e-6)


def test_every_number_of_a_rule_belongs_to_a_convention():
    spoken = {field for fields in CONVENTIONS.values() for field in fields}
    assert spoken == set(parse("sgd")._fields)


@pytest.mark.parametrize("name", ["optimizer", "dialect"])
def test_a_rule_differs_from_itself_in_nothing(name):
    for optimizer, dialect in ROWS:
        rule = parse(f"{optimizer}:{dialect}")
        assert not list(differing(rule, rule))


@pytest.mark.parametrize("stream", [*STREAMS, *FUNCTIONS])
def test_every_stream_runs(stream):
    assert compare("sgd", "momentum", stream, **SHORT).part >= 1


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (("adamm:torch", "adam:torch"), "'adamm'"),
        (("adam:torsch", "adam:torch"), "'torsch'"),
        (("adam", "adam", "rosenbrok"), "'rosenbrock'"),
    ],
)
def test_unknown_names_are_named(arguments, culprit):
    with pytest.raises(SpecError, match=culprit):
        compare(*arguments)


def run(*arguments):
    return CliRunner().invoke(app, ["compare", *arguments])


def test_the_command_says_step_size_and_cause():
    done = run("adam:notes", "adam:torch", "--steps", "20")
    assert done.exit_code == 0
    for words in ("differ from step 1 on", "bias correction", "ε beside the root", "% of the gap"):
        assert words in done.stdout.replace("\n", " ")


def test_the_command_says_when_they_are_the_same():
    assert "are the same" in run("adam:torch", "adam:optax", "--steps", "20").stdout


def test_the_command_prints_json_alone():
    told = json.loads(run("sgd", "momentum", "--steps", "20", "--json").stdout)
    assert told["cause"] == "decay of V"
    assert told["part"] == 2


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (("adam:x", "adam"), "'x'"),
        (("adam", "adam", "--steps", "0"), "steps"),
        (("adam", "adam", "--seed", "-1"), "seed must be from 0"),
        (("adam", "adam", "--learning-rate", "-1"), "--learning-rate must be above 0"),
        (("adam", "adam", "--stream", "noise"), "'noise'"),
    ],
)
def test_faults_end_in_a_sentence(arguments, culprit):
    done = run(*arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith("cuesta: ")
    assert culprit in done.stderr
