import json
import os
import subprocess
import sys

import polars as pl
import pytest

SMALL = ["--candidates", "2", "--epochs", "3", "--folds", "3", "--no-baselines"]


def cuesta(*arguments, cwd=None):
    command = [sys.executable, "-m", "cuesta", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    done = cuesta("fit", "iris", *SMALL, "--out", "iris", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.mark.slow("starts the command and trains")
def test_fit_tells_the_table_the_candidates_the_winner_and_the_test(run):
    _, done = run
    for words in (
        "150 rows · 4 numbers",
        "3 classes (setosa, versicolor, virginica)",
        "120 to train and validate (3 folds) · 30 sealed",
        "training 100 %",
        "best 2 of 2 candidates",
        "diverged  none of 6 networks",
        "winner  ",
        "test, 30 rows, opened once",
        "baseline",
    ):
        assert words in done.stdout
    assert done.stderr == ""


@pytest.mark.slow("starts the command and trains")
def test_json_prints_the_result_and_nothing_else(run):
    folder, _ = run
    done = cuesta("fit", "iris", *SMALL, "--out", "iris", "--json", cwd=folder)
    told = json.loads(done.stdout)
    assert told == json.loads((folder / "iris" / "result.json").read_text())
    assert told["metric"] == "log_loss"
    assert done.stderr == ""


@pytest.mark.slow("starts the command and trains")
def test_a_damaged_chunk_is_told_beside_json_too(run):
    folder, _ = run
    (chunk, *_) = sorted((folder / "iris" / "chunks").glob("*.safetensors"))
    content = bytearray(chunk.read_bytes())
    content[-1] ^= 1
    chunk.write_bytes(content)
    before = json.loads((folder / "iris" / "result.json").read_text())
    done = cuesta("fit", "iris", *SMALL, "--out", "iris", "--json", cwd=folder)
    told = json.loads(done.stdout)
    assert {key for key in told if told[key] != before[key]} <= {"seconds", "test_openings"}
    assert done.stderr.count("\n") == 1
    assert f"the chunk file {chunk.name} is damaged; its networks are trained again" in done.stderr


def test_the_folder_is_named_after_the_table_by_default(in_folder):
    assert cuesta("fit", "iris", *SMALL, cwd=in_folder).returncode == 0
    assert (in_folder / "iris.cuesta" / "result.json").exists()


def new_rows(folder, frame):
    path = folder / "new.csv"
    frame.write_csv(path)
    return path


@pytest.fixture
def flowers():
    from cuesta.data.table import read_table

    return read_table("iris").frame.drop("target").head(7)


@pytest.mark.slow("starts the command and trains")
def test_predict_writes_labels_and_probabilities(run, flowers):
    folder, _ = run
    done = cuesta("predict", folder / "iris", new_rows(folder, flowers))
    assert done.returncode == 0, done.stderr
    found = pl.read_csv(done.stdout.encode())
    names = ["p_setosa", "p_versicolor", "p_virginica"]
    assert found.columns == ["target", *names]
    assert found.height == 7
    assert found.select(pl.sum_horizontal(names)).to_series().to_list() == pytest.approx([1] * 7)
    largest = [names[row.index(max(row))][2:] for row in found.select(names).rows()]
    assert found["target"].to_list() == largest


@pytest.mark.slow("starts the command and trains")
def test_predict_takes_columns_in_any_order_extra_ones_and_gaps(run, flowers):
    folder, _ = run
    plain = cuesta("predict", folder / "iris", new_rows(folder, flowers)).stdout
    other = flowers.select(reversed(flowers.columns)).with_columns(extra=pl.lit("x"))
    assert cuesta("predict", folder / "iris", new_rows(folder, other)).stdout == plain
    gaps = flowers.with_columns(pl.lit(None).alias(flowers.columns[0]))
    done = cuesta("predict", folder / "iris", new_rows(folder, gaps))
    assert done.returncode == 0
    assert done.stdout != plain


@pytest.mark.slow("starts the command and trains")
def test_predict_writes_a_file(run, flowers):
    folder, _ = run
    path = folder / "predicted.csv"
    done = cuesta("predict", folder / "iris", new_rows(folder, flowers), "--out", path)
    assert done.stdout == ""
    assert pl.read_csv(path).height == 7


LIST_MODULES = "import sys; from cuesta.cli import app; app({arguments}, standalone_mode=False); \
print(*sorted(m.split('.')[0] for m in sys.modules), file=sys.stderr)"


def modules_after(*arguments):
    code = LIST_MODULES.format(arguments=[str(a) for a in arguments])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.slow("starts the command and trains")
def test_predict_imports_neither_jax_nor_scikit_learn(run, flowers):
    folder, _ = run
    loaded = modules_after("predict", folder / "iris", new_rows(folder, flowers))
    assert "polars" in loaded
    assert not loaded & {"jax", "jaxlib", "sklearn", "scipy", "optuna"}


COMMANDS = ["fit", "predict", "doctor", "rate", "surface", "compare", "race"]


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_imports_nothing_heavy(arguments):
    loaded = modules_after(*arguments)
    assert not loaded & {"jax", "sklearn", "scipy", "polars", "numpy", "optuna"}


def test_help_answers_at_once():
    before = os.times()
    assert cuesta("--help").returncode == 0
    after = os.times()
    # The processor's time, not the clock's: other tests run beside this one.
    spent = after.children_user + after.children_system
    assert spent - before.children_user - before.children_system < 0.5


def test_help_lists_the_commands():
    listed = cuesta("--help").stdout
    assert [name for name in COMMANDS if f" {name} " not in listed] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_by_examples_and_defaults(command):
    told = cuesta(command, "--help").stdout
    assert f"  cuesta {command} " in told
    assert "[default: " in told or command == "doctor"


@pytest.mark.slow("starts the command and trains")
def test_an_interrupt_keeps_chunks_and_says_so(in_folder):
    import signal
    import time

    command = [sys.executable, "-m", "cuesta", "fit", "digits", "--candidates", "64"]
    started = subprocess.Popen(command, cwd=in_folder, stderr=subprocess.PIPE, text=True)
    chunks = in_folder / "digits.cuesta" / "chunks"
    for _ in range(1200):
        time.sleep(0.1)
        # By its own name: before that, a chunk's file is being written, and is not kept yet.
        if any(chunks.glob("*.safetensors")):
            break
    started.send_signal(signal.SIGINT)
    _, told = started.communicate(timeout=120)
    assert started.returncode == 130
    assert told == "Interrupted; finished work is kept: the same command goes on from there.\n"
    assert list(chunks.glob("*.safetensors"))
    assert not list(chunks.glob(".*"))  # nothing half-written
    assert not (in_folder / "digits.cuesta" / "result.json").exists()


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "iris"]])
def test_an_interrupt_during_the_imports_is_one_line(arguments, in_folder):
    (in_folder / "typer.py").write_text("raise KeyboardInterrupt")
    done = cuesta(*arguments, cwd=in_folder)  # `python -m` looks into the working folder first
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")


@pytest.mark.parametrize("heavy", ["polars", "jax"])
def test_an_interrupt_during_a_commands_imports_is_one_line(heavy, in_folder):
    (in_folder / f"{heavy}.py").write_text("raise KeyboardInterrupt")
    done = cuesta("fit", "iris", cwd=in_folder)
    assert done.returncode == 130
    assert done.stderr.splitlines() == [
        "Interrupted; finished work is kept: the same command goes on from there."
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such signals")
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_a_signal_that_ends_a_command_is_one_line(name, code, in_folder):
    import signal

    end = f"os.kill(os.getpid(), {getattr(signal, name)}); time.sleep(0.1)"
    # And once more while the first is being answered.
    (in_folder / "polars.py").write_text(
        f"import os, time\ntry:\n    {end}; time.sleep(60)\nfinally:\n    {end}\n"
    )
    done = cuesta("fit", "iris", cwd=in_folder)
    assert done.returncode == code
    assert done.stderr.splitlines() == [
        "Interrupted; finished work is kept: the same command goes on from there."
    ]


def test_too_little_memory_is_one_line_with_the_sizes(in_folder):
    (in_folder / "polars.py").write_text(
        "raise MemoryError('Unable to allocate 7 GiB for an array with shape (9, 9)')"
    )
    done = cuesta("fit", "iris", cwd=in_folder)
    assert done.returncode == 2
    assert done.stderr == (
        "cuesta: There is not enough memory: Unable to allocate 7 GiB for an array with shape "
        "(9, 9).\n"
    )
