"""The ends of 95 % intervals of means, proportions, medians, and of what lies in (0, 1)."""

from __future__ import annotations

import math

import numpy as np

LEVEL = 0.95
Z = 1.959963984540054  # of a normal variable, 0.975 lies below
Ends = tuple[float, float]


def wilson(hits: float, n: float) -> Ends:
    """(p + z²/2n ± z√(p(1−p)/n + z²/4n²)) / (1 + z²/n), with p = hits/n (Wilson, 1927)."""
    p, part = hits / n, Z**2 / n
    middle, half = p + part / 2, math.sqrt(max(p * (1 - p), 0.0) * part + part**2 / 4)
    return max((middle - half) / (1 + part), 0.0), min((middle + half) / (1 + part), 1.0)


def student(degrees: float) -> float:
    """The t that a Student variable with these degrees of freedom is below 97.5 times in 100."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + LEVEL / 2))


def skewness(sway: np.ndarray) -> float:
    """γ = mean(ψ³) / mean(ψ²)^(3/2) of values with mean 0; 0 where all are 0."""
    square = float((sway**2).mean())
    return float((sway**3).mean()) / square**1.5 if square > 0 else 0.0


def skewed_limits(value: float, error: float, gamma: float, n: int) -> Ends:
    """The interval of a mean with a skewed t: value − error · g⁻¹(±t).

    With T = (value − truth)/error, the polynomial g(T) = T + aT²/√n + a²T³/3n + b/√n, a = γ/3,
    b = γ/6, is monotone and free of the skewness to order 1/√n (Hall, 1992). `error` is the
    standard error, γ the skewness of the n rows that the mean is of.
    """
    t, root, a, b = student(n - 1), math.sqrt(n), gamma / 3, gamma / 6
    if abs(a) < 1e-8:  # below, a is divided by
        return value - error * t, value + error * t

    def inverse(z: float) -> float:
        return float(root / a * (np.cbrt(1 + 3 * a * (z / root - b / n)) - 1))

    return value - error * inverse(t), value - error * inverse(-t)


def logit_limits(value: float, error: float, degrees: float, fewest: float) -> Ends:
    """logit⁻¹(logit v ± t · error/(v(1 − v))): inside (0, 1), skewed towards the middle.

    At 0 or 1, where the error says nothing, the ends are those of `fewest` rows that are all
    told wrong, or right (Wilson).
    """
    if not 0 < value < 1 or error == 0:
        return wilson(round(value) * fewest, fewest) if value in (0, 1) else (value, value)
    middle = math.log(value / (1 - value))
    half = student(degrees) * error / (value * (1 - value))
    return _share(middle - half), _share(middle + half)


def _share(logit: float) -> float:
    return 0.5 + 0.5 * math.tanh(0.5 * logit)  # 1/(1 + e^−logit), without overflow


def median_limits(values: np.ndarray) -> Ends:
    """The interval of a median between order statistics, interpolated (Hettmansperger & Sheather).

    x₍d₎ … x₍n+1−d₎ holds the median with probability 1 − 2P(B < d), B ~ Binomial(n, ½); d is the
    last for which that is 95 % or more. Between it and the next one, λ = (n − d)I / (d + (n − 2d)I)
    with I the part of the way from the one probability to the other (1986). The least and the
    greatest value for n < 6, where these hold less than 95 %.
    """
    ordered, n = np.sort(values), len(values)
    d = max(int(n / 2 - Z * math.sqrt(n) / 2) + 2, 1)
    while d > 1 and _held(d, n) < LEVEL:
        d -= 1
    if _held(d, n) < LEVEL:
        return float(ordered[0]), float(ordered[-1])
    way = (_held(d, n) - LEVEL) / (_held(d, n) - _held(d + 1, n))
    part = (n - d) * way / (d + (n - 2 * d) * way)
    low = (1 - part) * ordered[d - 1] + part * ordered[d]
    return float(low), float((1 - part) * ordered[n - d] + part * ordered[n - d - 1])


def _held(d: int, n: int) -> float:
    from scipy.special import bdtr

    return 1 - 2 * float(bdtr(d - 1, n, 0.5))


def mean_limits(values: np.ndarray, ends: np.ndarray, sways: np.ndarray) -> Ends:
    """The interval of a mean of parts from the parts' own (MOVER: Zou and Donner, 2008).

    m̄ − √(Σⱼₖ ρⱼₖ lⱼlₖ)/K, with lⱼ = mⱼ − lowⱼ, and so above; values (K,), ends (K, 2), ρ the
    correlation of the parts' sways (rows, K).
    """
    if len(values) == 1:
        return float(ends[0, 0]), float(ends[0, 1])
    correlation = sways.T @ sways
    unit = np.sqrt(np.maximum(np.diag(correlation), np.finfo(np.float64).tiny))
    correlation = correlation / np.outer(unit, unit)
    below, above = values - ends[:, 0], ends[:, 1] - values
    half = [math.sqrt(max(side @ correlation @ side, 0.0)) / len(values) for side in (below, above)]
    return float(values.mean() - half[0]), float(values.mean() + half[1])
