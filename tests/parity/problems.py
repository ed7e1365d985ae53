"""Random problems: streams of gradients, with rates and decays, that any optimizer can follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEPS = 1000
LARGEST_SIZE = 24


@dataclass(frozen=True)
class Group:
    """Problems that share their numbers, side by side in one vector of weights.

    `gradients` (steps, weights) and `start` (weights,) are float64; `owner` says which problem a
    weight belongs to. The rate goes linearly from `alpha_0` to `alpha_t` over `steps` steps.
    """

    start: np.ndarray
    gradients: np.ndarray
    owner: np.ndarray
    alpha_0: float
    alpha_t: float
    momentum: float
    rho: float
    beta_1: float
    beta_2: float

    @property
    def steps(self) -> int:
        return len(self.gradients)

    @property
    def problems(self) -> int:
        return int(self.owner.max()) + 1

    def alphas(self) -> np.ndarray:
        """The rate of each step (N12)."""
        share = np.arange(self.steps) / self.steps
        return (1 - share) * self.alpha_0 + share * self.alpha_t


def problem(rng: np.random.Generator, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Start and gradients of one problem: any size, sign and scale; sparse, zero or dense."""
    size = int(rng.integers(1, LARGEST_SIZE + 1))
    scale = 10.0 ** rng.uniform(-8, 8)
    drift = rng.normal(0, 1, size)  # some weights are pushed to one side
    gradients = scale * (rng.standard_normal((steps, size)) + drift)
    kind = rng.choice(["dense", "sparse", "zeros", "constant"])
    if kind == "sparse":
        gradients *= rng.random((steps, size)) < 0.05
    elif kind == "zeros":
        gradients[:, rng.random(size) < 0.5] = 0.0
        gradients[: steps // 10] = 0.0
    elif kind == "constant":
        gradients[:] = gradients[0]
    return rng.standard_normal(size) * 10.0 ** rng.uniform(-2, 2), gradients


def groups(count: int, each: int, steps: int = STEPS, seed: int = 0) -> list[Group]:
    """So many groups of so many problems; every other one has a decaying rate."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        starts, streams = zip(*(problem(rng, steps) for _ in range(each)), strict=True)
        alpha = 10.0 ** rng.uniform(-4, -1)
        made.append(
            Group(
                np.concatenate(starts),
                np.concatenate(streams, axis=1),
                np.repeat(np.arange(each), [len(start) for start in starts]),
                alpha,
                alpha * (10.0 ** rng.uniform(-3, 0) if number % 2 else 1.0),
                momentum=rng.uniform(0.5, 0.99),
                rho=rng.uniform(0.8, 0.999),
                beta_1=rng.uniform(0.5, 0.95),
                beta_2=rng.uniform(0.9, 0.9999),
            )
        )
    return made


def differences(group: Group, path: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """For each problem the largest difference of two paths, as a share of the path's largest value.

    Raises AssertionError where either path is not finite.
    """
    assert np.isfinite(path).all(), "a path of ours is not finite"
    assert np.isfinite(wanted).all(), "a path of the peer's is not finite"
    gaps, sizes = np.abs(path - wanted).max(axis=0), np.abs(wanted).max(axis=0)
    worst, largest = np.zeros(group.problems), np.zeros(group.problems)
    np.maximum.at(worst, group.owner, gaps)
    np.maximum.at(largest, group.owner, sizes)
    return worst / largest
