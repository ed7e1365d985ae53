"""Metrics to select by: the winner is the best of the shortlist out of fold."""

import io
import json

import numpy as np
import polars as pl
import pytest
from rich.console import Console
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    jaccard_score,
    max_error,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
)
from typer.testing import CliRunner

from cuesta.cli import app
from cuesta.report.run.terminal import show_result
from cuesta.search.choice import CHOICES
from tests.tabular.tables_to_decide import clicks, run

# scikit-learn's own functions of the truth and the shares of the second label, or of values;
# higher is better.
CLASSES = {
    "roc_auc": roc_auc_score,
    "average_precision": average_precision_score,
    "f1": lambda y, share: f1_score(y, share > 0.5),
    "brier": lambda y, share: -brier_score_loss(y, share),
    "jaccard": lambda y, share: jaccard_score(y, share > 0.5),
}
VALUES = {
    "mae": lambda y, values: -mean_absolute_error(y, values),
    "r2": r2_score,
    "neg_max_error": lambda y, values: -max_error(y, values),
}
RATES = (0.1, 0.03, 0.01, 0.003)


@pytest.mark.parametrize("metric", [*CLASSES, *VALUES])
def test_the_winner_is_the_best_of_the_shortlist_out_of_fold(metric):
    target, score = ("clicked", CLASSES[metric]) if metric in CLASSES else ("price", VALUES[metric])
    result = run(target, metric=metric, rates=RATES)
    entries, shortlist = result.delivery.entries, result.selection.shortlist
    assert len(shortlist) == len(RATES)
    y = entries.y if entries.classes else entries.y[:, 0]
    means = []
    for predictions in entries.predictions:
        told = predictions[:, -1]
        folds = [entries.folds == fold for fold in range(3)]
        means.append(np.mean([score(y[own], told[own]) for own in folds]))
    assert result.winner is shortlist[int(np.argmax(means))].score
    # The single network is the winner's; of classes its shares are sharpened, so ranks alone stay.
    if metric in ("roc_auc", "average_precision", *VALUES):
        sign = 1 if result.task.measured.higher_is_better else -1
        # Sharpening may join or part shares that are equal to the last bits: one pair of ranks.
        assert sign * result.delivery.models["single"].mean == pytest.approx(max(means), abs=1e-3)


def test_of_about_equals_by_the_metric_that_selects_the_simplest_wins():
    """By hand: within one standard error of the best ROC-AUC, the first of networks of one size."""
    rates = (0.003, 0.01, 0.03, 0.1)
    found = {how: run("clicked", metric="roc_auc", rates=rates, choose=how) for how in CHOICES}
    result = found["one-se"]
    entries = result.delivery.entries
    folds = np.array(
        [
            [
                roc_auc_score(entries.y[entries.folds == f], told[entries.folds == f, 1])
                for f in range(3)
            ]
            for told in entries.predictions
        ]
    )
    means = folds.mean(axis=1)
    best = means.argmax()
    # Of three folds, each half as large as what trains (Nadeau and Bengio, 2003).
    error = folds[best].std(ddof=1) * np.sqrt(1 / 3 + 1 / 2)
    near = [
        each.score.index
        for each, mean in zip(result.selection.shortlist, means, strict=True)
        if mean >= means[best] - error
    ]
    assert result.winner.index == min(near)
    assert found["best"].winner is found["best"].selection.shortlist[best].score
    assert found["best"].winner.index != result.winner.index  # they are two choices


def test_another_metric_than_the_curve_may_have_another_winner():
    """Else the law above would hold for a run that looks at the curves alone."""
    winners = set()
    for metric in ("log_loss", "f1", "jaccard"):
        result = run("clicked", metric=metric, rates=RATES)
        winners.add(result.winner is result.scores[0])
    assert winners == {True, False}


@pytest.mark.parametrize(
    ("target", "metric", "curve"),
    [
        ("clicked", "roc_auc", "log_loss"),
        ("clicked", "accuracy", "accuracy"),
        ("clicked", "jaccard", "log_loss"),
        ("price", "mae", "rmse"),
    ],
)
def test_by_which_curve_candidates_were_compared_is_told(target, metric, curve, tmp_path):
    result = run(target, tmp_path / "run", metric=metric)
    told = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (told["metric"], told["curve"]) == (metric, curve)
    table = pl.read_csv(tmp_path / "run" / "candidates.csv")
    assert set(table["metric"]) == {curve}
    file = io.StringIO()
    show_result(Console(file=file, width=200), result, None)
    shown = file.getvalue()
    name = {"log_loss": "log-loss", "rmse": "RMSE"}.get(curve, curve)
    assert f"{name}, mean ± s.e." in shown
    assert (f"compared by {name}, epoch by epoch" in shown) == (metric != curve)


@pytest.mark.parametrize(
    ("metric", "parts"),
    [
        ("roc", ["'roc'", "unknown; did you mean 'roc_auc'? Take", "average_precision"]),
        ("mae", ["'mae'", "for regression, not for classification: take accuracy"]),
        ("calibration_error", ["'calibration_error'", "never selected by"]),
    ],
)
def test_a_wrong_name_is_one_sentence(metric, parts, in_folder):
    clicks().write_csv("clicks.csv")
    told = CliRunner().invoke(
        app, ["fit", "clicks.csv", "--target", "clicked", "--metric", metric, "--out", "run"]
    )
    assert told.exit_code == 2
    for part in parts:
        assert part in " ".join(told.output.split())
    assert "Traceback" not in told.output
    assert not (in_folder / "run" / "result.json").exists()


def test_a_fold_that_lacks_a_class_does_not_hide_the_others():
    """ROC-AUC of a fold without the second label is unknown; that of the other folds counts."""
    frame = clicks(60).with_columns(
        # Groups of which two alone hold a second label each.
        group=pl.int_range(60) // 20,
        clicked=pl.when(pl.int_range(60) % 20 < pl.int_range(60) // 20 * 5)
        .then(pl.lit("yes"))
        .otherwise(pl.lit("no")),
    )
    result = run(
        "clicked", frame=frame, protocol="grouped", groups="group", metric="roc_auc", test_size=0
    )
    folds = np.array(result.delivery.delivered.folds)
    assert np.isnan(folds).sum() == 1
    assert result.delivery.delivered.mean == pytest.approx(np.nanmean(folds))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--target", "clickd"], "did you mean 'clicked'? (--target)."),
        (["--target", "clicked", "--drop", "nosuch"], "(--drop)."),
        (["--target", "clicked", "--outer", "3"], "outer is for the nested protocol"),
        (
            ["--target", "clicked", "--threshold", "0.3", "--costs", "1,5"],
            "--costs and a threshold exclude each other",
        ),
    ],
)
def test_a_refusal_names_the_option(arguments, told, in_folder):
    clicks().write_csv("clicks.csv")
    done = CliRunner().invoke(app, ["fit", "clicks.csv", *arguments, "--out", "run"])
    assert done.exit_code == 2
    assert told in " ".join(done.output.split())
