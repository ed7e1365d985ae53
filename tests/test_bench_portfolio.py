"""The portfolio's bench: its lanes are the engine's, its arithmetic is by hand."""

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

sys.path.append(str(Path(__file__).parents[1] / "bench"))
import ingredients
import portfolio_choice as choice
import portfolio_entries as reading
import portfolio_lanes as lanes
from cuesta.data.table import read_table
from cuesta.hyperparameters import Candidate
from cuesta.tabular.find import Means
from cuesta.tabular.options import Options
from cuesta.tabular.prepare import prepare

SIZE = reading.TableSize(100, 2, "regression")
SMALL = {"hidden_layer_sizes": [4], "batch_size": 16}


def entry(**values):
    return reading.Entry("one", SMALL | values)


@pytest.fixture
def suite(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 2))
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": np.where(x[:, 0] > 0, "up", "down")})
    (tmp_path / "t").mkdir()
    frame.write_csv(tmp_path / "t" / "train.csv")
    about = {"t": {"target": "y", "task": "classification", "train_rows": 80, "columns": 2}}
    (tmp_path / "suite.json").write_text(json.dumps(about), encoding="utf-8")
    return tmp_path


def trained(suite, entries, epochs=10):
    (table,) = lanes.training_tables(suite, None)
    settings = lanes.Settings(suite / "cache", epochs, folds=2, parts=2)
    said = []
    lanes.Trainer([table], entries, settings, 1, 1e9, said.append).train()
    return table, settings, said


def test_steps_become_epochs_of_the_fold():
    # 100 rows in 5 folds train 80 at a time: 5 batches of 16, so that 12 steps take 3 epochs.
    assert entry(steps=12).on(SIZE, 50, 5).epochs == 3
    assert entry(epochs=7).on(SIZE, 50, 5).epochs == 7
    assert entry().on(SIZE, 50, 5).epochs == 50


def test_a_file_has_entries_and_what_is_common_to_them(tmp_path):
    path = tmp_path / "some.toml"
    path.write_text('[defaults]\ndropout = 0.1\n[a]\n[b]\ndropout = 0.2\nactivation = "tanh"\n')
    made = {each.name: each.on(SIZE, 5, 5) for each in reading.read_entries(str(path))}
    assert made["a"] == Candidate(dropout=0.1, batch_size=8, epochs=5)
    assert made["b"].dropout == 0.2
    script = tmp_path / "some.py"
    script.write_text(
        "CONFIGS = {'a': lambda size: {'batch_size': size.rows, 'dropout': lambda s: .1}}"
    )
    (made_by_function,) = reading.read_entries(str(script))
    made = made_by_function.on(SIZE, 5, 5)
    assert made == Candidate(batch_size=100, dropout=0.1, epochs=5)


def test_a_lane_is_the_one_that_a_run_trains(suite):
    one = entry(learning_rate=0.02)
    table, settings, _ = trained(suite, [one, entry(learning_rate=0.01)])
    options = Options(target=("y",), folds=2, test_size=0.0, epochs=10)
    task = prepare(read_table(str(table.path)), options)
    run = Means().run(task, options)
    candidate = one.on(table.size, 10, 2)
    run.train([candidate], lambda _: None)
    for fold, record in enumerate(run.records(candidate)):
        with np.load(table.file(one, fold, settings)) as kept:
            np.testing.assert_array_equal(kept["curves"], record.curves)
            losses = [choice.loss_of(each, classes=True) for each in kept["outcomes"]]
            # Predictions are made in float64, the curve in float32.
            np.testing.assert_allclose(losses, record.curves[kept["epochs"] - 1, 1], rtol=1e-5)


def test_what_is_there_is_not_trained_again_and_what_another_is_at_is_left(suite):
    table, settings, said = trained(suite, [entry()])
    assert len(said) == 2
    assert not trained(suite, [entry()])[2]
    assert len(trained(suite, [entry(), entry(dropout=0.5)])[2]) == 2
    with lanes.locked(table.folder(0, settings)):
        assert len(trained(suite, [entry(dropout=0.3)])[2]) == 1
    judged = choice.judge(table, [entry(), entry(dropout=0.5)], settings)
    assert judged.outcomes.shape == (2, 80)
    assert np.isfinite(judged.losses).all()


def judged_of(errors):
    """Entries by their errors of one target, two folds."""
    outcomes = np.asarray(errors, float)[:, :, None]
    ones = np.ones(len(outcomes))
    folds = np.arange(outcomes.shape[1]) % 2
    losses = np.sqrt((outcomes[..., 0] ** 2).mean(axis=1))
    return choice.Judged(False, losses, ones, ones, ones, outcomes, folds)


def test_who_complements_joins_before_who_is_better_alone():
    # Alone 1, 1.1 and about 3; three parts of the first and one of the last leave ±.5/4.
    last = -3 + 0.5 * np.array([1, 1, -1, -1] * 2)
    judged = judged_of([np.ones(8), np.full(8, 1.1), last])
    assert judged.committee([0]) == pytest.approx(1)
    assert judged.committee([0, 2]) == pytest.approx(0.125)
    order = choice.forward_choice([judged], 2, 0.0)
    assert [place for place, _ in order] == [0, 2]
    assert order[1][1] == pytest.approx(0.125)


def test_a_cost_ends_the_choice_where_another_one_brings_less():
    judged = judged_of([[1, 1, -1, -1] * 2, [-0.9, -1.3, 1.1, 0.8] * 2])
    gain = math.log(judged.committee([0, 1]) / judged.committee([0]))
    assert gain < 0
    assert len(choice.forward_choice([judged], 2, -gain / 2)) == 2
    assert len(choice.forward_choice([judged], 2, -gain * 2)) == 1


def test_a_committee_is_weighed_by_the_other_folds():
    # By its own rows the second fold would take the second entry alone; the first fold says 0.
    errors = np.array([[1.0, 5.0] * 4, [9.0, 0.0] * 4])
    judged = judged_of(errors)
    # The first fold, by the second's rows: the second entry, 9; the second: mostly the first.
    assert judged.committee([0, 1]) > 5


def test_an_ingredient_is_switched_off_where_it_is():
    has = Candidate(activation="silu", dropout=0.1, normalize="quantile", epochs=10)
    assert ingredients.without(has, "dropout") == replace(has, dropout=0.0)
    assert ingredients.without(has, "clamp") == has
    assert ingredients.without(has, ingredients.LENGTH).epochs == 4
    tanh = replace(has, activation="tanh", normalize="minmax")
    # What is neither smooth in that sense, nor of quantiles, stays.
    assert ingredients.without(tanh, ingredients.ALL) == replace(tanh, dropout=0.0)
