"""Six UCI regression sets on their fixed splits, beside the published figures.

    python bench/uci.py [FOLDER] [--sets bostonHousing,yacht] [--splits N] [--threads N]
        [--methods dropout,committee] [--set numeric_embedding=plr] [--dropout-set activation=tanh]
        [--steps 3000] [--dropout-steps 16000] [--draws 1000]

FOLDER is the folder of the sets (Hernández-Lobato and Adams, 2015; Gal and Ghahramani, 2016). The
published figures are those of Monte-Carlo dropout, its rerun of 2018.

dropout: the same, with the published grid and choice, in our engine: one layer of the set's units,
ReLU, Adam, batches of 128. The published networks train for 100 times the epochs of n_epochs.txt by
a constant rate of .001; ours for 10 times as many, or the steps given where that is more, by a rate
that decays from .01. Inputs are not dropped, and there is no L2 penalty (theirs, 1e-4(1 − p)/2Nτ,
is below any effect).
committee: variants of one network on five folds of a split's training rows, weighed out of fold (of
sets with many rows one alone); a row's variance is that of the members and of the residuals out of
fold.

Nothing is chosen by test rows. `--set` and `--dropout-set` give hyper-parameters of a candidate.
RMSE and the mean log-likelihood are in the target's own units, with standard errors over splits;
a figure counts as reached where it is at least as good as the published mean.
"""

from __future__ import annotations

import argparse
import ast
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cuesta.baselines.threads import one_thread
from cuesta.training.planner import thread_count
from uci_data import PUBLISHED, read_set
from uci_methods import Figures, Trainer, committee_figures, default_variants, dropout_figures

DROPOUT = {
    "activation": "relu",
    "init": "glorot",
    "learning_rate": 1e-2,
    "final_learning_rate": 1e-5,
    "batch_size": 128,
}
COMMITTEE = {
    "hidden_layer_sizes": (128, 64),
    "activation": "silu",
    "numeric_embedding": "plr",
    "schedule": "cosine",
    "learning_rate": 3e-3,
    "final_learning_rate": 3e-5,
    "weight_decay": 1e-2,
}
VARIANTS = ({"dropout": 0.0}, {"dropout": 0.1})  # of the committee's network, of one shape
MANY = 5000  # from so many rows on the first one alone, for the time that they take
METHODS = ("dropout", "committee")


def assigned(texts: Sequence[str]) -> dict[str, Any]:
    """Values given as NAME=VALUE. Raises ValueError for what is not."""
    found = {}
    for text in texts:
        name, equal, value = text.partition("=")
        if not equal:
            raise ValueError(f"{text!r} is not NAME=VALUE")
        try:
            found[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[name] = value
    return found


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and its standard error over the splits."""
    return float(np.mean(values)), float(np.std(values) / math.sqrt(len(values)))


def cells_of(name: str, figures: Sequence[Figures]) -> list[str]:
    """RMSE and log-likelihood of a method, those that fall behind the published ones marked."""
    (rmse, rmse_error), (likelihood, likelihood_error) = map(
        mean_and_error, zip(*figures, strict=True)
    )
    (their_rmse, _), (their_likelihood, _) = PUBLISHED[name]
    behind = ["" if rmse <= their_rmse else " *", "" if likelihood >= their_likelihood else " *"]
    return [
        f"{rmse:.3g} ± {rmse_error:.1g}{behind[0]}",
        f"{likelihood:.2f} ± {likelihood_error:.2f}{behind[1]}",
    ]


def main(arguments: Sequence[str]) -> int:
    """Read the command line and do what it says; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("../shared/data/uci"))
    parser.add_argument("--sets", default=",".join(PUBLISHED))
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--threads", type=int, default=thread_count())
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--dropout-set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--steps", type=int, default=3000, help="of each of the committee's")
    parser.add_argument("--dropout-steps", type=int, default=16_000, help="of dropout's, at least")
    parser.add_argument("--draws", type=int, default=1000, help="of Monte-Carlo dropout")
    given = parser.parse_args(arguments)
    methods = given.methods.split(",")
    trainer = Trainer(given.threads, given.seed)
    values = COMMITTEE | assigned(given.set)
    names = ["set", "splits", "published RMSE", "published log-likelihood"]
    names += [f"{method}'s {what}" for method in methods for what in ("RMSE", "log-likelihood")]
    print(f"| {' | '.join([*names, 'seconds'])} |")
    print("|---" * (len(names) + 1) + "|", flush=True)
    for name in given.sets.split(","):
        one = read_set(given.folder / name, given.splits)
        (rmse, rmse_error), (likelihood, likelihood_error) = PUBLISHED[name]
        cells = [name, str(len(one.splits)), f"{rmse:.3g} ± {rmse_error:.1g}"]
        cells.append(f"{likelihood:.2f} ± {likelihood_error:.2f}")
        seconds = []
        for method in methods:
            began = time.perf_counter()
            with one_thread():  # of the matrix library, beside the lanes' own
                if method == "dropout":
                    settings = DROPOUT | assigned(given.dropout_set)
                    found = list(
                        dropout_figures(one, settings, trainer, given.dropout_steps, given.draws)
                    )
                else:
                    grid = VARIANTS[:1] if len(one.x) >= MANY else VARIANTS
                    variants = default_variants(values, grid)
                    found = list(committee_figures(one, variants, trainer, given.steps))
            seconds.append(f"{time.perf_counter() - began:.0f}")
            cells += cells_of(name, found)
        print(f"| {' | '.join([*cells, ' / '.join(seconds)])} |", flush=True)
    print("\n* behind the published mean.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
