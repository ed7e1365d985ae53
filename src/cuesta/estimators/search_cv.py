"""`SearchCV`: where scikit-learn's GridSearchCV and RandomizedSearchCV stand, all lanes at once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from typing import Any, Self

import numpy as np
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import get_tags, indexable
from sklearn.utils.validation import _check_method_params

from cuesta._util.checks import check_choice, check_count
from cuesta._util.progress import Bar
from cuesta.data.frames import as_frame
from cuesta.errors import SpecError
from cuesta.estimators.base import LARGEST_SEED, Network, draw_seed
from cuesta.estimators.distributions import is_range, suggested
from cuesta.estimators.gather import Params, SearchFits, Split, Wanted
from cuesta.estimators.metadata import plain
from cuesta.estimators.prefit import Session, opened
from cuesta.hyperparameters import is_classes
from cuesta.search.samplers import FixedSampler, Sampler, TPESampler
from cuesta.training.batching import Batching
from cuesta.training.fits import Fitted, fit_many
from cuesta.training.planner import this_machine

MOST_WEIGHTS = 64 << 20  # numbers held of networks that wait to be scored: 256 MiB
SAMPLERS = ("auto", "grid", "random", "tpe")


class SearchCV(BaseSearchCV):
    """Choose hyper-parameters by the mean score over folds (N2), every candidate trained at once.

    metric = (1/k) Σ metricᵢ. `params` has a list for each parameter (a grid; or a list of such
    dicts), or distributions of scipy, of which `n_candidates` are drawn: at random, or by `tpe` in
    waves that learn from each other. `cv`, `scoring`, `refit`, `error_score` and `cv_results_` mean
    what they mean in GridSearchCV; `cv_results_` has each candidate's `curves` and `outcome` too.
    With `seeds`, each candidate is trained with each of them on each fold. `executor` is any of
    concurrent.futures; else `threads` (all cores) train. An estimator of another kind, a pipeline
    say, is searched one fit at a time.
    """

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
        self.threads = threads
        self.executor = executor
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Train all candidates on all folds, choose, and fit the best one to all rows.

        `params` go to the splitter (`groups`), the estimator and the scorers, as in GridSearchCV.
        Raises SpecError naming a parameter of the search that cannot be used.
        """
        check_choice("sampler", self.sampler, SAMPLERS)
        if y is None and get_tags(self.estimator).target_tags.required:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        table = as_frame(X) if type(X).__module__.partition(".")[0] == "pyarrow" else None
        rows = X if table is None else table
        session = Session(self._seeds(), Batching(this_machine(self.threads)))
        self._asked = rows, y, params
        try:
            with opened(session), warnings.catch_warnings():
                warnings.filterwarnings("ignore", category=FitFailedWarning)
                warnings.filterwarnings("ignore", message="One or more of the test scores are non-")
                self._session = session
                super().fit(rows, y, **params)
        finally:
            del self._asked
            self.__dict__.pop("_session", None)
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

    @property
    def n_candidates_(self) -> int:
        """How many candidates were tried."""
        return len(self.cv_results_["params"])

    def _seeds(self) -> tuple[int, ...]:
        if self.seeds is not None:
            seeds = tuple(plain(seed) for seed in self.seeds)
            if not seeds or any(not isinstance(s, int) or not 0 <= s < LARGEST_SEED for s in seeds):
                raise SpecError(f"seeds must be whole numbers of at least 0, not {self.seeds!r}.")
            return seeds
        return (self._seed(),)

    def _run_search(self, evaluate_candidates: Callable[..., Any]) -> None:
        """Called by scikit-learn's fit: train candidates together, then let it score them."""
        x, y, given = self._asked
        params = _check_method_params(x, params=given)
        routed = self._get_routed_params_for_fit(params)
        x, y = indexable(x, y)
        splits = [
            (np.asarray(train), np.asarray(test))
            for train, test in self._checked_cv_orig.split(x, y, **routed.splitter.split)
        ]
        repeated = [split for split in splits for _ in self._session.seeds]
        self.n_splits_ = len(repeated)
        gatherer = None
        if isinstance(self.estimator, Network):
            gatherer = SearchFits(self.estimator, x, y, routed.estimator.fit, splits)

        def evaluate(candidates: Sequence[Params]) -> list[float]:
            more = self._train(gatherer, candidates) if gatherer else None
            results = evaluate_candidates(candidates, cv=_Given(repeated), more_results=more)
            self._session.ready.clear()
            metric = self.refit if isinstance(self.refit, str) else "score"
            if f"mean_test_{metric}" in results:
                return list(results[f"mean_test_{metric}"][-len(candidates) :])
            if self.sampler == "tpe":
                raise SpecError("tpe learns from one score: name it among several by refit=.")
            return []

        sampler = self._sampler(len(splits))
        while candidates := sampler.ask():
            # A score that is missing (NaN) is told as such: nothing is learned of it.
            sampler.tell([-float(score) for score in evaluate(candidates)])

    def _sampler(self, folds: int) -> Sampler[Params]:
        """The candidates, a few at a time: so many as fit the memory until they are scored."""
        listed = self.params if isinstance(self.params, list | tuple) else [self.params]
        if self.sampler == "tpe":
            return TPESampler(lambda trial: suggested(trial, listed), self._count(), self._seed())
        return FixedSampler(self._candidates(listed), self._wave(folds))

    def _train(self, gatherer: SearchFits, candidates: Sequence[Params]) -> dict[str, list[Any]]:
        """Train the candidates on all folds; the curves and outcome of each."""
        session = self._session
        wanted = list(gatherer.gather(candidates, session.seeds))
        found: dict[int, list[tuple[Wanted, Fitted]]] = {i: [] for i in range(len(candidates))}
        if wanted:
            session.places = max(one.fit.feed.validation_places for one in wanted)
        total = sum(one.fit.recipe.epochs for one in wanted)

        def done(place: int, fitted: Fitted) -> None:
            one = wanted[place]
            session.ready[one.key, one.fit.recipe.seed] = fitted
            found[one.candidate].append((one, fitted))

        with Bar(total, "lane-epochs", shown=self.verbose > 0) as bar:
            fits = [one.fit for one in wanted]
            fit_many(fits, session.batching, bar.advance, done, self.executor)
        return {
            "curves": [_curves(each) for each in found.values()],
            "outcome": [_outcome(each) for each in found.values()],
            "seconds": [_seconds(each) for each in found.values()],
        }

    def _candidates(self, listed: Sequence[Params]) -> Iterator[Params]:
        """All combinations of the lists, or so many draws."""
        ranges = any(is_range(value) for part in listed for value in part.values())
        if self.sampler == "random" or (self.sampler == "auto" and ranges):
            return iter(ParameterSampler(listed, self._count(), random_state=self.random_state))
        if ranges:
            raise SpecError("A grid needs a list for each parameter; take sampler='random'.")
        return iter(ParameterGrid(listed))

    def _count(self) -> int:
        return check_count("n_candidates", plain(self.n_candidates), 1_000_000)

    def _seed(self) -> int:
        return draw_seed(self.random_state)

    def _wave(self, folds: int) -> int:
        """How many candidates are trained before they are scored: by a guess at their size."""
        sizes = plain(getattr(self.estimator, "hidden_layer_sizes", (64,)))
        hidden = [sizes] if isinstance(sizes, int) else list(sizes)
        largest = max([64, *[h for h in hidden if isinstance(h, int)]])
        weights = (len(hidden) + 2) * largest * largest
        return max(16, MOST_WEIGHTS // (weights * folds * len(self._session.seeds)))

    def _count_training_time(self) -> None:
        """Fit times are those of the training, not of handing out what was trained."""
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
                f"{len(bad)} of {len(outcomes)} candidates have no score of all folds: candidate "
                f"{place} {text}{more}; see cv_results_['outcome'].",
                FitFailedWarning,
                stacklevel=3,
            )


class _Given:
    """Splits that are settled, as a splitter."""

    def __init__(self, splits: list[Split]) -> None:
        self.splits = splits

    def split(self, *_: Any, **__: Any) -> list[Split]:
        """The splits."""
        return self.splits


def _curves(found: list[tuple[Wanted, Fitted]]) -> dict[str, np.ndarray]:
    """(splits, epochs): each epoch's mean loss and mean validation scores, split by split."""
    ordered = [f.curves for _, f in sorted(found, key=lambda one: one[0].split)]
    if not ordered:
        return {}
    least = min(map(len, ordered))
    stacked = np.stack([curves[:least] for curves in ordered])
    names = ["loss", *(f"validation_{i}" for i in range(stacked.shape[2] - 1))]
    if is_classes(found[0][0].fit.recipe.loss):
        names = ["loss", "validation_log_loss", "validation_accuracy"]
    return {name: stacked[:, :, i] for i, name in enumerate(names)}


def _seconds(found: list[tuple[Wanted, Fitted]]) -> tuple[float, float]:
    """Mean and standard deviation of the lanes' training times."""
    times = [fitted.seconds for _, fitted in found] or [np.nan]
    return float(np.mean(times)), float(np.std(times))


def _outcome(found: list[tuple[Wanted, Fitted]]) -> str:
    """`trained`, or where the first lane of the candidate diverged."""
    if not found:
        return "could not be fitted"
    for one, fitted in sorted(found, key=lambda pair: pair[0].split):
        if fitted.diverged_at or not np.isfinite(fitted.layers[-1].w).all():
            where = f"step {fitted.diverged_at}" if fitted.diverged_at else "its last step"
            return f"diverged at {where} of split {one.split}, gradient norm {fitted.norm:.3g}"
    return "trained"
