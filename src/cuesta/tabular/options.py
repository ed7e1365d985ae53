"""The options of a run, checked when they are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cuesta._util.checks import check_choice, check_seed
from cuesta.core.foreign import check_optimizer
from cuesta.data.folds import PROTOCOLS, check_groups
from cuesta.data.kinds import Kind
from cuesta.errors import SpecError
from cuesta.hyperparameters import INSTRUMENTS, PRECISIONS
from cuesta.search.samplers import SAMPLERS
from cuesta.search.select import METRICS
from cuesta.search.space import Space, check_grid

TASKS = ("auto", "classification", "regression")
DECIMALS = ("auto", ".", ",")
LEAST = {"candidates": 1, "epochs": 1, "folds": 2}


@dataclass(frozen=True)
class Options:
    """What the user may set of a run, checked when made.

    Parameters
    ----------
    target : tuple of str
        The columns to predict: one, or several numbers. Bundled data sets bring their own.
    task : {"auto", "classification", "regression"}, default "auto"
    metric : str, default "auto"
        What chooses the winner: "log_loss", "accuracy" or "balanced_accuracy" for classes, "rmse"
        for numbers; "auto" is the first of these.
    folds : int of at least 2, default 5
        K of the K-fold cross-validation (N2).
    protocol : {"kfold", "repeated", "grouped", "ordered", "single"}, default "kfold"
        How rows are divided into folds.
    groups : str, optional
        For "grouped": a column whose rows of one value stay on one side.
    drop : tuple of str
        Columns to leave out.
    candidates : int of at least 1, default 64
    epochs : int of at least 1, default 50
        At most so many; how many are used is chosen with the winner.
    space : Space, optional
        What candidates may be; by default `default_space` of the table's size.
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
    folds: int = 5
    protocol: str = "kfold"
    groups: str | None = None
    drop: tuple[str, ...] = ()
    candidates: int = 64
    epochs: int = 50
    space: Space | None = None
    sampler: str = "random"
    test_size: float = 0.2
    seed: int = 0
    threads: int | None = None
    columns: Mapping[str, Kind] = field(default_factory=dict)
    decimal: str = "auto"
    missing: tuple[str, ...] = ()
    halving: bool = False
    precision: str | None = None
    instruments: str = "economy"

    def __post_init__(self) -> None:
        self._check_names()
        self._check_search()
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise SpecError(f"{name} must be at least {least}, not {getattr(self, name)}.")
        check_seed(self.seed)
        if not 0 <= self.test_size < 1:
            raise SpecError(f"test_size must be from 0 to below 1, not {self.test_size:g}.")
        if self.threads is not None and self.threads < 1:
            raise SpecError(f"threads must be at least 1, not {self.threads}.")

    def _check_names(self) -> None:
        check_choice("task", self.task, TASKS)
        check_choice("protocol", self.protocol, PROTOCOLS)
        check_choice("decimal", self.decimal, DECIMALS)
        check_choice("sampler", self.sampler, SAMPLERS)
        check_choice("instruments", self.instruments, INSTRUMENTS)
        check_choice("metric", self.metric, ("auto", *METRICS["classification"], "rmse"))
        if self.precision is not None:
            check_choice("precision", self.precision, PRECISIONS)

    def _check_search(self) -> None:
        check_groups(self.protocol, self.groups is not None)
        if self.halving and self.sampler == "tpe":
            raise SpecError(
                "halving compares all candidates; it goes with random or grid, not tpe."
            )
        if self.sampler == "grid":
            check_grid(self.space)
        for optimizer in self.space.optimizers.values if self.space else ():
            check_optimizer(optimizer)

    def without_inputs(self, targets: tuple[str, ...] | list[str]) -> list[str]:
        """The columns that are no inputs: the targets and the groups."""
        return [*targets, *([self.groups] if self.groups else [])]
