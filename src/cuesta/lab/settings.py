"""The settings of a race."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cuesta._util.checks import check_choice, check_count, check_range, check_seed
from cuesta.core.optim import usual_rule
from cuesta.errors import SpecError
from cuesta.hyperparameters import DIALECTS, OPTIMIZERS
from cuesta.lab.descent import Optimizer
from cuesta.lab.function import Function

MANY = 1_000_000


@dataclass(frozen=True)
class RaceSettings:
    """What the user may set of a race, checked when made.

    Each optimizer's α is the best of `tries` rates from `lowest_rate` to `highest_rate` (the
    function's own where it is None), in equal ratios, over `tuning_starts` starts. The race has
    `seeds` starts: the given one, and others within ± `spread` of the domain's width of it, as
    the starts of the tuning are; none is in both. `noise` is the variance of what is added to
    each component of the gradient; `clip_norm` and `clip_value` bound it (N5); α decays linearly
    to α · `final_ratio` (N12). `basins` says whether to find where 10,000 starts of the
    whole domain end.
    Raises SpecError naming what is unusable.
    """

    optimizers: tuple[str, ...] = OPTIMIZERS
    dialect: str = "notes"
    steps: int = 2000
    seeds: int = 9
    tries: int = 40
    lowest_rate: float = 1e-5
    highest_rate: float | None = None
    tuning_starts: int = 9
    spread: float = 0.05
    noise: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    final_ratio: float | None = None
    seed: int = 0
    basins: bool = True

    def __post_init__(self) -> None:
        if not self.optimizers:
            raise SpecError("A race needs at least one optimizer.")
        for name in self.optimizers:
            check_choice("optimizer", name, OPTIMIZERS)
        if len(set(self.optimizers)) < len(self.optimizers):
            raise SpecError("Each optimizer races once; one is named twice.")
        check_choice("dialect", self.dialect, DIALECTS)
        for name in ("steps", "seeds", "tries", "tuning_starts"):
            check_count(name, getattr(self, name), MANY)
        check_range("lowest_rate", self.lowest_rate, 0, math.inf, open_low=True)
        if self.highest_rate is not None:
            check_range("highest_rate", self.highest_rate, self.lowest_rate, math.inf)
        check_seed(self.seed)
        check_range("spread", self.spread, 0, 1)
        check_range("noise", self.noise, 0, math.inf)
        for name in ("clip_norm", "clip_value"):
            if getattr(self, name) is not None:
                check_range(name, getattr(self, name), 0, math.inf, open_low=True)
        if self.final_ratio is not None:
            check_range("final_ratio", self.final_ratio, 0, 1)

    @property
    def clips(self) -> bool:
        """Whether any bound is set."""
        return self.clip_norm is not None or self.clip_value is not None

    def rates(self, function: Function) -> np.ndarray:
        """The rates that are tried for every optimizer."""
        highest = function.highest_rate if self.highest_rate is None else self.highest_rate
        return np.geomspace(self.lowest_rate, max(highest, self.lowest_rate), self.tries)

    def optimizer(self, name: str, function: Function) -> Optimizer:
        """The named optimizer with these settings and α₀ = 1."""
        has_no_minimum = function.lowest is not None and math.isinf(function.lowest)
        return Optimizer(
            usual_rule(name, self.dialect),
            1.0,
            1.0 if self.final_ratio is None else self.final_ratio,
            math.inf if self.clip_norm is None else self.clip_norm,
            math.inf if self.clip_value is None else self.clip_value,
            math.sqrt(self.noise),
            function.goal if has_no_minimum and function.goal is not None else -math.inf,
        )
