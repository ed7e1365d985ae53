"""What a user may set of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cuesta._util.checks import check_choice
from cuesta.core.foreign import check_optimizer
from cuesta.data.columns import Kind
from cuesta.data.folds import PROTOCOLS, check_groups
from cuesta.errors import SpecError
from cuesta.hyperparameters import INSTRUMENTS, PRECISIONS
from cuesta.search.samplers import SAMPLERS
from cuesta.search.select import METRICS
from cuesta.search.space import Space, check_grid

TASKS = ("auto", "classification", "regression")
LARGEST_SEED = 2**32 - 1  # what scikit-learn's splitters take
LEAST = {"candidates": 1, "epochs": 1, "folds": 2}


@dataclass(frozen=True)
class Options:
    """What the user may set of a run; checked when made. Raises SpecError."""

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
    halving: bool = False
    precision: str | None = None
    instruments: str = "economy"

    def __post_init__(self) -> None:
        self._check_names()
        self._check_search()
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise SpecError(f"{name} must be at least {least}, not {getattr(self, name)}.")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise SpecError(f"seed must be from 0 to {LARGEST_SEED}, not {self.seed}.")
        if not 0 < self.test_size < 1:
            raise SpecError(f"test_size must be between 0 and 1, not {self.test_size:g}.")
        if self.threads is not None and self.threads < 1:
            raise SpecError(f"threads must be at least 1, not {self.threads}.")

    def _check_names(self) -> None:
        check_choice("task", self.task, TASKS)
        check_choice("protocol", self.protocol, PROTOCOLS)
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
