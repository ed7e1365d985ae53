"""A digest of an optimizer's code: it changes with whatever the code depends on, and not else."""

import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from cuesta.training.code_digest import code_digest

SOURCE = """
from typing import Any, NamedTuple
import jax
import helper
from helper import shift
class Transformation(NamedTuple):
    init: Any
    update: Any
FACTOR = 1.0
KINDS = {"a", "b", "c"}
def made(rate, power=2):
    def update(grads, state, params=None):
        import late
        if rate in KINDS:
            return grads, state
        return jax.tree.map(lambda g: -rate * FACTOR * helper.scale(g) ** 2, shift(grads)), late.X
    return Transformation(lambda params: (), update)
"""
HELPER = """
def scale(x):
    return 3 * x
def shift(x):
    return x + 1
def unused(x):
    return x
"""
DIGEST = "import mine; from cuesta.training.code_digest import code_digest; \
print(code_digest(mine.made))"


def digest_in_another_process(folder, seed="1", **changes):
    """The digest of `made` once some text of its modules is replaced, from a fresh process."""
    sources = {"mine": SOURCE, "helper": HELPER, "late": "X = 1\n"}
    for name, (old, new) in changes.items():
        assert old in sources[name]
        sources[name] = sources[name].replace(old, new)
    for name, text in sources.items():
        (folder / f"{name}.py").write_text(text)
    # Without caches of bytecode: two versions of a file written within a second look alike to them.
    command = [sys.executable, "-B", "-c", DIGEST]
    environment = {"PYTHONPATH": f"{folder}:{':'.join(sys.path)}", "PYTHONHASHSEED": seed}
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment, cwd=folder
    )
    return done.stdout.strip()


@pytest.mark.slow("starts a process for each change")
def test_a_digest_is_of_all_that_the_code_depends_on(tmp_path):
    plain = digest_in_another_process(tmp_path)
    assert len(plain) == 64
    same = [
        digest_in_another_process(tmp_path, seed="2"),
        digest_in_another_process(tmp_path, helper=("return x\n", "return 7 * x\n")),
        digest_in_another_process(tmp_path, mine=("FACTOR = 1.0", "# a comment\nFACTOR = 1.0")),
    ]
    assert set(same) == {plain}
    others = [
        digest_in_another_process(tmp_path, **change)
        for change in (
            {"mine": ("FACTOR = 1.0", "FACTOR = 0.01")},
            {"mine": ("** 2", "** 3")},
            {"mine": ("power=2", "power=3")},
            {"mine": ("return grads, state", "return state, grads")},
            {"mine": ('"c"', '"d"')},
            {"helper": ("return 3 * x", "return 5 * x")},
            {"helper": ("x + 1", "x + 2")},
            {"late": ("X = 1", "X = 2")},
        )
    ]
    assert len({plain, *others}) == 1 + len(others)


def rule(learning_rate, factor=1.0):
    return learning_rate * factor


class Maker:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, learning_rate):
        return learning_rate * self.factor


def closing_over(value):
    def inner(learning_rate):
        return learning_rate, value

    return inner


@pytest.mark.parametrize(
    "make",
    [
        lambda n: partial(rule, factor=float(n)),
        lambda n: Maker(float(n)),
        lambda n: Maker(float(n)).__call__,
        lambda n: closing_over(np.arange(n)),
        lambda n: closing_over({"n": [n, (n,)]}),
        lambda n: closing_over(closing_over(n)),
        lambda n: closing_over(SimpleNamespace(n=n)),
    ],
)
def test_what_a_function_carries_is_told(make):
    assert code_digest(make(2)) == code_digest(make(2)) != code_digest(make(3))
    assert code_digest(make(2)) is not None


def test_values_that_hold_themselves_have_an_end():
    held = []
    held.append(held)
    assert code_digest(closing_over(held)) is not None


@pytest.mark.parametrize(
    "value", [object(), iter([]), np.random.default_rng(0), sys.modules[__name__]]
)
def test_what_cannot_be_told_has_no_digest(value):
    assert code_digest(closing_over(value)) is None
