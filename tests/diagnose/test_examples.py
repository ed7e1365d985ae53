"""The examples in the docstrings of the instruments run as they stand."""

import doctest

import pytest

from cuesta.diagnose import baseline, checkup, finder, findings


@pytest.mark.parametrize("module", [baseline, checkup, finder, findings])
def test_examples_run(module):
    done = doctest.testmod(module)
    assert done.attempted > 0
    assert done.failed == 0
