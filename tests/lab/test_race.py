import dataclasses
import math

import jax.numpy as jnp
import numpy as np
import pytest

from cuesta.errors import SpecError
from cuesta.hyperparameters import OPTIMIZERS
from cuesta.lab.functions import function
from cuesta.lab.race import race
from cuesta.lab.settings import RaceSettings
from cuesta.lab.user_function import wrap_function
from cuesta.report.race.view import arrived, outcome, view

pytestmark = pytest.mark.slow("races of hundreds of paths")

QUICK = RaceSettings(steps=300, seeds=5, tries=12, tuning_starts=5, basins=False)


def quick(**how):
    return dataclasses.replace(QUICK, **how)


def by_name(found):
    return {runner.optimizer: runner for runner in found.runners}


def test_rosenbrocks_global_minimum_is_reached_by_every_tuned_optimizer():
    # SGD's slowest direction shrinks by 1 − 0.4α a step, with α at most about 0.002.
    terms = quick(steps=60_000, tries=25, seeds=3, tuning_starts=3, final_ratio=0.01)
    found = race(function("rosenbrock"), terms)
    for runner in found.runners:
        np.testing.assert_allclose(runner.run.end.w, 1.0, atol=1e-3)
        assert (runner.run.end.j < 1e-6).all()
    assert sum(arrived(r.run).all() for r in found.runners) >= 4


def test_the_tuned_rate_is_the_best_of_those_tried():
    found = by_name(race(function("ravine"), quick(optimizers=("sgd",), tries=30)))
    # On a quadratic the best constant rate is 2/(λmin + λmax) (N8: α* between them).
    ratio = 10 ** (6 / 29)  # between neighbouring tries
    assert 2 / 101 / ratio <= found["sgd"].learning_rate <= 2 / 101 * ratio


def test_every_optimizer_has_the_same_budget_and_starts():
    found = race(function("himmelblau"), quick())
    starts = {tuple(r.run.path.points[0]) for r in found.runners}
    assert starts == {(0.0, 0.0)}
    assert {len(r.run.end.j) for r in found.runners} == {5}
    assert {r.learning_rate in QUICK.rates(found.function) for r in found.runners} == {True}
    assert [r.optimizer for r in found.runners] != list(OPTIMIZERS)  # ordered by what they did


def test_a_race_repeats_itself_and_another_seed_differs():
    one, same, other = (
        view(race(function("himmelblau"), quick(noise=1.0, seed=seed))) for seed in (0, 0, 1)
    )
    assert one == same
    assert one != other


@pytest.mark.parametrize(
    "how",
    [
        {"noise": 4.0},
        {"clip_norm": 0.5},
        {"clip_value": 0.5},
        {"final_ratio": 0.01},
        {"dialect": "keras"},
        {"steps": 100},
        {"spread": 0.2},
        {"seeds": 7},
        {"tries": 3},
        {"highest_rate": 1e-3},
        {"lowest_rate": 0.1},
    ],
)
def test_each_term_has_its_effect(how):
    terms = {"optimizers": ("adagrad", "adam")}
    plain = view(race(function("himmelblau"), quick(**terms)))
    changed = view(race(function("himmelblau"), quick(**terms, **how)))
    assert plain["results"] != changed["results"]


def test_more_starts_make_another_tuning():
    terms = quick(optimizers=("sgd", "adam"), noise=100.0, tries=40)
    one, many = (
        view(race(function("himmelblau"), dataclasses.replace(terms, tuning_starts=n)))
        for n in (1, 30)
    )
    rates = [{r["optimizer"]: r["learning_rate"] for r in v["results"]} for v in (one, many)]
    assert rates[0] != rates[1]


def test_where_nothing_is_clipped_nothing_is_compared():
    assert race(function("himmelblau"), quick()).runners[0].free is None
    clipped = race(function("himmelblau"), quick(clip_norm=1e9))
    for runner in clipped.runners:  # a bound that is never met changes nothing
        np.testing.assert_array_equal(runner.run.end.w, runner.free.end.w)


def test_the_cliff_in_a_race():
    cliff = function("cliff")
    found = race(cliff, quick(steps=1000, clip_norm=cliff.clip_norm, optimizers=("sgd",)))
    (runner,) = found.runners
    assert arrived(runner.run).all()
    assert outcome(found, runner.run).startswith("reaches the minimum")
    assert "thrown out at step" in outcome(found, runner.free)
    assert "lost" in outcome(found, runner.free)


def test_basins_are_shares_of_all_starts():
    found = race(function("himmelblau"), quick(basins=True, steps=500))
    for runner in found.runners:
        assert runner.basin.shape == (10_000,)
        assert set(np.unique(runner.basin)) <= {-2, -1, 0, 1, 2, 3}
        assert runner.world >= (runner.basin >= 0).mean()
    assert by_name(found)["momentum"].world > 0.99
    near = np.linalg.norm(found.grid - [3.0, 2.0], axis=1) < 0.3
    place = next(i for i, c in enumerate(found.resting) if np.allclose(c.point, [3, 2]))
    assert (by_name(found)["sgd"].basin[near] == place).all()  # who starts there stays there


def test_only_some_starts_find_rastrigins_global_minimum():
    terms = quick(optimizers=("sgd",), basins=True, highest_rate=1e-3)
    (runner,) = race(function("rastrigin"), terms).runners
    # Rates below 2/λmax follow the slope: the basin is the square cell around 0, of side about 1
    # of 10.24, less where the starts fall.
    assert runner.world == pytest.approx((1 / 10.24) ** 2, rel=0.25)


def test_saddles_are_left_downhill():
    found = race(function("saddle"), quick())
    assert all(arrived(r.run).all() for r in found.runners)
    assert "falls below J = -1" in outcome(found, found.runners[0].run)


def test_any_number_of_dimensions():
    for n in (1, 3, 20):
        found = race(function("rastrigin" if n == 1 else "rosenbrock", n), quick(steps=100))
        assert found.surface is None
        assert found.runners[0].run.path.points.shape == (100, n)


def test_a_function_of_ones_own_needs_no_known_minimum():
    found = race(wrap_function(lambda w: jnp.sum((w - 1.0) ** 2) - 7.0, "bowl"), quick())
    assert found.base == pytest.approx(-7.0)
    assert all(arrived(r.run).any() for r in found.runners[:4])


def test_a_start_where_j_is_not_a_number_is_named():
    logs = wrap_function(lambda w: jnp.sum(jnp.log(w)), "logs")
    with pytest.raises(SpecError, match=r"logs is not finite at step 0, at \(-1, 2\)"):
        race(logs, QUICK, [-1.0, 2.0])


def test_a_path_that_meets_nan_is_lost_with_its_step_and_point():
    # α = ½ halves w at each step: from 3 the path meets 1.5, where J is not a number; the starts
    # of the tuning, and the other seeds, pass by.
    trap = wrap_function(
        lambda w: jnp.where(jnp.abs(w[0] - 1.5) < 1e-6, jnp.nan, 0.5 * w[0] ** 2), "trap"
    )
    terms = quick(lowest_rate=0.5, highest_rate=0.5, optimizers=("sgd",), steps=40)
    values = view(race(trap, terms, [3.0, 0.0]))["results"][0]
    assert values["outcome"] == "is lost: J is not a number (NaN) at step 1, at (1.5, 0)"
    assert values["reached"] == 4


def test_where_every_path_meets_nan_the_step_and_point_are_told():
    edge = wrap_function(lambda w: jnp.sum(jnp.log(w)), "edge", [(0.1, 5.0)], 2)
    with pytest.raises(SpecError, match=r"edge is not finite at step \d+, at \("):
        race(edge, quick(lowest_rate=50.0, highest_rate=60.0))


@pytest.mark.parametrize(
    ("how", "culprit"),
    [
        ({"optimizers": ()}, "at least one"),
        ({"optimizers": ("sdg",)}, "sgd"),
        ({"optimizers": ("sgd", "sgd")}, "twice"),
        ({"dialect": "pytorch"}, "dialect"),
        ({"steps": 0}, "steps"),
        ({"seed": -1}, "seed must be from 0"),
        ({"tries": 0}, "tries"),
        ({"noise": -1.0}, "noise"),
        ({"noise": math.nan}, "noise"),
        ({"clip_norm": 0.0}, "clip_norm"),
        ({"final_ratio": 2.0}, "final_ratio"),
        ({"lowest_rate": 1.0, "highest_rate": 0.1}, "highest_rate"),
    ],
)
def test_terms_that_cannot_be_are_a_sentence(how, culprit):
    with pytest.raises(SpecError, match=culprit):
        RaceSettings(**how)


def test_a_path_that_touches_the_goal_and_leaves_it_has_not_arrived():
    # RMSProp without ε steps by ±α whatever the slope: it crosses the minimum again and again.
    rate = {"lowest_rate": 0.03, "highest_rate": 0.03, "tries": 1}
    found = race(function("himmelblau"), quick(optimizers=("rmsprop",), **rate))
    end = found.runners[0].run.end
    assert (end.touched >= 0).any()
    left = (end.touched >= 0) & (end.j > found.goal)
    assert left.any()
    assert not arrived(found.runners[0].run)[left].any()


def test_arrival_is_counted_from_where_the_path_stays():
    found = race(function("half_square"), quick(optimizers=("momentum",)))
    (runner,) = found.runners
    for k, reached in enumerate(runner.run.end.reached):
        assert reached >= runner.run.end.touched[k] > 0
    heights = runner.run.path.info.j
    first = int(runner.run.end.reached[0])
    assert (heights[first:] <= found.goal).all()
    assert heights[first - 1] > found.goal


def test_no_rate_is_chosen_whose_paths_are_thrown_out_of_the_minimum():
    found = race(function("himmelblau"), quick(optimizers=("rmsprop",), steps=2000, tries=40))
    assert (found.runners[0].run.end.thrown < 0).all()
    assert found.runners[0].learning_rate < 1.0


@pytest.mark.parametrize(
    ("value", "falls"),
    [
        (lambda w: w[0] + w[1], True),
        (lambda w: w[0] ** 3 + w[1], True),
        (lambda w: jnp.sum((w - 1.0) ** 2), False),
        (lambda w: jnp.exp(-w[0]) + w[1] ** 2, False),
    ],
)
def test_a_function_that_falls_without_bound_is_told_as_that(value, falls):
    found = race(wrap_function(value, "own"), quick(optimizers=("sgd", "adam")))
    assert (found.function.lowest == -math.inf) == falls
    assert (view(found)["function"]["lowest"] is None) == falls
    if falls:
        said = view(found)["results"][0]["outcome"]
        assert said.startswith("falls below J = ")


def test_the_rates_of_a_function_of_ones_own_follow_the_time_to_its_minimum():
    own = wrap_function(lambda w: 0.5 * jnp.sum(w**2), "own", [(-5.0, 5.0)])
    terms = quick(optimizers=("sgd", "adam"))
    known = race(function("half_square"), terms)
    told = race(own, terms, known.start)
    assert [r.learning_rate for r in told.runners] == [r.learning_rate for r in known.runners]
