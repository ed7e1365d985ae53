"""Intervals and label sets: CV+ by a slow oracle, and how often they hold the truth."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.model import FoldResiduals
from cuesta.model.conformal import bounds, label_sets, rank


def slow_bounds(decided, residuals, level):
    """The formula as it stands, of one row and target: residuals by fold, none left out."""
    n = sum(len(fold) for fold in residuals)
    low = sorted(at - r for at, fold in zip(decided, residuals, strict=True) for r in fold)
    high = sorted(at + r for at, fold in zip(decided, residuals, strict=True) for r in fold)
    share = round((1 - level) * (n + 1), 9), round(level * (n + 1), 9)
    down, up = math.floor(share[0]), math.ceil(share[1])
    return (low[down - 1] if down else -math.inf), (high[up - 1] if up <= n else math.inf)


def slow_set(shares, residuals, level):
    """Whether each class is in the set of one row; shares (folds, classes)."""
    n = sum(len(fold) for fold in residuals)
    most = round(level * (n + 1), 9)
    return [
        sum(r < 1 - p for p, fold in zip(column, residuals, strict=True) for r in fold) < most
        for column in shares.T
    ]


def test_by_hand():
    # Fold 0 says 10, with R of 1 and 3, fold 1 says 20, with R of 2 and 5. Below are 7, 9, 15, 18;
    # above 11, 13, 22, 25. With n = 4 and level 0.6 they are the 2nd and the 3rd of these.
    folds = [
        FoldResiduals(0, 2, np.array([[1.0], [3]])),
        FoldResiduals(1, 2, np.array([[2.0], [5]])),
    ]
    decided = np.array([10.0, 20.0]).reshape(2, 1, 1)
    assert [b.item() for b in bounds(decided, folds, 0.6)] == [9, 22]
    assert [b.item() for b in bounds(decided, folds, 0.8)] == [7, 25]
    assert [b.item() for b in bounds(decided, folds, 0.81)] == [-math.inf, math.inf]


@pytest.mark.parametrize(
    ("level", "rows", "place"), [(0.9, 9, 9), (0.55, 99, 55), (0.07, 99, 7), (0.95, 18, 19)]
)
def test_a_product_that_is_meant_whole_is_not_rounded_up(level, rows, place):
    assert rank(level, rows) == place


@given(
    st.integers(1, 4), st.integers(1, 12), st.integers(0, 2**32 - 1), st.floats(0.02, 0.98),
    st.booleans(),
)  # fmt: skip
def test_bounds_are_those_of_the_slow_oracle(folds, rows, seed, level, whole):
    rng = np.random.default_rng(seed)
    residuals = [rng.exponential(size=(rows + fold, 2)) for fold in range(folds)]
    decided = rng.normal(size=(folds, 5, 2)) * 10
    if whole:  # many equal sums
        residuals, decided = [np.floor(r * 2) for r in residuals], np.floor(decided / 5)
    thinned = [FoldResiduals.of(fold, r) for fold, r in enumerate(residuals)]
    lower, upper = bounds(decided, thinned, level)
    for row in range(5):
        for target in range(2):
            mine = [sorted(r[:, target]) for r in residuals]
            expected = slow_bounds(decided[:, row, target], mine, level)
            found = lower[row, target], upper[row, target]
            # A sum of numbers of size 50 and its search: a rounding or two of each.
            assert found == pytest.approx(expected, rel=0, abs=2e-14)


def test_a_set_by_hand():
    # Scores 1 - p of a new row's labels: 0.25, 0.5 and 1.25 (of no real shares, but of exact ones).
    # Rows that lie nearer: none, 1 (0.5 itself is not nearer) and 3; fewer than 0.5 · 4 = 2 may.
    folds = [FoldResiduals(0, 3, np.array([[0.375], [0.5], [0.75]]))]
    shares = np.array([[[0.75, 0.5, -0.25]]])
    assert label_sets(shares, folds, 0.5).tolist() == [[True, True, False]]
    assert label_sets(shares, folds, 0.25).tolist() == [[True, False, False]]


@given(st.integers(1, 4), st.integers(1, 12), st.integers(0, 2**32 - 1), st.floats(0.02, 0.98))
def test_sets_are_those_of_the_slow_oracle(folds, rows, seed, level):
    rng = np.random.default_rng(seed)
    residuals = [rng.uniform(size=(rows + fold, 1)) for fold in range(folds)]
    shares = rng.dirichlet(np.ones(3), size=(folds, 5))
    found = label_sets(shares, [FoldResiduals.of(k, r) for k, r in enumerate(residuals)], level)
    for row in range(5):
        mine = [r[:, 0] for r in residuals]
        assert found[row].tolist() == slow_set(shares[:, row], mine, level)


@given(st.integers(1, 300), st.integers(1, 40), st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_thinned_residuals_widen_and_never_narrow(rows, most, seed, level):
    rng = np.random.default_rng(seed)
    all_of_them = [rng.exponential(size=(rows + 7 * fold, 1)) for fold in range(3)]
    decided = rng.normal(size=(3, 4, 1))
    exact = [FoldResiduals.of(fold, r, most=10**6) for fold, r in enumerate(all_of_them)]
    thin = [FoldResiduals.of(fold, r, most=most) for fold, r in enumerate(all_of_them)]
    assert [(len(t.values), t.rows) for t in thin] == [
        (min(len(r), most), len(r)) for r in all_of_them
    ]
    assert [t.values[-1] for t in thin] == [r.max() for r in all_of_them]
    assert [t.counts[-1] for t in thin] == [len(r) for r in all_of_them]
    (low, high), (lower, higher) = bounds(decided, exact, level), bounds(decided, thin, level)
    assert (lower <= low + 1e-14).all()  # a rounding of numbers of size 10
    assert (higher >= high - 1e-14).all()
    shares = rng.dirichlet(np.ones(3), size=(3, 4))
    scores = [FoldResiduals.of(k, r / r.max(), 10**6) for k, r in enumerate(all_of_them)]
    thinned = [FoldResiduals.of(k, r / r.max(), most) for k, r in enumerate(all_of_them)]
    assert (label_sets(shares, thinned, level) >= label_sets(shares, scores, level)).all()


def test_a_thousand_residuals_of_many_cost_little():
    rng = np.random.default_rng(0)
    drawn = rng.exponential(size=(5, 20_000, 1))
    exact = [FoldResiduals.of(fold, r, most=10**6) for fold, r in enumerate(drawn)]
    thin = [FoldResiduals.of(fold, r) for fold, r in enumerate(drawn)]
    decided = rng.normal(size=(5, 100, 1))
    for one, other in zip(bounds(decided, exact, 0.9), bounds(decided, thin, 0.9), strict=True):
        # A thousandth of the rows, where the density of the exponential's sum is a tenth or so.
        assert np.abs(one - other).max() < 0.02


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.9), st.floats(0.0, 0.09))
def test_a_higher_level_holds_the_lower_one(seed, level, more):
    rng = np.random.default_rng(seed)
    folds = [FoldResiduals.of(fold, rng.exponential(size=(20, 1))) for fold in range(3)]
    decided = rng.normal(size=(3, 6, 1))
    (low, high), (lower, higher) = (bounds(decided, folds, at) for at in (level, level + more))
    assert (lower <= low).all()
    assert (high <= higher).all()
    shares = rng.dirichlet(np.ones(4), size=(3, 6))
    scores = [FoldResiduals.of(fold, rng.uniform(size=(20, 1))) for fold in range(3)]
    assert (label_sets(shares, scores, level) <= label_sets(shares, scores, level + more)).all()


def test_the_units_of_the_target_do_not_matter():
    rng = np.random.default_rng(0)
    drawn = [np.sort(rng.exponential(size=(20, 1)), axis=0) for _ in range(3)]
    decided = rng.normal(size=(3, 6, 1))
    plain = bounds(decided, [FoldResiduals(k, 20, r) for k, r in enumerate(drawn)], 0.9)
    scaled = bounds(
        decided * 2**40, [FoldResiduals(k, 20, r * 2**40) for k, r in enumerate(drawn)], 0.9
    )
    for one, other in zip(plain, scaled, strict=True):
        np.testing.assert_array_equal(one * 2**40, other)  # a power of two rounds nothing


def test_memory_does_not_grow_with_the_residuals_of_all_rows():
    rng = np.random.default_rng(0)
    folds = [FoldResiduals.of(fold, rng.exponential(size=(1000, 1))) for fold in range(5)]
    decided = rng.normal(size=(5, 4096, 1))
    tracemalloc.start()
    bounds(decided, folds, 0.9)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20  # all sums would be 160 MiB


# --- coverage ---------------------------------------------------------------------------------

FOLDS, ROWS, TABLES, NEW = 5, 60, 200, 20


def by_fold(rows):
    return np.arange(rows) % FOLDS


def least_squares(x, y):
    """Weights of a straight line through the rows."""
    return np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)[0]


def interval_hits(rng, level, errors):
    """The share of a table's new rows in their intervals; `errors` draws what is no line."""
    x = rng.normal(size=(ROWS + NEW, 3))
    y = x @ [1.0, -2.0, 0.5] + errors(rng, ROWS + NEW)
    fold = by_fold(ROWS)
    decided, residuals = [], []
    for k in range(FOLDS):
        line = least_squares(x[:ROWS][fold != k], y[:ROWS][fold != k])
        said = np.column_stack([x, np.ones(len(x))]) @ line
        residuals.append(FoldResiduals.of(k, np.abs(y - said)[:ROWS][fold == k][:, None]))
        decided.append(said[ROWS:, None])
    lower, upper = bounds(np.array(decided), residuals, level)
    return ((lower[:, 0] <= y[ROWS:]) & (y[ROWS:] <= upper[:, 0])).mean()


def set_hits(rng, level):
    """The same of label sets: three classes, shares by the distance to their means."""
    label = rng.integers(3, size=ROWS + NEW)
    x = rng.normal(size=(ROWS + NEW, 2)) + np.array([[0, 0], [1.5, 0], [0, 1.5]])[label]
    fold = by_fold(ROWS)
    shares, residuals = [], []
    for k in range(FOLDS):
        train = np.flatnonzero(fold != k)
        means = [x[train][label[train] == c].mean(axis=0) for c in range(3)]
        closeness = np.exp([-2 * ((x - mean) ** 2).sum(axis=1) for mean in means]).T  # too sure
        p = closeness / closeness.sum(axis=1, keepdims=True)
        held = np.flatnonzero(fold == k)
        residuals.append(FoldResiduals.of(k, 1 - p[held, label[held]][:, None]))
        shares.append(p[ROWS:])
    sets = label_sets(np.array(shares), residuals, level)
    return sets[np.arange(NEW), label[ROWS:]].mean()


def check_coverage(hits, level):
    """The mean share is the level or more, within three standard errors, and not far above."""
    error = np.std(hits, ddof=1) / math.sqrt(len(hits))  # of tables: rows of one are no coin tosses
    assert np.mean(hits) >= level - 3 * error
    assert np.mean(hits) <= level + 0.04


@pytest.mark.parametrize("level", [0.5, 0.9])
@pytest.mark.parametrize(
    "errors",
    [
        lambda rng, n: rng.normal(size=n),
        lambda rng, n: rng.exponential(size=n),
        lambda rng, n: rng.standard_t(2, size=n),
    ],
    ids=["normal", "skewed", "heavy tails"],
)
def test_intervals_hold_the_truth_as_often_as_they_say(level, errors):
    rng = np.random.default_rng(0)
    check_coverage([interval_hits(rng, level, errors) for _ in range(TABLES)], level)


@pytest.mark.parametrize("level", [0.6, 0.9])
def test_sets_hold_the_truth_as_often_as_they_say(level):
    rng = np.random.default_rng(0)
    check_coverage([set_hits(rng, level) for _ in range(TABLES)], level)
