"""The seal on the test rows, and the folds (N2)."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cuesta.data.folds import PROTOCOLS, REPEATS, Sealed, hold_out, make_folds, split_test
from cuesta.errors import CuestaError, SealError, SpecError, TableError
from cuesta.tabular.options import Options

SEEDS = st.integers(0, 2**32 - 1 - REPEATS)
SPLITS_ALL_ROWS = ("kfold", "repeated", "grouped", "single")


@st.composite
def problems(draw, spare=0):
    """Class numbers or values of n rows, and a K that they suffice for."""
    k = draw(st.integers(2, 7))
    n = draw(st.integers(k + spare, 40))
    classes = draw(st.booleans())
    labels = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    y = np.array(labels) if classes else np.arange(n, dtype=float)
    return {"y": y, "k": k, "classes": classes, "seed": draw(SEEDS)}


@st.composite
def grouped(draw):
    """A problem whose rows belong to groups, at least one a fold."""
    problem = draw(problems())
    n, k = len(problem["y"]), problem["k"]
    rest = draw(st.lists(st.integers(0, 9), min_size=n - k, max_size=n - k))
    return problem | {"groups": np.array([*range(k), *rest])}


def folds_of(protocol="kfold", *, y, k, classes, seed=0, groups=None):
    return make_folds(y, classes=classes, k=k, protocol=protocol, groups=groups, seed=seed)


def times_validated(folds, n):
    return np.bincount(np.concatenate([fold.validation for fold in folds]), minlength=n)


def same(one, other):
    pairs = zip(one, other, strict=True)
    return all(
        np.array_equal(a.train, b.train) and np.array_equal(a.validation, b.validation)
        for a, b in pairs
    )


@given(problems())
def test_every_row_validates_exactly_once(problem):
    folds = folds_of(**problem)
    assert len(folds) == problem["k"]
    assert (times_validated(folds, len(problem["y"])) == 1).all()


@given(problems())
def test_repeated_validates_every_row_once_a_round(problem):
    folds = folds_of("repeated", **problem)
    assert len(folds) == REPEATS * problem["k"]
    for start in range(0, len(folds), problem["k"]):
        one_round = folds[start : start + problem["k"]]
        assert (times_validated(one_round, len(problem["y"])) == 1).all()


def test_the_rounds_of_repeated_differ():
    folds = folds_of("repeated", y=np.arange(40.0), k=4, classes=False)
    assert not same(folds[:4], folds[4:8])
    assert not same(folds[4:8], folds[8:])


@given(problems())
def test_each_class_is_spread_evenly_over_the_folds(problem):
    y, k = problem["y"], problem["k"]
    assume(problem["classes"] and np.bincount(y).max() >= k)
    folds = folds_of(**problem)
    counts = np.array([np.bincount(y[f.validation], minlength=4) for f in folds])
    assert (np.ptp(counts, axis=0) <= 1).all()


@given(grouped())
def test_a_group_is_never_on_both_sides(problem):
    groups = problem["groups"]
    folds = folds_of("grouped", **problem)
    assert (times_validated(folds, len(groups)) == 1).all()
    for fold in folds:
        assert not set(groups[fold.train]) & set(groups[fold.validation])


@given(problems(spare=1))
def test_ordered_validates_on_rows_after_those_that_train(problem):
    folds = folds_of("ordered", **problem)
    assert len(folds) == problem["k"]
    for fold in folds:
        assert len(fold.train)
        assert fold.train.max() < fold.validation.min()
    assert (times_validated(folds, len(problem["y"])) <= 1).all()
    assert folds[-1].validation[-1] == len(problem["y"]) - 1


@given(problems())
def test_single_is_one_split(problem):
    assert len(folds_of("single", **problem)) == 1


@pytest.mark.parametrize("protocol", SPLITS_ALL_ROWS)
@given(problem=grouped())
def test_training_and_validation_rows_are_disjoint_and_complete(protocol, problem):
    if protocol != "grouped":
        problem = problem | {"groups": None}
    for fold in folds_of(protocol, **problem):
        both = np.concatenate([fold.train, fold.validation])
        assert sorted(both) == list(range(len(problem["y"])))
        assert len(fold.train)
        assert len(fold.validation)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(problem=grouped())
def test_the_same_seed_gives_the_same_folds(protocol, problem):
    assume(protocol != "ordered" or len(problem["y"]) > problem["k"])
    if protocol != "grouped":
        problem = problem | {"groups": None}
    assert same(folds_of(protocol, **problem), folds_of(protocol, **problem))


@pytest.mark.parametrize("protocol", ["kfold", "repeated", "single"])
def test_another_seed_gives_other_folds(protocol):
    problem = {"y": np.arange(40.0), "k": 4, "classes": False}
    assert not same(folds_of(protocol, **problem, seed=0), folds_of(protocol, **problem, seed=1))


def test_a_class_with_fewer_rows_than_folds_is_no_fault():
    folds = folds_of(y=np.array([0] * 10 + [1]), k=5, classes=True)
    assert (times_validated(folds, 11) == 1).all()


@pytest.mark.parametrize(
    ("change", "error", "culprit"),
    [
        ({"k": 1}, SpecError, "folds"),
        ({"k": 11}, TableError, "11"),
        ({"protocol": "kfolds"}, SpecError, "'kfold'"),
        ({"protocol": "grouped"}, SpecError, r"name it \(groups\)"),
        ({"protocol": "grouped", "groups": np.arange(10) % 2}, TableError, "groups"),
    ],
)
def test_folds_that_cannot_be_made_are_a_fault_that_names_why(change, error, culprit):
    wanted = {"y": np.arange(10.0), "k": 3, "classes": False} | change
    with pytest.raises(error, match=culprit):
        folds_of(**wanted)


def test_too_few_rows_for_ordered_folds_are_a_fault():
    with pytest.raises(TableError, match="5 folds"):
        folds_of("ordered", y=np.arange(5.0), k=5, classes=False)


def test_repeated_takes_the_largest_seed():
    problem = {"y": np.arange(9.0), "k": 3, "classes": False}
    assert len(folds_of("repeated", **problem, seed=2**32 - 1)) == 3 * REPEATS


@pytest.mark.parametrize("protocol", [name for name in PROTOCOLS if name != "grouped"])
def test_groups_are_refused_where_they_would_not_stay_together(protocol):
    with pytest.raises(SpecError, match="grouped protocol"):
        Options(target=("y",), groups="g", protocol=protocol)
    with pytest.raises(SpecError, match="grouped protocol"):
        folds_of(protocol, groups=np.arange(60) % 12, y=np.arange(60.0), k=3, classes=False)


# --- the test rows ----------------------------------------------------------------------------


def split(y, *, share=0.2, classes=False, protocol="kfold", groups=None, seed=0):
    return split_test(y, classes=classes, share=share, protocol=protocol, groups=groups, seed=seed)


SHARES = st.floats(0.05, 0.95)


@given(n=st.integers(20, 80), share=SHARES, protocol=st.sampled_from(PROTOCOLS), seed=SEEDS)
def test_training_and_test_rows_are_disjoint_and_complete(n, share, protocol, seed):
    train, test = split(np.arange(float(n)), share=share, protocol=protocol, seed=seed)
    assert sorted([*train, *test]) == list(range(n))
    assert len(test) == round(share * n)


@given(labels=st.lists(st.integers(0, 3), min_size=20, max_size=80), seed=SEEDS)
def test_each_class_gives_its_share_of_test_rows(labels, seed):
    y = np.array(labels)
    counts = np.bincount(y, minlength=4)
    assume((counts != 1).all())
    train, test = split(y, classes=True, share=0.3, seed=seed)
    assert sorted([*train, *test]) == list(range(len(y)))
    # A class's share is seldom whole: rounded up or down.
    expected = len(test) * counts / len(y)
    assert (np.abs(np.bincount(y[test], minlength=4) - expected) < 1).all()


@given(seed=SEEDS)
def test_a_class_with_one_row_stays_in_training(seed):
    y = np.array([0] * 10 + [1] * 10 + [2])
    train, test = split(y, classes=True, seed=seed)
    assert 20 in train
    assert sorted([*train, *test]) == list(range(21))


@given(groups=st.lists(st.integers(0, 9), min_size=10, max_size=60), seed=SEEDS)
def test_a_group_is_never_both_in_training_and_test(groups, seed):
    groups = np.array(groups)
    assume(len(np.unique(groups)) > 1)
    train, test = split(np.arange(float(len(groups))), groups=groups, seed=seed)
    assert sorted([*train, *test]) == list(range(len(groups)))
    assert not set(groups[train]) & set(groups[test])


def test_one_group_alone_is_a_fault():
    with pytest.raises(CuestaError):
        split(np.arange(10.0), protocol="grouped", groups=np.zeros(10))


@given(
    labels=st.lists(st.integers(0, 3), min_size=2, max_size=60),
    share=st.floats(0.01, 0.7),
    seed=SEEDS,
    classes=st.booleans(),
)
def test_what_is_held_out_is_a_share_of_the_rows(labels, share, seed, classes):
    y = np.unique(labels, return_inverse=True)[1] if classes else np.array(labels, float)[:, None]
    held = max(1, round(share * len(y)))
    if held == len(y):
        with pytest.raises(SpecError, match="none to train on"):
            hold_out(y, share, seed)
        return
    fold = hold_out(y, share, seed)
    assert len(fold.validation) == held
    assert sorted([*fold.train, *fold.validation]) == list(range(len(y)))
    counts = np.bincount(y) if classes else np.array([1])
    if counts.min() > 1 and min(held, len(y) - held) >= len(counts):
        # Shares of whole rows: one row off at most, and two where all shares round the same way.
        found = np.bincount(y[fold.validation], minlength=len(counts))
        assert (np.abs(found - counts * held / len(y)) <= 2).all()


@given(n=st.integers(10, 60), share=st.floats(0.1, 0.9))
def test_ordered_tests_on_the_last_rows(n, share):
    train, test = split(np.arange(float(n)), share=share, protocol="ordered")
    assert train.max() < test.min()


@pytest.mark.parametrize("classes", [True, False])
def test_the_test_rows_depend_on_the_seed_alone(classes):
    y = np.arange(40) % 2
    first, again, other = (split(y, classes=classes, seed=seed)[1] for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5, 0.01, 0.99])
def test_a_share_that_leaves_a_side_empty_is_a_fault(share):
    with pytest.raises(SpecError, match="leaves one side empty"):
        split(np.arange(20.0), share=share)


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_too_few_rows_for_a_class_on_each_side_are_a_fault(share):
    with pytest.raises(TableError, match="each of 3 classes"):
        split(np.arange(20) % 3, classes=True, share=share)


def test_the_seal_opens_once():
    sealed = Sealed(lambda: "rows")
    assert not sealed.opened
    assert sealed.open() == "rows"
    assert sealed.opened
    with pytest.raises(SealError, match="read once"):
        sealed.open()


def test_sealed_rows_are_not_made_before_they_are_asked_for():
    asked = []
    sealed = Sealed(lambda: asked.append("rows"))
    assert not asked
    sealed.open()
    assert asked == ["rows"]
