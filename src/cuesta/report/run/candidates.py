"""Candidates in a line each, and the table of the best."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from rich.table import Table

from cuesta._text import count
from cuesta.hyperparameters import Candidate
from cuesta.report.console import sentence
from cuesta.report.run.words import NAMES, number
from cuesta.search.near import is_read
from cuesta.search.select import Score

SHOWN = 10
DEFAULTS = Candidate()
# Shown where they differ from the defaults, as they stand in a search space.
OTHERS = (
    "architecture",
    "numeric_embedding",
    "embedding_size",
    "embedding_frequencies",
    "embedding_sigma",
    "embedding_bins",
    "category_embedding",
    "input_scale",
    "loss",
    "label_smoothing",
    "huber_delta",
    "target_transform",
    "clamp",
    "precision",
)


def best_table(scores: list[Score], metric: str, winner: int, tied: Collection[int]) -> Table:
    """The best candidates: mean and standard error of their metric, epochs, hyper-parameters.

    The winner's place is followed by *, those that the folds cannot tell from it by ≈.
    """
    title = f"best {min(SHOWN, len(scores))} of {count(len(scores), 'candidate')}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("", justify="right")
    table.add_column(f"{NAMES[metric]}, mean ± s.e.", no_wrap=True)
    table.add_column("epochs", justify="right")
    table.add_column("candidate")
    also = varied(scores)
    for place, score in enumerate(scores[:SHOWN], start=1):
        mean = (
            f"{number(score.mean)} ± {number(score.se)}" if not any(score.diverged) else "diverged"
        )
        row = sentence(describe(score.candidate, also))
        mark = "*" if score.index == winner else "≈" if score.index in tied else " "
        table.add_row(f"{place}{mark}", mean, str(score.epochs), row)
    return table


def varied(scores: list[Score]) -> list[str]:
    """Of the parameters that are printed only where they vary, those that do."""
    names = ("batch_size", "normalize", "dialect", "epsilon", "epochs")
    return [n for n in names if len({getattr(score.candidate, n) for score in scores}) > 1]


def describe(candidate: Candidate, also: Iterable[str] = ()) -> str:
    """A candidate in a line: optimizer, layers, what differs from the defaults, then `also`.

    Parameters have their names in a search space, but for `lr`, the learning rate: 0.01→0.001 is
    its decay, by a line unless it is followed by the name of another schedule. "128-64" are the
    sizes of the hidden layers.
    """
    sizes = "-".join(map(str, candidate.hidden_layer_sizes)) or "no hidden layer"
    rate = f"lr={candidate.learning_rate:.3g}"
    if candidate.final_learning_rate is not None:
        rate += f"→{candidate.final_learning_rate:.2g}"
    if candidate.schedule != DEFAULTS.schedule:
        rate += f" {candidate.schedule}"
    parts = [candidate.optimizer, rate, sizes, candidate.activation, candidate.init]
    own = {"momentum": ("momentum",), "rmsprop": ("rho",), "adam": ("beta_1", "beta_2")}
    parts.extend(
        f"{name}={getattr(candidate, name):.3g}"
        for name in own.get(candidate.optimizer, ())
        if getattr(candidate, name) != getattr(DEFAULTS, name)
    )
    parts.extend(
        f"{name}={getattr(candidate, name):.2g}"
        for name in ("warmup", "dropout", "weight_decay", "clip_norm", "clip_value")
        if getattr(candidate, name) != getattr(DEFAULTS, name)
    )
    if candidate.weight_average:
        parts.append(f"weight_average={candidate.weight_average:g}")
    parts.extend(
        f"{name}={_plain(getattr(candidate, name))}"
        for name in OTHERS
        if getattr(candidate, name) != getattr(DEFAULTS, name) and is_read(name, vars(candidate))
    )
    parts.extend(f"{name}={getattr(candidate, name)}" for name in also)
    return " ".join(parts)


def _plain(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
