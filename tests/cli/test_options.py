"""The options of the commands: one text each, Python's defaults, and flags that exist."""

import ast
import dataclasses
import difflib
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cuesta
from cuesta._util.checks import LARGEST_SEED
from cuesta.cli import app
from cuesta.cli.arguments import make_settings, split_names, split_numbers
from cuesta.cli.base import flag, option_names
from cuesta.data.bundled import BUNDLED
from cuesta.data.folds import PROTOCOLS
from cuesta.data.kinds import KINDS
from cuesta.diagnose.surface import WAYS
from cuesta.errors import SpecError, TableError
from cuesta.hyperparameters import (
    ACTIVATIONS,
    ARCHITECTURES,
    CATEGORY_EMBEDDINGS,
    DIALECTS,
    INITS,
    INSTRUMENTS,
    LOSSES,
    NORMALIZATIONS,
    NUMERIC_EMBEDDINGS,
    OPTIMIZERS,
    PRECISIONS,
    SCHEDULES,
    TARGET_TRANSFORMS,
)
from cuesta.lab.compare import STREAMS
from cuesta.lab.functions import FUNCTIONS
from cuesta.lab.settings import RaceSettings
from cuesta.metrics import names_for
from cuesta.search.samplers import SAMPLERS
from cuesta.tabular.options import TASKS, Options
from tests.cli.option_tables import commands, name_of, options_of, page, table

SOURCE = Path(cuesta.__file__).parent
ROOT = SOURCE.parents[1]
COMMANDS = commands()
# Parameters of Python's errors that the command line names by its flag.
NAMED = {
    "columns",
    "decimal",
    "drop",
    "encoding",
    "groups",
    "missing",
    "out",
    "protocol",
    "space",
    "target",
    "test_size",
}


def parameters(command):
    return {parameter.name: parameter for parameter in COMMANDS[command].params}


def differences(told, wanted):
    return "\n".join(difflib.unified_diff(told, wanted, "the page", "--help", lineterm="", n=0))


# --- one text each ----------------------------------------------------------------------------


def test_the_readmes_options_are_those_of_the_help():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## The options of `cuesta fit`\n")[2].partition("\n## ")[0]
    told = [line for line in section.splitlines() if line.startswith("|")]
    changed = differences(told, table(options_of(COMMANDS["fit"])))
    assert not changed, f"{changed}\n(python -m tests.cli.option_tables)"


def test_the_page_of_the_commands_is_their_help():
    told = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    changed = differences(told.splitlines(), page().splitlines())
    assert not changed, f"{changed}\n(python -m tests.cli.option_tables page)"


def test_every_option_says_what_it_does_and_its_default():
    for command in COMMANDS.values():
        for option in options_of(command):
            assert re.search(r"[.…]$", option.help), name_of(option)
            in_words = isinstance(option.show_default, str)
            # Where nothing is given, either a value is taken or words say what happens.
            assert in_words == (option.default is None or option.name == "halving"), option.name


def test_no_text_is_taken_for_markup_by_the_help():
    texts = [p.help for c in COMMANDS.values() for p in c.params]
    assert not [text for text in texts if "[" in text]


@pytest.mark.parametrize(
    ("command", "name", "choices"),
    [
        ("fit", "table", BUNDLED),
        ("fit", "task", TASKS),
        ("fit", "metric", [*names_for("classification"), *names_for("regression"), "auto"]),
        ("fit", "sampler", SAMPLERS),
        ("fit", "protocol", PROTOCOLS),
        ("fit", "columns", KINDS),
        ("fit", "precision", PRECISIONS),
        ("fit", "instruments", INSTRUMENTS),
        ("fit", "seed", [str(LARGEST_SEED)]),
        ("rate", "optimizer", OPTIMIZERS),
        ("surface", "optimizers", [way.rpartition(", ")[2] for way in WAYS]),
        ("compare", "stream", STREAMS),
        ("race", "function", FUNCTIONS),
        ("race", "optimizers", OPTIMIZERS),
        ("race", "dialect", DIALECTS),
    ],
)
def test_the_help_names_every_choice(command, name, choices):
    words = re.findall(r"\w+", parameters(command)[name].help)
    assert [choice for choice in choices if choice not in words] == []


def test_the_readmes_space_names_every_choice():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| (.+) \|$", readme, flags=re.M))
    for name, choices in {
        "architecture": ARCHITECTURES,
        "activation": ACTIVATIONS,
        "init": INITS,
        "optimizer": OPTIMIZERS,
        "dialect": DIALECTS,
        "schedule": SCHEDULES,
        "normalize": NORMALIZATIONS,
        "numeric_embedding": NUMERIC_EMBEDDINGS,
        "category_embedding": CATEGORY_EMBEDDINGS,
        "target_transform": TARGET_TRANSFORMS,
        "loss": LOSSES["regression"],
        "precision": PRECISIONS,
    }.items():
        assert f"`{' '.join(choices)}`" in rows[name], name


# --- Python's defaults ------------------------------------------------------------------------

WITHOUT_OPTION = {"tuning_starts", "spread"}  # of a race, where Python alone sets them


@pytest.mark.parametrize(
    ("command", "settings", "without"),
    [("fit", Options, set()), ("race", RaceSettings, WITHOUT_OPTION)],
)
def test_the_defaults_are_those_of_python(command, settings, without):
    options = parameters(command)
    made = settings()
    fields = {field.name for field in dataclasses.fields(settings)}
    assert fields - options.keys() == without
    for name in fields - without:
        told, wanted = options[name].default, getattr(made, name)
        if name == "optimizers":
            told = split_names(told)
        if told is None and wanted is not None:
            assert not wanted, name  # an empty tuple or dictionary: nothing is given
        else:
            assert told == wanted, name


@dataclasses.dataclass(frozen=True)
class Some:
    steps: int = 3
    names: tuple[str, ...] = ()


def test_settings_take_the_arguments_that_are_theirs():
    given = {"steps": 5, "names": "a,b", "out": "x"}
    assert make_settings(Some, given, names=split_names("a, b,")) == Some(5, ("a", "b"))
    assert make_settings(Some, {}) == Some()


def test_numbers_are_read_and_what_is_none_is_named():
    assert split_numbers("start", "-1.2,1") == [-1.2, 1.0]
    assert split_numbers("start", None) is None
    with pytest.raises(SpecError, match="start must be numbers with commas between, not 'a,1'"):
        split_numbers("start", "a,1")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["race", "beale", "--out", "x.pdf"], "'x.pdf' would be no .pdf file"),
        (["race", "beale", "--png", "x.jpg"], "'x.jpg' would be no .jpg file"),
        (["race", "beale", "--png", "x.svg"], "must end with .png (--png)"),
        (["surface", "iris", "--out", "x.png"], "must end with .html (--out)"),
    ],
)
def test_a_page_or_a_picture_under_another_endings_name_is_refused(arguments, told, in_folder):
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert told in done.stderr
    assert not list(in_folder.iterdir())


# --- flags ------------------------------------------------------------------------------------


PYTHON_ONLY = {"executor"}  # a pool of workers is an object, which no flag can name


def named_in_source():
    """The `parameter="…"` of every call in the package."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for keyword in node.keywords if isinstance(node, ast.Call) else ():
                if keyword.arg == "parameter" and isinstance(keyword.value, ast.Constant):
                    yield keyword.value.value


def test_every_parameter_that_an_error_names_is_an_option():
    flags = {name for command in COMMANDS for name in option_names(COMMANDS[command].callback)}
    assert NAMED | set(named_in_source()) - PYTHON_ONLY <= flags
    assert option_names(COMMANDS["fit"].callback).keys() >= NAMED


@pytest.mark.parametrize("command", COMMANDS)
def test_a_flag_is_what_the_command_takes(command):
    named = option_names(COMMANDS[command].callback)
    assert named == {option.name: option.opts[0] for option in options_of(COMMANDS[command])}


@pytest.mark.parametrize(
    ("command", "error", "hint"),
    [
        ("fit", ("drop", "x"), "--drop x"),
        ("fit", ("drop", "two words"), "--drop 'two words'"),
        ("fit", ("test_size", ""), "--test-size"),
        ("fit", ("columns", "day=date:%d/%m/%Y"), "--columns day=date:%d/%m/%Y"),
        ("rate", ("drop", "x"), "--columns x=drop"),
        ("surface", ("drop", "x"), "--columns x=drop"),
        ("rate", ("test_size", ""), ""),
        ("predict", ("drop", "x"), ""),
        ("predict", ("table", ""), ""),
        ("fit", ("", ""), ""),
    ],
)
def test_a_parameter_is_told_as_the_command_has_it(command, error, hint):
    assert flag(COMMANDS[command].callback, *error) == hint


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["fit", "iris", "--test-size", "2"], "--test-size must be from 0 to below 1, not 2."),
        (["fit", "iris", "--columns", "x"], "--columns takes NAME=KIND, not 'x'."),
        (["rate", "iris", "--hidden", "x"], "--hidden must be whole numbers"),
        (["compare", "adan", "adam"], "optimizer 'adan' is unknown; did you mean 'adam'?"),
    ],
)
def test_a_sentence_begins_with_the_flag_and_not_with_pythons_name(arguments, told):
    assert CliRunner().invoke(app, arguments).stderr.startswith(f"cuesta: {told}")


def test_a_single_network_tells_how_its_table_was_read(in_folder):
    rows = "".join(f"${n},{n}\n" for n in range(30))
    (in_folder / "t.csv").write_text(f"price,y\n{rows}")
    command = ["rate", "t.csv", "--target", "y", "--epochs", "1", "--hidden", "2", "--json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0
    (note,) = [line for line in done.stderr.splitlines() if line.startswith("note: price: numbers")]
    assert note.endswith("(--columns price=category)")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [(["fit", "x.csv"], " (--drop x)"), (["rate", "x.csv"], " (--columns x=drop)")],
)
def test_an_error_tells_python_its_parameter_and_the_command_line_its_flag(
    arguments, hint, monkeypatch
):
    def fail(*_, **__):
        raise TableError("The column 'x' has no value; leave it out.", parameter="drop", value="x")

    monkeypatch.setattr("cuesta.data.table.read_table", fail)
    done = CliRunner().invoke(app, arguments)
    assert done.stderr == f"cuesta: The column 'x' has no value; leave it out{hint}.\n"
    assert done.exit_code == 2
    with pytest.raises(TableError, match=r"leave it out \(drop='x'\)\.$"):
        fail()
