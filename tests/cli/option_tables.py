"""The commands' options as tables: what README.md and docs/commands.md hold.

`python -m tests.cli.option_tables` prints the table of `cuesta fit`, for README.md;
`python -m tests.cli.option_tables page` prints docs/commands.md.
"""

import inspect
import sys

import typer

from cuesta.cli import app

HEAD = ["| | default | what it does |", "|---|---|---|"]
PAGE = """# The commands

`cuesta COMMAND --help` shows the same texts. A parameter of Python has the same name without the
dashes: `test_size` is `--test-size`.
"""


def commands():
    """Each command by its name, in the order of `cuesta --help`."""
    return typer.main.get_command(app).commands


def options_of(command):
    """The parameters of a command that are options, without --help."""
    return [p for p in command.params if p.param_type_name == "option"]


def name_of(parameter):
    """As a user types it: `--target COLUMN`, `--header / --no-header`, `TABLE`."""
    if parameter.param_type_name == "argument":
        return parameter.metavar
    names = " / ".join([*parameter.opts, *parameter.secondary_opts])
    return f"{names} {parameter.metavar}" if parameter.metavar else names


def default_of(parameter):
    """The default in words, or as a value."""
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    if parameter.required:
        return "required"
    if isinstance(parameter.default, bool):
        return "yes" if parameter.default else "no"
    return f"`{parameter.default}`"


def table(parameters):
    """The lines of a table."""
    return [*HEAD, *(f"| `{name_of(p)}` | {default_of(p)} | {p.help} |" for p in parameters)]


def section(name, command):
    """A command's part of the page: what it does, examples, its table."""
    text, _, examples = inspect.cleandoc(command.callback.__doc__).partition("For example:")
    shown = "\n".join(line.strip() for line in examples.splitlines() if line.strip())
    link = "Its options: [README.md](../README.md#the-options-of-cuesta-fit)."
    body = link if name == "fit" else "\n".join(table(command.params))
    return f"\n## `cuesta {name}`\n\n{text.strip()}\n\n```\n{shown}\n```\n\n{body}\n"


def page():
    """The text of docs/commands.md."""
    return PAGE + "".join(section(name, command) for name, command in commands().items())


if __name__ == "__main__":
    print(page() if "page" in sys.argv else "\n".join(table(options_of(commands()["fit"]))), end="")
