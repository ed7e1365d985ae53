import dataclasses
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import optax
import pytest

from cuesta.core.foreign import check_optimizer
from cuesta.errors import SpecError
from cuesta.hyperparameters import Candidate
from cuesta.training.lanes import train_chunk
from tests.training.tables import assert_same_bits, base, chunk_of, class_feed, leaves, train

# One compiled call against another of the same mathematics in float32, over a few dozen steps.
FLOAT32 = 1e-4


def doubled_sgd(learning_rate):
    return optax.sgd(2.0 * learning_rate)


def plain_nadam(learning_rate):
    return optax.adam(learning_rate, nesterov=True)


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        ("optax.sgd", {"optimizer": "sgd"}),
        ("optax.adam", {"optimizer": "adam", "dialect": "optax"}),
        ("optax.adagrad", {"optimizer": "adagrad", "dialect": "optax"}),
    ],
)
@pytest.mark.parametrize("final", [None, 1e-4])
def test_an_optimizer_of_optax_trains_as_ours_in_its_dialect(theirs, mine, final):
    feed = class_feed()
    shared = {"final_learning_rate": final, "clip_norm": 0.5, "dropout": 0.2}
    a = train(feed, [base(optimizer=theirs, **shared)])
    b = train(feed, [base(**mine, **shared)])
    np.testing.assert_allclose(a.curves, b.curves, rtol=FLOAT32)


def test_a_factory_given_as_a_function_trains():
    feed = class_feed()
    a = train(feed, [base(optimizer=doubled_sgd, learning_rate=0.01)])
    b = train(feed, [base(optimizer="sgd", learning_rate=0.02)])
    np.testing.assert_allclose(a.curves, b.curves, rtol=FLOAT32)


def test_a_function_of_optax_is_carried_by_its_name():
    assert Candidate(optimizer=optax.lion) == Candidate(optimizer="optax.lion")
    assert Candidate(optimizer=optax.lion).to_dict()["optimizer"] == "optax.lion"


def test_a_foreign_lane_ignores_its_neighbours():
    feed = class_feed()
    lion = base(optimizer="optax.lion", learning_rate=1e-3)
    wild = base(optimizer="optax.lion", learning_rate=1e30)
    alone, together = train(feed, [lion], width=2), train(feed, [wild, wild, lion], width=4)
    assert together.diverged_at[0] > 0
    assert_same_bits(leaves(alone), leaves(together, 2))


@pytest.mark.parametrize(
    ("name", "culprit"),
    [
        ("optax.leon", "no optimizer of that name .*'optax.lion'"),
        ("optax.lbfgs", "needs more than"),
        ("optax.clip_by_global_norm", "more than a learning rate"),
        ("optax.constant_schedule", "more than"),
        ("os.system", "give the function itself"),
        ("adamm", "did you mean 'adam'"),
    ],
)
def test_what_is_no_optimizer_is_refused_by_name(name, culprit):
    with pytest.raises(SpecError, match=culprit):
        check_optimizer(name)


@pytest.mark.parametrize(
    "optimizer", ["optax.nadam", optax.nadam, partial(optax.adam, nesterov=True)]
)
def test_a_partial_is_a_factory_as_the_function_it_stands_for_is(optimizer):
    feed = class_feed()
    named = base(optimizer=plain_nadam, learning_rate=0.01)
    assert_same_bits(
        leaves(train(feed, [base(optimizer=optimizer, learning_rate=0.01)])),
        leaves(train(feed, [named])),
    )


def test_a_partial_is_named_with_what_it_fixes():
    assert Candidate(optimizer=optax.nadam).optimizer == "optax.nadam"
    names = [Candidate(optimizer=partial(optax.adam, b1=b1, b2=0.9)).optimizer for b1 in (0.8, 0.7)]
    assert names[0] == "functools.partial(optax.adam, b1=0.8, b2=0.9)"
    assert names[1] != names[0]
    again = Candidate(optimizer=partial(optax.adam, b2=0.9, b1=0.8))
    assert again.optimizer == names[0]
    assert again.factory is not None
    with pytest.raises(SpecError, match="not ndarray"):
        Candidate(optimizer=partial(optax.adam, b1=np.array(0.8)))


def test_a_function_without_a_name_is_refused():
    with pytest.raises(SpecError, match="named function"):
        Candidate(optimizer=lambda learning_rate: optax.sgd(2 * learning_rate))


@pytest.mark.slow("starts a process")
def test_a_spawned_process_trains_a_candidate_with_a_factory_of_its_own():
    feed, candidate = class_feed(), base(optimizer=doubled_sgd, learning_rate=0.01)
    chunk = chunk_of(feed, [candidate])
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        far = pool.submit(train_chunk, chunk, feed).result()
    assert_same_bits(leaves(far), leaves(train(feed, [candidate])))


def test_factories_of_one_name_are_not_confused():
    def named(factor):
        def mine(learning_rate):
            return optax.sgd(factor * learning_rate)

        mine.__qualname__ = "mine"
        return mine

    one, other = (Candidate(optimizer=named(factor)) for factor in (1.0, 2.0))
    assert one.optimizer == other.optimizer
    assert one != other
    feed = class_feed()
    a, b = (train(feed, [base(optimizer=named(factor))]) for factor in (1.0, 2.0))
    assert not np.array_equal(a.curves, b.curves)


def test_another_optimizer_takes_the_factory_along():
    own = Candidate(optimizer=doubled_sgd)
    assert dataclasses.replace(own, learning_rate=0.1).factory is doubled_sgd
    assert dataclasses.replace(own, optimizer="adam").factory is None
