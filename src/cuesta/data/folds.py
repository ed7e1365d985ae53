"""Splits the rows: test rows that can be read once, and folds of the others (N2)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from cuesta._util.checks import check_choice
from cuesta.errors import SealError, SpecError, TableError

PROTOCOLS = ("kfold", "repeated", "grouped", "ordered", "single")
REPEATS = 3
T = TypeVar("T")


@dataclass(frozen=True)
class Fold:
    """Row numbers that train and row numbers that validate."""

    train: np.ndarray
    validation: np.ndarray


class Sealed(Generic[T]):
    """The test rows: they can be had once, when the winner is fixed."""

    def __init__(self, open_rows: Callable[[], T]) -> None:
        self._open_rows = open_rows
        self.opened = False

    def open(self) -> T:
        """The test rows, the first time. Raises SealError after that."""
        if self.opened:
            raise SealError("The test rows were opened before; they are read once.")
        self.opened = True
        return self._open_rows()


def split_test(
    y: np.ndarray,
    *,
    classes: bool,
    share: float,
    protocol: str,
    groups: np.ndarray | None,
    seed: int,
    first: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers (training, test): stratified for classes, whole groups, or the last rows.

    A class with one row alone stays in training. Rows of one number in `first` are copies of that
    row, and stay with it. Raises SpecError for a share that leaves either side empty.
    """
    if first is not None and protocol != "ordered":
        one, of = _without_copies(first)
        its = None if groups is None else _with_copies(groups, first)[one]
        split = split_test(
            y[one], classes=classes, share=share, protocol=protocol, groups=its, seed=seed
        )
        return np.flatnonzero(np.isin(of, split[0])), np.flatnonzero(np.isin(of, split[1]))
    n = len(y)
    count = round(share * n)
    if not 0 < share < 1 or not 0 < count < n:
        raise SpecError(f"A test share of {share:g} of {n:,} rows leaves one side empty.")
    rows = np.arange(n)
    if protocol == "ordered":
        return rows[: n - count], rows[n - count :]
    from sklearn.model_selection import GroupShuffleSplit, train_test_split

    if groups is not None:
        if len(np.unique(groups)) < 2:
            raise TableError("All rows are of one group; grouped folds need several.")
        splitter = GroupShuffleSplit(1, test_size=share, random_state=seed)
        train, test = next(splitter.split(rows, groups=groups))
        return np.sort(train), np.sort(test)
    if not classes:
        train, test = train_test_split(rows, test_size=count, random_state=seed)
        return np.sort(train), np.sort(test)
    _, inverse, counts = np.unique(y, return_inverse=True, return_counts=True)
    alone = rows[counts[inverse] == 1]
    paired = rows[counts[inverse] > 1]
    several = int((counts > 1).sum())
    if count < several or len(paired) - count < several:
        raise TableError(
            f"{count:,} test rows of {n:,} cannot hold each of {several} classes; give more rows, "
            "or another share for the test.",
            parameter="test_size",
        )
    train, test = train_test_split(paired, test_size=count, stratify=y[paired], random_state=seed)
    return np.sort(np.concatenate([train, alone])), np.sort(test)


def hold_out(y: np.ndarray, share: float, seed: int) -> Fold:
    """A fold that trains on most rows and validates on a share of them, one row at least.

    `y` (rows,) of class numbers is stratified where each class has rows for both sides; (rows,
    targets) never is. Raises SpecError where no row is left to train on.
    """
    count, held = len(y), max(1, round(share * len(y)))
    if held >= count:
        raise SpecError(f"Holding out {held} of {count} rows leaves none to train on.")
    classes = y if y.ndim == 1 else None
    if classes is not None:
        counts = np.unique(classes, return_counts=True)[1]
        if counts.min() < 2 or min(held, count - held) < len(counts):
            classes = None
    from sklearn.model_selection import train_test_split

    split = train_test_split(np.arange(count), test_size=held, stratify=classes, random_state=seed)
    return Fold(np.sort(split[0]), np.sort(split[1]))


def _without_copies(first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One row of each set of equal rows, and for each row the place of its own among them."""
    one, of = np.unique(first, return_inverse=True)
    return one, of.ravel()


def _with_copies(groups: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Groups joined where a copy of a row of one stands in another."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = np.arange(len(first))
    of = np.unique(groups, return_inverse=True)[1].ravel() + len(rows)
    ends = np.concatenate([first, of])
    links = (np.ones(2 * len(rows)), (np.concatenate([rows, rows]), ends))
    size = int(of.max()) + 1
    return np.asarray(connected_components(coo_array(links, (size, size)))[1][: len(rows)])


def make_folds(
    y: np.ndarray,
    *,
    classes: bool,
    k: int,
    protocol: str,
    groups: np.ndarray | None,
    seed: int,
    first: np.ndarray | None = None,
) -> list[Fold]:
    """The folds of the training rows by a protocol (N2).

    kfold: every row validates once, stratified for classes; repeated: that, three times;
    grouped: a group is never on both sides; ordered: rows validate after those that train;
    single: one split, as is usual in deep learning.
    Rows of one number in `first` are copies of that row, and stay with it unless rows are ordered.
    Raises SpecError for a protocol or a K that does not fit.
    """
    check_choice("protocol", protocol, PROTOCOLS)
    if first is not None and protocol != "ordered":
        one, of = _without_copies(first)
        its = None if groups is None else _with_copies(groups, first)[one]
        folds = make_folds(y[one], classes=classes, k=k, protocol=protocol, groups=its, seed=seed)
        return [
            Fold(*(np.flatnonzero(np.isin(of, side)) for side in (f.train, f.validation)))
            for f in folds
        ]
    if k < 2:
        raise SpecError(f"K-fold cross-validation needs at least 2 folds, not {k}.")
    if len(y) < k:
        raise TableError(f"{k} folds need at least {k} training rows; there are {len(y)}.")
    from sklearn import model_selection as ms

    check_groups(protocol, groups is not None)
    seen = {"n_splits": k, "shuffle": True, "random_state": seed}
    if groups is not None:
        distinct = len(np.unique(groups))
        if distinct < k:
            raise TableError(f"{k} folds need at least {k} groups; there are {distinct}.")
        stratify = classes and _stratifiable(y, k)
        splitter = (ms.StratifiedGroupKFold if stratify else ms.GroupKFold)(**seen)
    elif protocol == "ordered":
        if len(y) < k + 1:
            raise TableError(
                f"{k} folds in order need at least {k + 1} training rows; there are {len(y)}."
            )
        splitter = ms.TimeSeriesSplit(k)
    elif protocol == "single":
        splits = _folds(_kfold(ms, classes, y, seen), y, None)
        return splits[:1]
    elif protocol == "repeated":
        rounds = [seen | {"random_state": (seed + turn) % 2**32} for turn in range(REPEATS)]
        return [f for each in rounds for f in _folds(_kfold(ms, classes, y, each), y, None)]
    else:
        splitter = _kfold(ms, classes, y, seen)
    return _folds(splitter, y, groups)


def check_groups(protocol: str, given: bool) -> None:
    """Raise SpecError unless groups are given exactly where the protocol keeps them together."""
    if protocol == "grouped" and not given:
        raise SpecError(
            "The grouped protocol needs a column of groups; name it.", parameter="groups"
        )
    if given and protocol != "grouped":
        raise SpecError(
            f"Groups need the grouped protocol, not {protocol}.",
            parameter="protocol",
            value="grouped",
        )


def _kfold(ms: Any, classes: bool, y: np.ndarray, how: dict[str, Any]) -> Any:
    stratify = classes and _stratifiable(y, how["n_splits"])
    return (ms.StratifiedKFold if stratify else ms.KFold)(**how)


def _stratifiable(y: np.ndarray, k: int) -> bool:
    """Whether one class at least has a row for each fold; else there is nothing to stratify."""
    return bool(np.unique(y, return_counts=True)[1].max() >= k)


def _folds(splitter: Any, y: np.ndarray, groups: np.ndarray | None) -> list[Fold]:
    with warnings.catch_warnings():
        # A class with fewer rows than folds is said by the pipeline, in our own words.
        warnings.filterwarnings("ignore", message="The least populated class")
        return [Fold(a, b) for a, b in splitter.split(np.zeros(len(y)), y, groups)]
