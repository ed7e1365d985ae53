"""Intervals of metrics: closed forms, published values, and their coverage on few tables."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cuesta.errors import SpecError
from cuesta.metrics import METRICS, interval, intervals, metric_of, wilson
from cuesta.metrics.intervals import NEGATED
from cuesta.metrics.limits import (
    logit_limits,
    mean_limits,
    median_limits,
    skewed_limits,
    skewness,
    student,
)
from cuesta.metrics.tails import heavy_tails

from .test_metrics import drawn_classes, drawn_values

CLOSE = 1e-12  # a few roundings of numbers near 1
SEEDS = st.integers(0, 10_000)
TABLES = 200  # on which coverage is counted
NAMES = list(METRICS)
Z = stats.norm.ppf(0.975)


def drawn(name, seed, n=60):
    """Rows for a metric: three classes, or two targets."""
    classes = METRICS[name].task == "classification"
    return drawn_classes(seed, 3, n) if classes else drawn_values(seed, 2, n)


# --- what an interval is ----------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in NAMES if name != "calibration_error"])
@settings(max_examples=25)
@given(seed=SEEDS)
def test_an_interval_holds_its_metric(name, seed):
    y, decided = drawn(name, seed)
    low, high = interval(name, y, decided, seed)
    assert low < METRICS[name](y, decided) < high


@pytest.mark.parametrize("name", NAMES)
def test_an_interval_depends_on_no_order_of_rows(name):
    y, decided = drawn(name, 1)
    order = np.random.default_rng(0).permutation(len(y))
    found = interval(name, y[order], decided[order], 0)
    assert found == pytest.approx(interval(name, y, decided, 0), rel=1e-10)  # sums, reordered


@pytest.mark.parametrize("name", ["rmse", "mae", "median_absolute_error"])
@pytest.mark.parametrize("unit", [1e-9, 1e200])
def test_an_interval_is_in_the_units_of_the_target(name, unit):
    y, values = drawn_values(2, 2)
    found = np.array(interval(name, unit * y, unit * values, 0))
    # Where √tiny would be lost or a square overflow: all roundings are relative.
    assert found / unit == pytest.approx(interval(name, y, values, 0), rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_the_interval_of_four_rows_is_none(name):
    y, decided = drawn(name, 0)
    assert np.isnan(interval(name, y[:4], decided[:4], 0)).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_interval_of_what_is_not_finite_is_none(name):
    y, decided = drawn(name, 0)
    decided[3] = np.nan
    assert np.isnan(interval(name, y, decided, 0)).all()


def test_an_interval_is_copied_with_its_note():
    y, values = drawn_values(0, 1)
    found = interval("neg_mean_squared_error", y, values, 0)
    assert found.note
    for other in (copy.deepcopy(found), pickle.loads(pickle.dumps(found))):  # noqa: S301 (ours)
        assert (other, other.note) == (found, found.note)


# --- classes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_values(hits, n, low, high):
    # Newcombe (1998), table I, method 3: four decimals.
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)


@given(n=st.integers(1, 5000), share=st.floats(0, 1))
def test_wilson_holds_the_shares_that_a_score_test_does_not_reject(n, share):
    # An end q lies z of its own standard errors away from the share: (p − q)² = z² q(1 − q)/n.
    hits = round(share * n)
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n + CLOSE
    assert hits / n - CLOSE <= high <= 1
    for q in (low, high):
        assert (hits / n - q) ** 2 == pytest.approx(Z**2 * q * (1 - q) / n, abs=CLOSE)


def test_the_interval_of_accuracy_is_wilsons_at_any_threshold():
    y, shares = drawn_classes(0, 2)
    for threshold, decided in ((None, shares.argmax(axis=1)), (0.3, shares[:, 1] > 0.3)):
        found = interval("accuracy", y, shares, 0, threshold)
        assert found == wilson(int((decided == y).sum()), len(y))


def test_the_interval_of_f1_is_that_of_the_share_of_hits():
    y = np.array([1] * 40 + [0] * 60)
    decided = np.array([1] * 30 + [0] * 10 + [1] * 15 + [0] * 45)  # 30 hits, 10 missed, 15 too many
    low, high = wilson(30, 55)
    found = interval("f1", y, np.eye(2)[decided], 0)
    assert found == pytest.approx((2 * low / (1 + low), 2 * high / (1 + high)), abs=CLOSE)


@pytest.mark.parametrize("name", ["balanced_accuracy", "roc_auc", "average_precision", "f1"])
def test_classes_told_right_without_exception_are_no_certainty(name):
    y = np.array([0] * 30 + [1] * 30 + [2] * 30)
    low, high = interval(name, y, np.eye(3)[y], 0)
    assert high == pytest.approx(1, abs=CLOSE)
    assert 0.8 < low < 0.97  # 30 of 30 hits have a Wilson interval from 0.886


@settings(max_examples=60)
@given(seed=SEEDS, n=st.integers(5, 12), classes=st.integers(2, 4), occur=st.integers(1, 4))
def test_few_rows_that_lack_classes_have_an_answer(seed, n, classes, occur):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, min(occur, classes), n)
    for shares in (np.eye(classes)[y], np.eye(classes)[rng.integers(0, classes, n)]):
        for name in OF_NOISE:
            low, high = interval(name, y, shares, 0)
            value = METRICS[name](y, shares)
            assert math.isnan(low) or low - CLOSE <= value <= high + CLOSE, name


def test_the_error_of_roc_auc_is_delongs():
    # One class of 3 rows, one of 2; placements by hand. Shares .2 .4 .6 against .3 .6: of the
    # class's rows 0, 1/2 … of the pairs below them: V10 = (1/3, 5/6), V01 = (1, 1/2, 1/4).
    y = np.array([0, 0, 0, 1, 1])
    score = np.array([0.2, 0.4, 0.6, 0.3, 0.6])
    area = (1 / 3 + 5 / 6) / 2
    parts = np.var([1 / 3, 5 / 6], ddof=1) / 2, np.var([1, 0.5, 0.25], ddof=1) / 3
    degrees = sum(parts) ** 2 / (parts[0] ** 2 / 1 + parts[1] ** 2 / 2)
    middle = math.log(area / (1 - area))
    half = stats.t.ppf(0.975, degrees) * math.sqrt(sum(parts)) / (area * (1 - area))
    expected = 1 / (1 + np.exp(-np.array([middle - half, middle + half])))
    found = interval("roc_auc", y, np.stack([1 - score, score], axis=1), 0)
    assert found == pytest.approx(tuple(expected), abs=CLOSE)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_a_class_of_one_row_tells_no_spread(name):
    y, shares = drawn_classes(0, 2)
    y[:] = 0
    y[7] = 1
    assert np.isnan(interval(name, y, shares, 0)).all()


@pytest.mark.parametrize("name", ["log_loss", "brier", "mae", "rmse"])
def test_the_interval_of_many_rows_is_the_one_of_the_central_limit(name):
    n = 20_000
    y, decided = drawn(name, 1, n)
    if METRICS[name].task == "regression":
        y, decided = y[:, :1], decided[:, :1]
    own = decided[np.arange(n), y] if y.ndim == 1 else None
    per_row = {
        "log_loss": lambda: -np.log(own),
        "brier": lambda: ((decided - np.eye(3)[y]) ** 2).sum(axis=1),
        "mae": lambda: np.abs(decided - y)[:, 0],
        "rmse": lambda: (decided - y)[:, 0] ** 2,
    }[name]()
    ends = per_row.mean() + Z * per_row.std() / math.sqrt(n) * np.array([-1, 1])
    expected = np.sqrt(ends) if name == "rmse" else ends
    # The corrections for skewness are of order 1/√n of the interval's width: 0.7 % times γ/2 or so.
    width = expected[1] - expected[0]
    assert interval(name, y, decided, 0) == pytest.approx(tuple(expected), abs=0.02 * width)


def test_the_interval_of_a_calibration_error_far_from_0_is_that_of_a_mean():
    # Every row has confidence .9, half are right: |D| = .4, of rows with variance .25 about it and
    # .25 + .16 about 0, which is what is taken; folding at 0 is 20 standard deviations away.
    n = 1000
    y, shares = np.arange(n) % 2, np.tile([0.9, 0.1], (n, 1))
    gap, error = 0.4, math.sqrt(0.41 / n)
    found = interval("calibration_error", y, shares, 0)
    assert found == pytest.approx((gap - Z * error, gap + Z * error), abs=1e-9)


def test_what_chance_alone_makes_of_calibration_is_within_the_interval():
    rng = np.random.default_rng(0)
    found, held = [], []
    for _ in range(TABLES):
        shares = rng.dirichlet([1, 1], 100)
        y = (rng.random(100) < shares[:, 1]).astype(int)  # the truth is 0
        low, _ = interval("calibration_error", y, shares, 0)
        found.append(METRICS["calibration_error"](y, shares))
        held.append(low <= 0.001)
    assert np.mean(found) > 0.08
    assert np.mean(held) >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / TABLES)


# --- the ends ---------------------------------------------------------------------------------


def test_without_skewness_a_mean_has_students_interval():
    low, high = skewed_limits(2.0, 0.1, 0.0, 12)
    assert (low, high) == pytest.approx((2 - 0.1 * student(11), 2 + 0.1 * student(11)), abs=CLOSE)
    assert student(11) == pytest.approx(stats.t.ppf(0.975, 11), rel=1e-9)


@given(gamma=st.floats(-3, 3), n=st.integers(10, 1000))
def test_the_ends_of_a_skewed_mean_solve_halls_polynomial(gamma, n):
    a, b, root = gamma / 3, gamma / 6, math.sqrt(n)
    for end, t in zip(
        skewed_limits(0.0, 1.0, gamma, n), (student(n - 1), -student(n - 1)), strict=True
    ):
        statistic = -end
        solved = statistic + a * statistic**2 / root + a**2 * statistic**3 / (3 * n) + b / root
        # A cube root of 1 + 3a(…)/√n less 1: where a is near 0, digits are lost in the difference.
        assert solved == pytest.approx(t, abs=1e-6)


def test_skewness_by_hand():
    assert skewness(np.array([-1.0, -1.0, 2.0])) == pytest.approx(2 / 2**1.5, abs=CLOSE)
    assert skewness(np.zeros(3)) == 0


def test_a_logit_at_its_end_is_that_of_as_many_hits():
    assert logit_limits(1.0, 0.1, 9, 30) == wilson(30, 30)
    assert logit_limits(0.0, 0.1, 9, 30) == wilson(0, 30)
    assert logit_limits(0.5, 0.0, 9, 30) == (0.5, 0.5)


def test_the_interval_of_a_median_lies_between_order_statistics():
    # n = 10: x₍2₎ to x₍9₎ hold it with 1 − 22/1024, x₍3₎ to x₍8₎ with 1 − 112/1024.
    held, next_held = 1 - 22 / 1024, 1 - 112 / 1024
    way = (held - 0.95) / (held - next_held)
    part = 8 * way / (2 + 6 * way)
    found = median_limits(np.arange(1.0, 11.0))
    assert found == pytest.approx(
        (2 + part, 9 - part), abs=1e-9
    )  # a binomial sum by a beta function


@pytest.mark.parametrize("n", [6, 7, 25, 60, 333, 5000])
def test_the_order_statistics_are_the_nearest_that_hold_the_median(n):
    low, _ = median_limits(np.arange(1.0, n + 1))
    d = int(low)
    assert 1 - 2 * stats.binom.cdf(d - 1, n, 0.5) >= 0.95
    assert 1 - 2 * stats.binom.cdf(d, n, 0.5) < 0.95


def test_five_values_hold_their_median_as_well_as_they_can():
    assert median_limits(np.array([5.0, 1.0, 4.0, 2.0, 3.0])) == (1, 5)


def test_two_copies_of_a_target_tell_no_more_than_one():
    y, values = drawn_values(0, 1)
    for name in ("rmse", "mae", "r2", "median_absolute_error"):
        twice = interval(name, y.repeat(2, axis=1), values.repeat(2, axis=1), 0)
        assert twice == pytest.approx(interval(name, y, values, 0), rel=1e-9)


def test_independent_parts_have_a_narrower_mean():
    sways = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    ends = np.array([[0.0, 2.0], [0.0, 4.0]])
    low, high = mean_limits(np.array([1.0, 1.0]), ends, sways)
    assert low == pytest.approx(1 - math.sqrt(2) / 2, abs=CLOSE)
    assert high == pytest.approx(1 + math.sqrt(1 + 9) / 2, abs=CLOSE)


def test_the_mean_of_the_rows_themselves_has_an_r2_of_0_for_certain():
    y = np.random.default_rng(0).exponential(size=(60, 1))
    # Both sums are one and the same, whatever the rows: nothing but roundings, under a root.
    assert interval("r2", y, np.full_like(y, y.mean()), 0) == pytest.approx((0, 0), abs=1e-6)


def test_the_interval_of_r2_on_many_rows_is_the_one_of_the_delta_method():
    rng = np.random.default_rng(0)
    y = rng.exponential(size=(20_000, 1))
    values = 0.8 * y + 0.2 + 0.3 * rng.normal(size=y.shape)
    square, spread = ((values - y) ** 2)[:, 0], ((y - y.mean()) ** 2)[:, 0]
    ratio = square.mean() / spread.mean()
    error = ratio * (square / square.mean() - spread / spread.mean()).std() / math.sqrt(len(y))
    expected = 1 - ratio - Z * error, 1 - ratio + Z * error
    # As above; the squares of exponential values have a skewness near 7, a tenth of the error here.
    assert interval("r2", y, values, 0) == pytest.approx(expected, abs=0.2 * error)


def test_a_target_without_errors_has_an_r2_of_1_for_certain():
    y, _ = drawn_values(0, 1)
    assert interval("r2", y, y, 0) == (1, 1)
    assert interval("rmse", y, y, 0) == (0, 0)
    assert np.isnan(interval("r2", np.ones((9, 1)), np.zeros((9, 1)), 0)).all()


# --- heavy tails ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "least", "most"), [("normal", 0, 0.02), ("expon", 0, 0.2), ("t", 0.65, 1)]
)
def test_heavy_tails_are_found_where_there_are_some(name, least, most):
    rng = np.random.default_rng(0)
    draw = {
        "normal": lambda: rng.normal(size=(1000, 1)),
        "expon": lambda: rng.exponential(size=(1000, 1)),
        "t": lambda: rng.standard_t(3, size=(1000, 1)),
    }[name]
    # bench/coverage.py has 0, 5 to 17 and 82 %; of 100 tables the standard error is 4 %.
    assert least <= np.mean([heavy_tails(draw()) for _ in range(100)]) <= most


def test_errors_with_heavy_tails_are_told_for_what_squares_them():
    y = np.random.default_rng(1).standard_t(2, size=(2000, 1))
    for name in ("rmse", "r2", "mae", "median_absolute_error"):
        note = interval(name, y, np.zeros_like(y), 0).note
        assert note.startswith("errors with heavy tails") == (name in ("rmse", "r2"))
    assert not interval("rmse", np.sin(y), np.zeros_like(y), 0).note


@pytest.mark.parametrize("values", [np.zeros(50), np.ones(50), np.r_[np.zeros(49), 1.0]])
def test_errors_that_are_nearly_all_equal_have_an_answer(values):
    assert heavy_tails(values[:, None]) in (True, False)


# --- scorers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "ours"), sorted(NEGATED.items()))
def test_a_metric_of_ours_negated_has_its_interval(name, ours):
    y, decided = drawn(ours, 0)
    low, high = interval(ours, y, decided, 0)
    assert interval(name, y, decided, 0) == (-high, -low)
    value = metric_of(name, METRICS[ours].task)(y, decided)
    assert value == pytest.approx(-METRICS[ours](y, decided), abs=CLOSE)


def test_the_interval_of_a_scorer_is_between_percentiles_of_samples(monkeypatch):
    monkeypatch.setattr(intervals, "BOOTSTRAPS", 300)  # the least that is drawn is 200
    y, values = drawn_values(0, 1, 300)
    squares = (values - y)[:, 0] ** 2
    error = squares.std() / math.sqrt(len(y))
    expected = -squares.mean() - Z * error, -squares.mean() + Z * error
    found = interval("neg_mean_squared_error", y, values, 5)
    # A percentile of 300 samples is off by 0.15 standard errors, and skewness adds some: three.
    assert found == pytest.approx(expected, abs=0.45 * error)
    assert "bootstrap" in found.note
    assert found == interval("neg_mean_squared_error", y, values, 5)
    assert found != interval("neg_mean_squared_error", y, values, 6)


def test_the_interval_of_a_scorer_takes_the_threshold(monkeypatch):
    monkeypatch.setattr(intervals, "BOOTSTRAPS", 200)
    y, shares = drawn_classes(0, 2)
    low, high = interval("recall", y, shares, 0, 0.01)
    assert low == high == metric_of("recall", "classification").function(y, shares, threshold=0.01)


def test_a_name_that_is_no_metric_of_the_task_is_refused():
    y, shares = drawn_classes(0, 2)
    with pytest.raises(SpecError, match="'rmse' is for regression, not for classification"):
        interval("rmse", y, shares, 0)


# --- coverage ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rmse", "mae", "median_absolute_error"])
def test_intervals_of_normal_errors_hold_the_truth(name):
    rng = np.random.default_rng(0)
    truth = {
        "rmse": 1,
        "mae": math.sqrt(2 / math.pi),
        "median_absolute_error": stats.norm.ppf(0.75),
    }
    held = [
        low <= truth[name] <= high
        for low, high in (
            interval(name, rng.normal(size=(60, 1)), np.zeros((60, 1)), 0) for _ in range(TABLES)
        )
    ]
    # Three standard errors of a share of 95 %: 0.046. A plain bootstrap of the RMSE has 0.90.
    assert np.mean(held) == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / TABLES))


# Five classes, each as frequent, and shares of them by Dirichlet's distribution with parameters 1:
# E(−log p) = ψ(5) − ψ(1), and E Σ (p − [y = k])² = 1 − 2/5 + 5 E p², with E p² = 2/(5 · 6).
OF_NOISE = {
    "accuracy": 0.2,
    "balanced_accuracy": 0.2,
    "roc_auc": 0.5,
    "average_precision": 0.2,
    "f1": 0.2,
    "log_loss": 1 + 1 / 2 + 1 / 3 + 1 / 4,
    "brier": 1 - 2 / 5 + 10 / 30,
}


@pytest.mark.parametrize("name", sorted(OF_NOISE))
def test_intervals_of_noise_hold_the_truth(name):
    rng = np.random.default_rng(1)
    held = []
    for _ in range(TABLES):
        low, high = interval(name, rng.integers(0, 5, 100), rng.dirichlet(np.ones(5), 100), 0)
        held.append(low <= OF_NOISE[name] <= high)
    assert np.mean(held) == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / TABLES))
