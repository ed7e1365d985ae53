"""What is delivered: a committee's votes, its out-of-fold predictions, and its bits."""

import json

import numpy as np
import polars as pl
import pytest

from cuesta.model import Network, load_model, sharpened
from cuesta.search.calibration import fit_temperature
from cuesta.search.votes import losses, with_weights_of_others
from cuesta.tabular import delivery
from cuesta.tabular import fit as pipeline
from cuesta.training.journal import Journal
from cuesta.training.networks import NetworkStore
from cuesta.training.run import Run
from tests.tabular.tables_to_decide import RATES, TABLES, run

ROUNDINGS = 1e-12  # float64 sums of a few shares, or of values relative to their size


@pytest.fixture(scope="module", params=["kind", "price", "repeated"])
def result(request):
    """Runs on classes, on numbers, and on folds that are drawn three times."""
    if request.param == "repeated":
        return run("clicked", protocol="repeated", model="committee")
    return run(request.param, model="committee")


def test_votes_add_up_to_one_and_name_candidates(result):
    indices = {score.index for score in result.scores}
    for each in result.delivery.models.values():
        assert sum(each.votes.values()) == pytest.approx(1, abs=ROUNDINGS)
        assert set(each.votes) <= indices
        assert sum(member.weight for member in each.model.members) == pytest.approx(1)
    committee = result.delivery.models["committee"]
    assert committee.networks == len(committee.votes) * result.task.feed.refit


def test_out_of_fold_predictions_are_those_of_the_files_networks(result, tmp_path):
    """By hand: each row by the networks of the fold in which it validates, and by no other."""
    task, entries = result.task, result.delivery.entries
    for name, each in result.delivery.models.items():
        each.model.save(tmp_path / name)
        model = load_model(tmp_path / name)
        expected = np.zeros_like(each.decided)
        for fold in range(task.feed.refit):
            rows = entries.folds == fold
            members = [member for member in model.members if member.fold == fold]
            total = sum(member.fold_weight for member in members)
            for member in members:
                decided = member.network.decide(task.x[entries.rows[rows]], task.target.task)
                expected[rows] += member.fold_weight / total * decided
        if entries.classes:
            expected = sharpened(expected, model.calibration.temperature)
        known = ~task.encoder.without_value(task.x[entries.rows])
        np.testing.assert_allclose(each.decided[known], expected[known], rtol=1e-10, atol=ROUNDINGS)


def test_a_fold_of_the_model_decides_its_validation_rows_so(result):
    task, entries = result.task, result.delivery.entries
    for each in result.delivery.models.values():
        by_fold = each.model.decide_folds(task.x)
        found = by_fold[entries.folds, entries.rows]
        np.testing.assert_allclose(each.decided, found, rtol=1e-10, atol=ROUNDINGS)


def test_every_row_validates_once_a_round_and_not_where_it_trained(result):
    task, entries = result.task, result.delivery.entries
    counts = np.bincount(entries.rows, minlength=len(task.x))
    assert (counts == task.rounds).all()
    for row, fold in zip(entries.rows, entries.folds, strict=True):
        assert row not in task.feed.folds[fold].train


def test_the_temperature_is_of_classes_alone(result):
    for each in result.delivery.models.values():
        temperature = each.model.calibration.temperature
        assert (temperature != 1) == result.delivery.entries.classes


def test_a_row_of_which_nothing_is_known_is_the_prior_out_of_fold():
    result = run("kind", test_size=0)
    (empty,) = np.flatnonzero(result.task.encoder.without_value(result.task.x))
    shares = np.bincount(result.task.y) / len(result.task.y)
    entries = result.delivery.entries
    for each in result.delivery.models.values():
        found = each.decided[entries.rows == empty]
        # The prior as it is: a temperature is for what networks say. A sum of three weights rounds.
        np.testing.assert_allclose(found, [shares], rtol=1e-14)


def test_the_residuals_are_those_of_the_predictions(result):
    entries = result.delivery.entries
    for each in result.delivery.models.values():
        for residuals in each.model.calibration.residuals:
            rows = entries.folds == residuals.fold
            assert residuals.rows == rows.sum()
            if entries.classes:
                left = 1 - each.decided[rows, entries.y[rows]][:, None]
            else:
                left = np.abs(each.decided - entries.y)[rows]
            np.testing.assert_array_equal(residuals.values, np.sort(left, axis=0))


@pytest.mark.parametrize("model", ["single", "committee"])
def test_the_model_that_is_asked_for_is_delivered(model, tmp_path):
    found = run("kind", tmp_path / "run", model=model)
    assert found.delivery.chosen == model
    told = json.loads((tmp_path / "run" / "result.json").read_text())
    assert told["model"] == model
    saved = load_model(tmp_path / "run" / "model.safetensors")
    voters = [member for member in saved.members if member.weight > 0]
    networks = {"single": 1, "committee": 3 * len(found.delivery.delivered.votes)}
    assert len(voters) == networks[model]
    rows = TABLES["kind"](seed=1).drop("kind")
    assert saved.predict(rows).equals(found.delivery.models[model].model.predict(rows))


def test_the_result_tells_all_of_each_model(tmp_path):
    found = run("kind", tmp_path / "run")
    told = json.loads((tmp_path / "run" / "result.json").read_text())
    assert set(told["models"]) == {"single", "committee"}
    for name, about in told["models"].items():
        each = found.delivery.models[name]
        assert about["networks"] == each.networks
        assert about["votes"] == {str(index): weight for index, weight in each.votes.items()}
        assert about["temperature"] == each.model.calibration.temperature
        assert about["cv_mean"] == pytest.approx(np.mean(each.folds))
        assert about["test_metrics"]["log_loss"] == found.outcome.models[name].metrics["log_loss"]
    assert told["test"] == told["models"][told["model"]]["test_metrics"]["log_loss"]


def test_for_a_single_network_no_other_candidates_fold_networks_are_trained(monkeypatch):
    trained, plain = [], Run.networks

    def spied(search, wanted, *told):
        trained.extend(ended.lane for ended in wanted if ended.lane.fold < search.feed.refit)
        return plain(search, wanted, *told)

    monkeypatch.setattr(Run, "networks", spied)
    found = run("kind", model="single")
    assert {lane.candidate for lane in trained} == {found.winner.candidate}
    assert set(found.delivery.models) == {"single"}


# --- the same bits ----------------------------------------------------------------------------


def assert_same(one, other):
    """Both models to the bit: networks, votes by candidate, calibration, predictions."""
    assert list(one.delivery.models) == list(other.delivery.models)
    assert one.delivery.chosen == other.delivery.chosen
    for name, mine in one.delivery.models.items():
        theirs = other.delivery.models[name]
        assert list(mine.votes.values()) == list(theirs.votes.values())
        assert mine.model.calibration.temperature == theirs.model.calibration.temperature
        np.testing.assert_array_equal(mine.decided, theirs.decided)
        assert mine.folds == theirs.folds
        for a, b in zip(mine.model.members, theirs.model.members, strict=True):
            assert (a.weight, a.fold, a.network.candidate) == (
                b.weight,
                b.fold,
                b.network.candidate,
            )
            for (w, bias), (v, other_bias) in zip(a.network.layers, b.network.layers, strict=True):
                np.testing.assert_array_equal(w, v)
                np.testing.assert_array_equal(bias, other_bias)
    assert one.test == other.test


@pytest.fixture(scope="module")
def alone():
    return run("kind")


def test_worse_candidates_beside_the_others_change_no_bit(alone):
    hopeless = (1e-6, 1e-7)
    more = run("kind", rates=(*RATES, *hopeless))
    assert len(more.scores) == 5
    assert len(more.delivery.models["committee"].votes) > 1  # there is a mixture to be changed
    assert_same(alone, more)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_changes_no_bit(alone, threads):
    assert_same(alone, run("kind", threads=threads))


class Ended(BaseException):
    """The end of a process, which no part of the run handles."""


def stop_at(monkeypatch, of, name):
    def stopped(*_, **__):
        raise Ended

    monkeypatch.setattr(of, name, stopped)


def test_a_run_that_ended_before_its_networks_goes_on_to_the_same_bits(
    alone, tmp_path, monkeypatch
):
    with monkeypatch.context() as patched:
        stop_at(patched, Run, "networks")
        with pytest.raises(Ended):
            run("kind", tmp_path / "run")
    assert not (tmp_path / "run" / "networks").exists()
    with monkeypatch.context() as patched:
        stop_at(patched, Journal, "add")  # of a lane of the search, which would be trained again
        again = run("kind", tmp_path / "run")
    assert_same(alone, again)


def test_a_run_that_ended_before_its_result_trains_no_network_again(alone, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        stop_at(patched, pipeline, "write_run")
        with pytest.raises(Ended):
            run("kind", tmp_path / "run")
    assert not (tmp_path / "run" / "result.json").exists()
    with monkeypatch.context() as patched:
        stop_at(patched, Journal, "add")
        stop_at(patched, NetworkStore, "add")
        again = run("kind", tmp_path / "run")
    assert_same(alone, again)
    assert len(again.outcome.openings) == 2


# --- what must not be hidden ------------------------------------------------------------------


def test_rows_without_any_value_have_no_say_in_the_temperature():
    """They keep the classes' shares whatever it is."""
    frame = TABLES["kind"]()
    empty = pl.int_range(pl.len()) % 2 == 0
    result = run("kind", frame=frame.with_columns(pl.when(~empty).then(pl.col("a", "b"))))
    task, entries = result.task, result.delivery.entries
    known = ~task.encoder.without_value(task.x[entries.rows])
    assert 0.3 < known.mean() < 0.7
    for each in result.delivery.models.values():
        weights = [each.votes.get(score.score.index, 0.0) for score in result.selection.shortlist]
        alone = fit_temperature(entries.mixed(np.array(weights))[known], entries.y[known])
        assert each.model.calibration.temperature == pytest.approx(alone, rel=1e-9)


def test_where_the_first_candidate_diverged_nothing_is_told_of_it():
    """Not the figures of another one by its name."""
    result = run("kind", rates=(1e30, 0.01))
    first = next(score for score in result.scores if score.index == 0)
    assert any(first.diverged)
    assert result.winner.index == 1
    assert result.selection.untuned is None
    assert result.outcome.untuned is None


def test_by_a_balanced_metric_each_class_counts_the_same_in_the_choice(monkeypatch):
    """As in the weights of the committee that is compared."""
    told = []
    monkeypatch.setattr(delivery, "beyond_chance", lambda gains, _: bool(told.append(gains)))
    result = run("clicked", metric="balanced_accuracy")
    entries, alone = result.delivery.entries, result.delivery.models["single"]
    place = result.selection.shortlist.index(result.selection.chosen)
    assert alone.votes == {result.winner.index: 1.0}
    gains = losses(entries, with_weights_of_others(entries)) - losses(
        entries, entries.predictions[place]
    )
    for fold, gain in enumerate(told[0]):
        own = entries.folds == fold
        by_class = [gains[own & (entries.y == label)].mean() for label in (0, 1)]
        assert gain == pytest.approx(np.mean(by_class), rel=1e-9)


def test_in_order_of_time_the_network_of_all_rows_is_delivered():
    """What tells the target drifts from one column to another; early folds never saw the second."""
    rng = np.random.default_rng(0)
    x, time = rng.standard_normal((240, 2)), np.linspace(0, 1, 240)
    y = x[:, 0] * (1 - time) + x[:, 1] * time
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "price": y})
    result = run("price", frame=frame, protocol="ordered", epochs=20)
    assert result.delivery.chosen == "single"
    tested = {name: of.metrics["rmse"] for name, of in result.outcome.models.items()}
    assert tested["single"] < 0.9 * tested["committee"]
    # Out of fold the committee is no worse: each fold is judged by what trained just before it.
    models = result.delivery.models
    assert models["committee"].mean < 1.02 * models["single"].mean


@pytest.mark.parametrize("strange", [np.inf, np.nan])
@pytest.mark.parametrize("target", ["price", "kind"])
def test_a_candidate_whose_predictions_are_not_finite_gives_way(target, strange, monkeypatch):
    """As one that diverged: it ends no run."""
    best = run(target).winner.candidate
    plain = Network.decide

    def overflowing(network, x, task):
        decided = plain(network, x, task)
        return decided + strange if network.candidate == best else decided

    monkeypatch.setattr(Network, "decide", overflowing)
    result = run(target)
    assert result.winner.candidate != best
    assert [score.candidate for score in result.selection.skipped] == [best]
    for each in result.delivery.models.values():
        assert np.isfinite(each.decided).all()
        assert np.isfinite(each.promised).all()
