"""The fold networks of a search's best candidates, kept as it goes, and made one estimator.

A fit that the search has trained is found, not trained again: see `pretrained`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils import _safe_indexing
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

from cuesta.errors import CuestaError, SpecError
from cuesta.estimators.base import Network
from cuesta.estimators.prepared_splits import SearchData
from cuesta.search.committee import greedy_log_loss, greedy_rmse

MOST_CANDIDATES = 12


class Kept(NamedTuple):
    """A candidate: its score, its network of each split, and what that says of the split's rows."""

    candidate: int
    score: float
    networks: list[Network]
    out_of_fold: list[np.ndarray]


@dataclass
class BestCandidates:
    """The best candidates so far, best first; of equals the earlier one."""

    estimator: Network
    data: SearchData
    kept: list[Kept] = field(default_factory=list)

    def consider(
        self, first: int, candidates: Sequence[Mapping[str, Any]], scores: Sequence[float]
    ) -> None:
        """Keep those of these candidates, numbered from `first`, that are among the best 12.

        A score is better when higher. One that is no number, and a candidate with a network that
        diverged, are left out.
        """
        places = [place for place, score in enumerate(scores) if np.isfinite(score)]
        places.sort(key=lambda place: -scores[place])
        for place in places[:MOST_CANDIDATES]:
            full = len(self.kept) == MOST_CANDIDATES
            if full and scores[place] <= self.kept[-1].score:
                break
            try:
                networks = list(self._networks(candidates[place]))
            except CuestaError:
                continue
            told = [
                net._outputs(_safe_indexing(self.data.x, test))
                for net, (_, test) in zip(networks, self.data.splits, strict=True)
            ]
            self.kept.append(Kept(first + place, float(scores[place]), networks, told))
            self.kept.sort(key=lambda one: (-one.score, one.candidate))
            del self.kept[MOST_CANDIDATES:]

    def _networks(self, params: Mapping[str, Any]) -> Iterator[Network]:
        """The candidate's network of each split, as scikit-learn's own loop fits it."""
        x, fit_params = self.data.x, dict(self.data.fit_params)
        for train, _ in self.data.splits:
            net = clone(self.estimator).set_params(**clone(dict(params), safe=False))
            rows, y = _safe_split(net, x, self.data.y, train)
            own = _check_method_params(x, params=fit_params, indices=train)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the loop has said it
                yield net.fit(rows, y, **own)

    def committee(self, whole: Network) -> Committee:
        """The committee of those kept, in the form of a network that is fitted to all rows.

        Weights are chosen by the out-of-fold log-loss of classes (or of each label), or RMSE.
        Raises SpecError where no candidate was kept.
        """
        if not self.kept:
            raise SpecError("No candidate was trained on every split, so there is no committee.")
        kept = sorted(self.kept, key=lambda one: one.candidate)
        y = np.concatenate([_plain(_safe_indexing(self.data.y, t)) for _, t in self.data.splits])
        told = np.stack(
            [
                np.concatenate(
                    [
                        _aligned(net, own, whole)
                        for net, own in zip(one.networks, one.out_of_fold, strict=True)
                    ]
                )
                for one in kept
            ]
        )
        weights = _weights(told, y, whole)
        members = {
            one.candidate: Member(float(weight), one.networks)
            for one, weight in zip(kept, weights, strict=True)
            if weight > 0
        }
        kind = CommitteeOfRegressors if whole.model_.target.task == "regression" else (
            CommitteeOfClassifiers
        )  # fmt: skip
        return kind(members, whole)


class Member(NamedTuple):
    """A candidate's weight, and its networks, which share it."""

    weight: float
    networks: list[Network]


class Committee(BaseEstimator):
    """f(x) = Σ w_c · mean over c's networks of f_c(x): the mean of shares or values.

    `members` are by the candidates' numbers in `cv_results_`; `whole` is a network with the classes
    and the form of the targets.
    """

    def __init__(self, members: dict[int, Member], whole: Network) -> None:
        self.members = members
        self.whole = whole

    def _outputs(self, X: Any) -> np.ndarray:
        parts = [
            weight / len(networks) * _aligned(net, net._outputs(X), self.whole)
            for weight, networks in self.members.values()
            for net in networks
        ]
        return np.sum(parts, axis=0)

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:  # noqa: N803 (scikit-learn's name)
        """How many networks of which candidates."""
        count = sum(len(member.networks) for member in self.members.values())
        shares = ", ".join(f"{c}: {m.weight:.2f}" for c, m in self.members.items())
        return f"{type(self).__name__}({count} networks; weights of candidates {{{shares}}})"


class CommitteeOfClassifiers(ClassifierMixin, Committee):
    """A committee that predicts classes, or labels."""

    @property
    def classes_(self) -> np.ndarray:
        """The classes."""
        return self.whole.classes_

    def predict_proba(self, X: Any) -> np.ndarray:
        """The share that each class, or label, gets."""
        return self._outputs(X)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithms of `predict_proba`'s shares."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """The class of the largest share, or for each label whether its share is above ½."""
        shares = self._outputs(X)
        if self.whole.model_.target.task == "multilabel":
            return (shares > 0.5).astype(np.int64)
        return self.classes_[shares.argmax(axis=1)]


class CommitteeOfRegressors(RegressorMixin, Committee):
    """A committee that predicts numbers."""

    def predict(self, X: Any) -> np.ndarray:
        """The targets, in their own units, as `y` was."""
        values = self._outputs(X)
        return values[:, 0] if self.whole._encoding.target.one_column else values


def _plain(y: Any) -> np.ndarray:
    return np.asarray(y.toarray() if issparse(y) else y)


def _aligned(net: Network, outputs: np.ndarray, whole: Network) -> np.ndarray:
    """Shares in the order of all classes, 0 for one that the network's rows lacked."""
    if whole.model_.target.task != "classification" or len(net.classes_) == len(whole.classes_):
        return outputs
    full = np.zeros((len(outputs), len(whole.classes_)))
    full[:, np.searchsorted(whole.classes_, net.classes_)] = outputs
    return full


def _weights(told: np.ndarray, y: np.ndarray, whole: Network) -> np.ndarray:
    """Weights (candidates,) by outputs (candidates, rows, outputs)."""
    task = whole.model_.target.task
    if task == "regression":
        return greedy_rmse(told - y.reshape(told.shape[1:]).astype(np.float64))
    if task == "multilabel":
        return greedy_log_loss(np.where(y == 1, told, 1 - told).reshape(len(told), -1))
    of_truth = np.searchsorted(whole.classes_, y.ravel())
    return greedy_log_loss(told[:, np.arange(len(of_truth)), of_truth])
