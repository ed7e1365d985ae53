"""Every script in examples/ runs as it stands, and what it prints makes sense."""

import re
import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow("trains in every script")

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def printed(in_folder, capsys):
    """Runs an example in an empty folder; gives its lines."""

    def run(name):
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out.splitlines()

    return run


def numbers(line):
    return [float(found) for found in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", line)]


def test_search(printed):
    *candidates, last = printed("search.py")
    means = [numbers(line)[0] for line in candidates]
    assert len(means) == 12
    assert means == sorted(means, reverse=True)
    assert len(set(candidates)) == 12
    assert numbers(last)[0] > 0.93  # a constant has 0.63


def test_early_stopping(printed, in_folder):
    stopped, held_out, accuracy, file = printed("early_stopping.py")
    trained, wanted, kept = numbers(stopped)
    assert kept < trained < wanted
    assert numbers(held_out)[0] < 0.3
    assert numbers(accuracy)[0] > 0.95  # a constant has 0.10
    assert f"{(in_folder / 'digits.safetensors').stat().st_size:,} bytes" in file
    assert file.endswith("True")


def test_own_loop(printed):
    start, *ends = printed("own_loop.py")
    found = {line.split()[0]: numbers(line)[0] for line in ends}
    assert list(found) == ["sgd", "momentum", "adagrad", "rmsprop", "adam"]
    assert max(found.values()) < numbers(start)[0] / 4
    assert max(found["momentum"], found["rmsprop"], found["adam"]) < 0.01


def test_own_optimizer(printed):
    pytest.importorskip("optax")
    rows = {
        line.split()[0]: numbers(line.split(maxsplit=1)[1]) for line in printed("own_optimizer.py")
    }
    assert list(rows) == ["adam", "optax.lion", "careful"]
    losses = [loss for loss, _ in rows.values()]
    assert len(set(losses)) == 3  # three rules
    assert max(losses) < 0.2  # a constant has 0.66


def test_diagnosis(printed):
    lines = printed("diagnosis.py")
    assert lines[1].startswith("severe vanishing gradients")
    assert "activation" in next(line for line in lines if line.startswith("parameters to change"))
    assert lines[-1] == "nothing is wrong"


def test_main_job(printed, in_folder):
    lines = printed("main_job.py")
    tests = [line for line in lines if line.startswith("test ")]
    found = {line.split()[1]: (numbers(line)[0], numbers(line)[-1]) for line in tests}
    ours, baseline = found["log_loss"]
    assert ours < baseline / 2
    assert found["accuracy"][0] > 0.9 > found["accuracy"][1]
    assert (in_folder / "wine.cuesta" / "result.json").exists()


def test_every_example_is_short_and_tested():
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 40, path.name
        assert f"test_{path.stem}" in globals(), path.name
