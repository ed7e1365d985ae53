import sys

import jax.numpy as jnp
import numpy as np
import pytest

from cuesta.errors import SpecError
from cuesta.lab.user_function import find_function, wrap_function

SOURCE = '''
import math
import jax.numpy as jnp
import numpy as np

def bowl(w):
    """J = (w - 1)^2, the user's bowl"""
    return jnp.sum((w - 1.0) ** 2)

def vector(w): return w
def whole(w): return 3
def text(w): return "low"
def plain(w): return math.sin(w[0])
def branches(w): return w[0] if w[0] > 0 else -w[0]
def picky(w): return jnp.dot(w, jnp.ones(7))
def count(w): return jnp.sum(w > 0)
def complex_(w): return jnp.sum(w) * 1j
number = 3
'''


@pytest.fixture
def mine(in_folder, monkeypatch):
    (in_folder / "mine_for_race.py").write_text(SOURCE)
    (in_folder / "broken_for_race.py").write_text("import nothing_of_this_name\n")
    monkeypatch.setattr("sys.path", [p for p in sys.path if p not in ("", str(in_folder))])
    monkeypatch.delitem(sys.modules, "mine_for_race", raising=False)


def test_a_function_of_the_working_folder_is_found(mine):
    found = find_function("mine_for_race:bowl", 3)
    assert (found.dimensions, found.lowest, found.goal) == (3, None, None)
    assert found.formula == "J = (w - 1)^2, the user's bowl"
    assert found.domain == ((-5.0, 5.0),) * 3
    assert float(found.value(jnp.ones(3))) == 0.0
    assert all(-5 < place < 5 for place in found.start)


def test_a_domain_is_one_pair_or_a_pair_for_each(mine):
    assert find_function("mine_for_race:bowl", 2, [0, 1]).domain == ((0, 1), (0, 1))
    assert find_function("mine_for_race:bowl", 2, [0, 1, -2, 2]).domain == ((0, 1), (-2, 2))
    assert find_function("himmelblau", 2, [-1, 1]).domain == ((-1, 1), (-1, 1))
    for ends in ([0, 1, 2], [1, 0], [0, np.inf], [np.nan, 1]):
        with pytest.raises(SpecError, match="domain"):
            find_function("mine_for_race:bowl", 2, ends)


@pytest.mark.parametrize(
    ("reference", "culprit"),
    [
        ("mine_for_race:bole", "has no function 'bole'"),
        ("mine_for_race:number", "no function 'number'"),
        ("mine_for_race:", "no function ''"),
        ("nowhere_at_all:f", "'nowhere_at_all' cannot be imported: ModuleNotFoundError"),
        ("broken_for_race:f", "nothing_of_this_name"),
        (":f", "cannot be imported"),
        ("x**2+y**2", "write it with jax.numpy in a file.*mine:bowl"),
        ("himmelblaw", "did you mean 'himmelblau'.*mine:bowl"),
        ("..:f", "cannot be imported"),
        ("mine_for_race:vector", r"one number, not an array of shape \(2,\)"),
        ("mine_for_race:whole", "one number, not int"),
        ("mine_for_race:text", "one number, not str"),
        ("mine_for_race:plain", "use jax.numpy"),
        ("mine_for_race:branches", "use jax.numpy.where"),
        ("mine_for_race:picky", "2 coordinates"),
        ("mine_for_race:count", "real number, not int"),
        ("mine_for_race:complex_", "real number, not complex"),
    ],
)
def test_what_is_no_scalar_function_is_a_sentence(mine, reference, culprit):
    with pytest.raises(SpecError, match=culprit) as error:
        find_function(reference)
    assert "\n" not in str(error.value)


def test_a_callable_will_do():
    found = wrap_function(lambda w: jnp.sum(w**2), "square", [(-1.0, 1.0)], 4)
    assert found.name == "square"
    assert found.dimensions == 4
