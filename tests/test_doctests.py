"""The examples in the docstrings of the public modules run, and give what they say."""

import doctest
import importlib

import pytest

import cuesta

MODULES = ["model.fitted", "optim", "schedule", *sorted(set(cuesta._HOMES.values()))]
EXAMPLES = [
    test
    for name in MODULES
    for test in doctest.DocTestFinder().find(importlib.import_module(f"cuesta.{name}"))
    if test.examples
]


@pytest.mark.parametrize("test", EXAMPLES, ids=lambda test: test.name.removeprefix("cuesta."))
def test_an_example_gives_what_it_says(test):
    told = []
    result = doctest.DocTestRunner().run(test, out=told.append)
    assert result.failed == 0, "".join(told)


def test_what_is_public_has_an_example():
    from cuesta import optim, schedule

    shown = {test.name.rpartition(".")[2] for test in EXAMPLES}
    makers = {*optim.__all__, *schedule.__all__} - {"Optimizer", "State", "Schedule", "compare"}
    assert {*cuesta._HOMES, "FittedModel", *makers} <= shown
