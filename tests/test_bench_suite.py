"""The suite's bench: its arithmetic by hand, and runs that are kept or fail."""

import importlib.util
import json
import math
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.append(str(Path(__file__).parents[1] / "bench"))  # where its own sibling is found
SPEC = importlib.util.spec_from_file_location(
    "bench_suite", Path(__file__).parents[1] / "bench" / "suite.py"
)
suite = importlib.util.module_from_spec(SPEC)
sys.modules["bench_suite"] = suite
SPEC.loader.exec_module(suite)


def run_of(table, seed, value, peers, metric="log_loss", models=None, model=None):
    return {
        "suite": "dev",
        "table": table,
        "seed": seed,
        "options": [],
        "metric": metric,
        "peers": peers,
        "test_metrics": {metric: value, "accuracy": 0.9},
        "models": {name: {metric: one} for name, one in (models or {}).items()},
        "model": model,
        "seconds": 10.0 * (seed + 1),
    }


def test_a_row_is_the_mean_over_the_seeds():
    runs = [run_of("a", seed, 0.1 + 0.1 * seed, {"x": 0.1}, model="single") for seed in range(3)]
    (row,) = suite.rows_of(runs)
    assert row.ours == pytest.approx(0.2)
    assert row.ratio(0.1) == pytest.approx(2.0)
    assert row.seconds == pytest.approx(20)
    assert row.chosen == "3 single"
    assert math.isnan(row.calibration_error)


def test_small_log_losses_count_as_the_floor_and_errors_do_not():
    (a, b) = suite.rows_of(
        [run_of("a", 0, 0.001, {"x": 0.03}), run_of("b", 0, 0.001, {"x": 0.03}, "rmse")]
    )
    assert a.ratio(0.03) == pytest.approx(0.02 / 0.03)
    assert a.ratio(0.0001) == 1
    assert b.ratio(0.03) == pytest.approx(0.001 / 0.03)


def test_the_geometric_mean_of_a_half_and_its_double_is_one():
    assert suite.geometric_mean([0.5, 2.0]) == pytest.approx(1)
    assert suite.geometric_mean([1.0, 8.0]) == pytest.approx(math.sqrt(8))
    assert math.isnan(suite.geometric_mean([]))


def test_ranks_by_hand():
    runs = [
        run_of("a", 0, 0.3, {"x": 0.1, "y": 0.3, "few": 0.0, "cuesta before": 0.0}),
        run_of("b", 0, 0.1, {"x": 0.2, "y": 0.3, "cuesta before": 0.0}),
    ]
    # a: x 1, ours and y share 2 and 3; b: ours 1, x 2, y 3. "few" lacks b; our older self is out.
    assert suite.mean_ranks(suite.rows_of(runs)) == {"cuesta": 1.75, "x": 1.5, "y": 2.75}


def test_the_committee_is_compared_where_both_are_told():
    told, silent = suite.rows_of(
        [
            run_of("a", 0, 0.1, {}, models={"single": 0.2, "committee": 0.1}),
            run_of("b", 0, 0.1, {}, models={"single": 0.2}),
        ]
    )
    assert told.committee_to_single == pytest.approx(0.5)
    assert math.isnan(silent.committee_to_single)


def test_what_is_printed_comes_from_the_rows(capsys):
    models = {"single": 0.2, "committee": 0.1}
    runs = [
        run_of("a", 0, 0.1, {"x": 0.05, "cuesta before": 0.2}, models=models, model="committee"),
        run_of("b", 0, 3.0, {"x": 3.0}, "rmse", models={"single": 2.0, "committee": 3.0}),
    ]
    suite.show(suite.rows_of(runs))
    told = capsys.readouterr().out
    assert "| a | log_loss | 0.1 | 0.05 (2.00) | 0.2 (0.50) | 0.2 | 0.1 | 0.9 |" in told
    assert "| x | 1.414 | 2 | 1 | 0 of 2 |" in told
    assert "At least as good as the best peer on 1 of 2 tables; above 1.10" in told
    assert "on 1: a 2.00." in told
    assert (
        "Committee/single: 0.5 on 1 tables of classes (geometric mean); at most 1 on 1 of 2" in told
    )


@pytest.fixture
def folder(tmp_path):
    """A suite of two tables, and a peer that has a figure for one."""
    about = {n: {"target": "y", "task": "regression"} for n in ("good", "bad")}
    (tmp_path / "suite.json").write_text(json.dumps(about))
    (tmp_path / "peers.json").write_text(json.dumps({"x": {"good": {"rmse": 2.0, "seconds": 1}}}))
    return tmp_path


def test_runs_are_kept_and_a_failure_is_named(folder, tmp_path, monkeypatch, capsys):
    called = []

    def command(words, **_):
        if "predict" in words:  # which has nothing to predict with
            return SimpleNamespace(returncode=2, stdout="", stderr="")
        name, seed = Path(words[4]).parent.name, words[words.index("--seed") + 1]
        called.append((name, seed))
        assert words[-2:] == ["--epochs", "5"]
        if name == "bad":
            return SimpleNamespace(returncode=2, stdout="", stderr="Error: no such column.\n")
        out = Path(words[words.index("--out") + 1])
        out.mkdir()
        found = {"task": "regression", "test_metrics": {"rmse": 1.0 + int(seed)}}
        (out / "result.json").write_text(json.dumps(found))
        return SimpleNamespace(returncode=0, stdout="", stderr="")

    monkeypatch.setattr(suite.subprocess, "run", command)
    words = [str(folder), "--seeds", "0", "1", "--keep", str(tmp_path / "kept")]
    assert suite.main([*words, "--", "--epochs", "5"]) == 1
    told = capsys.readouterr().out
    assert "| good | rmse | 1.5 | 2 (0.75) |" in told
    assert "FAILED bad, seed 0: Error: no such column." in told
    assert suite.main([*words, "--tables", "good", "--", "--epochs", "5"]) == 0
    assert called.count(("good", "0")) == 1  # kept, not run again
    capsys.readouterr()
    assert suite.main(["--from", str(tmp_path / "kept" / "runs.jsonl")]) == 0
    assert "| good | rmse | 1.5 | 2 (0.75) |" in capsys.readouterr().out


def test_an_unknown_table_is_refused(folder, capsys):
    with pytest.raises(SystemExit):
        suite.main([str(folder), "--tables", "good,gone"])
    assert "no suite has gone" in capsys.readouterr().err
