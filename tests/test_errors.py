"""A sentence for a user of Python and one for the command line, from the same error."""

import pickle

import pytest

from cuesta import errors
from cuesta.errors import CuestaError, RunFolderError, SpecError, TableError

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, CuestaError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_reads_as_its_sentence(kind):
    assert str(kind("The column 'x' is empty.")) == "The column 'x' is empty."


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_that_a_parameter_mends_names_it(kind):
    assert str(kind("Leave it out.", parameter="drop")) == "Leave it out (drop)."
    assert str(kind("Leave it out.", parameter="drop", value="x")) == "Leave it out (drop='x')."


def test_another_face_puts_its_own_hint_in_place():
    error = TableError("Give more rows.", parameter="test_size", value="0.3")
    assert error.told_with("--test-size 0.3") == "Give more rows (--test-size 0.3)."
    assert SpecError("No.").told_with("") == "No."


def test_an_error_survives_the_way_from_another_process():
    error = pickle.loads(pickle.dumps(RunFolderError("Full.", parameter="out", value="b")))  # noqa: S301 (our own)
    assert (str(error), error.parameter, error.value) == ("Full (out='b').", "out", "b")
