"""What validation promises of new rows, beside what it chose by, and beside the truth."""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesta.data.table import Table
from cuesta.search.out_of_fold import OutOfFold
from cuesta.search.space import Choice, Range, Space
from cuesta.tabular.find import Means
from cuesta.tabular.fit import fit
from cuesta.tabular.options import Options
from cuesta.tabular.promise import Clusters, Promises, with_unseen_mistakes
from tests.tabular.tables_to_decide import clicks, run

SPACE = Space(
    {
        "optimizer": Choice(("adam",)),
        "learning_rate": Range(1e-3, 1e-1, log=True),
        "hidden_layer_sizes": Choice(((8,),)),
        "batch_size": Choice((16,)),
    }
)
SIZES = Space(
    {
        "optimizer": Choice(("adam",)),
        "learning_rate": Range(1e-3, 1e-1, log=True),
        "hidden_layer_sizes": Choice(((2,), (16,))),
        "batch_size": Choice((16,)),
    }
)
QUICK = {"folds": 3, "space": SPACE, "baselines": False, "instruments": "off"}

OPTIONS = Options(target=("y0",), epochs=3)


def noise(rows=120, targets=1):
    """Labels, or numbers, that no column tells anything of."""
    rng = np.random.default_rng(0)
    columns = {f"x{i}": rng.standard_normal(rows) for i in range(4)}
    values = {f"y{i}": rng.standard_normal(rows) for i in range(targets)}
    return pl.DataFrame({**columns, **values, "label": rng.choice(["a", "b"], rows)})


def models_of(target, drop, **changes):
    given = {**QUICK, "candidates": 12, "epochs": 12, **changes}
    options = Options(target=target, drop=drop, **given)
    return fit(Table("noise", noise(targets=2)), options).delivery.models


def test_the_best_of_many_equal_candidates_is_expected_to_be_worse():
    """Where nothing can be learned, all that the best has over a constant's loss is its luck."""
    for each in models_of(("label",), ("y0", "y1")).values():
        value, low, high = each.promised
        assert low < value < high
        assert value > each.mean


def test_with_nothing_to_choose_nothing_is_corrected():
    (single,) = models_of(("y0",), ("y1", "label"), candidates=1, epochs=1, model="single").values()
    value, low, high = single.promised
    # A sample's rows outside are others each time: their mean over 500 is not exactly the mean.
    assert value == pytest.approx(single.mean, rel=0.05)
    assert low < single.mean < high


@pytest.mark.parametrize(
    ("target", "changes"),
    [
        (("label",), {"metric": "accuracy"}),  # whose curve has no losses of units
        (("label",), {"metric": "roc_auc"}),  # no mean over rows
        (("y0", "y1"), {}),  # several roots of means
    ],
)
def test_nothing_is_promised_of_what_is_no_mean_of_losses(target, changes):
    drop = tuple({"y0", "y1", "label"} - set(target))
    for each in models_of(target, drop, candidates=2, epochs=2, **changes).values():
        assert all(map(math.isnan, each.promised))


def test_candidates_that_halving_stopped_are_no_part_of_the_choice():
    for each in models_of(("label",), ("y0", "y1"), halving=True).values():
        assert all(map(math.isfinite, each.promised))


@pytest.mark.parametrize("unit", [1e200, 1e-200])
def test_the_unit_of_the_target_does_not_count(unit):
    """The squares of such numbers are infinite, or 0."""
    plain, scaled = (
        fit(
            Table("noise", noise().with_columns(pl.col("y0") * by)),
            Options(target=("y0",), drop=("label",), candidates=2, epochs=3, **QUICK),
        ).delivery.models
        for by in (1.0, unit)
    )
    for name, each in plain.items():
        # Lanes train in float32, where the normalized targets differ by a rounding.
        found = np.array(scaled[name].promised) / unit
        np.testing.assert_allclose(found, each.promised, rtol=1e-4)


def test_rows_that_validate_thrice_tell_no_more_than_once():
    """Three rounds of the same rows, drawn as free ones, make the interval √3 times as narrow."""
    kfold, repeated = (
        width(run("clicked", protocol=protocol, model="committee"))
        for protocol in ("kfold", "repeated")
    )
    # Three rounds average some of a network's luck away: the smaller part of the width.
    assert repeated > 0.8 * kfold


def chosen_by(how, **changes):
    """A search in which a small network is about as good as the best."""
    given = {**QUICK, "candidates": 8, "epochs": 8, "space": SIZES, "choose": how, **changes}
    return fit(Table("clicks", clicks()), Options(target=("clicked",), **given))


def test_a_winner_that_is_not_the_best_is_expected_to_be_as_much_worse():
    best, simple = (chosen_by(how, model="single") for how in ("best", "one-se"))
    behind = simple.winner.mean - best.winner.mean
    assert behind > 0
    one, other = (result.delivery.models["single"] for result in (best, simple))
    # The one temperature lowers the loss, and the spread with it; the other one adds to it.
    assert one.mean < best.winner.mean
    assert other.mean > simple.winner.mean
    corrected = one.promised[0] * best.winner.mean / one.mean
    worse = behind + other.mean - simple.winner.mean
    # Means of float32 losses.
    assert other.promised[0] == pytest.approx(corrected + worse, abs=1e-6)


def test_the_simplest_of_about_equals_wins_by_a_metric_without_a_curve_too():
    best, simple = (chosen_by(how, metric="roc_auc", model="single") for how in ("best", "one-se"))
    assert best.winner.candidate.hidden_layer_sizes == (16,)
    assert simple.winner.candidate.hidden_layer_sizes == (2,)
    worse = best.delivery.models["single"].mean - simple.delivery.models["single"].mean
    folds = np.array(best.delivery.models["single"].folds)
    assert 0 <= worse <= folds.std(ddof=1) * math.sqrt(1 / 3 + 1 / 2)  # one standard error


def test_a_temperature_that_lowers_the_loss_lowers_its_spread_as_well():
    """Networks that are far too sure: before the temperature a log-loss of many times ln 2."""
    result = run("clicked", rates=(100.0,), epochs=1)
    each = result.delivery.models["single"]
    assert result.winner.mean > 5 * each.mean
    value, low, high = each.promised
    # Nothing was chosen, so nothing is corrected: what is left is the spread of 500 samples' mean.
    assert value == pytest.approx(each.mean, rel=0.05)
    assert 0 < low < each.mean < high < 3 * each.mean


def test_nothing_is_promised_where_all_that_trained_to_the_end_diverged():
    """After halving, what stopped early is all that is left; nobody chose it among others."""
    result = fit(
        Table("noise", noise()),
        Options(target=("y0",), drop=("label",), candidates=2, epochs=3, **QUICK),
    )
    stopped = [replace(score, trained=1, epochs=1, share=3) for score in result.scores]
    lost = [replace(score, diverged=(1, 0, 0), loss=math.inf) for score in result.scores]
    promises = Promises(Means().run(result.task, OPTIONS), result.task, [*stopped, *lost], 0)
    assert all(map(math.isnan, promises.of_choice(stopped[0], 1.0)))
    entries = result.delivery.entries
    assert all(map(math.isnan, promises.of_committee(entries, [0, 1], 1.0)))


def width(result):
    """Of the committee's interval, as the logarithm of a ratio."""
    _, low, high = result.delivery.models["committee"].promised
    return math.log(high / low)


def test_rows_of_a_group_are_drawn_together():
    """Four rows of each group, nearly alike, tell not much more than one of them."""
    one = clicks(120)
    jitter = 1e-3 * np.random.default_rng(0).standard_normal(480)
    four = pl.concat([one.with_row_index("of")] * 4).with_columns(pl.col("a") + jitter)
    how = {"model": "committee", "test_size": 0}
    alone = width(run("clicked", frame=one, **how))
    free = width(run("clicked", frame=four, drop=("of",), **how))
    grouped = width(run("clicked", frame=four, protocol="grouped", groups="of", **how))
    assert free < 0.7 * alone  # √4 times as many rows, it seems
    assert grouped > 0.75 * alone


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(0, 2**32 - 1))
def test_a_cluster_is_all_its_entries(of, seed):
    of = np.array(of)
    clusters = Clusters(of)
    firsts = list(dict.fromkeys(of.tolist()))
    assert len(clusters) == len(firsts)
    drawn = np.random.default_rng(seed).integers(len(firsts), size=7)
    slow = [place for number in drawn for place in np.flatnonzero(of == firsts[number])]
    assert clusters.entries(drawn).tolist() == slow


def test_mistakes_that_no_row_has_shown_may_still_come():
    """100 rows that are all right: 3 of 100 new ones may be wrong (the rule of three)."""
    y = np.repeat([0, 1], 50)
    shares = np.where(np.eye(2)[y] == 1, 0.99, 0.01)
    rows = np.arange(100)
    entries = OutOfFold(rows, rows % 5, y, np.ones(100), shares[None])
    value, low, high = with_unseen_mistakes((0.01, 0.005, 0.02), entries, shares)
    assert (value, low) == (0.01, 0.005)
    assert high == pytest.approx(0.01 + 3 / 100 * -math.log(0.01))
    # Rows in three rounds tell of no more rows; an interval that is wide enough stays.
    thrice = OutOfFold(rows % 25, rows % 5, y, np.ones(100), shares[None])
    wide = with_unseen_mistakes((0.01, 0.005, 0.02), thrice, shares)
    assert wide[2] == pytest.approx(0.01 + 3 / 25 * -math.log(0.01))
    assert with_unseen_mistakes((0.01, 0.005, 9.0), entries, shares) == (0.01, 0.005, 9.0)
