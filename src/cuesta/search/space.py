"""The search space: for each hyper-parameter a list of values or a range (N17)."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from cuesta._util.checks import check_choice, check_range
from cuesta.errors import SpecError
from cuesta.hyperparameters import OPTIMIZERS, PARAMETERS, Candidate, is_foreign

# `final_ratio` stands for final_learning_rate as a share of the learning rate, so that one
# value suits every optimizer's range. 1 leaves it out: by the linear schedule the rate is constant
# (N12), by the others it falls to 0.
NAMES = (*PARAMETERS, "final_ratio")

# Which optimizer reads which decay; the others do not carry it.
READERS = {
    "momentum": ("momentum",),
    "rho": ("rmsprop",),
    "beta_1": ("adam",),
    "beta_2": ("adam",),
    "epsilon": ("adagrad", "rmsprop", "adam"),
}


@dataclass(frozen=True)
class Choice:
    """A list of values, each as likely as the others; a value named twice is twice as likely."""

    values: tuple[Any, ...]

    def at(self, share: float) -> Any:
        """The value at a share of the way, in [0, 1)."""
        return self.values[int(share * len(self.values))]


@dataclass(frozen=True)
class Range:
    """All numbers from low to high, evenly, or evenly in the logarithm."""

    low: float
    high: float
    log: bool = False

    def at(self, share: float) -> float:
        """The number at a share of the way, in [0, 1)."""
        if self.log:
            return math.exp(math.log(self.low) * (1 - share) + math.log(self.high) * share)
        return self.low + (self.high - self.low) * share


# A program is compiled for each of their values.
COMPILED = (
    "batch_size",
    "hidden_layer_sizes",
    "embedding_size",
    "embedding_frequencies",
    "embedding_bins",
)

Dimension = Choice | Range
RANGE = {"low", "high", "log"}


@dataclass(frozen=True)
class Space:
    """Dimensions for every candidate, and those that an optimizer has of its own.

    `first` are the first candidates, whatever the draws; where the space is `near` them, random
    draws are of their neighbourhood (`search.near`) instead of the whole space.
    """

    common: Mapping[str, Dimension]
    own: Mapping[str, Mapping[str, Dimension]] = field(default_factory=dict)
    first: tuple[Candidate, ...] = ()
    near: bool = False

    @property
    def names(self) -> list[str]:
        """Every parameter that the space speaks of, `optimizer` first."""
        names = dict.fromkeys(["optimizer", *self.common])
        for section in self.own.values():
            names.update(dict.fromkeys(section))
        return list(names)

    def dimensions(self, optimizer: str) -> dict[str, Dimension]:
        """The dimensions that a candidate of this optimizer has, without the optimizer."""
        merged = {**self.common, **self.own.get(optimizer, {})}
        merged.pop("optimizer", None)
        return {n: d for n, d in merged.items() if optimizer in READERS.get(n, (optimizer,))}

    def with_precision(self, precision: str | None) -> Space:
        """The space with products in this precision for all candidates; None leaves it alone."""
        if precision is None:
            return self
        first = tuple(replace(candidate, precision=precision) for candidate in self.first)
        common = {**self.common, "precision": Choice((precision,))}
        return replace(self, common=common, first=first)

    @property
    def optimizers(self) -> Choice:
        """The optimizers to choose from; Adam where the space names none."""
        named = self.common.get("optimizer")
        return named if isinstance(named, Choice) else Choice((Candidate().optimizer,))


def make_candidate(values: Mapping[str, Any]) -> Candidate:
    """A candidate from one value per dimension; an infinite bound is none.

    Raises SpecError naming the parameter.
    """
    bounds = ("clip_norm", "clip_value")
    plain = {n: None if n in bounds and v == math.inf else v for n, v in values.items()}
    ratio = plain.pop("final_ratio", 1.0)
    check_range("final_ratio", ratio, 0, math.inf)
    if ratio != 1.0:
        rate: Any = plain.get("learning_rate", Candidate().learning_rate)
        plain["final_learning_rate"] = rate * ratio
    return Candidate.from_dict(plain)


def check_grid(space: Space | None) -> None:
    """Raise SpecError unless the space is given and has lists alone."""
    if space is None:
        raise SpecError(
            "The sampler grid needs a space of lists; the default space has ranges.",
            parameter="space",
        )
    next(grid(space))


def grid(space: Space) -> Iterator[Candidate]:
    """Every combination of the lists. Raises SpecError where the space has a range."""
    for optimizer in space.optimizers.values:
        dimensions = space.dimensions(optimizer)
        for name, dimension in dimensions.items():
            if not isinstance(dimension, Choice):
                raise SpecError(
                    f"The sampler grid needs a list of values for {name}; the space has a range."
                )
        lists = [d.values for d in dimensions.values() if isinstance(d, Choice)]
        for values in product(*lists):
            named = dict(zip(dimensions, values, strict=True))
            yield make_candidate({"optimizer": optimizer, **named})


def notes_space(rows: int) -> Space:
    """The rows of the notes, for so many training rows: two layer sizes, one batch size.

    Learning rates have a range for each optimizer: a step of SGD is as long as its gradient,
    one of Adam as its learning rate.
    """
    batch_size = default_batch_size(rows)
    common: dict[str, Dimension] = {
        "hidden_layer_sizes": Choice(((64,), (128, 64))),
        "optimizer": Choice(OPTIMIZERS),
        "final_ratio": Choice((1.0, 0.01)),
        "dropout": Choice((0.0, 0.0, 0.1, 0.3)),
        "activation": Choice(("relu", "relu", "relu", "tanh", "tanh", "sigmoid", "identity")),
        "init": Choice(("uniform", "normal", "glorot", "he")),
        "clip_norm": Choice((math.inf, math.inf, 1.0)),
        "clip_value": Choice((math.inf, math.inf, math.inf, 0.5)),
        "batch_size": Choice((batch_size,)),
        "momentum": Range(0.8, 0.98),
        "rho": Range(0.9, 0.999),
        "beta_1": Range(0.8, 0.95),
        "beta_2": Range(0.99, 0.999),
        "learning_rate": Range(1e-3, 1e-2, log=True),
        "weight_decay": Range(1e-3, 1.0, log=True),
    }
    gentle = Range(1e-5, 1e-2, log=True)
    own: dict[str, dict[str, Dimension]] = {
        "sgd": {"learning_rate": Range(1e-2, 0.5, log=True), "weight_decay": gentle},
        "momentum": {"learning_rate": Range(2e-3, 0.1, log=True), "weight_decay": gentle},
        "adagrad": {"learning_rate": Range(5e-3, 0.1, log=True), "weight_decay": gentle},
        "rmsprop": {"learning_rate": Range(2e-4, 1e-2, log=True)},
        "adam": {"learning_rate": Range(5e-4, 2e-2, log=True)},
    }
    start = Candidate(hidden_layer_sizes=(128, 64), batch_size=batch_size, final_learning_rate=3e-5)
    return Space(common, own, (start,))


def default_batch_size(rows: int) -> int:
    """A power of two: about 32 steps an epoch, from 8 to 256; of many rows a 400th, to 1,024."""
    steps = max(min(256, rows / 32), rows / 400, 8)
    return int(min(1024, 2 ** round(math.log2(steps))))


def read_space(path: str) -> Space:
    """A space from a TOML file: parameters at the top, an optimizer's own in its section.

        optimizer = ["momentum", "adam"]
        hidden_layer_sizes = [[64], [128, 64]]
        dropout = {low = 0.0, high = 0.5}
        [adam]
        learning_rate = {low = 1e-4, high = 1e-2, log = true}

    A single value is a list of one; inf means no bound. Raises SpecError naming file and
    parameter.
    """
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"The space {path!r} cannot be read: {error.strerror}.") from error
    except ValueError as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise SpecError(f"The space {path!r} is not valid TOML: {error}.") from error
    if not content:
        raise SpecError(f"The space {path!r} is empty.")
    return space_of(content, repr(path))


def space_of(content: Mapping[str, Any], where: str) -> Space:
    """The space that a file's content stands for; `where` names it. Raises SpecError."""
    # A range for `momentum`, the decay rate, is no section for momentum, the optimizer.
    own = {
        name: part
        for name, part in content.items()
        if (name in OPTIMIZERS or is_foreign(name))
        and isinstance(part, dict)
        and not set(part) <= RANGE
    }
    for section, names in own.items():
        if "optimizer" in names:
            raise SpecError(f"The section [{section}] in {where} must not contain `optimizer`.")
    common = {n: v for n, v in content.items() if n not in own}
    space = Space(_dimensions(common), {name: _dimensions(part) for name, part in own.items()})
    for section in own:
        if section not in space.optimizers.values:
            raise SpecError(
                f"{where} has a section of {section!r}, but its list `optimizer` lacks it; add "
                "it there, or remove the section."
            )
    return space


def _dimensions(content: Mapping[str, Any]) -> dict[str, Dimension]:
    return {name: _dimension(name, value) for name, value in content.items()}


def _dimension(name: str, value: Any) -> Dimension:
    check_choice("parameter", name, NAMES)
    if isinstance(value, dict):
        dimension: Dimension = range_of(name, value)
        ends: tuple[Any, ...] = (value["low"], value["high"])
    else:
        listed = value if isinstance(value, list) else [value]
        if name == "hidden_layer_sizes" and not any(isinstance(v, list) for v in listed):
            listed = [listed]
        if not listed:
            raise SpecError(f"The list of {name} in the space is empty.")
        ends = tuple(tuple(v) if isinstance(v, list) else v for v in listed)
        dimension = Choice(ends)
    for end in ends:
        make_candidate({name: end})  # speaks now of a value that no candidate could have
    return dimension


def range_of(name: str, value: Mapping[str, Any]) -> Range:
    """The range that a table of low, high and perhaps log stands for. Raises SpecError."""
    if not {"low", "high"} <= set(value) <= RANGE:
        raise SpecError(f"A range of {name} has low, high and, if wanted, log, and nothing else.")
    low, high, log = value["low"], value["high"], value.get("log", False)
    for end in (low, high):
        check_range(name, end, -math.inf, math.inf)
    if not isinstance(log, bool):
        raise SpecError(f"In the range of {name} log is true or false, not {log!r}.")
    if not low <= high:
        raise SpecError(f"In the range of {name} low must not be above high.")
    if log and low <= 0:
        raise SpecError(f"In the range of {name} low must be above 0, since log = true.")
    if name == "epochs":
        raise SpecError("epochs needs a list of values, not a range: equal lanes train together.")
    if name in COMPILED:
        raise SpecError(
            f"{name} needs a list of values, not a range: a program is compiled for each value."
        )
    return Range(float(low), float(high), bool(log))
