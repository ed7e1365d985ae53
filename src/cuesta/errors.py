"""The exceptions that cuesta raises on purpose, each with the exit code of the command line.

::

    CuestaError (2)
    ├── TableError        a file or a column that cannot be used
    ├── SpecError         a hyper-parameter or an option with an unusable value
    ├── ModelFileError    a model file that is truncated, altered or not ours
    ├── RunFolderError    a run's folder that cannot be written, or holds another run
    ├── SealError         the test rows asked for twice
    └── DivergedError     the one network that was asked for has no finite weights

A diverged lane among others is no exception: it is an outcome, a value.
"""


class CuestaError(Exception):
    """Something a user can mend; its text is one sentence naming the culprit."""

    exit_code = 2


class TableError(CuestaError, ValueError):
    """A table, or one of its columns or rows, cannot be used."""


class SpecError(CuestaError, ValueError):
    """A hyper-parameter, a search space or an option has an unusable value."""


class ModelFileError(CuestaError, ValueError):
    """A model file is missing, truncated, altered or not one of ours."""


class RunFolderError(CuestaError, OSError):
    """A run's folder cannot be written, or belongs to another run."""

    # OSError's own __str__ would print errno and file name around the sentence.
    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class SealError(CuestaError, RuntimeError):
    """The sealed test rows were asked for a second time."""


class DivergedError(CuestaError, ArithmeticError):
    """Training the one network that was asked for ended in weights that are not finite."""
