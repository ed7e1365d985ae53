import json
import re
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest

from cuesta.data.folds import Sealed
from cuesta.data.table import Table, read_table
from cuesta.errors import CuestaError, RunFolderError, SealError, TableError
from cuesta.model import FittedModel, load_model
from cuesta.search.space import Choice, Space
from cuesta.tabular import prepare as prepare_module
from cuesta.tabular.fit import fit
from cuesta.tabular.listener import Listener
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import prepare
from cuesta.tabular.result import summary, to_json
from cuesta.training import lanes, workers
from cuesta.training.batching import shape_of
from cuesta.training.run import Run

SPACE = Space(
    {
        "optimizer": Choice(("adam", "sgd")),
        "learning_rate": Choice((0.01, 0.03)),
        "hidden_layer_sizes": Choice(((8,),)),
        "batch_size": Choice((16,)),
    }
)
SMALL = {"candidates": 3, "epochs": 6, "folds": 3, "space": SPACE, "baselines": False}
DIVERGING = Space({"optimizer": Choice(("sgd",)), "learning_rate": Choice((1e30,))})


def small(**changes):
    return Options(**{**SMALL, **changes})


def penguins(rows=90, seed=0):
    """A table with numbers, text, booleans and gaps, learnable but not perfectly."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, rows)
    length = 40 + 5 * kind + rng.standard_normal(rows)
    island = np.array(["Biscoe", "Dream", "Torgersen"])[(kind + (rng.random(rows) < 0.2)) % 3]
    gaps = rng.random(rows) < 0.1
    return pl.DataFrame(
        {
            "length": pl.Series(np.where(gaps, np.nan, length)).fill_nan(None),
            "island": island,
            "adult": rng.random(rows) < 0.5,
            "weight": 1e6 + 100 * rng.standard_normal(rows),
            "kind": np.array(["Adelie", "Chinstrap", "Gentoo"])[kind],
        }
    )


@pytest.fixture(scope="module")
def fitted():
    return fit(Table("penguins", penguins()), small(target=("kind",), epochs=15))


def assert_same_models(one, other):
    """The single network and the committee, bit for bit: weights, votes, calibration."""
    assert list(one.delivery.models) == list(other.delivery.models)
    for name, mine in one.delivery.models.items():
        theirs = other.delivery.models[name]
        assert mine.votes == theirs.votes
        assert mine.model.calibration.temperature == theirs.model.calibration.temperature
        np.testing.assert_array_equal(mine.decided, theirs.decided)
        for a, b in zip(mine.model.members, theirs.model.members, strict=True):
            for leaf, like in zip(a.network.layers, b.network.layers, strict=True):
                np.testing.assert_array_equal(leaf[0], like[0])
                np.testing.assert_array_equal(leaf[1], like[1])


def test_the_winner_beats_the_baseline(fitted):
    assert fitted.test["log_loss"] < 0.7 * fitted.outcome.baseline["log_loss"]
    assert fitted.test["accuracy"] > fitted.outcome.baseline["accuracy"]
    low, high = fitted.outcome.intervals["log_loss"][:2]
    assert low <= fitted.test["log_loss"] <= high


def test_the_best_candidate_wins_and_scores_are_means_over_folds(fitted):
    losses = [score.loss for score in fitted.scores]
    assert fitted.winner is fitted.scores[0]
    assert losses == sorted(losses)
    assert fitted.winner.mean == pytest.approx(np.mean(fitted.winner.folds))


def test_the_same_options_give_the_same_bits(fitted):
    again = fit(Table("penguins", penguins()), small(target=("kind",), epochs=15))
    assert again.test == fitted.test
    assert_same_models(again, fitted)


def test_another_seed_gives_another_run(fitted):
    again = fit(Table("penguins", penguins()), small(target=("kind",), epochs=15, seed=1))
    assert again.test != fitted.test


def test_the_model_predicts_as_the_networks_were_trained(fitted):
    """NumPy's forward pass in float64 against the compiled one's validation of the same rows."""
    task, candidate = fitted.task, fitted.winner.candidate
    lane = lanes.Lane(candidate, 0, 0)
    shape = shape_of(candidate, task.encoder.width, 3, "cross_entropy")
    chunk = lanes.Chunk(shape, 2, (lane,), 4, 4)
    result = lanes.train_chunk(chunk, task.feed)
    arrays = task.feed.arrays(0, "standard")
    layers = tuple((layer.w, layer.b) for layer in result.layers[0])
    model = FittedModel.single(
        task.encoder, task.target, candidate, arrays.inputs, arrays.targets, layers
    )
    held = task.feed.folds[0].validation
    shares = model.decide(task.x[held])[np.arange(len(held)), task.y[held]]
    # float32 activations of a network this small are off by a few 1e-7, their logs too.
    assert -np.log(shares).mean() == pytest.approx(result.curves[0, -1, 1], rel=1e-5)


class Spy:
    """Counts how often the test rows are read."""

    def __init__(self, monkeypatch):
        self.opened = 0
        plain = Sealed.open

        def counted(sealed):
            self.opened += 1
            return plain(sealed)

        monkeypatch.setattr(Sealed, "open", counted)


def test_the_test_rows_are_read_once_and_last(monkeypatch):
    spy, seen = Spy(monkeypatch), []

    class Ear(Listener):
        def finished(self):
            seen.append(spy.opened)

    fit(Table("penguins", penguins()), small(target=("kind",)), listener=Ear())
    assert seen == [0]  # not while lanes train
    assert spy.opened == 1


def test_a_second_opening_is_an_error():
    task = prepare(Table("penguins", penguins()), small(target=("kind",)))
    task.sealed.open()
    with pytest.raises(SealError):
        task.sealed.open()


def test_nothing_but_the_test_depends_on_the_test_rows(monkeypatch):
    table = penguins()
    train, test = [], []

    def spied(*arguments, **named):
        found = split(*arguments, **named)
        train[:], test[:] = found
        return found

    split = prepare_module.split_test
    monkeypatch.setattr(prepare_module, "split_test", spied)
    plain = fit(Table("penguins", table), small(target=("kind",)))
    spoiled = table.with_row_index("row").with_columns(
        pl.when(pl.col("row").is_in(test)).then(-5e8).otherwise(pl.col("weight")).alias("weight"),
        pl.when(pl.col("row").is_in(test))
        .then(pl.lit("Elsewhere"))
        .otherwise(pl.col("island"))
        .alias("island"),
    )
    other = fit(Table("penguins", spoiled.drop("row")), small(target=("kind",)))
    assert other.winner == plain.winner
    assert other.test != plain.test
    assert_same_models(other, plain)


def test_the_folder_holds_result_model_candidates_and_chunks(tmp_path):
    folder = tmp_path / "run"
    options = small(target=("kind",))
    result = fit(Table("penguins", penguins()), options, folder)
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "run.json",
        "result.json",
        "model.safetensors",
        "candidates.csv",
        "chunks",
        "networks",
        "instruments.safetensors",
        "openings.txt",
        "SHA256SUMS",
    }
    told = json.loads((folder / "result.json").read_text())
    assert told == json.loads(json.dumps(summary(result, options)))
    needed = "metric cv_mean cv_se test winner epochs lanes diverged seconds versions"
    assert set(needed.split()) <= set(told)
    assert told["lanes"] == 9
    assert told["winner"]["optimizer"] in ("adam", "sgd")
    candidates = pl.read_csv(folder / "candidates.csv")
    assert candidates.height == 3
    assert candidates["mean"][0] == pytest.approx(told["cv_mean"])
    model = load_model(folder / "model.safetensors")
    rows = penguins(seed=1).drop("kind")
    assert model.predict(rows).equals(result.model.predict(rows))


def test_the_same_command_trains_nothing_again(tmp_path):
    options, told = small(target=("kind",)), []

    class Ear(Listener):
        def progressed(self, lane_epochs):
            told.append(("trained", lane_epochs))

        def found(self, lane_epochs):
            told.append(("found", lane_epochs))

    table = Table("penguins", penguins())
    first = fit(table, options, tmp_path / "run")
    second = fit(table, options, tmp_path / "run", Ear())
    assert told == [("found", 3 * 3 * 6)]  # candidates, folds, epochs
    assert (len(first.outcome.openings), len(second.outcome.openings)) == (
        1,
        2,
    )  # and each look at the test is told
    assert second.test == first.test


def test_another_runs_folder_is_left_alone(tmp_path):
    fit(Table("penguins", penguins()), small(target=("kind",)), tmp_path / "run")
    before = (tmp_path / "run" / "result.json").read_bytes()
    with pytest.raises(RunFolderError, match="holds a run on 'penguins'"):
        fit(Table("others", penguins()), small(target=("kind",)), tmp_path / "run")
    assert (tmp_path / "run" / "result.json").read_bytes() == before


def test_all_candidates_diverging_is_a_sentence(tmp_path):
    table = read_table("diabetes")
    with pytest.raises(CuestaError, match="The only candidate diverged; use a space with lower"):
        fit(table, small(candidates=2, space=DIVERGING), tmp_path / "run")
    assert not (tmp_path / "run" / "result.json").exists()


def test_diverged_lanes_are_counted_by_optimizer():
    mixed = Space(
        {"optimizer": Choice(("sgd", "adam")), "hidden_layer_sizes": Choice(((8,),))},
        {"sgd": DIVERGING.common, "adam": {"learning_rate": Choice((0.01,))}},
    )
    result = fit(read_table("diabetes"), small(candidates=2, sampler="grid", space=mixed))
    assert result.selection.diverged_by_optimizer() == {"adam": (0, 3), "sgd": (3, 3)}
    assert result.winner.candidate.optimizer == "adam"


def test_a_refit_that_diverges_gives_way_to_the_next_candidate(monkeypatch):
    plain, refitted = Run.networks, []

    def first_one_diverges(search, wanted, *told):
        found = plain(search, wanted, *told)
        last = [ended for ended in wanted if ended.lane.fold == search.feed.refit]
        refitted.extend(last)
        for ended in last if refitted == last else ():
            del found[ended]
        return found

    monkeypatch.setattr(Run, "networks", first_one_diverges)
    result = fit(Table("penguins", penguins()), small(target=("kind",)))
    assert result.winner is result.scores[1]
    assert any("diverged when trained again" in note for note in result.notes)


def test_the_refit_trains_on_all_training_rows_for_the_chosen_epochs(monkeypatch):
    chunks, plain = [], lanes.train_chunk

    def spied(chunk, feed, *told):
        if chunk.lanes[0].fold == feed.refit:
            chunks.append((chunk, len(feed.folds[feed.refit].train)))
        return plain(chunk, feed, *told)

    monkeypatch.setattr(workers, "train_chunk", spied)
    # Labels without a signal: training longer only does harm, so few epochs are chosen.
    noise = penguins().with_columns(pl.col("kind").shuffle(seed=0))
    quick = Space({"learning_rate": Choice((0.1,)), "batch_size": Choice((16,))})
    options = small(target=("kind",), epochs=15, space=quick, candidates=1)
    result = fit(Table("noise", noise), options)
    ((chunk, rows),) = chunks
    assert rows == len(result.task.x)
    assert chunk.epochs == result.winner.epochs < 15
    assert chunk.schedule_epochs == 15


def test_halving_trains_fewer_epochs_and_says_how_many():
    heard = []

    class Ear(Listener):
        def progressed(self, lane_epochs):
            heard.append(lane_epochs)

        def added(self, lane_epochs):
            heard.append(None)

    options = small(target=("kind",), halving=True, epochs=9, candidates=4)
    result = fit(Table("penguins", penguins()), options, listener=Ear())
    trained = sorted(score.trained for score in result.scores)
    assert trained == [1, 1, 3, 9]
    assert result.winner.trained == 9
    # Survivors train anew from their start; then the networks of all train again for their weights.
    assert sum(heard[: heard.index(None)]) == 3 * (4 * 1 + 2 * 3 + 1 * 9)


def test_products_in_bfloat16_are_told_in_the_result():
    options = small(target=("kind",), precision="bfloat16")
    result = fit(Table("penguins", penguins()), options)
    assert result.winner.candidate.precision == "bfloat16"
    assert {score.candidate.precision for score in result.scores} == {"bfloat16"}


@pytest.mark.slow("starts processes")
def test_any_executor_gives_the_same_result():
    from multiprocessing import get_context

    alone = fit(Table("penguins", penguins()), small(target=("kind",)))
    heard = []

    class Ear(Listener):
        def progressed(self, lane_epochs):
            heard.append(lane_epochs)

        def added(self, lane_epochs):
            heard.append(None)

    def found(executor):
        with executor:
            return fit(
                Table("penguins", penguins()),
                small(target=("kind",)),
                listener=Ear(),
                executor=executor,
            )

    for executor in (
        ThreadPoolExecutor(3),
        ProcessPoolExecutor(1, mp_context=get_context("spawn")),
    ):
        heard.clear()
        result = found(executor)
        assert [s.mean for s in result.scores] == [s.mean for s in alone.scores]
        assert sum(heard[: heard.index(None)]) == alone.selection.lanes * 6
        assert_same_models(result, alone)


@pytest.mark.parametrize("sampler", ["grid", "tpe"])
def test_other_samplers_find_a_winner(sampler):
    result = fit(Table("penguins", penguins()), small(target=("kind",), sampler=sampler))
    assert len(result.scores) == (4 if sampler == "grid" else 3)


@pytest.mark.parametrize("protocol", ["repeated", "ordered", "single"])
def test_other_protocols_find_a_winner(protocol):
    result = fit(Table("penguins", penguins()), small(target=("kind",), protocol=protocol))
    folds = {"repeated": 9, "ordered": 3, "single": 1}[protocol]
    assert len(result.winner.folds) == folds


def test_groups_stay_on_one_side_and_are_no_input():
    table = penguins().with_columns(group=pl.int_range(90) // 6)
    options = small(target=("kind",), protocol="grouped", groups="group")
    task = prepare(Table("penguins", table), options)
    assert "group" not in [feature.name for feature in task.encoder.features]
    assert len(task.x) % 6 == 0
    assert all(len(fold.validation) % 6 == 0 for fold in task.feed.folds)


def test_several_targets_are_predicted_together(tmp_path):
    result = fit(read_table("linnerud"), small(), tmp_path / "run")
    predicted = load_model(tmp_path / "run" / "model.safetensors").predict(
        read_table("linnerud").frame
    )
    assert predicted.columns == ["Weight", "Waist", "Pulse"]
    assert set(result.test) == {"rmse", "mae", "r2", "median_absolute_error"}


def test_regression_is_in_the_targets_own_units():
    frame = read_table("diabetes").frame
    larger = frame.with_columns(pl.col("progression") * 1000)
    small_, large = (fit(Table("d", f), small(target=("progression",))) for f in (frame, larger))
    # Normalization takes the factor out before training; what is left is float64's rounding of
    # the targets, amplified by training in float32.
    assert large.winner.mean == pytest.approx(1000 * small_.winner.mean, rel=1e-3)
    assert large.test["rmse"] == pytest.approx(1000 * small_.test["rmse"], rel=1e-2)


def test_rows_without_a_target_are_left_out_and_said():
    table = penguins().with_columns(
        pl.when(pl.int_range(90) < 4).then(None).otherwise(pl.col("kind")).alias("kind")
    )
    task = prepare(Table("penguins", table), small(target=("kind",)))
    assert len(task.x) + task.test_rows == 86
    assert any("4 rows without a target" in note for note in task.notes)


def test_a_class_rarer_than_the_folds_is_said():
    table = penguins().vstack(penguins(2, 3).with_columns(kind=pl.lit("Emperor")))
    task = prepare(Table("penguins", table), small(target=("kind",)))
    assert any("'Emperor' has" in note for note in task.notes)


def test_dropped_columns_are_no_inputs():
    task = prepare(Table("p", penguins()), small(target=("kind",), drop=("island", "weight")))
    assert [feature.name for feature in task.encoder.features] == ["length", "adult"]


def test_a_target_constant_in_a_fold_is_no_perfect_fold():
    rng = np.random.default_rng(0)
    y = np.where(np.arange(60) < 20, 5.0, rng.normal(5, 3, 60))
    table = Table("t", pl.DataFrame({"x": rng.standard_normal(60), "y": y}))
    result = fit(table, small(target=("y",), task="regression", protocol="ordered"))
    assert min(result.winner.folds) > 0.5  # the values after the first 20 deviate by 3


@pytest.mark.parametrize("word", ["None", "-"])
def test_a_class_may_be_called_none(word):
    kind = pl.Series([word, "Insomnia", "?"] * 20)
    task = prepare(
        Table("t", pl.DataFrame({"x": range(60), "kind": kind})), small(target=("kind",))
    )
    assert task.target.labels == tuple(sorted([word, "Insomnia"]))
    assert any("20 rows without a target" in note for note in task.notes)


@pytest.mark.parametrize(("written", "number"), [("1,5", 1.5), ("1.234,5", 1234.5), ("-2,0", -2.0)])
def test_numbers_with_a_decimal_comma_are_numbers_and_told(written, number):
    values = [written, *[f"{i},{i}" for i in range(59)]]
    frame = pl.DataFrame({"x": values, "y": ["a", "b"] * 30})
    task = prepare(Table("t", frame), small(target=("y",)))
    (feature,) = task.encoder.features
    assert feature.kind == "number"
    assert task.encoder.encode(frame.head(1))[0, 0] == number
    assert any(re.match("x: numbers; .* is read as", note) for note in task.notes)


def test_a_target_named_like_a_probability_is_refused():
    frame = pl.DataFrame({"x": range(60), "p_b": ["a", "b"] * 30})
    with pytest.raises(TableError, match="'p_b'"):
        prepare(Table("t", frame), small(target=("p_b",)))


def test_huge_targets_give_json_all_the_same():
    rng = np.random.default_rng(0)
    table = Table("t", pl.DataFrame({"x": rng.random(60), "y": 1e200 * rng.random(60)}))
    options = small(target=("y",))
    told = json.loads(to_json(summary(fit(table, options), options)))
    assert 1e198 < told["test"] < 1e201
    for model in told["models"].values():
        assert 1e198 < model["expected"] < 1e201
    for baseline in told["baselines"].values():
        assert 1e196 < baseline["cv_se"] < 1e201


def test_without_test_rows_all_train_and_none_are_opened(tmp_path):
    options = small(target=("kind",), test_size=0)
    result = fit(Table("penguins", penguins()), options, tmp_path / "run")
    assert len(result.task.x) == 90
    assert result.outcome is None
    told = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (told["test"], told["test_rows"], told["test_openings"]) == (None, None, [])
    assert not (tmp_path / "run" / "openings.txt").exists()
