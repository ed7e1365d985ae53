"""What is asked of a prediction beside itself: intervals or label sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cuesta._text import count
from cuesta.data.encode import Target
from cuesta.errors import SpecError
from cuesta.model.conformal import rank, rows_of
from cuesta.model.predictions import output_names

if TYPE_CHECKING:
    from cuesta.model.fitted import FittedModel

TASKS = {"interval": "regression", "sets": "classification"}
OTHERS = {
    "classification": ("interval is for numbers; of classes there are label sets", "sets"),
    "regression": ("sets is for classes; of numbers there are intervals", "interval"),
}


class Asked(NamedTuple):
    """The levels of the intervals and of the label sets, where they are asked for."""

    interval: float | None = None
    sets: float | None = None

    @classmethod
    def of(cls, model: FittedModel, interval: float | None, sets: float | None) -> Asked:
        """The levels. Raises SpecError where the model cannot give what is asked."""
        for name, level in (("interval", interval), ("sets", sets)):
            if level is not None:
                check_level(model, name, level)
        return cls(interval, sets)

    def names(self, target: Target) -> list[str]:
        """The columns of the table of predictions."""
        interval, sets = self.interval is not None, self.sets is not None
        return output_names(target, interval=interval, sets=sets)

    def notes(self, model: FittedModel) -> list[str]:
        """What is to be said where the folds have too few rows for a level."""
        rows = rows_of(model.calibration.residuals)
        return [
            f"{name}: {count(rows, 'row')} of the folds cannot tell a level of {level:g}; {told}"
            for name, level, told in (
                ("interval", self.interval, "the bounds are infinite"),
                ("sets", self.sets, "each set holds all labels"),
            )
            if level is not None and rank(level, rows) > rows
        ]


def check_level(model: FittedModel, name: str, level: object) -> None:
    """Raise SpecError unless the model can give an interval or sets, by the name, of this level."""
    task = model.target.task
    if task == "multilabel":
        raise SpecError(f"{name} is for numbers or classes, not for several labels a row.")
    if task != TASKS[name]:
        sentence, instead = OTHERS[task]
        raise SpecError(f"{sentence}.", parameter=instead)
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 < level < 1:
        raise SpecError(f"{name} must be a number above 0 and below 1, not {level!r}.")
    if not model.calibration.residuals:
        raise SpecError(
            f"{name} needs the errors on the folds, which this model does not hold; a new run of "
            "`cuesta fit` keeps them."
        )
