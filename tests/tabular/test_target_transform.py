"""A run whose candidates learn targets in different scales: all compare in the target's own."""

import numpy as np
import polars as pl
import pytest

from cuesta.model import load_model
from cuesta.search.space import Choice, Space
from tests.tabular.tables_to_decide import prices, run


@pytest.fixture(scope="module")
def result():
    skewed = prices().with_columns(pl.col("price").map_batches(lambda p: np.exp((p - 90) / 5)))
    space = Space(
        {
            "optimizer": Choice(("adam",)),
            "learning_rate": Choice((0.03,)),
            "hidden_layer_sizes": Choice(((8,),)),
            "batch_size": Choice((16,)),
            "target_transform": Choice(("none", "log", "quantile")),
            "clamp": Choice((False, True)),
        }
    )
    return run("price", frame=skewed, space=space, candidates=6, model="committee")


def test_a_candidates_score_is_its_networks_rmse_in_the_targets_own_units(result, tmp_path):
    task = result.task
    scores = {score.candidate: score for score in result.scores}
    assert {c.target_transform for c in scores} == {"none", "log", "quantile"}
    checked = set()
    for each in result.delivery.models.values():
        each.model.save(tmp_path / "model")
        for member in load_model(tmp_path / "model").members:
            candidate, fold = member.network.candidate, member.fold
            if fold is None:
                continue
            rows = task.feed.folds[fold].validation
            errors = member.network.decide(task.x[rows], "regression") - task.y[rows]
            # The compiled validation is in float32.
            found = np.sqrt((errors**2).mean())
            np.testing.assert_allclose(scores[candidate].folds[fold], found, rtol=1e-5)
            checked.add(candidate.target_transform)
    assert checked - {"none"}  # some that transform were delivered


def test_intervals_and_promises_are_in_own_units(result):
    """What is said of the model before its test fits what its rows have."""
    committee = result.delivery.models["committee"]
    y = result.task.y[:, 0]
    for residuals in committee.model.calibration.residuals:
        assert 0 < np.median(residuals.values) < np.ptp(y)
    best = min(result.scores, key=lambda score: score.loss)
    assert 0 < best.mean < 2 * y.std()
