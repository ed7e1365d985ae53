"""The training rows of a search's splits: prepared once, and shared where they can be.

Rows of all splits share one matrix where the encoder fitted to a split's training rows is the one
fitted to all rows: a split is then a fold of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

# Not public, but rows must be sliced exactly as scikit-learn's own fit will slice them.
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

from cuesta.data.encode import Target
from cuesta.data.folds import Fold
from cuesta.estimators.rows import Prepared, prepare_rows
from cuesta.training.feed import Feed
from cuesta.training.fits import Rows

Split = tuple[np.ndarray, np.ndarray]  # places of the rows that train, and that score
UNUSABLE = (ValueError, TypeError)  # what unusable rows or parameters raise


@dataclass(frozen=True)
class SearchData:
    """What a search was given: rows, the parameters of the estimators' `fit`, and the splits."""

    x: Any
    y: Any
    fit_params: Mapping[str, Any]
    splits: Sequence[Split]

    def prepare(self, net: Any, places: np.ndarray) -> Prepared:
        """The rows at these places, prepared for this estimator."""
        x, y = _safe_split(net, self.x, self.y, places)
        params = _check_method_params(self.x, params=dict(self.fit_params), indices=places)
        return prepare_rows(clone(net), x, y, params.get("sample_weight"), quiet=True)


class PreparedSplit(NamedTuple):
    """A split's training rows: at the places `train` among `rows`, all rows' where `shared`."""

    target: Target
    y: np.ndarray
    digest: str
    rows: Rows
    train: np.ndarray
    shared: bool
    held_out: tuple[int, ...] | None = None  # among its own rows, where a splitter says so

    @property
    def x(self) -> np.ndarray:
        """Its own rows."""
        return self.rows.x[self.train]


class FeedKey(NamedTuple):
    """Which rows a feed has: all splits' (None), or one split's, some of them held out."""

    split: int | None
    held_out: tuple[int, ...] = ()


@dataclass
class PreparedSplits:
    """All splits, prepared in one way; None for one whose rows cannot be used."""

    splits: list[PreparedSplit | None]
    folds: list[Fold]
    feeds: dict[FeedKey, Feed] = field(default_factory=dict)

    def feed(self, place: int, split: PreparedSplit, held_out: tuple[int, ...]) -> tuple[Feed, int]:
        """The feed of a split, and its fold there; some training rows may be held out to validate.

        What has the same rows has the same feed: lanes of one feed share chunks.
        """
        if split.shared and not held_out:
            return self._feed(FeedKey(None), split.rows, self.folds), place
        out = np.array(held_out, np.int64)
        folds = [Fold(np.delete(split.train, out), split.train[out])] if held_out else []
        return self._feed(FeedKey(place, held_out), split.rows, folds), 0

    def _feed(self, key: FeedKey, rows: Rows, folds: list[Fold]) -> Feed:
        if key not in self.feeds:
            self.feeds[key] = rows.feed(folds)
        return self.feeds[key]


def prepare_splits(net: Any, data: SearchData) -> PreparedSplits:
    """The splits for all estimators whose `Preparation` is that of this one."""
    whole = _prepared_or_none(net, data, np.arange(len(data.y)))
    splits = [_prepare_split(net, data, train, whole) for train, _ in data.splits]
    return PreparedSplits(splits, [Fold(*split) for split in data.splits])


def _prepare_split(
    net: Any, data: SearchData, train: np.ndarray, whole: Prepared | None
) -> PreparedSplit | None:
    prepared = _prepared_or_none(net, data, train)
    if prepared is None:
        return None
    own, target = prepared.rows, prepared.encoding.target.target
    if whole is not None and _is_part(prepared, whole, train):
        return PreparedSplit(target, own.y, own.digest, whole.rows, train, True, prepared.held_out)
    every = np.arange(len(own.x))
    return PreparedSplit(target, own.y, own.digest, own, every, False, prepared.held_out)


def _prepared_or_none(net: Any, data: SearchData, places: np.ndarray) -> Prepared | None:
    try:
        return data.prepare(net, places)
    except UNUSABLE:
        return None


def _is_part(prepared: Prepared, whole: Prepared, train: np.ndarray) -> bool:
    """Whether these rows, encoded on their own, are what all rows encoded together have there."""
    if not _encoded_alike(prepared, whole):
        return False
    mine, theirs = prepared.rows, whole.rows
    if len(mine.x) != len(train) or len(theirs.x) <= int(train.max()):
        return False
    if (mine.weights is None) != (theirs.weights is None):
        return False
    pairs = [(mine.x, theirs.x), (mine.y, theirs.y)]
    if mine.weights is not None and theirs.weights is not None:
        pairs.append((mine.weights, theirs.weights))
    return all(np.array_equal(a, b[train], equal_nan=a.dtype.kind == "f") for a, b in pairs)


def _encoded_alike(one: Prepared, other: Prepared) -> bool:
    a, b = one.encoding, other.encoding
    return (a.encoder, a.target.target) == (b.encoder, b.target.target)
