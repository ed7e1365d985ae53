"""`SearchCV`: replaces GridSearchCV and RandomizedSearchCV, and trains all candidates together."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from copy import copy
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import ParameterGrid, ParameterSampler

# Not public, but what GridSearchCV itself is made of: so splitting, scoring, routing of parameters
# and `cv_results_` are scikit-learn's own.
from sklearn.model_selection._search import BaseSearchCV, _search_estimator_has
from sklearn.utils import get_tags, indexable
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_method_params, _num_samples

from cuesta._util.checks import check_choice, check_count
from cuesta._util.progress import Bar
from cuesta.data.frames import as_frame
from cuesta.errors import SpecError
from cuesta.estimators.base import Network
from cuesta.estimators.committee import BestCandidates, Committee
from cuesta.estimators.distributions import checked_spaces, is_range, suggested
from cuesta.estimators.our_names import OurNames, with_our_names
from cuesta.estimators.parameters import LARGEST_SEED, draw_seed, plain, values_of
from cuesta.estimators.prepared_splits import SearchData, Split
from cuesta.estimators.pretrained import PretrainedFits, use_pretrained
from cuesta.estimators.search_fits import Params, SearchFit, SearchFits
from cuesta.estimators.targets import as_given
from cuesta.hyperparameters import is_classes
from cuesta.search.portfolio import TableSize
from cuesta.search.samplers import FixedSampler, Sampler, TPESampler
from cuesta.training.batching import Batching
from cuesta.training.fits import Fitted, fit_many
from cuesta.training.planner import this_machine
from cuesta.training.workers import check_executor

MOST_WEIGHTS = 64 << 20  # numbers held of networks that wait to be scored: 256 MiB
TrainedFit = tuple[SearchFit, Fitted]
SAMPLERS = ("auto", "grid", "random", "tpe")


class SearchCV(OurNames, BaseSearchCV):
    """Choose hyper-parameters by the mean score over folds (N2), every candidate trained at once.

    metric = (1/k) Σ metricᵢ over the k folds of `cv`; the best candidate is fitted to all rows. It
    stands where GridSearchCV and RandomizedSearchCV stand, and what has their names means the same;
    its scores are, bit for bit, those of GridSearchCV over the same estimator. An estimator of
    another kind, a pipeline say, is searched one fit at a time.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor or any estimator of scikit-learn
        What is searched; it stays as it is.
    params : dict or list of dicts
        Parameter → a list of values, a distribution of scipy.stats, or a range of numbers as in a
        space's file: {"low": 1e-4, "high": 1e-1, "log": True}. Lists alone are a grid.
    cv : int, splitter, iterable or None, default=None
        The folds: None and an int stand for (stratified) k-fold, None for 5 folds.
    scoring : str, callable, list, dict or None, default=None
        The score or scores of a fold; None takes the estimator's own.
    n_candidates : int, default=64
        How many candidates "random" and "tpe" draw, at least 1; fewer where lists have no more.
    sampler : {"auto", "grid", "random", "tpe"}, default="auto"
        Who chooses the candidates: all combinations of the lists, independent draws, or the
        tree-structured Parzen estimator, which learns from the scores of the candidates before.
        "auto" takes "grid" for lists alone and else "random".
    seeds : sequence of int or None, default=None
        Train each candidate on each fold with each of these seeds, from 0 to 2³² − 1, in place of
        the estimator's `random_state`: the splits are then folds × seeds, seeds fastest.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate to all rows; among several scores the name of the one
        that decides, or a function `cv_results_` → index.
    committee : bool, default=False
        Whether `predict` and `score` use, in place of the best candidate's last fit, a weighted
        mean of the fold networks of the best 12 candidates, which are all trained already. The
        weights are chosen greedily by out-of-fold log-loss, or RMSE (Caruana et al., 2004). For
        our networks; `best_estimator_` stays what it is.
    error_score : float or "raise", default=nan
        The score of a fold whose fit fails or diverges.
    return_train_score : bool, default=False
        Whether to score the training rows too.
    threads : int or None, default=None
        Threads that train, at least 1; None takes all cores.
    executor : concurrent.futures.Executor or None, default=None
        Who trains in place of these threads: a pool of processes, or of a cluster. Processes must
        not be started by "fork", in which JAX would wait for ever.
    verbose : int, default=0
        Above 0: show a progress bar, or in a log file some lines.
    random_state : int, numpy Generator, RandomState or None, default=None
        The seed of the draws, and of an estimator whose own `random_state` is None.

    Attributes
    ----------
    cv_results_ : dict of arrays of shape (candidates,)
        What GridSearchCV gives, and for our estimators also `curves`: for each candidate a dict of
        arrays (splits, epochs) named "loss", "validation_log_loss", "validation_accuracy" (for
        numbers "validation_0", …, the mean squared error of each normalized target), NaN after a
        split has stopped early; and
        `outcome`: "trained", "could not be fitted", or where it diverged.
        `mean_fit_time` is a fold's share of the time that its chunk took.
    best_params_ : dict
        The parameters of the best candidate.
    best_score_ : float
        Its mean score over the splits.
    best_index_ : int
        Its place in `cv_results_`.
    best_estimator_ : estimator
        It, fitted to all rows; with `refit` only.
    committee_ : estimator
        What predicts, with `committee` only. Its `members` are a dict: the candidate's place in
        `cv_results_` → its `weight` and its `networks`, one of each split.
    n_candidates_ : int
        How many candidates were tried.
    n_splits_ : int
        Folds, times seeds where several were given.
    classes_ : array of shape (classes,)
        The best estimator's, and so are the next two.
    n_features_in_ : int
        The columns of the fit's `X`.
    feature_names_in_ : array of shape (n_features_in_,)
        Their names, where `X` had names that are text.
    scorer_ : callable or dict
        The score or scores.
    refit_time_ : float
        Seconds of the last fit.
    multimetric_ : bool
        Whether there are several scores.

    Raises
    ------
    SpecError
        By `fit`, for a parameter of the search that cannot be used; the sentence names it.
    WorkersError
        By `fit`, where the executor's workers are forked, lost or shut down.

    References
    ----------
    Caruana, Niculescu-Mizil, Crew and Ksikes (2004), "Ensemble selection from libraries of models"
    (`committee`).
    Bergstra, Bardenet, Bengio and Kégl (2011), "Algorithms for hyper-parameter optimization" (TPE).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from cuesta import MLPClassifier, SearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> net = MLPClassifier((16,), epochs=10, random_state=0)
    >>> search = SearchCV(net, {"learning_rate": [1e-5, 1e-2]}, cv=3).fit(X, y)
    >>> search.best_params_
    {'learning_rate': 0.01}
    >>> search.cv_results_["outcome"].tolist()
    ['trained', 'trained']
    >>> search.cv_results_["curves"][0]["loss"].shape
    (3, 10)
    """

    committee_: Committee

    @with_our_names
    def __init__(
        self,
        estimator: Any,
        params: Any,
        *,
        cv: Any = None,
        scoring: Any = None,
        n_candidates: int = 64,
        sampler: str = "auto",
        seeds: Sequence[int] | None = None,
        refit: Any = True,
        committee: bool = False,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        threads: int | None = None,
        executor: Executor | None = None,
        verbose: int = 0,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            estimator,
            scoring=scoring,
            refit=refit,
            cv=cv,
            verbose=verbose,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.params = params
        self.n_candidates = n_candidates
        self.sampler = sampler
        self.seeds = seeds
        self.committee = committee
        self.threads = threads
        self.executor = executor
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Train all candidates on all folds, choose, and fit the best one to all rows.

        Parameters
        ----------
        X, y
            As in the estimator's `fit`.
        **params
            For the splitter (`groups`), the estimator (`sample_weight`) and the scorers, as in
            GridSearchCV.

        Returns
        -------
        self

        Raises
        ------
        SpecError
            For a parameter of the search that cannot be used; the sentence names it.
        """
        check_choice("sampler", self.sampler, SAMPLERS)
        check_executor(self.executor)
        spaces = checked_spaces(self.params)
        self._check_committee()
        if y is None and get_tags(self.estimator).target_tags.required:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        # scikit-learn cannot slice the rows of a pyarrow table, or of a lazy one.
        is_foreign = type(X).__module__.partition(".")[0] not in ("numpy", "scipy", "pandas")
        rows, y = (as_frame(X) if is_foreign else None), as_given(y)
        rows = X if rows is None else rows
        # Before any other draw of a generator: so they are those of RandomizedSearchCV.
        drawn = self._drawn(spaces)
        pretrained = PretrainedFits(self._seeds(), Batching(this_machine(self.threads)))
        self._under_way = _UnderWay(rows, y, params, pretrained, spaces, drawn)
        try:
            with use_pretrained(pretrained), warnings.catch_warnings():
                # Said once at the end, with the reason: `_say_what_failed`.
                warnings.filterwarnings("ignore", category=FitFailedWarning)
                warnings.filterwarnings("ignore", message="One or more of the test scores are non-")
                super().fit(rows, y, **params)
                best = self._under_way.best
                if best is not None:
                    self.committee_ = best.committee(self.best_estimator_)
        finally:
            del self._under_way
        self._count_training_time()
        self._say_what_failed()
        return self

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect: what it may of the estimator."""
        tags = super().__sklearn_tags__()
        own = get_tags(self.estimator)
        tags.input_tags.allow_nan = own.input_tags.allow_nan
        tags.target_tags = own.target_tags
        return tags

    @available_if(_search_estimator_has("predict"))  # type: ignore[untyped-decorator]
    def predict(self, X: Any) -> np.ndarray:
        """Predict by the best estimator, or by the committee where there is one.

        Parameters
        ----------
        X : array of shape (rows, columns), or a table
            As in `fit`.

        Returns
        -------
        predicted : array
            As the estimator gives it.
        """
        return super(SearchCV, self._deciding()).predict(X)

    @available_if(_search_estimator_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict shares of classes by the best estimator, or by the committee.

        Parameters
        ----------
        X : array of shape (rows, columns), or a table
            As in `fit`.

        Returns
        -------
        shares : array of shape (rows, classes)
        """
        return super(SearchCV, self._deciding()).predict_proba(X)

    @available_if(_search_estimator_has("predict_log_proba"))  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithms of `predict_proba`'s shares."""
        return super(SearchCV, self._deciding()).predict_log_proba(X)

    def score(self, X: Any, y: Any = None, **params: Any) -> float:
        """The score of the best estimator's predictions, or of the committee's.

        Parameters
        ----------
        X, y
            Rows and their targets.
        **params
            For the scorer.

        Returns
        -------
        score : float
        """
        return super(SearchCV, self._deciding()).score(X, y, **params)

    def _deciding(self) -> SearchCV:
        """This search, or a copy with the committee in the place of the best estimator."""
        if not hasattr(self, "committee_"):
            return self
        other = copy(self)
        other.best_estimator_ = self.committee_
        return other

    def _check_committee(self) -> None:
        """Forget an earlier fit's committee; raise SpecError where there cannot be one."""
        if hasattr(self, "committee_"):
            del self.committee_
        if not self.committee:
            return
        if not isinstance(self.estimator, Network):
            raise SpecError(
                "committee=True needs an estimator of ours, MLPClassifier or MLPRegressor, not "
                f"{type(self.estimator).__name__}."
            )
        if not self.refit:
            raise SpecError("committee=True is for predictions, and refit=False leaves none.")

    @property
    def n_candidates_(self) -> int:
        """How many candidates were tried."""
        return len(self.cv_results_["params"])

    def _seeds(self) -> tuple[int, ...]:
        if self.seeds is not None:
            seeds = tuple(plain(seed) for seed in self.seeds)
            if not seeds or any(not isinstance(s, int) or not 0 <= s < LARGEST_SEED for s in seeds):
                raise SpecError(
                    f"seeds must be a list of whole numbers from 0 to {LARGEST_SEED - 1}, not "
                    f"{self.seeds!r}."
                )
            return seeds
        return (self._seed(),)

    def _run_search(self, evaluate_candidates: Callable[..., Any]) -> None:
        """Called by scikit-learn's fit: train candidates together, then let it score them."""
        under_way = self._under_way
        pretrained = under_way.pretrained
        params = _check_method_params(under_way.x, params=under_way.params)
        routed = self._get_routed_params_for_fit(params)
        x, y = indexable(under_way.x, under_way.y)
        splits = [
            (np.asarray(train), np.asarray(test))
            for train, test in self._checked_cv_orig.split(x, y, **routed.splitter.split)
        ]
        # Each split once for each seed, seeds fastest: as `SearchFit` counts them.
        repeated = [split for split in splits for _ in pretrained.seeds]
        self.n_splits_ = len(repeated)
        fits = None
        # Other parameters, such as rows that validate, are for one fit at a time.
        if isinstance(self.estimator, Network) and not set(routed.estimator.fit) - {
            "sample_weight"
        }:
            fits = SearchFits(self.estimator, SearchData(x, y, routed.estimator.fit, splits))

        if self.committee:
            if fits is None:
                raise SpecError("committee=True takes no parameter of fit beside sample_weight.")
            data = SearchData(x, y, routed.estimator.fit, repeated)
            self._under_way = under_way._replace(best=BestCandidates(self.estimator, data))
        best = self._under_way.best

        def evaluate(candidates: Sequence[Params]) -> list[float]:
            more = self._train(fits, candidates) if fits else None
            results = evaluate_candidates(candidates, cv=_FixedSplits(repeated), more_results=more)
            scores = self._deciding_scores(results)[-len(candidates) :]
            if best is not None:
                best.consider(len(results["params"]) - len(candidates), candidates, scores)
            pretrained.results.clear()
            return scores

        sampler = self._sampler(len(splits))
        while candidates := sampler.ask():
            # A score that is missing (NaN) is told as such: nothing is learned of it.
            sampler.tell([-float(score) for score in evaluate(candidates)])

    def _deciding_scores(self, results: Mapping[str, Any]) -> list[float]:
        """All candidates' scores by the metric that decides; none where no single one does.

        Raises SpecError where one is needed.
        """
        metric = self.refit if isinstance(self.refit, str) else "score"
        if f"mean_test_{metric}" in results:
            return list(results[f"mean_test_{metric}"])
        if self.sampler == "tpe" or self.committee:
            who = "sampler='tpe'" if self.sampler == "tpe" else "committee=True"
            raise SpecError(f"{who} goes by one score, and scoring has several; name one by refit.")
        return []

    def _sampler(self, folds: int) -> Sampler[Params]:
        """The candidates, a few at a time: so many as fit the memory until they are scored."""
        spaces, drawn = self._under_way.spaces, self._under_way.drawn
        if self.sampler == "tpe":
            return TPESampler(lambda trial: suggested(trial, spaces), self._count(), self._seed())
        return FixedSampler(ParameterGrid(spaces) if drawn is None else drawn, self._batch(folds))

    def _train(self, fits: SearchFits, candidates: Sequence[Params]) -> dict[str, list[Any]]:
        """Train the candidates on all splits; the curves, the outcome and the time of each."""
        pretrained = self._under_way.pretrained
        wanted = list(fits.of(candidates, pretrained.seeds))
        trained: list[list[TrainedFit]] = [[] for _ in candidates]
        if wanted:
            pretrained.validation_places = max(one.fit.feed.validation_places for one in wanted)

        def done(place: int, fitted: Fitted) -> None:
            one = wanted[place]
            pretrained.results[one.key, one.fit.recipe.seed] = fitted
            trained[one.candidate].append((one, fitted))

        total = sum(one.fit.recipe.epochs for one in wanted)
        with Bar(total, "lane-epochs", shown=self.verbose > 0) as bar:
            each = [one.fit for one in wanted]
            fit_many(each, pretrained.batching, bar.advance, done, self.executor)
        for found in trained:
            found.sort(key=lambda one: (one[0].split, one[0].seed))
        return {
            "curves": [_curves(found) for found in trained],
            "outcome": [_outcome(found) for found in trained],
            "seconds": [_seconds(found) for found in trained],
        }

    def _drawn(self, spaces: Sequence[Params]) -> Iterable[Params] | None:
        """So many draws, where candidates are drawn at random; None for a grid and for TPE."""
        ranges = any(is_range(value) for space in spaces for value in space.values())
        if self.sampler == "random" or (self.sampler == "auto" and ranges):
            state = self.random_state
            if isinstance(state, np.random.Generator):  # which scikit-learn does not take
                state = self._seed()
            draws = ParameterSampler(spaces, self._count(), random_state=state)
            return list(draws) if isinstance(state, np.random.RandomState) else draws
        if ranges and self.sampler == "grid":
            raise SpecError(
                "sampler='grid' needs a list for each parameter, and params has a distribution; "
                "take sampler='random' or 'tpe'."
            )
        return None

    def _count(self) -> int:
        return check_count("n_candidates", plain(self.n_candidates), 1_000_000)

    def _seed(self) -> int:
        return draw_seed(self.random_state)

    def _batch(self, folds: int) -> int:
        """How many candidates are trained before they are scored: by a guess at their size."""
        sizes: Any = (64,)
        if isinstance(self.estimator, Network):
            size = TableSize(
                _num_samples(self._under_way.y), 1, ""
            )  # sizes of layers hardly need more
            sizes = values_of(self.estimator, size)["hidden_layer_sizes"]
        hidden = [sizes] if isinstance(sizes, int) else list(sizes)
        largest = max([64, *[h for h in hidden if isinstance(h, int)]])
        weights = (len(hidden) + 2) * largest * largest
        return max(16, MOST_WEIGHTS // (weights * folds * len(self._under_way.pretrained.seeds)))

    def _count_training_time(self) -> None:
        """Add the time of the training to that of scikit-learn's fits, which only look it up."""
        seconds = self.cv_results_.pop("seconds", None)
        if seconds is not None:
            self.cv_results_["mean_fit_time"] += seconds[:, 0]
            self.cv_results_["std_fit_time"] = seconds[:, 1]

    def _say_what_failed(self) -> None:
        outcomes = self.cv_results_.get("outcome", [])
        bad = [(place, text) for place, text in enumerate(outcomes) if text != "trained"]
        if bad:
            place, text = bad[0]
            more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
            warnings.warn(
                f"{len(bad)} of {len(outcomes)} candidates were not trained on every split: "
                f"candidate {place} {text}{more}; see cv_results_['outcome'].",
                FitFailedWarning,
                stacklevel=3,
            )


class _UnderWay(NamedTuple):
    """What `fit` was given, for the methods that scikit-learn's fit calls in between."""

    x: Any
    y: Any
    params: dict[str, Any]
    pretrained: PretrainedFits
    spaces: Sequence[Params]
    drawn: Iterable[Params] | None
    best: BestCandidates | None = None  # where a committee is wanted


class _FixedSplits:
    """Splits that are made already, as a splitter."""

    def __init__(self, splits: list[Split]) -> None:
        self.splits = splits

    def split(self, *_: Any, **__: Any) -> list[Split]:
        """The splits."""
        return self.splits


def _curves(trained: list[TrainedFit]) -> dict[str, np.ndarray]:
    """(splits, epochs): each epoch's mean loss and mean validation scores, split by split.

    NaN after the epoch at which a split stopped early.
    """
    if not trained:
        return {}
    most = max(len(fitted.curves) for _, fitted in trained)
    stacked = np.stack(
        [
            np.pad(one.curves, [(0, most - len(one.curves)), (0, 0)], constant_values=np.nan)
            for _, one in trained
        ]
    )
    names = ["loss", *(f"validation_{i}" for i in range(stacked.shape[2] - 1))]
    if is_classes(trained[0][0].fit.recipe.loss):
        names = ["loss", "validation_log_loss", "validation_accuracy"]
    return {name: stacked[:, :, i] for i, name in enumerate(names)}


def _seconds(trained: list[TrainedFit]) -> tuple[float, float]:
    """Mean and standard deviation of the lanes' training times."""
    times = [fitted.seconds for _, fitted in trained] or [np.nan]
    return float(np.mean(times)), float(np.std(times))


def _outcome(trained: list[TrainedFit]) -> str:
    """`trained`, or where the first lane of the candidate diverged."""
    if not trained:
        return "could not be fitted"
    for one, fitted in trained:
        if fitted.diverged_at or not np.isfinite(fitted.layers[-1].w).all():
            where = f"step {fitted.diverged_at}" if fitted.diverged_at else "its last step"
            return f"diverged at {where} of split {one.split}, gradient norm {fitted.norm:.3g}"
    return "trained"
