"""Looks inside an estimator's network: diagnosis, learning-rate finder, loss surface.

Each trains networks like the estimator's; the estimator itself stays as it is, fitted or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sklearn.base import clone

from cuesta._util.checks import check_choice
from cuesta._util.progress import Bar
from cuesta.data.folds import hold_out
from cuesta.diagnose.checkup import Diagnosis, check_up
from cuesta.diagnose.finder import FoundRate, find_rate, find_work
from cuesta.diagnose.surface import WAYS, Landscape, landscape
from cuesta.estimators.fitting import recipe_for, seed_of
from cuesta.estimators.rows import Prepared, prepare_rows
from cuesta.hyperparameters import INSTRUMENTS
from cuesta.training.batching import Batching
from cuesta.training.fits import Recipe
from cuesta.training.lanes import Lane, Training
from cuesta.training.planner import this_machine


class InspectionMixin:
    """The methods of an estimator that look inside its network."""

    verbose: bool

    def diagnose(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        instruments: str = "economy",
        validation_fraction: float = 0.2,
    ) -> Diagnosis:
        """Train a network like this one under watch, and say what is wrong, if anything.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        instruments : {"economy", "full"}, default="economy"
            Gauges of the first order, or also those of the second (Hessian-vector products).
        validation_fraction : float, default=0.2
            The share of the rows that is held out, to see what the others teach of them.

        Returns
        -------
        diagnosis : Diagnosis
            `print` it for the findings; `healthy` says whether there is none.

        Raises
        ------
        SpecError, TableError
            For a parameter or a row that cannot be used.
        """
        check_choice("instruments", instruments, INSTRUMENTS[1:])
        prepared, recipe = _prepare_whole_training(self, X, y, sample_weight)
        fold = hold_out(prepared.rows.y, validation_fraction, recipe.seed)
        feed = prepared.rows.feed([fold])
        training = Training(
            Lane(recipe.candidate, 0, recipe.seed),
            feed,
            recipe.shape(feed.layout),
            recipe.epochs,
            recipe.schedule,
        )
        return check_up(training, instruments=instruments, names=prepared.encoding.encoder.inputs)

    def find_learning_rate(
        self, X: Any, y: Any, sample_weight: Any = None, *, validation_fraction: float = 0.2
    ) -> FoundRate:
        """Train at many learning rates at once, and say which ends lowest on rows held out.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        validation_fraction : float, default=0.2
            The share of the rows that is held out.

        Returns
        -------
        found : FoundRate
            Take it by `net.set_params(learning_rate=found.suggested)`.

        Raises
        ------
        DivergedError
            Where training diverges at every rate.
        """
        prepared, recipe = _prepare_whole_training(self, X, y, sample_weight)
        fold = hold_out(prepared.rows.y, validation_fraction, recipe.seed)
        with Bar(find_work(recipe.epochs), "lane-epochs", shown=bool(self.verbose)) as bar:
            return find_rate(
                recipe, prepared.rows.feed([fold]), 0, Batching(this_machine()), bar.advance
            )

    def landscape(
        self, X: Any, y: Any, ways: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Landscape:
        """J(w, b) of this network on the plane that holds most of the paths of several trainings.

        Parameters
        ----------
        X, y
            As in `fit`.
        ways : dict of dicts, default=None
            The trainings: a name for each, and the parameters that it changes. None stands for the
            five optimizers, and SGD with a clipped gradient.

        Returns
        -------
        landscape : Landscape
            `cuesta.report.surface.page.render` makes a page of it.
        """
        prepared, recipe = _prepare_whole_training(self, X, y, None)
        return landscape(
            recipe, prepared.rows, WAYS if ways is None else ways, Batching(this_machine())
        )


def _prepare_whole_training(
    net: Any, X: Any, y: Any, sample_weight: Any
) -> tuple[Prepared, Recipe]:
    """Rows and recipe of a network like this one that is trained on all rows and to the end."""
    copy = clone(net)
    prepared = prepare_rows(copy, X, y, sample_weight, all_train=True)
    target = prepared.encoding.target.target
    recipe = recipe_for(copy, target, prepared.rows, seed_of(copy), prepared.held_out)
    return prepared, replace(recipe, patience=None)
