"""What has another name here than in scikit-learn: an error says which of ours is meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, Self

from sklearn.base import BaseEstimator

Arguments = ParamSpec("Arguments")

# scikit-learn's name → what stands for it here: a parameter, and perhaps a remark.
OURS = {
    "solver": "optimizer",
    "learning_rate_init": "learning_rate",
    "alpha": "weight_decay (w ← w − αλw beside the gradient: not the same scale)",
    "max_iter": "epochs",
    "max_epochs": "epochs",
    "n_epochs": "epochs",
    "param_grid": "params",
    "param_distributions": "params",
    "n_iter": "n_candidates (of SearchCV), or epochs",
    "n_jobs": "threads, or executor (of SearchCV; one network trains on one thread)",
}


class OurNames(BaseEstimator):
    """An estimator whose errors know scikit-learn's names, and that shows itself in one line."""

    def _keep_arguments(self, given: dict[str, Any]) -> None:
        """Keep the arguments of `__init__` as they are, as scikit-learn's `clone` needs them."""
        for name, value in given.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of parts by `part__name`.

        Raises ValueError for a name that there is not; for one of scikit-learn's it says which of
        ours is meant.
        """
        sentence = meant(type(self).__name__, set(params) - set(self.get_params()))
        if sentence:
            raise ValueError(sentence)
        return super().set_params(**params)

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:  # noqa: N803 (scikit-learn's name)
        """The class and the parameters that were changed, in one line."""
        return re.sub(r"\s*\n\s*", " ", super().__repr__(N_CHAR_MAX))


def with_our_names(init: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Have a constructor say which of our names is meant by one of scikit-learn's.

    It keeps the signature, by which scikit-learn knows the parameters.
    """

    @wraps(init)
    def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            init(*args, **kwargs)
        except TypeError as error:
            sentence = meant(type(args[0]).__name__, kwargs)
            if "unexpected keyword" not in str(error) or not sentence:
                raise
            raise TypeError(sentence) from None

    return checked


def meant(kind: str, names: Iterable[str]) -> str:
    """A sentence for the first of these names that is scikit-learn's, or nothing."""
    for name in names:
        if name in OURS:
            return f"{kind} has no parameter {name!r}: here it is {OURS[name]}."
    return ""
