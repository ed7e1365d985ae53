"""What the two tabular estimators share: the run, what it leaves, predicting, saving."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
from sklearn.utils.validation import check_is_fitted

from cuesta.errors import SpecError
from cuesta.estimators.our_names import OurNames
from cuesta.estimators.parameters import plain
from cuesta.estimators.tabular_options import options_of
from cuesta.estimators.tabular_rows import rows_for_prediction, tabular_rows
from cuesta.model import FittedModel
from cuesta.tabular.fit import fit as run_fit
from cuesta.tabular.listener import Listener
from cuesta.tabular.options import Options
from cuesta.tabular.result import FitResult, candidates_table, summary


class TabularEstimator(OurNames):
    """A run of the main job as an estimator; what begins with a low line is what a fit leaves."""

    out: Any
    verbose: bool
    _columns: tuple[str, ...]
    _one_column: bool
    _leaderboard: pl.DataFrame
    _in_pandas: bool

    def fit(self, X: Any, y: Any = None, groups: Any = None) -> Self:
        """Choose networks by cross-validation (N2), and make of them what is delivered.

        Parameters
        ----------
        X : table of pandas, polars or pyarrow, or array of shape (rows, columns)
            Columns as they come: numbers, booleans, categories, text, dates and times, with missing
            values; an array holds numbers, NaN where one is missing.
        y : array or column of shape (rows,), or (rows, targets) for several numbers
            What is to be predicted; each row has a value.
        groups : array or column of shape (rows,), default=None
            For "grouped" and "nested": rows of one value stay on one side of every split.

        Returns
        -------
        self

        Raises
        ------
        SpecError, TableError
            For a parameter, a column or a row that cannot be used; the sentence names it.
        RunFolderError
            Where `out` cannot be written, or holds another run.
        """
        rows = tabular_rows(self, X, y, groups)
        options = options_of(self, rows)
        folder = None if self.out is None else Path(self.out)
        result = self._run(rows.table, options, folder)
        model = result.model
        if rows.learned.classes is not None:
            model = _with_labels(model, rows.learned.target.labels)
            self.classes_ = rows.learned.classes
        self._columns, self._one_column = rows.columns, rows.learned.one_column
        self._in_pandas = type(X).__module__.partition(".")[0] == "pandas"
        self.result_ = result
        return self._keep(model, summary(result, options), candidates_table(result))

    def _run(self, table: Any, options: Options, folder: Path | None) -> FitResult:
        if not self.verbose:
            return run_fit(table, options, folder)
        from cuesta.report.console import SafeConsole
        from cuesta.report.run.terminal import TerminalListener, show_result

        console = SafeConsole()
        listener: Listener = TerminalListener(console)
        try:
            result = run_fit(table, options, folder, listener)
        finally:
            listener.finished()
        show_result(console, result, None if folder is None else str(folder))
        return result

    def _keep(self, model: FittedModel, told: dict[str, Any], leaderboard: pl.DataFrame) -> Self:
        """Keep what a run or a file gave."""
        self.model_, self.summary_, self._leaderboard = model, told, leaderboard
        self.best_params_ = told["winner"]
        self.cv_score_ = told["models"][told["model"]]["cv_mean"]
        return self

    @property
    def leaderboard_(self) -> Any:
        """The candidates, best first: in pandas where X was, else in polars."""
        if not self._in_pandas:
            return self._leaderboard
        import pandas as pd

        columns = self._leaderboard.to_dict(as_series=False)
        return pd.DataFrame(columns)

    def _encoded(self, X: Any) -> np.ndarray:
        """The rows as the model's networks take them (rows, inputs)."""
        check_is_fitted(self, "model_")
        return self.model_.encoder.encode(rows_for_prediction(self, X, self._columns))

    def _outputs(self, X: Any) -> np.ndarray:
        """Shares or values (rows, outputs), in the model's order."""
        x = self._encoded(X)
        return self.model_.decide(x)

    def save(self, path: str | Path) -> None:
        """Write the fitted estimator to one file, arrays and JSON; `cuesta.load` reads it.

        Parameters
        ----------
        path : str or pathlib.Path
            The file; one that is there is replaced. It holds no rows, and so no `result_`.

        Raises
        ------
        RunFolderError
            Where the file cannot be written.
        """
        from cuesta.estimators.tabular_file import describe

        check_is_fitted(self, "model_")
        replace(self.model_, estimator=describe(self)).save(path)

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle holds: all but `result_`, in which the rows are."""
        state = dict(super().__getstate__())
        state.pop("result_", None)
        return state

    def __sklearn_is_fitted__(self) -> bool:
        """Whether there is a model."""
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _with_labels(model: FittedModel, labels: tuple[Any, ...]) -> FittedModel:
    """The model with the labels of `y`, where the run had their numbers in their place."""
    target = model.target
    if set(target.labels) == set(labels):
        return model
    target = replace(target, labels=tuple(labels[number] for number in target.labels))
    return replace(model, target=target)


def checked_level(level: Any) -> float:
    """The level of an interval or a set. Raises SpecError unless it is between 0 and 1."""
    level = plain(level)
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 < level < 1:
        raise SpecError(f"level must be a number above 0 and below 1, not {level!r}.")
    return float(level)
