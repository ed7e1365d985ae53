"""The terminal shows what comes from outside, and obeys none of it; long texts are cut."""

import io
import time
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from cuesta._text import NAME, SENTENCE, count, cut, listed, one_line, safe
from cuesta.cli.base import flag
from cuesta.cli.fit import fit
from cuesta.data.encode import Encoder, Feature, Target
from cuesta.diagnose.checkup import Diagnosis
from cuesta.diagnose.findings import Finding
from cuesta.errors import TableError
from cuesta.hyperparameters import Candidate
from cuesta.metrics import METRICS
from cuesta.report.console import SafeConsole, print_hanging, sentence, shown
from cuesta.report.diagnosis import show_findings
from cuesta.report.run.candidates import describe
from cuesta.report.run.terminal import TerminalListener, describe_columns, describe_task

HOSTILE = "a\x1b[31m\x9b0m\u202eb\x07\r\n\x00[bold]:smile:[/]"
OBEYED = set("\x00\x07\r\x1b\x9b\u202e")


def printed(*things, **settings):
    """What a console without colours writes."""
    file = io.StringIO()
    console = SafeConsole(file=file, width=200, **settings)
    for thing in things:
        console.print(thing)
    return file.getvalue()


# --- text -------------------------------------------------------------------------------------


@given(st.text())
def test_safe_text_has_no_control_character_and_keeps_all_others(text):
    told = safe(text)
    assert not [sign for sign in told if ord(sign) < 32 or 127 <= ord(sign) < 160]
    assert safe(told) == told
    if text.isprintable():
        assert told == text


@given(st.text(), st.integers(2, 50))
def test_a_cut_text_is_no_longer_than_allowed_and_keeps_its_ends(text, most):
    told = cut(text, most)
    assert len(told) <= most
    assert told == text or (told[0] == text[0] and "…" in told)


@given(st.lists(st.text(), min_size=1), st.integers(1, 5))
def test_a_list_shows_so_many_names_and_counts_the_rest(names, most):
    told = listed(names, most)
    assert told.endswith(f" and {len(names) - most} more") == (len(names) > most)
    assert len(told) <= most * (NAME + 2) + 20


@pytest.mark.parametrize(
    ("n", "told"), [(0, "0 inputs"), (1, "1 input"), (2, "2 inputs"), (1234, "1,234 inputs")]
)
def test_one_is_singular(n, told):
    assert count(n, "input") == told


def test_a_sentence_keeps_its_end_whatever_is_put_into_it():
    told = one_line(f"The column 'y' holds {'x' * 1_000_000!r} in row 3; give another.")
    assert told.startswith("The column 'y' holds 'xxx")
    assert told.endswith("xxx' in row 3; give another.")
    assert len(told) < 300
    assert len(one_line("word " * 1_000_000)) <= SENTENCE


@pytest.mark.parametrize("length", [1, 1000])
def test_an_error_is_one_safe_line(length):
    told = str(TableError(f"The label {HOSTILE * length} is unknown.", parameter="target"))
    assert not set(told) & OBEYED
    assert len(told) <= SENTENCE + 20
    assert told.endswith("is unknown (target).")


# --- the console ------------------------------------------------------------------------------


def test_what_is_printed_is_shown_and_not_obeyed():
    table = Table(title=shown(HOSTILE))
    table.add_column(shown(HOSTILE))
    table.add_row(sentence(HOSTILE))
    told = printed(table, shown(HOSTILE), f"[bold]{HOSTILE[:9]}[/]")
    assert not set(told) & OBEYED
    assert told.count(r"a\x1b[31m\x9b0m") == 5
    assert told.count("[bold]:smile:[/]") == 4  # no markup, no emoji


def test_our_own_colours_still_come_through():
    told = printed(f"[bold]{shown(HOSTILE)}[/]", force_terminal=True, color_system="standard")
    assert told.startswith("\x1b[1ma\\x1b")


def task(columns=1, labels=("a", "b"), name="t"):
    """As much of a task as its description reads."""
    features = tuple(Feature(f"{name}{place}", "number") for place in range(columns))
    return SimpleNamespace(
        encoder=Encoder(features),
        target=Target("classification", (name,), tuple(labels)),
        table=name,
        x=np.zeros((1, columns)),
        test_rows=0,
        measured=METRICS["accuracy"],
        feed=SimpleNamespace(refit=1),
        notes=(),
    )


def test_the_description_of_a_task_is_in_the_singular_where_there_is_one():
    told = "\n".join(describe_task(task()))
    assert "1 row · 1 number → 1 input" in told
    assert "(1 fold)" in told
    assert "2 rows" not in told


def test_a_task_with_hostile_names_is_shown_safely():
    told = task(name=HOSTILE, labels=(HOSTILE, "b"))
    listener_file = io.StringIO()
    listener = TerminalListener(SafeConsole(file=listener_file, width=500))
    listener.prepared(told)
    listener.said(HOSTILE)
    assert not set(listener_file.getvalue()) & OBEYED
    assert listener_file.getvalue().count(":smile:") == 5


def test_ten_thousand_columns_and_a_label_of_a_megabyte_take_a_few_lines_and_no_time():
    wide = task(columns=10_000, labels=("x" * 1_000_000, *map(str, range(500))))
    begun = time.process_time()
    lines = [*describe_task(wide), *describe_columns(wide)]
    told = printed(*lines)
    assert time.process_time() - begun < 1.0  # 0.05 s where it was measured
    assert len(told) < 2000
    assert "and 9,988 more" in told


def test_many_notes_are_cut_and_counted():
    file = io.StringIO()
    of = task()
    of.notes = tuple(f"column {place} tells nothing" for place in range(1000))
    TerminalListener(SafeConsole(file=file, width=200)).prepared(of)
    notes = [line for line in file.getvalue().splitlines() if line.startswith("note")]
    assert len(notes) == 21
    assert notes[-1] == "note and 980 more notes: the result holds all of them"


# --- long lines -------------------------------------------------------------------------------


def test_a_long_line_of_a_terminal_goes_on_below_its_text():
    file = io.StringIO()
    console = SafeConsole(file=file, width=40, force_terminal=True, color_system=None)
    line = "winner  [bold]adam[/] " + "word " * 12
    print_hanging(console, line, 8)
    first, *rest = file.getvalue().splitlines()
    assert rest
    assert first.startswith("winner  adam word")
    assert all(part.startswith(" " * 8 + "word") and len(part) <= 40 for part in rest)
    assert " ".join(" ".join([first, *rest]).split()) == " ".join(
        line.replace("[bold]", "").replace("[/]", "").split()
    )


def test_a_long_line_of_a_file_stays_one():
    file = io.StringIO()
    print_hanging(SafeConsole(file=file, width=40), "note " + "word " * 30, 5)
    assert len(file.getvalue().splitlines()) == 1


# --- findings ---------------------------------------------------------------------------------


def told_of(parameter, name_parameter):
    finding = Finding("a fault", "warning", f"of {HOSTILE}", "do this", parameter, 1.0)
    diagnosis = SimpleNamespace(findings=(finding,), note="")
    file = io.StringIO()
    show_findings(SafeConsole(file=file, width=500), diagnosis, name_parameter)
    assert not set(file.getvalue()) & OBEYED
    return file.getvalue().splitlines()[-1].strip()


@pytest.mark.parametrize(
    ("parameter", "hint"),
    [
        ("columns", " (--drop)"),
        ("epochs=100", " (--epochs 100)"),
        ("target", " (--target)"),
        ("learning_rate=0.003", " (learning_rate=0.003 in --space)"),
        ("activation='relu', init='he'", " (activation='relu', init='he' in --space)"),
        ("epochs, dropout", " (--epochs; dropout in --space)"),
        ("early_stopping=True, dropout", " (dropout in --space)"),
        ("early_stopping=True", ""),
    ],
)
def test_the_command_line_is_told_its_flags_or_the_space(parameter, hint):
    assert told_of(parameter, lambda *of: flag(fit, *of)) == f"→ do this{hint}"


@pytest.mark.parametrize("severity", ["severe", "warning"])
def test_what_has_a_finding_is_not_healthy(severity):
    finding = Finding("a fault", severity, "of this", "do this", "epochs", 1.0)
    assert not Diagnosis(None, (finding,)).healthy
    assert Diagnosis(None, ()).healthy


def test_python_is_told_its_parameters():
    from cuesta.errors import in_python

    assert told_of("columns, dropout=0.2", in_python) == "→ do this (columns, dropout=0.2)"


def test_a_candidates_line_names_its_schedule_and_its_average():
    told = describe(Candidate(schedule="cosine", warmup=0.1, weight_average=0.9995))
    assert told == "adam lr=0.003 cosine 64-64 relu he warmup=0.1 weight_average=0.9995"
    assert describe(Candidate(final_learning_rate=1e-5)) == "adam lr=0.003→1e-05 64-64 relu he"
