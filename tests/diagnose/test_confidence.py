"""When confidence is said to be unearned."""

import numpy as np
import pytest

from cuesta.diagnose.faults.confidence import expected_error, unearned_confidence
from cuesta.metrics import calibration_error

CLASSES = 3


def earned(rows, seed, sharpness=2.0):
    """Shares of three classes, and classes that are drawn by them."""
    rng = np.random.default_rng(seed)
    shares = np.exp(sharpness * rng.standard_normal((rows, CLASSES)))
    shares /= shares.sum(axis=1, keepdims=True)
    y = (rng.random((rows, 1)) > shares.cumsum(axis=1)).sum(axis=1)
    return y.clip(max=CLASSES - 1), shares


def sharpened(shares, power):
    sharp = shares**power
    return sharp / sharp.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("rows", [40, 300, 5000])
@pytest.mark.parametrize("seed", range(5))
def test_shares_that_come_true_are_earned(rows, seed):
    assert unearned_confidence(*earned(rows, seed)) is None


@pytest.mark.parametrize("power", [3.0, 0.3])  # too sure, and not sure enough
@pytest.mark.parametrize("rows", [300, 5000])
def test_shares_that_do_not_come_true_are_found(rows, power):
    y, shares = earned(rows, 0)
    told = unearned_confidence(y, sharpened(shares, power))
    right = (shares.argmax(axis=1) == y).mean()
    assert told.fault == "unearned confidence"
    assert f"is right in {right:.1%}" in told.says


def test_what_temperature_has_mended_is_no_fault():
    y, shares = earned(1000, 0)
    assert unearned_confidence(y, sharpened(shares, 3.0), shares) is None


def test_what_temperature_has_not_mended_is_told_with_both_figures():
    y, shares = earned(1000, 0)
    first, then = sharpened(shares, 5.0), sharpened(shares, 3.0)
    told = unearned_confidence(y, first, then)
    for of in (first, then):
        assert f"{calibration_error(y, of):.2g}" in told.says
    assert "before temperature" in told.says


def test_few_rows_are_not_enough_to_accuse():
    y, shares = earned(15, 0)
    assert unearned_confidence(y, sharpened(shares, 2.0)) is None


def test_rows_that_no_fold_told_of_are_left_out():
    y, shares = earned(400, 0)
    holes = sharpened(shares, 3.0)
    full = unearned_confidence(y[100:], holes[100:])
    holes[:100] = np.nan
    assert unearned_confidence(y, holes) == full
    assert unearned_confidence(y[:100], holes[:100]) is None


@pytest.mark.parametrize("rows", [50, 20_000])
def test_the_expected_error_is_that_of_labels_drawn_by_the_shares(rows):
    """Beside 60 data sets drawn anew, whose mean is known to deviation/√60; the draws' to √200."""
    _, shares = earned(rows, 1)
    mean, deviation = expected_error(shares.max(axis=1), 0)
    rng = np.random.default_rng(1)
    ends = shares.cumsum(axis=1)[:, :-1]
    drawn = [
        calibration_error((rng.random((rows, 1)) > ends).sum(axis=1), shares) for _ in range(60)
    ]
    assert mean == pytest.approx(np.mean(drawn), abs=4 * deviation * np.sqrt(1 / 60 + 1 / 200))
    assert deviation == pytest.approx(np.std(drawn), rel=0.5)  # of 60: 9 %, five times that
