"""Real tables as they come: cuesta's command by default, beside scikit-learn's tuned MLP and trees.

    python bench/tables.py --tables FOLDER [--seeds 3] [NAME ...]

FOLDER holds adult-train.csv, adult-test.csv, housing.csv, mammography.csv and penguins.csv. cuesta
is the command with nothing but the table and its target; the MLP is GridSearchCV over a pipeline
(imputation with an indicator, scaling, one-hot; learning rate and alpha; 5 folds; two jobs; early
stopping, as its users set it, from 5,000 rows on); HistGradientBoosting has its defaults, texts as
categories. All see the same training and test rows; seconds are those of the whole fit.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from cuesta.data.columns import as_numbers
from cuesta.data.encode import encode_target, fit_target, without_full_stops
from cuesta.data.folds import split_test
from cuesta.data.table import read_table
from cuesta.metrics import classification_metrics, regression_metrics
from cuesta.tabular.options import Options
from cuesta.tabular.read import Tidied, tidied

GRID = {"learning_rate_init": [1e-3, 3e-3, 1e-2], "alpha": [1e-4, 1e-2, 1.0]}
MANY_ROWS = 5_000


@dataclass(frozen=True)
class Case:
    """A table, how the command is called on it, and what is measured."""

    file: str
    target: str
    metric: str
    bar: float
    header: bool = True
    test: str = ""
    options: tuple[str, ...] = ()


CASES = {
    "adult": Case("adult-train.csv", "14", "accuracy", 0.852, False, "adult-test.csv"),
    "housing": Case("housing.csv", "median_house_value", "rmse", 52_000),
    "mammography": Case("mammography.csv", "6", "roc_auc", 0.93, False),
    "mammography, balanced": Case(
        "mammography.csv", "6", "balanced_accuracy", float("nan"), False,
        options=("--metric", "balanced_accuracy"),
    ),
    "penguins": Case("penguins.csv", "species", "accuracy", 0.98),
}  # fmt: skip


def ours(case: Case, tables: Path, seed: int) -> tuple[float, float]:
    """Run the command in a new folder: the metric on the test rows, and seconds."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cuesta", "fit", str(tables / case.file)]
        command += ["--target", case.target, "--seed", str(seed), "--json", *case.options]
        command += ["--out", f"{folder}/run"] + ([] if case.header else ["--no-header"])
        command += ["--test", str(tables / case.test)] if case.test else []
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["test_metrics"][case.metric], time.perf_counter() - began


@dataclass(frozen=True)
class Rows:
    """Training and test rows in the form that scikit-learn takes: numbers, and texts as objects."""

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    texts: list[int]
    classes: bool


def matrix(chosen: Tidied) -> tuple[np.ndarray, list[int]]:
    """Inputs as scikit-learn takes them, and the places of the texts among them."""
    columns, texts = [], []
    for place, (name, kind) in enumerate(chosen.kinds.items()):
        series = chosen.frame[name]
        if kind.name == "category":
            texts.append(place)
            columns.append(series.fill_null("missing").to_numpy().astype(object))
        else:
            columns.append(as_numbers(series))
    return np.stack(columns, axis=1).astype(object), texts


def rows_of(case: Case, tables: Path, seed: int) -> Rows:
    """The rows as the command reads and splits them."""
    options = Options(target=(case.target,))
    chosen = tidied(read_table(str(tables / case.file), header=case.header), options)
    target = fit_target(chosen.frame, chosen.targets, "auto")
    y, classes = encode_target(chosen.frame, target), target.task == "classification"
    x, texts = matrix(chosen)
    if case.test:
        test = tidied(read_table(str(tables / case.test), header=case.header), options)
        frame, _ = without_full_stops(test.frame, target)
        return Rows(x, y, matrix(test)[0], encode_target(frame, target), texts, classes)
    how = {"classes": classes, "share": 0.2, "protocol": "kfold", "groups": None, "seed": seed}
    train, held = split_test(y, **how)
    return Rows(x[train], y[train], x[held], y[held], texts, classes)


def tuned_mlp(rows: Rows, seed: int, *, balanced: bool) -> Any:
    """GridSearchCV over scikit-learn's scaled MLP, as its users set it up."""
    numbers = [i for i in range(rows.x.shape[1]) if i not in rows.texts]
    scale = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    steps = ColumnTransformer([("numbers", scale, numbers), ("texts", encode, rows.texts)])
    early = {"early_stopping": True} if len(rows.y) >= MANY_ROWS else {"max_iter": 500}
    kind = MLPClassifier if rows.classes else MLPRegressor
    model: Any = make_pipeline(steps, kind(random_state=seed, **early))
    prefix = f"{kind.__name__.lower()}__"
    scoring = "balanced_accuracy" if balanced else None
    if not rows.classes:
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
        prefix, scoring = f"regressor__{prefix}", "neg_root_mean_squared_error"
    grid = {prefix + name: values for name, values in GRID.items()}
    return GridSearchCV(model, grid, cv=5, n_jobs=2, scoring=scoring)


def trees(rows: Rows, seed: int, *, balanced: bool) -> Any:
    """HistGradientBoosting with its defaults; texts are categories."""
    code = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=250
    )
    rest = "passthrough"
    steps = ColumnTransformer([("texts", code, rows.texts)], remainder=rest)
    categories = list(range(len(rows.texts)))
    how: dict[str, Any] = {"categorical_features": categories, "random_state": seed}
    if rows.classes:
        weight = "balanced" if balanced else None
        return make_pipeline(steps, HistGradientBoostingClassifier(class_weight=weight, **how))
    return make_pipeline(steps, HistGradientBoostingRegressor(**how))


def peer(make: Any, case: Case, tables: Path, seed: int) -> tuple[float, float]:
    """Fit a peer to the training rows: the metric on the test rows, and seconds."""
    rows = rows_of(case, tables, seed)
    model = make(rows, seed, balanced=case.metric == "balanced_accuracy")
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of the grid's corners do not converge
        model.fit(rows.x, rows.y if rows.classes else rows.y[:, 0])
    wall = time.perf_counter() - began
    if rows.classes:
        found = classification_metrics(rows.test_y, model.predict_proba(rows.test_x))
    else:
        found = regression_metrics(rows.test_y, model.predict(rows.test_x)[:, None])
    return found[case.metric], wall


WHO = {
    "cuesta fit": ours,
    "scikit-learn MLP, tuned": partial(peer, tuned_mlp),
    "HistGradientBoosting": partial(peer, trees),
}


def main() -> None:
    """Print a row for each table and contender."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=[*CASES])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tables", type=Path, required=True)
    given = parser.parse_args()
    print("| table | metric (bar) | who | mean ± s.e. | each seed | seconds |")
    print("|---|---|---|---|---|---|", flush=True)
    for name in given.names:
        case = CASES[name]
        for who, run in WHO.items():
            found = [run(case, given.tables, seed) for seed in range(given.seeds)]
            values = np.array([value for value, _ in found])
            error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
            each = " ".join(f"{value:.5g}" for value in values)
            seconds = np.mean([wall for _, wall in found])
            cells = [
                name,
                f"{case.metric} ({case.bar:g})",
                who,
                f"{values.mean():.5g} ± {error:.2g}",
            ]
            print(f"| {' | '.join([*cells, each])} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
