"""The options of a run, checked when they are made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from cuesta._text import listed
from cuesta._util.checks import check_choice, check_seed
from cuesta.core.foreign import check_optimizer
from cuesta.data.folds import PROTOCOLS as ROW_PROTOCOLS
from cuesta.data.folds import check_groups
from cuesta.data.kinds import Kind
from cuesta.errors import SpecError
from cuesta.hyperparameters import INSTRUMENTS, PRECISIONS
from cuesta.search.choice import CHOICES
from cuesta.search.portfolio import SPACES
from cuesta.search.samplers import SAMPLERS
from cuesta.search.space import Space, check_grid

TASKS = ("auto", "classification", "regression")
PROTOCOLS = (*ROW_PROTOCOLS, "nested")
MODELS = ("auto", "committee", "single")
DECIMALS = ("auto", ".", ",")
AUTO = ("candidates", "epochs")  # what may be left to the run
LEAST = {"candidates": 1, "epochs": 1, "folds": 2, "outer": 2}


@dataclass(frozen=True)
class Options:
    """What the user may set of a run, checked when made.

    Parameters
    ----------
    target : tuple of str
        The columns to predict: one, or several numbers. Bundled data sets bring their own.
    task : {"auto", "classification", "regression"}, default "auto"
    metric : str, default "auto"
        What chooses the winner: "log_loss", "accuracy", "balanced_accuracy", "roc_auc",
        "average_precision", "f1" or "brier" for classes, "rmse", "mae" or "r2" for numbers, or the
        name of a scorer of scikit-learn's; "auto" is log_loss or rmse.
    model : {"auto", "committee", "single"}, default "auto"
        What is delivered: a weighted mean of the best candidates' networks of all folds, or the
        winner trained on all training rows; "auto" is the committee, unless the single network is
        better on rows that neither saw by more than chance explains, or rows are in order of time.
    choose : {"best", "one-se"}, default "best"
        Which candidate wins: the best, or of those within one standard error of it the simplest.
    threshold : float between 0 and 1 or "auto", optional
        Of two classes, from which share on the second is decided; "auto" is the best for the metric
        on rows that the networks did not see. By default the likelier class is decided.
    costs : pair of float, optional
        Of two classes, what a false alarm and a miss of the second cost: the threshold is then the
        one that costs least.
    folds : int of at least 2, default 5
        K of the K-fold cross-validation (N2).
    protocol : {"kfold", "repeated", "grouped", "ordered", "single", "nested"}, default "kfold"
        How rows are divided into folds.
    outer : int of at least 2, default 5
        For "nested": how many outer folds there are, each of which tests a search on the others.
    groups : str, optional
        For "grouped" or "nested": a column whose rows of one value stay on one side.
    drop : tuple of str
        Columns to leave out.
    candidates : int of at least 1 or "auto", default "auto"
        "auto" are the portfolio's, or 64 of another space, 20 of a large table.
    epochs : int of at least 1 or "auto", default "auto"
        At most so many; how many are used is chosen with the winner. "auto" gives all candidates
        about as many steps, and the better ones that still learn at their end twice the epochs.
    space : Space or "notes", optional
        What candidates may be; by default the portfolio and what is near it (`search.portfolio`);
        "notes" are the rows of the notes.
    sampler : {"random", "grid", "tpe"}, default "random"
    test_size : float from 0 to below 1, default 0.2
        The share of rows that is sealed for the test; with 0 all rows train and validate.
    seed : int of at least 0, default 0
    threads : int of at least 1, optional
        Threads that train; by default one a core.
    columns : mapping of str to Kind
        What a column is, where the guess is wrong.
    decimal : {"auto", ".", ","}, default "auto"
        The mark before the decimals of numbers in text, where they may be read in two ways.
    missing : tuple of str
        More words (or numbers) that mean a missing value.
    halving : bool, default False
        Whether candidates that are behind are stopped early.
    precision : {"float32", "bfloat16"}, optional
        Of the matrix products, for all candidates.
    baselines : bool, default True
        Whether the linear model and boosted trees are fitted to the same rows and folds.
    instruments : {"off", "economy", "full"}, default "economy"
        How closely the winner's last training is watched.

    Raises
    ------
    SpecError
        A value that is out of range, or two that exclude each other.
    """

    target: tuple[str, ...] = ()
    task: str = "auto"
    metric: str = "auto"
    model: str = "auto"
    choose: str = "best"
    threshold: float | str | None = None
    costs: tuple[float, float] | None = None
    folds: int = 5
    protocol: str = "kfold"
    outer: int = 5
    groups: str | None = None
    drop: tuple[str, ...] = ()
    candidates: int | str = "auto"
    epochs: int | str = "auto"
    space: Space | str | None = None
    sampler: str = "random"
    test_size: float = 0.2
    seed: int = 0
    threads: int | None = None
    columns: Mapping[str, Kind] = field(default_factory=dict)
    decimal: str = "auto"
    missing: tuple[str, ...] = ()
    halving: bool = False
    precision: str | None = None
    baselines: bool = True
    instruments: str = "economy"

    def __post_init__(self) -> None:
        self._check_names()
        for name, least in LEAST.items():
            value = getattr(self, name)
            if name in AUTO and isinstance(value, str):
                check_choice(name, value, ("auto",))
            elif value < least:
                raise SpecError(f"{name} must be at least {least}, not {value}.")
        self._check_search()
        self._check_decision()
        check_seed(self.seed)
        if not 0 <= self.test_size < 1:
            raise SpecError(f"test_size must be from 0 to below 1, not {self.test_size:g}.")
        if self.threads is not None and self.threads < 1:
            raise SpecError(f"threads must be at least 1, not {self.threads}.")

    def _check_names(self) -> None:
        check_choice("task", self.task, TASKS)
        check_choice("protocol", self.protocol, PROTOCOLS)
        check_choice("model", self.model, MODELS)
        check_choice("choose", self.choose, CHOICES)
        check_choice("decimal", self.decimal, DECIMALS)
        check_choice("sampler", self.sampler, SAMPLERS)
        check_choice("instruments", self.instruments, INSTRUMENTS)
        if self.precision is not None:
            check_choice("precision", self.precision, PRECISIONS)

    def _check_search(self) -> None:
        if self.protocol != "nested":
            check_groups(self.protocol, self.groups is not None)
            if self.outer != Options.outer:
                raise SpecError(
                    "outer is for the nested protocol; ask for it.", parameter="protocol"
                )
        if self.halving and self.sampler == "tpe":
            raise SpecError(
                "halving compares all candidates; it goes with random or grid, not tpe."
            )
        own = self.space if isinstance(self.space, Space) else None
        if isinstance(self.space, str):
            check_choice("space", self.space, tuple(SPACES))
        if self.sampler == "grid":
            check_grid(own)
        for optimizer in own.optimizers.values if own else ():
            check_optimizer(optimizer)

    def _check_decision(self) -> None:
        if self.costs is not None:
            if self.threshold is not None:
                raise SpecError(
                    "costs and a threshold exclude each other: costs give a threshold; leave one "
                    "out.",
                    parameter="threshold",
                )
            if not all(0 <= cost < math.inf for cost in self.costs) or not any(self.costs):
                raise SpecError(
                    "costs must be two numbers, of a false alarm and of a miss, each at least 0 "
                    f"and one above 0; they are {listed(f'{cost:g}' for cost in self.costs)}."
                )
        if isinstance(self.threshold, str):
            check_choice("threshold", self.threshold, ("auto",))
        elif self.threshold is not None and not 0 < self.threshold < 1:
            raise SpecError(f"threshold must be between 0 and 1, not {self.threshold:g}.")

    def without_inputs(self, targets: tuple[str, ...] | list[str]) -> list[str]:
        """The columns that are no inputs: the targets and the groups."""
        return [*targets, *([self.groups] if self.groups else [])]
