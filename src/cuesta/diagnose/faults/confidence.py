"""Confidence that is not earned: shares of classes that do not come true."""

from __future__ import annotations

import numpy as np

from cuesta.diagnose.findings import WARNING, Finding
from cuesta.metrics.calibration import bins_of, calibration_error

DRAWS = 200
FAR = 4.0  # standard deviations of what chance gives
LEAST = 0.02  # of a calibration error beyond chance: less is not worth a word


def unearned_confidence(
    y: np.ndarray, shares: np.ndarray, tempered: np.ndarray | None = None, *, seed: int = 0
) -> Finding | None:
    """The calibration error is far beyond what chance gives for so many rows.

    `shares` (rows, classes) are out-of-fold predictions, and `tempered` the same after temperature,
    where there is one: then these count, for they are what is delivered. Chance is that of a model
    with the same shares, which come true (`expected_error`). Rows with NaN are left out.
    """
    delivered = shares if tempered is None else tempered
    known = ~np.isnan(delivered).any(axis=1)
    if not known.any():
        return None
    y, shares, delivered = y[known], shares[known], delivered[known]
    confidence, hits = delivered.max(axis=1), delivered.argmax(axis=1) == y
    error = calibration_error(y, delivered)
    mean, deviation = expected_error(confidence, seed)
    if error <= mean + max(FAR * deviation, LEAST):
        return None
    before = ""
    if tempered is not None:
        before = f", and {calibration_error(y, shares):.2g} before temperature"
    says, right = float(confidence.mean()), float(hits.mean())
    return Finding(
        "unearned confidence",
        WARNING,
        f"on rows of the folds that the model did not see, its probabilities do not come true: the "
        f"class that it decides has {says:.1%} on average, and is right in {right:.1%}; the "
        f"calibration error is {error:.2g}{before}, where chance gives {mean:.2g}",
        "train for fewer epochs, or with dropout, weight decay or smoothed labels; give more rows",
        "epochs, dropout, weight_decay, label_smoothing",
        68,
    )


def expected_error(confidence: np.ndarray, seed: int) -> tuple[float, float]:
    """Mean and deviation of the calibration error where every confidence comes true.

    Of 200 draws of hits, each with its row's confidence for probability. The rows of a bin are
    drawn together, by the normal of their sum, where they are more than a thousand.
    """
    rng = np.random.default_rng([6, seed])
    bins = bins_of(confidence[:, None])
    total = np.zeros(DRAWS)
    for place in np.unique(bins):
        own = confidence[bins == place]
        if len(own) > 1000:
            away = rng.normal(0.0, np.sqrt((own * (1 - own)).sum()), DRAWS)
        else:
            away = (rng.random((DRAWS, len(own))) < own).sum(axis=1) - own.sum()
        total += np.abs(away)
    errors = total / len(confidence)
    return float(errors.mean()), float(errors.std(ddof=1))
