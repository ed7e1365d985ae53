"""Test metrics beside scikit-learn's scaled, tuned MLP, on the same test rows, over seeds.

    python bench/quality.py [--seeds 5] [--tables FOLDER] [NAME ...]

The peer: StandardScaler (and one-hot, and imputation with a missing indicator) before
MLPClassifier or MLPRegressor, GridSearchCV over learning rate and alpha with 5 folds, the target
of a regression standardized too. NAME is a bundled data set, or penguins or housing, read from
FOLDER.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from cuesta.data.columns import as_numbers, kind_of, tidy
from cuesta.data.encode import encode_target, fit_target
from cuesta.data.folds import split_test
from cuesta.data.table import read_table
from cuesta.metrics import classification_metrics, regression_metrics
from cuesta.tabular.options import Options
from cuesta.tabular.read import tidied

FILES = {
    "penguins": ("penguins.csv", "species"),
    "housing": ("housing.csv", "median_house_value"),
}
BUNDLED = ("breast_cancer", "digits", "wine", "diabetes")
GRID = {"learning_rate_init": [1e-3, 3e-3, 1e-2], "alpha": [1e-4, 1e-2, 1.0]}
MOST_EPOCHS = 500


def ours(source: str, target: str | None, seed: int, metric: str) -> dict[str, Any]:
    """Run the command as a user would, in a new folder."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cuesta", "fit", source, "--seed", str(seed), "--json"]
        command += ["--out", f"{folder}/run", "--metric", metric]
        command += ["--target", target] if target else []
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout) | {"wall": time.perf_counter() - began}


@dataclass(frozen=True)
class Rows:
    """A table split as the command splits it, in the form that scikit-learn takes."""

    x: np.ndarray
    y: np.ndarray
    texts: list[int]
    classes: bool
    train: np.ndarray
    test: np.ndarray


def rows_of(source: str, target: str | None, seed: int) -> Rows:
    """The same training and test rows as the command's with this seed."""
    chosen = tidied(read_table(source), Options(target=(target,) if target else ()))
    frame, names = chosen.frame, chosen.targets
    spec = fit_target(frame, names, "auto")
    y = encode_target(frame, spec)
    classes = spec.task == "classification"
    train, test = split_test(
        y, classes=classes, share=0.2, protocol="kfold", groups=None, seed=seed
    )
    columns, texts = [], []
    for place, name in enumerate(frame.drop(names).columns):
        series = tidy(frame[name])
        if kind_of(series) == "category":
            texts.append(place)
            columns.append(series.fill_null("missing").to_numpy().astype(object))
        else:
            columns.append(as_numbers(series))
    return Rows(np.stack(columns, axis=1), y, texts, classes, train, test)


def peer_search(rows: Rows, seed: int) -> Any:
    """GridSearchCV over scikit-learn's scaled MLP, as its users set it up."""
    numbers = [i for i in range(rows.x.shape[1]) if i not in rows.texts]
    scale = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    prepare = ColumnTransformer([("numbers", scale, numbers), ("texts", encode, rows.texts)])
    kind = MLPClassifier if rows.classes else MLPRegressor
    model: Any = make_pipeline(prepare, kind(max_iter=MOST_EPOCHS, random_state=seed))
    prefix = f"{kind.__name__.lower()}__"
    scoring = None
    if not rows.classes:
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
        prefix, scoring = f"regressor__{prefix}", "neg_root_mean_squared_error"
    grid = {prefix + name: values for name, values in GRID.items()}
    return GridSearchCV(model, grid, cv=5, n_jobs=2, scoring=scoring)


def peer(source: str, target: str | None, seed: int) -> dict[str, Any]:
    """Grid-search scikit-learn's MLP on the same training rows; measure on the same test rows."""
    rows = rows_of(source, target, seed)
    x, y, test = rows.x, rows.y, rows.test
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of the grid's corners do not converge
        search = peer_search(rows, seed).fit(x[rows.train], y[rows.train].squeeze())
    wall = time.perf_counter() - began
    if rows.classes:
        found = classification_metrics(y[test], search.predict_proba(x[test]))
    else:
        found = regression_metrics(y[test], search.predict(x[test]).reshape(len(test), -1))
    return {"test_metrics": found, "wall": wall}


def mean_se(values: list[float]) -> tuple[float, float]:
    """Mean and standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values)))


def main() -> None:
    """Print a row for each data set and metric."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=[*BUNDLED, *FILES])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tables", type=Path, default=Path("../shared/data/tables"))
    parser.add_argument("--metric", default="auto", help="what cuesta selects by")
    parser.add_argument("--raw", type=Path, help="append every measurement here, as JSON lines")
    given = parser.parse_args()
    print("| table | metric | cuesta | scikit-learn | difference | at least as good | seconds |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for name in given.names:
        file, target = FILES.get(name, (name, None))
        source = str(given.tables / file) if name in FILES else name
        if name in FILES and not Path(source).exists():
            print(f"| {name} | not measured: {source} is not there | | | | | |")
            continue
        pairs = []
        for seed in range(given.seeds):
            pairs.append((ours(source, target, seed, given.metric), peer(source, target, seed)))
            if given.raw:
                with given.raw.open("a") as file_:
                    file_.write(json.dumps([name, seed, given.metric, *pairs[-1]]) + "\n")
        show(name, pairs)


def show(name: str, pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """Print the rows of one data set: better means higher accuracy, lower log-loss or RMSE."""
    metrics = ("accuracy", "log_loss") if "accuracy" in pairs[0][0]["test_metrics"] else ("rmse",)
    for metric in metrics:
        a = [mine["test_metrics"][metric] for mine, _ in pairs]
        b = [theirs["test_metrics"][metric] for _, theirs in pairs]
        sign = 1 if metric == "accuracy" else -1
        gain, se = mean_se([sign * (x - y) for x, y in zip(a, b, strict=True)])
        cells = [f"{m:.4g} ± {s:.2g}" for m, s in (mean_se(a), mean_se(b))]
        walls = [np.mean([p[i]["wall"] for p in pairs]) for i in (0, 1)]
        verdict = "yes" if gain >= -se * (1 + 1e-9) else "no"  # equal counts, to a rounding
        seconds = f"{walls[0]:.0f} / {walls[1]:.0f}"
        row = [name, metric, *cells, f"{sign * gain:+.3g} ± {se:.2g}", verdict, seconds]
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
