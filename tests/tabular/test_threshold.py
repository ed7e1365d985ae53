"""A threshold between two classes: chosen out of fold, told, and obeyed."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from cuesta.errors import SpecError
from cuesta.metrics import METRICS, decided_classes
from cuesta.model import load_model
from cuesta.report.run.outcome import describe_threshold
from cuesta.report.run.terminal import show_result
from tests.tabular.tables_to_decide import clicks, run


def rows_of(result, name):
    """The truth and the shares of the second label, out of fold."""
    return result.delivery.entries.y, result.delivery.models[name].decided[:, 1]


def cost(y, decided, alarm, miss):
    return alarm * ((y == 0) & decided).mean() + miss * ((y == 1) & ~decided).mean()


@pytest.fixture(scope="module", params=["f1", "balanced_accuracy"])
def by_metric(request):
    return run("clicked", metric=request.param, threshold="auto")


def test_the_threshold_is_no_worse_than_a_half_and_than_a_grid(by_metric):
    metric = by_metric.task.measured
    for name, each in by_metric.delivery.models.items():
        y = by_metric.delivery.entries.y
        own = metric(y, each.decided, threshold=each.model.calibration.threshold)
        others = [metric(y, each.decided, threshold=t) for t in np.linspace(0.01, 0.99, 99)]
        assert own >= max(others), name
        assert own >= metric(y, each.decided, threshold=0.5)


def test_the_folds_and_the_test_are_measured_at_the_threshold(by_metric):
    """By hand: labels by the threshold, and the metric of these labels."""
    entries, metric = by_metric.delivery.entries, by_metric.task.metric
    for each in by_metric.delivery.models.values():
        labels = (each.decided[:, 1] >= each.model.calibration.threshold).astype(int)
        hard = np.eye(2)[labels]
        for fold, value in enumerate(each.folds):
            own = entries.folds == fold
            assert value == METRICS[metric](entries.y[own], hard[own])
    rows = clicks()[list(by_metric.task.test_numbers)]
    y = (rows["clicked"] == "yes").to_numpy().astype(int)
    for name, each in by_metric.delivery.models.items():
        told = each.model.predict(rows.drop("clicked"))["clicked"]
        hard = np.eye(2)[(told == "yes").to_numpy().astype(int)]
        found = by_metric.outcome.models[name]
        assert found.metrics[metric] == METRICS[metric](y, hard)
        low, high = found.intervals[metric][:2]
        assert low <= found.metrics[metric] <= high


def test_costs_lower_the_cost_and_the_threshold():
    result = run("clicked", costs=(1, 5))
    for name, each in result.delivery.models.items():
        y, share = rows_of(result, name)
        threshold = each.model.calibration.threshold
        usual, found = (cost(y, share >= t, 1, 5) for t in (0.5, threshold))
        assert found < usual
        # Of shares that come true 1/(1 + 5) is best (Elkan, 2001); 192 rows tell it roughly.
        assert threshold < 0.4


def test_costs_that_are_equal_are_those_of_accuracy():
    result = run("clicked", costs=(1, 1))
    for name, each in result.delivery.models.items():
        y, share = rows_of(result, name)
        threshold = each.model.calibration.threshold
        assert cost(y, share >= threshold, 1, 1) <= cost(y, share >= 0.5, 1, 1)


def test_the_labels_that_are_predicted_follow_the_threshold(tmp_path):
    result = run("clicked", tmp_path / "run", costs=(1, 5))
    model = load_model(tmp_path / "run" / "model.safetensors")
    told = model.predict(clicks(seed=1).drop("clicked"))
    threshold = result.model.calibration.threshold
    expected = np.where(told["p_yes"].to_numpy() >= threshold, "yes", "no")
    assert told["clicked"].to_list() == expected.tolist()
    assert set(expected[told["p_yes"].to_numpy() < 0.5]) == {"yes", "no"}  # it does move some


def test_a_threshold_of_ones_own_is_taken_as_it_is():
    result = run("clicked", threshold=0.3)
    x = result.task.x
    for each in result.delivery.models.values():
        assert each.model.calibration.threshold == 0.3
        shares = each.model.decide(x)
        np.testing.assert_array_equal(each.model.choose(shares), decided_classes(shares, 0.3))


def test_what_the_threshold_does_is_told(tmp_path):
    result = run("clicked", tmp_path / "run", costs=(1, 5))
    told = json.loads((tmp_path / "run" / "result.json").read_text())
    for name in result.delivery.models:
        y, share = rows_of(result, name)
        half, own = told["models"][name]["second_label"]
        assert half["threshold"] == 0.5
        assert own["threshold"] == told["models"][name]["threshold"]
        for one in (half, own):
            decided = share >= one["threshold"]
            hits = (decided & (y == 1)).sum()
            assert one["recall"] == pytest.approx(hits / (y == 1).sum())
            assert one["precision"] == pytest.approx(hits / decided.sum())
    what, does = describe_threshold(result)
    half, own = told["models"][told["model"]]["second_label"]
    assert what.startswith(f"threshold  yes from a probability of {own['threshold']:.4g} on")
    assert what.endswith("cheapest where a false alarm costs 1 and a miss 5")
    assert f"recall of yes {half['recall']:.4g} → {own['recall']:.4g}" in does
    assert f"precision {half['precision']:.4g} → {own['precision']:.4g}" in does
    y, share = rows_of(result, told["model"])
    costs = [
        (1 * ((y == 0) & (share >= t)) + 5 * ((y == 1) & (share < t))).mean()
        for t in (0.5, own["threshold"])
    ]
    assert f"mean cost {costs[0]:.4g} → {costs[1]:.4g}" in does
    assert told["costs"] == [1, 5]
    file = io.StringIO()
    show_result(Console(file=file, width=200), result, None)
    assert what in file.getvalue()
    assert does in file.getvalue()


def test_for_which_metric_a_threshold_is_best_is_told():
    what, does = describe_threshold(run("clicked", metric="f1", threshold="auto"))
    assert what.endswith("not 0.5: best F1 of the decided labels")
    assert "cost" not in does
    what, _ = describe_threshold(run("clicked", threshold=0.3))
    assert what == "threshold  yes from a probability of 0.3 on, not 0.5"


def test_without_a_threshold_nothing_is_told_of_one():
    result = run("clicked")
    assert describe_threshold(result) == []
    assert result.delivery.decided_at("single") == ()


@pytest.mark.parametrize(
    ("target", "changes", "sentence"),
    [
        ("kind", {"threshold": "auto"}, "A threshold is for two classes; the target 'kind' has 3"),
        ("kind", {"costs": (1, 5)}, "Costs are for two classes; the target 'kind' has 3"),
        ("price", {"threshold": 0.3}, "A threshold is for two .* 'price' holds numbers"),
        ("price", {"costs": (1, 5)}, "Costs are for two classes; the target 'price' holds"),
    ],
)
def test_where_there_are_not_two_classes_it_is_refused_before_any_training(
    target, changes, sentence, tmp_path
):
    with pytest.raises(SpecError, match=sentence) as told:
        run(target, tmp_path / "run", **changes)
    assert told.value.parameter == next(iter(changes))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("unit", [3e307, 1e-300])
def test_the_unit_of_costs_does_not_count(unit):
    """Sums of the largest costs overflow."""
    plain, scaled = (run("clicked", costs=(by, 5 * by)) for by in (1.0, unit))
    for name, each in plain.delivery.models.items():
        other = scaled.delivery.models[name].model.calibration.threshold
        assert other == each.model.calibration.threshold
