"""A network and its vote."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cuesta._util.checks import check_range
from cuesta.errors import SpecError
from cuesta.model.calibration import check_fold
from cuesta.model.network import Network

ROUNDINGS = 1e-9  # by which weights may miss 1: a sum of thousands


@dataclass(frozen=True)
class Member:
    """A network of a model, and what its word counts.

    Parameters
    ----------
    network : Network
        The network.
    weight : float from 0 to 1, default 1
        Its part of what the model decides; 0 for a network that serves the intervals alone.
    fold : int, optional
        The fold whose rows did not train it; None for a network that all rows trained.
    fold_weight : float of at least 0, default 0
        Its part, beside others of its fold, of what the fold decides.

    Raises
    ------
    SpecError
        For a weight or a fold that is out of range.
    """

    network: Network
    weight: float = 1.0
    fold: int | None = None
    fold_weight: float = 0.0

    def __post_init__(self) -> None:
        check_range("weight", self.weight, 0, 1)
        check_range("fold_weight", self.fold_weight, 0, math.inf)
        if self.fold is not None:
            check_fold(self.fold)
        elif self.fold_weight:
            raise SpecError("fold_weight needs the number of a fold.")


def check_weights(members: tuple[Member, ...]) -> None:
    """Raise SpecError unless the members' weights add up to 1."""
    total = math.fsum(member.weight for member in members)
    if abs(total - 1) > ROUNDINGS:
        raise SpecError(f"The weights of a model's networks must add up to 1, not {total:g}.")


def mixed(votes: Iterable[tuple[float, Network]], x: np.ndarray, task: str) -> np.ndarray:
    """Σ weight · what each network decides (rows, outputs), in the order that is given.

    A single vote of weight 1 keeps its bits.
    """
    total = None
    for weight, network in votes:
        part = network.decide(x, task)
        part *= weight
        if total is None:
            total = part  # a sum that began with 0 would lose the sign of −0
        else:
            total += part
    if total is None:
        raise SpecError("A model needs a network with a weight above 0.")
    return total
