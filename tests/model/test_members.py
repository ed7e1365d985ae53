"""A committee: what its members decide together, and each fold's."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from cuesta.data.encode import Target
from cuesta.errors import SpecError
from cuesta.model import Calibration, FittedModel, FoldResiduals, Member, sharpened
from tests.model.models import CLASSES, FRAME, VALUES, committee, drawn, residuals_of, rows

TWO = Target("classification", ("y",), ("no", "yes"))
SEVERAL = Target("multilabel", ("a", "b"))
EVERY_TARGET = pytest.mark.parametrize("target", [CLASSES, VALUES, SEVERAL], ids=lambda t: t.task)


def plain(network, x, task):
    """What one network decides, by formulas of its own."""
    units = network.inputs.inputs(x)
    for depth, (w, b) in enumerate(network.layers):
        units = units @ w.astype(float) + b
        if depth < len(network.layers) - 1:
            relu = network.candidate.activation == "relu"
            units = np.maximum(units, 0) if relu else np.tanh(units)
    if task == "regression":
        return units * network.outputs.scale + network.outputs.shift
    return special.softmax(units, axis=1) if task == "classification" else special.expit(units)


def without_residuals(target):
    return committee(target, residuals=() if target is SEVERAL else committee_residuals(target))


def committee_residuals(target):
    return tuple(residuals_of(target, fold) for fold in range(3))


# --- what a committee decides -----------------------------------------------------------------


@EVERY_TARGET
def test_a_committee_decides_the_weighted_mean(target):
    model, x = without_residuals(target), rows(30)
    expected = sum(m.weight * plain(m.network, x, target.task) for m in model.members)
    # Float64 on both sides: six terms of size 10 or so, their softmax to a few roundings.
    np.testing.assert_allclose(model.decide(x), expected, rtol=1e-12, atol=1e-12)


@EVERY_TARGET
def test_a_single_vote_keeps_its_bits(target):
    network, x = drawn(target).network, rows(50)
    other = drawn(target, (3,), seed=5).network
    model = FittedModel(
        drawn(target).encoder, target, (Member(other, 0.0, 0, 1.0), Member(network, 1.0))
    )
    assert model.decide(x).tobytes() == network.decide(x, target.task).tobytes()
    assert model.decide(x).tobytes() == drawn(target).decide(x).tobytes()


def test_a_single_vote_keeps_the_sign_of_zero():
    model = drawn(Target("regression", ("u",)), hidden=())
    # A quarter of the least number above 0 is rounded to 0.
    network = replace(
        model.network,
        layers=((np.zeros((6, 1), np.float32), np.full(1, -0.25, np.float32)),),
        outputs=replace(model.outputs, shift=np.full(1, -0.0), scale=np.full(1, 5e-324)),
    )
    alone = replace(model, members=(Member(network),))
    assert np.signbit(network.decide(rows(3), "regression")).all()
    assert np.signbit(alone.decide(rows(3))).all()


def test_the_order_of_the_members_alone_decides_the_last_bit():
    model, x = committee(), rows(40)
    turned = replace(model, members=model.members[::-1])
    assert model.decide(x).tobytes() == replace(model).decide(x).tobytes()
    # Shares: six sums of numbers below 1.
    np.testing.assert_allclose(turned.decide(x), model.decide(x), rtol=0, atol=1e-15)


def test_a_row_without_any_value_gets_the_base_whoever_votes():
    target = replace(CLASSES, base=(0.5, 0.3, 0.2))
    model = committee(target, temperature=0.5)
    x = np.concatenate([rows(4), [[np.nan, 1, np.nan, 0, 0, 0]]])
    assert model.encoder.without_value(x).tolist() == [False] * 4 + [True]
    assert model.decide(x)[-1].tolist() == [0.5, 0.3, 0.2]
    assert model.decide_folds(x)[:, -1].tolist() == [[0.5, 0.3, 0.2]] * 3


@EVERY_TARGET
def test_no_rows_have_no_predictions(target):
    model = without_residuals(target)
    assert model.decide(rows(0)).shape == (0, target.outputs)
    assert model.decide_folds(rows(0)).shape == (3, 0, target.outputs)


# --- what each fold decides -------------------------------------------------------------------


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_a_fold_decides_by_its_own_networks(temperature, refit):
    model, x = committee(temperature=temperature, refit=refit), rows(20)
    found = model.decide_folds(x)
    for fold in range(3):
        mine = [m for m in model.members if m.fold == fold]
        total = sum(m.fold_weight for m in mine)
        mean = sum(m.fold_weight / total * plain(m.network, x, "classification") for m in mine)
        powers = mean ** (1 / temperature)
        expected = powers / powers.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(found[fold], expected, rtol=1e-12, atol=1e-13)


def test_fold_weights_count_beside_those_of_their_fold_alone():
    model, x = committee(), rows(20)
    heavy = tuple(
        replace(m, fold_weight=m.fold_weight * (7 if m.fold == 1 else 1)) for m in model.members
    )
    # A weight's quotient is rounded once.
    np.testing.assert_allclose(
        replace(model, members=heavy).decide_folds(x), model.decide_folds(x), rtol=0, atol=1e-15
    )


def test_networks_of_the_folds_say_nothing_beside_a_refit():
    model, x = committee(refit=True), rows(20)
    assert model.decide(x).tobytes() == drawn(seed=9).decide(x).tobytes()
    assert model.folds == (0, 1, 2)


def test_a_network_without_a_vote_is_not_asked():
    model, x = committee(refit=True), rows(20)
    broken = replace(drawn().network, layers=tuple((w * np.nan, b) for w, b in drawn().layers))
    silent = (Member(broken, 0.0, 0, 0.0), *model.members)
    assert replace(model, members=silent).decide(x).tobytes() == model.decide(x).tobytes()
    assert replace(model, members=silent).decide_folds(x).tobytes() == (
        model.decide_folds(x).tobytes()
    )


def test_folds_stand_in_the_order_of_their_numbers():
    model, x = committee(), rows(5)
    turned = replace(model, members=model.members[::-1])
    assert turned.folds == (0, 1, 2)
    np.testing.assert_allclose(turned.decide_folds(x), model.decide_folds(x), rtol=0, atol=1e-15)


# --- temperature and threshold ----------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.05, 0.5, 1.0, 3.0])
def test_a_networks_shares_are_the_softmax_of_its_sums_over_the_temperature(temperature):
    sums = np.random.default_rng(0).normal(size=(50, 4)) * 3
    found = sharpened(special.softmax(sums, axis=1), temperature)
    # A share's rounding, 1e-16 of it, grows by its power: 20 at most.
    np.testing.assert_allclose(
        found, special.softmax(sums / temperature, axis=1), rtol=1e-12, atol=1e-15
    )


def test_a_temperature_of_1_leaves_the_bits_alone():
    shares = special.softmax(np.random.default_rng(0).normal(size=(50, 4)), axis=1)
    assert sharpened(shares, 1.0) is shares


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=6).filter(lambda p: sum(p) > 0),
    st.floats(0.01, 100),
)
def test_sharpened_shares_are_shares_in_the_same_order(parts, temperature):
    shares = np.array([parts]) / sum(parts)
    found = sharpened(shares, temperature)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1, abs=1e-14)  # six roundings
    order = np.argsort(shares[0], kind="stable")
    assert (np.diff(found[0][order]) >= 0).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0, 1))
def test_the_second_label_is_chosen_from_its_threshold_on(shares, threshold):
    model = replace(drawn(TWO), calibration=Calibration(threshold=threshold))
    decided = np.array([[1 - share, share] for share in shares])
    assert model.choose(decided).tolist() == [int(share >= threshold) for share in shares]


def test_a_threshold_decides_the_label_in_a_table():
    model = replace(drawn(TWO), calibration=Calibration(threshold=0.9))
    found, before = model.predict(FRAME), drawn(TWO).predict(FRAME)
    assert found["p_yes"].to_list() == before["p_yes"].to_list()
    assert found["y"].to_list() == ["yes" if p >= 0.9 else "no" for p in found["p_yes"]]
    never = replace(model, calibration=Calibration(threshold=1.0)).predict(FRAME)
    assert set(never["y"]) == {"no"}
    assert "yes" in before["y"].to_list()


# --- one network, or many ---------------------------------------------------------------------


def test_a_model_with_one_vote_is_asked_as_its_network():
    model, alone = committee(refit=True), drawn(seed=9)
    assert model.candidate == alone.candidate
    assert model.sizes == alone.sizes == (6, 5, 4, 3)
    assert model.outputs is None
    assert model.inputs.shift.tobytes() == alone.inputs.shift.tobytes()
    assert model.layers[0][0].tobytes() == alone.layers[0][0].tobytes()
    for mine, theirs in zip(model.sample(rows(5), 3, 0), alone.sample(rows(5), 3, 0), strict=True):
        assert mine.tobytes() == theirs.tobytes()


def test_a_committee_has_no_candidate_of_its_own():
    with pytest.raises(AttributeError, match="a committee of 6 networks"):
        _ = committee().candidate


def test_a_model_tells_what_it_is_in_a_line():
    assert repr(committee()) == (
        "<FittedModel: classification, 3 columns, 6 networks of 2 candidates>"
    )
    assert repr(committee(refit=True)) == (
        "<FittedModel: classification, 3 columns, layers of (6, 5, 4, 3) units>"
    )


def test_a_pickle_holds_no_weight_twice():
    model = drawn(hidden=(100, 100))
    before = len(pickle.dumps(model))
    shares = model.decide(rows(3))
    assert len(pickle.dumps(model)) == before
    assert pickle.loads(pickle.dumps(model)).decide(rows(3)).tobytes() == shares.tobytes()  # noqa: S301 (our own)


# --- what is no model -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda n: Member(n, -0.1), "weight must be a finite number from 0 to 1, not -0.1"),
        (lambda n: Member(n, np.nan), "weight must be"),
        (lambda n: Member(n, 1.0, 0, -1.0), "fold_weight must be"),
        (lambda n: Member(n, 1.0, -1), "fold must be a whole number"),
        (lambda n: Member(n, 1.0, True), "fold must be a whole number"),
        (lambda n: Member(n, 1.0, None, 1.0), "fold_weight needs the number of a fold"),
        (lambda n: Calibration(0.0), "temperature must be"),
        (lambda n: Calibration(1000.0), "temperature must be"),
        (lambda n: Calibration(threshold=1.5), "threshold must be"),
        (lambda n: FoldResiduals(0, 0, np.zeros((1, 1))), "rows of a fold must be"),
        (lambda n: FoldResiduals(0, 1, np.zeros((2, 1))), "at most 1 rows"),
        (lambda n: FoldResiduals(0, 3, np.zeros((0, 1))), "must be a table"),
        (lambda n: FoldResiduals(0, 3, np.zeros(3)), "must be a table"),
        (lambda n: FoldResiduals(0, 3, np.array([[1.0], [0.5]])), "must be sorted"),
        (lambda n: FoldResiduals(0, 3, np.array([[-1.0]])), "of at least 0"),
        (lambda n: FoldResiduals(0, 3, np.array([[np.inf]])), "of at least 0"),
    ],
)
def test_what_is_out_of_range_is_refused(made, sentence):
    with pytest.raises(SpecError, match=sentence):
        made(drawn().network)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (lambda m: {"members": ()}, "must add up to 1, not 0"),
        (lambda m: {"members": m.members[1:]}, "must add up to 1"),
        (lambda m: {"members": m.members * 2}, "must add up to 1, not 2"),
        (lambda m: {"calibration": Calibration(threshold=0.5)}, "is for two classes"),
        (
            lambda m: {"calibration": Calibration(residuals=m.calibration.residuals[:2])},
            "not of the folds",
        ),
        (
            lambda m: {"calibration": Calibration(residuals=m.calibration.residuals[::-1])},
            "not of the folds",
        ),
        (
            lambda m: {
                "calibration": Calibration(
                    residuals=tuple(residuals_of(VALUES, fold) for fold in range(3))
                )
            },
            "need 1 column",
        ),
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(changed, sentence):
    model = committee()
    with pytest.raises(SpecError, match=sentence):
        replace(model, **changed(model))


@pytest.mark.parametrize("target", [VALUES, SEVERAL], ids=lambda t: t.task)
def test_a_temperature_is_for_classes(target):
    with pytest.raises(SpecError, match="is for classes"):
        replace(drawn(target), calibration=Calibration(2.0))
