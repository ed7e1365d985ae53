"""The doctor on planted faults, a few of those that `bench/doctor.py` counts; what it writes."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from sklearn.datasets import load_breast_cancer
from typer.testing import CliRunner

from cuesta import MLPClassifier
from cuesta.cli import app
from cuesta.diagnose.baseline import baseline_loss, describe_baseline
from cuesta.diagnose.checkup import check_up
from cuesta.diagnose.doctor import FAULTS, examine
from cuesta.diagnose.evidence import describe_inputs
from cuesta.diagnose.storage import FILE, read_diagnosis, write_evidence
from cuesta.errors import RunFolderError, SpecError
from cuesta.report.diagnosis import bar, sparkline
from cuesta.training.lanes import Lane, Training
from tests.training.tables import base, chunk_of, class_feed

BENCH = Path(__file__).parents[2] / "bench" / "doctor.py"
SPEC = importlib.util.spec_from_file_location("bench_doctor", BENCH)
plants = importlib.util.module_from_spec(SPEC)
import sys  # noqa: E402

pytestmark = pytest.mark.slow("a watched training for each fault")

sys.modules["bench_doctor"] = plants
SPEC.loader.exec_module(plants)
X, Y = load_breast_cancer(return_X_y=True)


def test_a_fault_of_each_kind_is_planted():
    assert set(plants.PLANTS) == set(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_the_first_finding(fault):
    # Not every run is told rightly: the bench counts them; of two, one must be.
    told = [plants.first(plants.diagnose(plants.planted(fault, seed))) for seed in (2001, 2002)]
    assert fault in told


def test_a_healthy_run_has_no_severe_finding():
    runs = [plants.diagnose(plants.healthy(seed)) for seed in range(2001, 2005)]
    calm = [all(found.severity != "severe" for found in run.findings) for run in runs]
    assert sum(calm) >= 3


@pytest.fixture(scope="module")
def diagnosis():
    return plants.diagnose(plants.planted("vanishing gradients", 2001))


def with_curves(diagnosis, train, validation=None, loss="squared", baseline=0.5):
    """The findings of the same training, had its loss gone so."""
    evidence = diagnosis.evidence
    validation = None if validation is None else np.asarray(validation)
    changed = replace(
        evidence,
        train=np.asarray(train),
        validation=validation,
        baseline=baseline,
        shape=replace(evidence.shape, loss=loss),
        target_size=1.0,
    )
    return {finding.fault: finding for finding in examine(changed)}


@pytest.fixture(scope="module")
def calm():
    return plants.diagnose(plants.healthy(2001))


@pytest.mark.parametrize(
    ("train", "severity", "parameter"),
    [
        (np.full(12, 0.49), "severe", "hidden_layer_sizes"),  # 2 % below the baseline, and flat
        (np.full(12, 0.42), "warning", "hidden_layer_sizes"),  # 16 %: noise may be the rest
        (np.geomspace(0.9, 0.4, 12), "warning", "epochs"),  # still falls by a third
        (np.full(12, 0.3), None, ""),  # 40 %
    ],
)
def test_under_fitting_is_as_grave_as_little_is_learned(calm, train, severity, parameter):
    found = with_curves(calm, train).get("under-fitting")
    assert (found and found.severity) == severity
    if found:
        assert parameter in found.parameter


@pytest.mark.parametrize(
    ("loss", "training", "validation", "severity"),
    [
        ("squared", 1e-4, 0.3, "severe"),  # memorized; others at 60 % of the baseline
        ("squared", 0.1, 0.3, None),  # a third of the validation loss: not memorized
        ("squared", 1e-4, 0.1, None),  # a low validation loss: little is missed
        ("cross_entropy", 1e-4, 0.3, None),  # a log-loss would have risen
    ],
)
def test_memorized_rows_are_over_fitted_though_no_loss_rises(
    calm, loss, training, validation, severity
):
    train = np.geomspace(0.5, training, 30)
    found = with_curves(calm, train, np.full(30, validation), loss).get("over-fitting")
    assert (found and found.severity) == severity


def test_a_finding_names_figures_layer_and_the_parameter_to_change(diagnosis):
    finding = diagnosis.findings[0]
    assert finding.fault == "vanishing gradients"
    assert f"{diagnosis.evidence.recording.economy.shrink[0].prod():.2g}" in finding.says
    assert 1 <= finding.layer <= 10
    assert "activation" in finding.parameter
    assert "vanishing" in str(diagnosis)


def test_findings_come_gravest_first(diagnosis):
    found = diagnosis.findings
    order = [(f.severity != "severe", -f.weight) for f in found]
    assert order == sorted(order)
    assert not diagnosis.healthy


def test_a_diagnosis_comes_back_from_its_file(diagnosis, tmp_path):
    write_evidence(tmp_path / FILE, diagnosis.evidence)
    again = read_diagnosis(tmp_path)
    assert again.findings == diagnosis.findings


def test_the_file_keeps_its_names_so_that_old_files_are_read(diagnosis, tmp_path):
    write_evidence(tmp_path / FILE, diagnosis.evidence)
    with safe_open(tmp_path / FILE, framework="numpy") as file:
        names, values = set(file.keys()), json.loads(file.metadata()["cuesta"])
    gauges = ["loss", "gradient", "shrink", "update", "clipped", "dead", "saturated", "noise"]
    assert {f"recording.economy.{gauge}" for gauge in [*gauges, "broken"]} <= names
    assert values["trivial"] == diagnosis.evidence.baseline
    assert values["twins"] == []


def test_the_baseline_is_explained_once_where_a_finding_names_it(diagnosis):
    explained = "the baseline predicts the mean target of the training rows"
    assert sum("baseline" in finding.says for finding in diagnosis.findings) > 0
    assert str(diagnosis).count(explained) == 1
    silent = [finding for finding in diagnosis.findings if "baseline" not in finding.says]
    assert explained not in str(replace(diagnosis, findings=tuple(silent)))


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ("cross_entropy", "share of each class"),
        ("logistic", "share of each label"),
        ("absolute", "median"),
        ("squared", "mean"),
    ],
)
def test_what_the_baseline_predicts_depends_on_the_loss(loss, words):
    assert words in describe_baseline(loss)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_refused_in_a_sentence(diagnosis, tmp_path, share):
    write_evidence(tmp_path / FILE, diagnosis.evidence)
    raw = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(RunFolderError, match="instruments"):
        read_diagnosis(tmp_path)


def test_examining_twice_says_the_same(diagnosis):
    assert tuple(examine(diagnosis.evidence)) == diagnosis.findings


# Facts of the rows.


def test_columns_that_are_one_are_found_whatever_their_scale():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 4))
    x = np.column_stack([x, -3 * x[:, 1], 0.5 * x[:, 1] + 7])
    assert describe_inputs(x, "standard").duplicates == (1, 4, 5)
    assert describe_inputs(x[:, :4], "standard").duplicates == ()


def test_sizes_are_about_1_where_inputs_are_normalized():
    assert describe_inputs(X, "standard").largest == pytest.approx(1.0, abs=1e-6)
    assert describe_inputs(X, "none").largest > 100


def test_the_baseline_predicts_the_shares_or_the_mean():
    y = np.array([0, 0, 0, 1])
    assert baseline_loss("cross_entropy", y) == pytest.approx(
        -0.75 * np.log(0.75) - 0.25 * np.log(0.25)
    )
    assert baseline_loss("squared", np.array([[1.0], [3.0]])) == 0.5


# Where people meet it.


def command(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doctor")
    space = folder / "space.toml"
    space.write_text(
        'optimizer = ["sgd"]\nhidden_layer_sizes = [[8, 8]]\nlearning_rate = [1e30, 0.1]\n'
    )
    done = command("fit", "breast_cancer", "--space", space, "--sampler", "grid", "--epochs", "4",
                   "--folds", "2", "--instruments", "full", "--out", folder / "run")  # fmt: skip
    assert done.exit_code == 0, done.output
    return folder / "run", done.output


def test_fit_says_where_candidates_broke_and_what_the_doctor_finds(run):
    folder, output = run
    assert "sgd lr=1e+30: not finite from step" in output
    assert "first in layer" in output
    told = json.loads((folder / "result.json").read_text())
    assert {lane["candidate"] for lane in told["diverged_lanes"]} == {0}
    assert all(lane["step"] >= 1 <= lane["layer"] for lane in told["diverged_lanes"])
    assert isinstance(told["findings"], list)


def test_doctor_shows_gauges_and_words_or_json(run):
    shown = command("doctor", run[0])
    assert shown.exit_code == 0, shown.output
    for words in ("training loss", "error passed on", "noise scale", "λmax", "α/α* − 1"):
        assert words in shown.output
    told = json.loads(command("doctor", run[0], "--json").output)
    assert len(told["gauges"]["full.second"]) == len(told["steps"])
    assert told["gauges"]["economy.gradient"][0][0] > 0


def test_doctor_says_why_there_is_nothing_to_read(tmp_path):
    done = command("doctor", tmp_path)
    assert done.exit_code == 2
    assert "holds no run of `cuesta fit`" in done.output
    for name in ("run.json", "result.json"):  # a run that ended, and was not watched
        (tmp_path / name).write_text("{}")
    assert "--instruments" in command("doctor", tmp_path).output


def test_weighted_classes_are_measured_by_their_own_baseline(tmp_path):
    rng = np.random.default_rng(0)
    y = (rng.random(900) < 0.08).astype(int)
    x = rng.standard_normal((900, 2)) + 2 * y[:, None]
    table = tmp_path / "rare.csv"
    table.write_text("a,b,y\n" + "\n".join(f"{a},{b},{c}" for (a, b), c in zip(x, y, strict=True)))
    done = command("fit", table, "--target", "y", "--metric", "balanced_accuracy", "--candidates",
                   "4", "--epochs", "10", "--folds", "3", "--out", tmp_path / "run")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert read_diagnosis(tmp_path / "run").evidence.baseline == pytest.approx(np.log(2), rel=1e-6)
    assert "under-fitting" not in done.output


def test_instruments_can_be_off(tmp_path):
    done = command("fit", "iris", "--candidates", "1", "--epochs", "2", "--folds", "2",
                   "--instruments", "off", "--out", tmp_path / "run")  # fmt: skip
    assert done.exit_code == 0
    assert not (tmp_path / "run" / FILE).exists()
    assert command("fit", "iris", "--instruments", "some").exit_code == 2


def test_an_estimator_is_diagnosed_and_stays_as_it_is():
    net = MLPClassifier((16,) * 7, activation="sigmoid", epochs=10, random_state=0)
    found = net.diagnose(X, Y)
    assert found.findings[0].fault == "vanishing gradients"
    assert not hasattr(net, "model_")
    with pytest.raises(SpecError, match="instruments"):
        net.diagnose(X, Y, instruments="all")


# What is drawn.


def test_a_sparkline_rises_with_the_values():
    drawn = sparkline(np.arange(80.0))
    assert drawn == "".join(sorted(drawn))
    assert drawn[0] == "▁"
    assert drawn[-1] == "█"
    assert sparkline(np.full(10, np.nan)).strip() == ""
    assert len(sparkline(np.arange(5.0))) == 5


def test_a_bar_is_full_at_one():
    assert bar(1.0, 4) == "████"
    assert bar(0.0, 4) == "····"
    assert bar(float("nan"), 4) == "████"


@pytest.mark.parametrize(("activation", "told"), [("relu", True), ("silu", False), ("tanh", False)])
def test_only_units_of_relu_die(activation, told):
    # Biases far below 0: ReLU puts out nothing, the others have a slope, however small.
    feed, candidate = class_feed(), base(activation=activation, learning_rate=1e-4)
    shape = chunk_of(feed, [candidate]).shape
    training = Training(Lane(candidate, 0, 0), feed, shape, 2, 2)
    hidden, *rest = training.first_layers()
    layers = [hidden._replace(b=hidden.b - 50.0), *rest]
    found = check_up(training, layers=layers).findings
    assert ("dead units" in [finding.fault for finding in found]) == told
