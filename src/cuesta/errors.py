"""The exceptions that cuesta raises on purpose, each with the exit code of the command line.

::

    CuestaError (2)
    ├── TableError        a file or a column that cannot be used
    ├── SpecError         a hyper-parameter or an option with an unusable value
    ├── ModelFileError    a model file that is truncated, altered or not ours
    ├── RunFolderError    a run's folder that cannot be written, or holds another run
    ├── TooLargeError     rows or layers for which there is not enough memory
    ├── SealError         the test rows opened a second time
    ├── WorkersError      workers of an executor that cannot train, or were lost
    └── DivergedError     a single network whose weights became infinite or NaN

A diverged lane among others is no exception: it is an outcome, a value.
"""

from __future__ import annotations

from cuesta._text import one_line


class CuestaError(Exception):
    """Something a user can mend.

    Parameters
    ----------
    sentence : str
        One sentence that names the culprit and ends with a full stop.
    parameter : str
        The parameter that mends it, where there is one. It stands at the end of the sentence in
        brackets; the command line puts its flag there instead.
    value : str
        A value for the parameter that fits this case.
    """

    exit_code = 2

    def __init__(self, sentence: str = "", *, parameter: str = "", value: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.parameter, self.value = sentence, parameter, value

    def __str__(self) -> str:
        return self.told_with(in_python(self.parameter, self.value))

    def told_with(self, hint: str) -> str:
        """The sentence in one line, with a hint in brackets at its end where there is one."""
        sentence = one_line(self.sentence)
        return f"{sentence.removesuffix('.')} ({one_line(hint)})." if hint else sentence


def in_python(parameter: str, value: str) -> str:
    """How a parameter is named to a user of Python."""
    return f"{parameter}={value!r}" if value else parameter


class TableError(CuestaError, ValueError):
    """A table, or one of its columns or rows, cannot be used."""


class SpecError(CuestaError, ValueError):
    """A hyper-parameter, a search space or an option has an unusable value."""


class ModelFileError(CuestaError, ValueError):
    """A model file is missing, truncated, altered or not one of ours."""


class RunFolderError(CuestaError, OSError):
    """A run's folder cannot be written, or belongs to another run."""


class TooLargeError(CuestaError, MemoryError):
    """There is not enough memory for the rows or the layers."""


class SealError(CuestaError, RuntimeError):
    """The sealed test rows were asked for a second time."""


class WorkersError(CuestaError, RuntimeError):
    """The workers of an executor cannot train, or were lost before they ended."""


class DivergedError(CuestaError, ArithmeticError):
    """Training a single network ended in weights that are infinite or NaN."""
